"""Figures, page and table of a series: they draw the numbers given, hostile words stay words, links lead somewhere."""

from __future__ import annotations

import io
import json
import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from tonotopy.core.errors import InputError, RunError
from tonotopy.views import SeriesTables, figure, render_series, save_figure, write_series_report
from tonotopy.views.export import rendered
from tonotopy.views.figures import emergence, scaling
from tonotopy.views.figures._contract import series_figures

KINDS = {"plain": "emergence", "hostile": "emergence", "scaling": "scaling"}


@pytest.fixture(scope="module")
def read(series_folders: dict[str, Path]) -> dict[str, SeriesTables]:
    """The series, read once."""
    return {name: SeriesTables.read(folder) for name, folder in series_folders.items()}


@pytest.mark.parametrize("name", KINDS)
def test_figures_draw_any_series(name: str, read: dict[str, SeriesTables]) -> None:
    """Whole, or one site; twice the same; hostile names stay text; what it shows is said, with its null."""
    module = {"emergence": emergence, "scaling": scaling}[KINDS[name]]
    tables = read[name]
    first, second = (rendered(module.draw(tables), "svg") for _ in range(2))
    assert first == second
    for element in ET.fromstring(first).iter():
        assert element.tag.rsplit("}", 1)[-1] not in {"script", "foreignObject", "a", "iframe", "img"}
    assert set(module.data(tables, "codes")["site"]) == {"codes"}
    assert module.draw(tables, site="codes").get_size_inches()[0] == pytest.approx(7.2)
    assert "null" in module.caption(tables).lower()
    assert module.describe(tables)
    assert all("nan" not in line for line in module.describe(tables))
    with pytest.raises(InputError, match=r"^expected a site of this series; got 'nowhere'"):
        module.draw(tables, site="nowhere")


