"""What a page, a terminal and figures tell of interventions: numbers beside nulls, undefined as such, never code."""

from __future__ import annotations

import dataclasses
import io
import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.views.cause_tables import (
    GAIN,
    HZ,
    LEVEL,
    LOST,
    LOST_FLOOR,
    LOST_RANDOM,
    REASON,
    UNDEFINED_HZ,
    cause_tables,
)
from tests.views.seen import Page, shown, words

from tonotopy.core.errors import InputError, RunError
from tonotopy.views import RunTables, write_report
from tonotopy.views._cause_schema import CAUSE_TABLES, SOUNDS
from tonotopy.views.cause_part import cause_part, reuse_grid, steering_grid
from tonotopy.views.causes import causes_lines, pushed_rows, reuse_rows
from tonotopy.views.export import csv_text, rendered
from tonotopy.views.figures._contract import figure_module
from tonotopy.views.report import page
from tonotopy.views.steered import steered_listening

NAMES = ("steering", "reuse")
KINDS = ("plain", "hostile", "few")


def with_causes(folder: Path, **options: Any) -> Path:
    """A run folder with tables of interventions."""
    sites = list(pd.read_parquet(folder / "tables" / "sites.parquet")["site"])
    for name, table in cause_tables(sites, **options).items():
        table.to_parquet(folder / "tables" / f"{name}.parquet", index=False)
    return folder


@pytest.fixture(scope="module")
def folders(
    run_folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory, attacks: tuple[str, ...]
) -> dict[str, Path]:
    """Three runs with causes: plain, hostile, and without intervals."""
    root = tmp_path_factory.mktemp("causes")
    copies = {
        kind: Path(shutil.copytree(run_folders[kind], root / kind))
        for kind in ("plain", "hostile", "minimal")
    }
    return {
        "plain": with_causes(copies["plain"]),
        "hostile": with_causes(copies["hostile"], hostile=attacks),
        "few": with_causes(copies["minimal"], few=True),
    }


@pytest.fixture(scope="module")
def runs(folders: dict[str, Path]) -> dict[str, RunTables]:
    """The three, read once."""
    return {kind: RunTables.read(folder) for kind, folder in folders.items()}


@pytest.fixture
def made(make_run: Callable[..., Path]) -> Path:
    """A run with causes, to be damaged."""
    return with_causes(make_run(n_frequencies=4))


def test_medians_are_of_what_is_defined(runs: dict[str, RunTables]) -> None:
    """Own, controls and the partial itself at dose 1; the undefined frequency is counted with its reason."""
    found = {(row.site, row.heard): row for row in pushed_rows(runs["plain"])}
    assert set(found) == {("stack_end", "sound"), ("codes", "sound"), ("codes", "outputs")}
    row = found["codes", "sound"]
    assert row.own["specificity_level"] == pytest.approx(LEVEL["own"])
    assert row.own["gain_db"] == pytest.approx(GAIN["own"])
    assert row.controls["random"]["gain_db"] == pytest.approx(GAIN["random"] + 0.3)  # mean of four, jittered
    assert row.controls["wrong site"]["gain_db"] == pytest.approx(GAIN["wrong site"])
    assert row.n == len(HZ)
    assert row.reasons == {REASON: 1}
    assert row.least_p == pytest.approx(0.2)
    assert row.n_least == len(HZ) - 1
    assert found["codes", "outputs"].own["gain"] == pytest.approx(1.0)


def test_reuse_is_a_median_beyond_random_of_both_weights(runs: dict[str, RunTables]) -> None:
    """Rows are of later sites only; the untrained copy's differ."""
    trained, floor = reuse_rows(runs["plain"]), reuse_rows(runs["plain"], "floor")
    assert not (trained["site"] == trained["later_site"]).any()
    assert np.allclose(trained["beyond"], LOST - LOST_RANDOM)
    assert np.allclose(floor["beyond"], LOST_FLOOR)
    assert (trained["n_read"] == len(HZ) - 1).all()
    assert (trained["n_defined"] == len(HZ) - 1).all()
    assert reuse_rows(runs["few"])["n_read"].isna().all()  # without intervals nothing is sure


