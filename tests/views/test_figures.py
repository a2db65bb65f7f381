"""What every figure keeps: it draws any run, says what it is of, and draws the numbers that it gives."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from tests.views.seen import words

from tonotopy.core.errors import InputError
from tonotopy.core.registry import plugins
from tonotopy.signal import erb
from tonotopy.views import RunTables, figure, figure_names
from tonotopy.views.export import rendered
from tonotopy.views.figures._contract import PACKAGE, figure_module
from tonotopy.views.palette import INK, MARKS, PAPER
from tonotopy.views.paper import heading

NAMES = figure_names()
KINDS = ("plain", "hostile", "minimal")
EXPECTED = {
    "anatomy",
    "audiograms",
    "depth-profile",
    "first-layer",
    "margins",
    "sparsity-law",
    "verdict-map",
    "view-curve",
}


@pytest.fixture(scope="module")
def runs(run_folders: dict[str, Path]) -> dict[str, RunTables]:
    """The three runs, read once."""
    return {kind: RunTables.read(folder) for kind, folder in run_folders.items()}


def test_the_registry_finds_them() -> None:
    """The figures that the specification asks of a run are there, each with a licence and a summary."""
    assert set(NAMES) >= EXPECTED
    for plugin in plugins(PACKAGE).values():
        assert plugin.licence
        assert plugin.summary.endswith(".") or plugin.summary


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_draws_any_run(name: str, kind: str, runs: dict[str, RunTables]) -> None:
    """Full, hostile and minimal runs are drawn, and the heading says what they are of."""
    run = runs[kind]
    drawn = figure_module(name).draw(run)
    found = words(drawn)
    assert f"{run.n_pieces} pieces" in found
    assert "preset standard" in found
    assert "folder:music12" in found
    assert "synthetic" in found
    assert rendered(drawn, "svg").startswith(b"<?xml")


@pytest.mark.parametrize("name", NAMES)
def test_draws_one_site(name: str, runs: dict[str, RunTables]) -> None:
    """Any figure can be asked for one site, and refuses one that is not there."""
    run = runs["plain"]
    module = figure_module(name)
    assert module.draw(run, site="stack_end").get_size_inches()[0] == pytest.approx(7.2)
    table = module.data(run, "stack_end")
    assert "site" not in table or set(table["site"]) <= {"stack_end"}
    with pytest.raises(InputError, match="expected a site of this run; got 'nowhere'"):
        module.draw(run, site="nowhere")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_says_what_it_shows(name: str, kind: str, runs: dict[str, RunTables]) -> None:
    """Every figure has a title, a caption that states its null, and words for who does not see it."""
    module = figure_module(name)
    caption = module.caption(runs[kind])
    assert module.TITLE
    assert any(word in caption.lower() for word in ("null", "measured"))
    assert "nan" not in caption
    lines = module.describe(runs[kind])
    assert all("nan" not in line for line in lines)
    assert isinstance(module.data(runs[kind]), pd.DataFrame)


@pytest.mark.parametrize("name", NAMES)
def test_svg_is_the_same_each_time(name: str, runs: dict[str, RunTables]) -> None:
    """Drawing and writing twice gives the same bytes, without a date, and text stays text."""
    module = figure_module(name)
    first, second = (rendered(module.draw(runs["plain"]), "svg") for _ in range(2))
    assert first == second
    assert b"dc:date" not in first
    assert b"<!DOCTYPE" not in first
    assert module.TITLE.encode() in first.replace(b"&#39;", b"'")


@pytest.mark.parametrize("name", NAMES)
def test_hostile_words_stay_words_in_svg(name: str, runs: dict[str, RunTables]) -> None:
    """An SVG holds no script, no handler and no address but those of its own vocabulary."""
    content = rendered(figure_module(name).draw(runs["hostile"]), "svg")
    for element in ET.fromstring(content).iter():
        assert element.tag.rsplit("}", 1)[-1] not in {"script", "foreignObject", "a", "iframe"}
        for key, value in element.attrib.items():
            assert not key.rsplit("}", 1)[-1].lower().startswith("on")
            if key.rsplit("}", 1)[-1] == "href":
                assert value.startswith(("#", "data:image/png;base64,"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("sparsity-law", "no trials by occupancy in this run"),
        ("view-curve", "no windows of frames were read in this run"),
        ("anatomy", "no anatomy in this run"),
        ("first-layer", "no first convolution was described in this run"),
    ],
)
def test_nothing_measured_is_drawn_as_undefined(name: str, reason: str, runs: dict[str, RunTables]) -> None:
    """An empty table is a hatched panel with the reason, not an empty axis that looks like zero."""
    drawn = figure_module(name).draw(runs["minimal"])
    assert f"undefined: {reason}" in words(drawn)
    assert any(patch.get_hatch() for patch in drawn.axes[0].patches)


def test_front_door_reads_a_folder(run_folders: dict[str, Path]) -> None:
    """A figure by name takes a folder, and a misspelt name suggests the right one."""
    assert isinstance(figure("verdict-map", run_folders["minimal"]), Figure)
    with pytest.raises(InputError, match=r"known figure; got 'verdictmap'.*did you mean 'verdict-map'"):
        figure("verdictmap", run_folders["minimal"])


# ---- the numbers given are the numbers drawn


def test_verdict_map_draws_its_data(runs: dict[str, RunTables]) -> None:
    """Cell by cell the colour is the verdict's; the strips are the floor's share and what the ceiling could."""
    module = figure_module("verdict-map")
    cells = module.data(runs["plain"])
    axes = module.draw(runs["plain"]).axes[0]
    verdicts, strip, above = (item for item in axes.collections if isinstance(item, PolyCollection))
    drawn = [to_hex(colour) for colour in verdicts.get_facecolor()]
    assert drawn == [MARKS[verdict].colour for verdict in cells["verdict"]]
    np.testing.assert_allclose(np.asarray(strip.get_array()), cells["floor_pass_share"])
    np.testing.assert_allclose(np.asarray(above.get_array()), cells["ceiling"] == "passes")
    letters = {text.get_text() for text in axes.texts}
    assert {"S", "P", "C", "E", "·"} <= letters


def test_verdict_map_marks_what_must_not_be_read_as_zero(runs: dict[str, RunTables]) -> None:
    """Undefined and unresolvable stretches are hatched; borderline cells carry a dot each."""
    module = figure_module("verdict-map")
    cells = module.data(runs["plain"])
    axes = module.draw(runs["plain"]).axes[0]
    hatches = [patch.get_hatch() for patch in axes.patches]
    assert hatches.count("xxxxx") == int((cells["verdict"] == "undefined").sum())
    assert any(hatch and "\\" in hatch for hatch in hatches)
    dots = sum(len(line.get_xdata()) for line in axes.lines if line.get_marker() == "o")
    assert dots == int(cells["borderline"].sum())


def test_audiograms_draw_their_data(runs: dict[str, RunTables]) -> None:
    """Lines hold the finite levels; a level that is never reached is a mark in its lane, not a number."""
    module = figure_module("audiograms")
    points = module.data(runs["plain"], "first_conv")
    axes = module.draw(runs["plain"], site="first_conv").axes[0]
    line = points[points["curve"] == "line"]
    curve = next(item for item in axes.lines if item.get_label() == "line")
    level = line["level_db"].to_numpy()
    np.testing.assert_allclose(curve.get_ydata(), np.where(np.isfinite(level), level, np.nan))
    np.testing.assert_allclose(curve.get_xdata(), erb.rate(line["frequency_hz"].to_numpy()))
    never = [item for item in axes.lines if item.get_linestyle() == "None" and len(item.get_xdata())]
    assert sum(len(item.get_xdata()) for item in never) == int(np.isposinf(points["level_db"]).sum())
    assert all(np.min(item.get_ydata()) > 18.0 for item in never)


def test_depth_profile_draws_its_data(runs: dict[str, RunTables]) -> None:
    """The points are the shares, in depth order."""
    module = figure_module("depth-profile")
    axes = module.draw(runs["plain"]).axes[0]
    points = next(item for item in axes.lines if item.get_label() == "stable")
    np.testing.assert_allclose(points.get_xdata(), module.data(runs["plain"])["share_stable"])
    assert np.all(np.diff(points.get_ydata()) > 0)


def test_sparsity_law_draws_its_data(runs: dict[str, RunTables]) -> None:
    """Curves hold the bins of a site; the null is drawn beside them."""
    module = figure_module("sparsity-law")
    bins = module.data(runs["plain"], "stack_end")
    axes = module.draw(runs["plain"], site="stack_end").axes[0]
    drawn = [item.get_ydata() for item in axes.lines if len(item.get_ydata()) == len(bins)]
    assert any(np.allclose(y, bins["detection"]) for y in drawn)
    assert any(np.allclose(y, bins["shuffled_detection"]) for y in drawn)


def test_a_half_point_beyond_the_trials_is_not_drawn(runs: dict[str, RunTables]) -> None:
    """A half-point outside the axis, however far, leaves the panels as they are."""
    run = runs["plain"]
    far = RunTables(**{**vars(run), "sites": run.sites.assign(half_detection=-30.0, half_specificity=1e9)})
    drawn = figure_module("sparsity-law").draw(far)
    assert rendered(drawn, "svg")
    assert drawn.axes[0].get_position().width > 0.2


def test_margins_leave_an_untried_null_undefined(runs: dict[str, RunTables]) -> None:
    """Where shuffled labels were not tried, the null has no share; zero would be a claim."""
    run = runs["plain"]
    untried = run.verdicts.assign(shuffled_specificity=float("nan"))
    brief = RunTables(**{**vars(run), "verdicts": untried})
    table = figure_module("margins").data(brief)
    assert table.loc[table["readout"] == "shuffled", "share"].isna().all()
    assert table.loc[table["readout"] == "line", "share"].notna().all()


def test_first_layer_draws_filters_by_peak(runs: dict[str, RunTables]) -> None:
    """Filters come by ascending peak, and the image holds the responses given."""
    module = figure_module("first-layer")
    table = module.data(runs["plain"])
    peaks = table.groupby("rank")["peak_hz"].first()
    assert (peaks.diff().dropna() >= 0).all()
    image = module.draw(runs["plain"]).axes[0].images[0].get_array()
    assert image is not None
    np.testing.assert_allclose(np.asarray(image).T.ravel(), table["response_db"])


def test_certainty_that_is_undefined_is_drawn_as_such(runs: dict[str, RunTables]) -> None:
    """Under eight pieces every defined verdict has an open ring, and none passes as certain."""

    def rings(run: RunTables, face: str) -> int:
        (axes,) = figure("verdict-map", run).axes
        marks = [line for line in axes.lines if line.get_marker() == "o"]
        return sum(len(line.get_xdata()) for line in marks if to_hex(line.get_markerfacecolor()) == face)

    few, many = runs["minimal"], runs["plain"]
    assert rings(few, PAPER) == int((few.verdicts["verdict"] != "undefined").sum())
    assert rings(few, INK) == 0
    assert rings(many, PAPER) == 0
    assert rings(many, INK) == int(many.verdicts["borderline"].sum()) > 0
    data = figure_module("verdict-map").data(few)
    assert data["borderline"].isna().all()


def test_a_site_without_verdicts_has_no_share(undefined_run: Path) -> None:
    """Where nothing is defined, the profile hatches the row and the map writes no percentage beside it."""
    run = RunTables.read(undefined_run)
    assert figure_module("depth-profile").data(run, "codes")["share_stable"].isna().all()
    assert (
        "codes: stable undefined (undefined at .75"
        in figure_module("depth-profile").describe(run, site="codes")[0]
    )
    assert "0 %" not in words(figure("verdict-map", run, "codes")).splitlines()


def test_a_heading_leaves_out_what_there_was_none_of(runs: dict[str, RunTables]) -> None:
    """An anatomy without a run names encoder and weights, and neither preset nor pieces."""
    run = dataclasses.replace(runs["plain"], verdict={"encoder": "e", "weights": "w", "n_pieces": 0})
    assert heading(run) == "e · w"
    assert heading(runs["minimal"]) == "synthetic · trained · folder:music12 · preset standard · 4 pieces"