def test_emergence_draws_its_data(read: dict[str, SeriesTables]) -> None:
    """Stable shares, dimensions and overlaps are where the data put them; the floor is the one that was measured."""
    rows = emergence.data(read["plain"])
    drawn = emergence.draw(read["plain"])
    above, middle, below = (drawn.axes[4 * row + 2] for row in range(3))  # the third site
    own = rows[rows["site"] == "stack_end"]
    lines = [line for line in above.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(lines[0].get_ydata(), own["share_stable"])
    np.testing.assert_allclose(middle.lines[0].get_ydata(), own["effective_dimension"])
    np.testing.assert_allclose(below.lines[0].get_ydata(), own["overlap"])
    assert (rows["floor_stable_mean"] == 0.02).all()
    at, ticks, words = emergence.positions(own["step"].to_numpy())
    assert at[0] < at[1]
    assert (words[0], ticks[0]) == ("0", at[0])
    assert (np.diff(at) > 0).all()


def test_snapshots_without_steps_stand_in_their_order(read: dict[str, SeriesTables]) -> None:
    """No logarithm of what is not known."""
    at, _, words = emergence.positions(np.array([np.nan, np.nan]))
    np.testing.assert_array_equal(at, [0, 1])
    assert words == ["1", "2"]
    np.testing.assert_array_equal(emergence.positions(np.array([7.0]))[0], [0])


def test_scaling_draws_its_data(read: dict[str, SeriesTables]) -> None:
    """One line an amount of data; the last row is all sites together."""
    rows = scaling.data(read["scaling"])
    assert list(dict.fromkeys(rows["site"]))[-1] == scaling.ANYWHERE
    axes = scaling.draw(read["scaling"]).axes[-1]
    lines = [line for line in axes.lines if len(line.get_xdata()) == 3 and line.get_linestyle() == "-"]
    expected = rows[(rows["site"] == scaling.ANYWHERE) & (rows["hours"] == 4.0)]["coverage"]
    np.testing.assert_allclose(lines[-1].get_ydata(), expected)


def test_the_claim_is_printed_with_its_rule(
    read: dict[str, SeriesTables], series_folders: dict[str, Path]
) -> None:
    """What improves is said pair by pair; wide intervals leave it undetermined."""
    lines = scaling.claim_lines(read["scaling"])
    assert "supported" in lines[0]
    assert "reuse is not measured" in lines[0]
    assert sum("improves" in line for line in lines) == 8
    wide = read["scaling"].anywhere.assign(coverage_low=0.0, coverage_high=1.0)
    tables = SeriesTables(read["scaling"].series, read["scaling"].shares, wide, read["scaling"].dimension)
    assert "undetermined" in scaling.claim_lines(tables)[0]


def test_a_figure_of_the_other_kind_is_undefined(read: dict[str, SeriesTables]) -> None:
    """A grid has no steps, and snapshots are no grid."""
    for module, name in ((emergence, "scaling"), (scaling, "plain")):
        assert module.data(read[name]).empty
        assert module.draw(read[name]).axes[0].patches


def test_front_door(series_folders: dict[str, Path], tmp_path: Path) -> None:
    """A folder is enough; figures of one run say which ones a series has."""
    assert figure("emergence", series_folders["plain"])
    for ending in ("svg", "pdf", "png", "csv"):
        assert (
            save_figure("emergence", series_folders["plain"], tmp_path / f"e.{ending}").stat().st_size > 500
        )
    table = pd.read_csv(tmp_path / "e.csv")
    assert list(table.columns) == list(emergence.COLUMNS)
    with pytest.raises(
        InputError, match=r"^expected a figure of a series; got 'margins'; .*: emergence, scaling$"
    ):
        figure("margins", series_folders["plain"])
    assert series_figures() == ("emergence", "scaling")


def test_sites_without_verdicts_have_no_share(series_folders: dict[str, Path], tmp_path: Path) -> None:
    """All undefined is undefined, not zero, in the picture too."""
    folder = shutil.copytree(series_folders["plain"], tmp_path / "series")
    file = folder / "tables" / "shares.parquet"
    table = pd.read_parquet(file)
    table.loc[table["site"] == "codes", "share_undefined"] = 1.0
    table.to_parquet(file, index=False)
    tables = SeriesTables.read(folder)
    assert tables.shares.query("site == 'codes'")["share_stable"].isna().all()
    assert "codes: step 0: stable undefined" in emergence.describe(tables, site="codes")[0]
    assert rendered(emergence.draw(tables), "svg")


# ---- the page


def page_of(folder: Path, run: Path, tmp_path: Path) -> tuple[Path, str]:
    """The page of a series whose members are copies of a run."""
    copy = shutil.copytree(folder, tmp_path / "series")
    for member in json.loads((copy / "series.json").read_text())["members"]:
        (copy / member["folder"] / "report").mkdir(parents=True)
        for name in ("plan.toml", "manifest.json"):
            shutil.copy(run / name, copy / member["folder"] / name)
        (copy / member["folder"] / "report" / "index.html").write_text("there")
    page = write_series_report(copy)
    return page, page.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", KINDS)
def test_page(
    name: str, series_folders: dict[str, Path], run_folders: dict[str, Path], tmp_path: Path
) -> None:
    """No script, no foreign address; every link and picture is there."""
    page, text = page_of(series_folders[name], run_folders["minimal"], tmp_path)
    assert "<script" not in text
    assert "<img src=x" not in text
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', text)
    found = re.findall(r'(?:src|href)="([^"#][^"]*)"', text)
    assert len([link for link in found if link.endswith("report/index.html")]) == len(
        SeriesTables.read(page.parents[1]).members
    )
    for link in found:
        assert (page.parent / link).is_file(), link
    assert ("What the grid says" in text) == (name == "scaling")


def test_missing_pages_of_members_are_written(
    series_folders: dict[str, Path], run_folders: dict[str, Path], tmp_path: Path
) -> None:
    """A member without a page gets one; a member that cannot be read has no link."""
    copy = shutil.copytree(series_folders["plain"], tmp_path / "series")
    shutil.copytree(run_folders["minimal"], copy / "member-0")
    text = write_series_report(copy).read_text(encoding="utf-8")
    assert (copy / "member-0" / "report" / "index.html").is_file()
    assert text.count('href="../member-') == 1


def test_nothing_is_written_through_a_link(series_folders: dict[str, Path], tmp_path: Path) -> None:
    """A series from elsewhere whose report is a link is refused."""
    copy = shutil.copytree(series_folders["plain"], tmp_path / "series")
    (tmp_path / "elsewhere").mkdir()
    (copy / "report").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="no link"):
        write_series_report(copy)
    assert not list((tmp_path / "elsewhere").iterdir())


# ---- the terminal


@pytest.mark.parametrize("width", [70, 120])
@pytest.mark.parametrize("name", KINDS)
def test_terminal(name: str, width: int, read: dict[str, SeriesTables]) -> None:
    """One row a member; no escape sequence of a file gets out; nothing is cut."""
    out = io.StringIO()
    render_series(read[name], Console(file=out, width=width, force_terminal=False))
    text = out.getvalue()
    assert "\x1b" not in text
    assert "coverage" in text
    if name == "scaling":
        assert "Claim 14" in text
        assert "300,000 × 4 h" in text
    else:
        assert "4,000" in text
        assert "overlap" in text


# ---- the door


@pytest.mark.parametrize("table", ["shares", "anywhere"])
def test_tables_of_another_series_are_refused(
    table: str, series_folders: dict[str, Path], tmp_path: Path
) -> None:
    """A member that the series does not list is damage."""
    folder = shutil.copytree(series_folders["plain"], tmp_path / "series")
    file = folder / "tables" / f"{table}.parquet"
    frame = pd.read_parquet(file)
    frame.loc[0, "member"] = "stranger"
    frame.to_parquet(file, index=False)
    with pytest.raises(RunError, match=f"members of the series in {table}"):
        SeriesTables.read(folder)


def test_an_unfinished_series_says_so(series_folders: dict[str, Path], tmp_path: Path) -> None:
    """Without all members there is nothing to draw yet."""
    folder = shutil.copytree(series_folders["plain"], tmp_path / "series")
    told = json.loads((folder / "series.json").read_text()) | {"complete": False}
    (folder / "series.json").write_text(json.dumps(told))
    with pytest.raises(RunError, match=r"^expected a finished series; got an unfinished one in 'series'"):
        figure("emergence", folder)
