"""What codes and a head know, on page, terminal and in figures: numbers beside their nulls, undefined as a word."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.views.code_tables import BANDS, CLASSES, N_HZ, STAGES, code_tables
from tests.views.seen import Page, shown, words

from tonotopy.core.errors import InputError, RunError
from tonotopy.views import RunTables, write_report
from tonotopy.views._code_rows import isolated, told
from tonotopy.views._code_schema import CODE_TABLES
from tonotopy.views.code_grids import stages_grid
from tonotopy.views.codes import code_findings
from tonotopy.views.export import csv_text, rendered
from tonotopy.views.figures._contract import figure_module

FIGURES = ("codes", "head")


def write(folder: Path, tables: dict[str, pd.DataFrame]) -> Path:
    """Add tables to a run."""
    for name, table in tables.items():
        table.to_parquet(folder / "tables" / f"{name}.parquet", index=False)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that asked; a head at another site stands for that of a classifier."""
    from tests.views.conftest import write_run

    root = write_run(tmp_path_factory.mktemp("codes") / "run", n_frequencies=6)
    return write(root, code_tables(("codes", 5), ("stack_end", 4)))


@pytest.fixture(scope="module")
def run(folder: Path) -> RunTables:
    """The same, read once."""
    return RunTables.read(folder)


def without_floor(run: RunTables) -> RunTables:
    """The same run, no untrained copy measured."""
    kept = {name: getattr(run, name)[getattr(run, name)["weights"] == "trained"] for name in CODE_TABLES}
    return dataclasses.replace(run, **kept)


def test_every_number_has_its_null(run: RunTables) -> None:
    """Isolated frequencies, AUC, bits and cells, each beside swapped labels, moved codes, a perfect code, copies."""
    codes, _ = code_findings(run)
    assert (codes.share, codes.interval) == ("50 %", "[50, 50]")
    assert "isolate 50 % [50, 50] of 4 frequencies" in codes.text
    assert "with an AUC of 0.83 (swapped labels 0.50)" in codes.text
    assert (
        "tells 0.40 bit of whether the partial is there; as many frames of a perfect code could show 0.70"
        in codes.text
    )
    assert "Most is told by stages 2, 0 and 1." in codes.text
    assert "stage 3 tells most, 0.030 bit [-0.010, 0.050]" in codes.text
    assert (
        "perplexity is 8.00 to 11 (equally likely codes 15.9); 4 codes of all stages never came (by chance 0.00)"
        in codes.text
    )
    assert "ρ = 0.50 (permuted codes 0.00;" in codes.text
    assert "Of 2 swaps" in codes.text
    assert "50 % of the change is within 1 ERB" in codes.text
    assert "(at the places of other swaps 25 %); in tracked partials 40 % (20 %)" in codes.text
    assert "codes of 2 untrained copies isolate at most 0 %, with an AUC of 0.50 and 0.50" in codes.nulls


def test_what_is_isolated_by_hand(run: RunTables) -> None:
    """Of four frequencies two have AUCs of .95; an end below .9 does not count; nothing known is no share."""
    own = run.codes[run.codes["weights"] == "trained"]
    assert isolated(own).share == 0.5
    assert isolated(own.assign(foil_auc_low=0.89)).low == 0.0
    assert isolated(own.assign(auc_p=0.06)).share == 0.0
    assert np.isnan(isolated(own.assign(auc=np.nan)).share)
    assert told(run, "trained", 0).stages == (2, 0, 1)


def test_a_head_beside_random_directions(run: RunTables) -> None:
    """Share, consistency and order of classes, each with what random directions or orders read."""
    _, head = code_findings(run)
    assert (
        "Of 5 classes of the head at stack_end, at all frequencies, 25 % answer more consistently"
        in head.text
    )
    assert "the median consistency is 0.75 (random directions 0.10)" in head.text
    assert (
        "span 3.00 directions. Successive classes have a cosine of 0.90 (classes in random order 0.10, p = 0.01)"
        in head.text
    )
    assert "of 2 untrained copies 0 % are more consistent than random directions" in head.nulls


def test_undefined_is_a_word(run: RunTables) -> None:
    """Nothing defined gives no zero and no nan; without copies the sentence says so."""
    nothing = {name: getattr(run, name).copy() for name in CODE_TABLES}
    for table in nothing.values():
        table[table.select_dtypes("float64").columns.difference(["frequency_hz", "band_hz"])] = np.nan
    found = " ".join(finding.text for finding in code_findings(dataclasses.replace(run, **nothing)))
    assert "the codes of 4 stages isolate undefined of" in found
    assert "How much one stage tells of an added partial is undefined." in found
    assert "What codes tell of the partials of music is undefined." in found
    assert "nan" not in found.split()
    text = " ".join(finding.nulls for finding in code_findings(without_floor(run)))
    assert text.count("No untrained copy was measured.") == 2
    assert "nan" not in shown(dataclasses.replace(run, **nothing)).split()


def test_a_terminal_has_a_few_lines(run: RunTables) -> None:
    """One row a set of weights, excess beside what is attainable, AUC beside its null, and which stages."""
    text = shown(run)
    assert re.search(r"\ncodes +50 % \[50, 50\] +0.83 +0.50 +0.83 +0.50 +0.40 +0.70 +0.030 +25 %\n", text)
    assert "codes, untrained 11" in text
    assert "most is told of added partials by stages 2, 0 and 1" in text
    assert "stack_end, untrained 12" in text
    assert max(len(line) for line in shown(run, width=110).splitlines() if line.startswith("codes")) <= 110