def test_a_terminal_tells_every_number_beside_its_null(runs: dict[str, RunTables]) -> None:
    """A line a steered site and one a site whose reuse was asked, no program's word for undefined."""
    for kind in KINDS:
        lines = causes_lines(runs[kind])
        assert len(lines) == 3 + 2
        assert all("random" in line for line in lines)
        assert all("untrained" in line for line in lines if line.startswith("Without"))
        assert not any(re.search(r"\bnan\b|\bNone\b", line) for line in lines)
    text = re.sub(r"\s+", " ", shown(runs["plain"], width=400))
    assert "of levels 0.80 (random 0.10, other targets 0.05, partial itself 0.90)" in text
    assert f"1 frequency undefined ({REASON})" in text
    assert (
        "loses 60 % of its answer (random 5 %, other targets 10 %, untrained: own less random 25 %)" in text
    )


def test_a_run_that_was_not_asked_says_nothing(run_folders: dict[str, Path]) -> None:
    """No block on a terminal, no section on the page."""
    run = RunTables.read(run_folders["plain"])
    assert not run.has_causes
    assert causes_lines(run) == []
    assert cause_part(run) is None
    assert "What directions do" not in Page(page(run, ())).text


def test_the_page_tells_listens_and_credits(runs: dict[str, RunTables], attacks: tuple[str, ...]) -> None:
    """Sentences, two tables, sounds before and after in their order, each credited; hostile words stay words."""
    found = Page(page(runs["hostile"], (), causes=cause_part(runs["hostile"])))
    assert found.open == []
    assert "What directions do" in found.text
    players = found.all("audio")
    assert len(players) == 2 * len(SOUNDS)
    labels = [str(player["aria-label"]) for player in players]
    for label, word in zip(labels, SOUNDS, strict=False):
        assert label.startswith(f"codes, 100 Hz, {word}")
    assert "after, +12.0 dB at f" in labels[1]
    assert all("licence CC BY 4.0" in label for label in labels)
    assert "media-src data:" in found.policy
    assert not found.all("script")
    assert not [item for _, item in found.elements if any(name.startswith("on") for name in item)]
    assert attacks[0] in " ".join(labels)


def test_sound_can_be_left_out(runs: dict[str, RunTables]) -> None:
    """Then the policy lets nothing be heard."""
    found = Page(page(runs["plain"], (), causes=cause_part(runs["plain"], audio=False)))
    assert not found.all("audio")
    assert "media-src" not in found.policy
    assert "What directions do" in found.text


def test_tables_of_the_page_are_whole(runs: dict[str, RunTables]) -> None:
    """As many cells as heads, a row a frequency with its reason, a row a pair of sites."""
    steering, reuse = steering_grid(runs["plain"]), reuse_grid(runs["plain"])
    for grid in (steering, reuse):
        assert {len(row) for row in grid.rows} == {len(grid.columns)}
    assert len(steering.rows) == 3 * len(HZ)
    assert sum(REASON in row for row in steering.rows) == 3
    assert len(reuse.rows) == 5 + 4
    assert reuse.rows[0][2:7] == ("60 %", "5 %", "10 %", "55 %", "25 %")


def test_the_report_has_its_files(folders: dict[str, Path], tmp_path: Path) -> None:
    """Both figures, their numbers, and both tables can be taken from the page."""
    written = write_report(Path(shutil.copytree(folders["few"], tmp_path / "run")))
    found = Page(written.read_text(encoding="utf-8"))
    for anchor in found.all("a"):
        href = str(anchor["href"])
        assert href.startswith("#") or (written.parent / href).is_file()
    assert {"figures/steering.svg", "figures/reuse.svg"} <= {str(item["src"]) for item in found.all("img")}
    assert (written.parent / "data" / "all-reuse.csv").is_file()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_figures_draw_any_run(name: str, kind: str, runs: dict[str, RunTables]) -> None:
    """Drawn, headed, the same bytes twice, no code; caption with its null; data that a spreadsheet reads."""
    module, run = figure_module(name), runs[kind]
    drawn = module.draw(run)
    assert module.TITLE in words(drawn)
    content = rendered(drawn, "svg")
    assert content == rendered(module.draw(run), "svg")
    for element in ET.fromstring(content).iter():
        assert element.tag.rsplit("}", 1)[-1] not in {"script", "foreignObject", "a", "iframe"}
    assert "null" in module.caption(run).lower()
    lines = [module.caption(run), *module.describe(run)]
    assert len(lines) > 1
    assert not any(re.search(r"\bnan\b", line) for line in lines)
    table = pd.read_csv(io.StringIO(csv_text(module.data(run))))
    assert len(table) == len(module.data(run)) > 0


def test_steering_draws_one_site_and_undefined_as_undefined(runs: dict[str, RunTables]) -> None:
    """The end of the stack unless asked otherwise; the undefined frequency says why."""
    module, run = figure_module("steering"), runs["plain"]
    assert set(module.data(run)["site"]) == {"stack_end"}
    assert set(module.data(run, "codes")["heard"]) == {"sound"}
    drawn = re.sub(r"\s+", " ", words(module.draw(run)))
    assert f"undefined: {REASON}" in drawn
    undefined = [line for line in module.describe(run) if "undefined" in line]
    assert undefined == [f"stack_end, {UNDEFINED_HZ:.0f} Hz: undefined ({REASON})."]
    assert "undefined: nothing was steered here" in words(module.draw(run, site="first_conv"))
    outputs = dataclasses.replace(run, steering=run.steering[run.steering["heard"] == "outputs"])
    assert "gain (partial = 1)" in words(module.draw(outputs))
    with pytest.raises(InputError, match="expected a site of this run; got 'nowhere'"):
        module.draw(run, site="nowhere")


def test_reuse_draws_cells_beside_the_untrained_copy(runs: dict[str, RunTables]) -> None:
    """Per cent in each cell; without a copy one matrix; a site that was not asked is undefined."""
    module, run = figure_module("reuse"), runs["plain"]
    text = words(module.draw(run))
    assert "untrained copy (null)" in text
    assert text.split("\n").count("55") == 9
    assert text.split("\n").count("25") == 9
    alone = dataclasses.replace(run, reuse=run.reuse[run.reuse["weights"] == "trained"])
    assert "untrained copy (null)" not in words(module.draw(alone))
    assert "no untrained copy" in module.caption(alone)
    assert "undefined: no site with another behind it was asked" in words(module.draw(run, site="codes"))


@pytest.mark.parametrize(
    ("name", "column", "value", "message"),
    [
        ("steering", "specificity", 1.2, "specificity between 0 and 1 in steering"),
        ("steering", "gain_db", float("inf"), "finite numbers in column 'gain_db' of steering"),
        ("steering", "leakage", -1.0, "leakage of 0 or more in steering"),
        ("steering", "heard", "smell", "known words in column 'heard'"),
        ("steering", "site", "nowhere", "sites of the run in steering"),
        ("reuse", "later_site", "nowhere", "sites of the run in reuse"),
        ("reuse", "detection", 2.0, "detection between 0 and 1 in reuse"),
        ("steered_sounds", "piece", 99, "pieces of the run in steered_sounds"),
        ("steered_sounds", "seconds", 1e4, "sounds of at most 60 s in steered_sounds"),
        ("steered_sounds", "sound", "noise", "known words in column 'sound'"),
    ],
)
def test_what_cannot_be_true_is_refused(name: str, column: str, value: Any, message: str, made: Path) -> None:
    """One bad cell is enough, and is named."""
    file = made / "tables" / f"{name}.parquet"
    table = pd.read_parquet(file)
    table.loc[3, column] = value
    table.to_parquet(file, index=False)
    with pytest.raises(RunError, match=re.escape(message)):
        RunTables.read(made)


def test_a_row_twice_is_refused(made: Path) -> None:
    """Two effects of one push cannot both be."""
    for name in CAUSE_TABLES:
        file = made / "tables" / f"{name}.parquet"
        table = pd.read_parquet(file)
        pd.concat([table, table.iloc[:1]]).to_parquet(file, index=False)
        with pytest.raises(RunError, match=f"one row of {name} for each"):
            RunTables.read(made)
        table.to_parquet(file, index=False)


def test_what_is_no_flac_is_refused(made: Path) -> None:
    """Sounds are looked at before they are put on a page."""
    file = made / "tables" / "steered_sounds.parquet"
    table = pd.read_parquet(file)
    table["audio"] = [b"<script>" * 20] * len(table)
    table.to_parquet(file, index=False)
    with pytest.raises(RunError, match="FLAC in column 'audio'"):
        steered_listening(RunTables.read(made))


def test_a_page_holds_whole_sets(runs: dict[str, RunTables]) -> None:
    """A set that would not fit is left out whole, and counted."""
    found = steered_listening(runs["plain"], most=len(SOUNDS) + 2)
    assert [one.title for one in found.sets] == ["codes, 100 Hz"]
    assert found.left_out.startswith(f"{len(SOUNDS)} more sounds")