def test_the_page_has_a_section(run: RunTables, folder: Path) -> None:
    """Sentences, the table of stages, both figures and the tables to take away; no script."""
    page = Page(write_report(run).read_text(encoding="utf-8"))
    assert "What codes know" in page.text
    assert "isolate 50" in page.text
    assert not page.all("script")
    files = {item.get("href") for item in page.all("a")}
    assert {
        "data/codes-table.csv",
        "data/code-stages-table.csv",
        "#what-codes-know",
        "#codes",
        "#head",
    } <= files
    for name in (
        "data/codes-table.csv",
        "data/head-sites-table.csv",
        "figures/codes.svg",
        "figures/head.svg",
    ):
        assert (folder / "report" / name).stat().st_size > 0
    assert len(stages_grid(run).rows) == STAGES


def test_a_run_that_did_not_ask_shows_nothing(run_folders: dict[str, Path]) -> None:
    """No section, no block, no finding."""
    plain = RunTables.read(run_folders["plain"])
    assert not plain.has_codes
    assert code_findings(plain) == []
    assert "isolated:" not in shown(plain)


@pytest.mark.parametrize("name", FIGURES)
def test_figures_draw_what_they_give(name: str, run: RunTables) -> None:
    """Drawn twice a figure is the same; caption tells the null, description the undefined; copies can be missing."""
    module = figure_module(name)
    for of in (run, without_floor(run)):
        assert rendered(module.draw(of), "svg") == rendered(module.draw(of), "svg")
    assert "null" in module.caption(run).lower()
    assert "no untrained copy was measured" in module.caption(without_floor(run))
    lines = " ".join(module.describe(run))
    assert "undefined" in lines
    assert "nan" not in lines
    assert "undefined" in words(module.draw(run))
    assert "untrained" in words(module.draw(run))
    assert len(pd.read_csv(io.StringIO(csv_text(module.data(run))))) == len(module.data(run)) > 0
    assert module.data(run, "first_conv").empty
    assert "undefined: nothing was measured" in words(module.draw(run, site="first_conv"))
    with pytest.raises(InputError, match="a site of this run"):
        module.draw(run, site="nowhere")


def test_codes_are_drawn_by_stage_and_band(run: RunTables) -> None:
    """Cells are those of the table, undefined ones masked; marks are where p is at most .05."""
    module = figure_module("codes")
    cells = module.data(run)
    own = cells[cells["of"] == "trained"]
    assert len(cells) == 2 * STAGES * BANDS
    trained = module.draw(run).axes[0]
    drawn = np.ma.asarray(trained.collections[0].get_array()).reshape(STAGES, BANDS)
    wanted = own.sort_values(["stage", "band_hz"])["excess_bits"].to_numpy().reshape(STAGES, BANDS)
    np.testing.assert_allclose(drawn.filled(np.nan), wanted)
    assert len(trained.collections[1].get_offsets()) == int((own["marked"] >= 0.5).sum()) == 11
    copies = cells.loc[cells["of"] == "untrained"]
    assert copies[["p", "excess_low"]].isna().all(axis=None)


def test_many_classes_are_thinned(run: RunTables) -> None:
    """A head of 300 classes draws 64, and says so."""
    rows = run.head[run.head["class"] == 0]
    many = pd.concat([rows.assign(**{"class": number}) for number in range(300)], ignore_index=True)
    big = dataclasses.replace(run, head=many, head_sites=run.head_sites.assign(n_classes=300))
    module = figure_module("head")
    assert module.data(big)["class"].nunique() == 64
    assert "64 of 300 classes" in module.caption(big)
    assert len(module.data(run)) == 2 * CLASSES * N_HZ


@pytest.mark.parametrize(
    ("name", "column", "value", "message"),
    [
        ("codes", "auc", 1.5, "auc between 0 and 1 in codes"),
        ("codes", "auc_p", -0.1, "auc_p between 0 and 1"),
        ("codes", "stage", -2, "stages from -1 in codes"),
        ("codes", "site", "nowhere", "sites of the run in codes"),
        ("codes", "excess_bits", float("inf"), "finite numbers in column 'excess_bits'"),
        ("code_peaks", "band_hz", 0.0, "band_hz above 0"),
        ("code_stages", "stage", 0, "one row of code_stages for each"),
        ("head", "weights", "other", "known words in column 'weights'"),
    ],
)
def test_what_cannot_be_true_is_refused(
    name: str, column: str, value: float | str, message: str, make_run: Callable[..., Path]
) -> None:
    """Each is an error that names the table."""
    tables = code_tables(("codes", 5), ("stack_end", 4))
    if column == "band_hz" or value == -2:
        tables[name].loc[0, column] = value
    else:
        tables[name][column] = value
    with pytest.raises(RunError, match=message):
        RunTables.read(write(make_run(n_frequencies=6), tables))


def test_too_many_stages_are_refused(make_run: Callable[..., Path]) -> None:
    """A table is bounded before it is drawn."""
    tables = code_tables(("codes", 5))
    row = tables["code_peaks"].iloc[[0]]
    tables["code_peaks"] = pd.concat([row.assign(stage=number) for number in range(300)])
    with pytest.raises(RunError, match="at most 256 different values of stage in code_peaks"):
        RunTables.read(write(make_run(n_frequencies=6), tables))
