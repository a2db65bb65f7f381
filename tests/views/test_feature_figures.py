"""Figures of features: they draw any run, give the numbers that they draw, and draw what is undefined as undefined."""

from __future__ import annotations

import dataclasses
import io
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle
from tests.views.feature_tables import KNOWN, UNDEFINED
from tests.views.seen import words

from tonotopy.core.errors import InputError
from tonotopy.signal import erb
from tonotopy.views import RunTables, save_figure
from tonotopy.views._feature_rows import MOST_FEATURES, few_features
from tonotopy.views.export import csv_text, rendered
from tonotopy.views.figures._contract import figure_module
from tonotopy.views.figures.kinds import FILLS, REST, fills_of
from tonotopy.views.palette import BLUE, NULL, PAPER, RUST

NAMES = ("coherence", "kinds", "readability", "ambiguity", "transitions")
KINDS = ("plain", "hostile", "few")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_draws_any_run(name: str, kind: str, featured: dict[str, RunTables]) -> None:
    """With intervals, without, and with hostile words: drawn, headed, the same bytes twice, and no code in them."""
    module = figure_module(name)
    drawn = module.draw(featured[kind])
    assert module.TITLE in words(drawn)
    assert "undefined: no" not in words(drawn) or name == "coherence"
    content = rendered(drawn, "svg")
    if kind == "plain":
        assert content == rendered(module.draw(featured[kind]), "svg")
    for element in ET.fromstring(content).iter():
        assert element.tag.rsplit("}", 1)[-1] not in {"script", "foreignObject", "a", "iframe"}
        assert not any(key.rsplit("}", 1)[-1].lower().startswith("on") for key in element.attrib)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_says_what_it_shows(name: str, kind: str, featured: dict[str, RunTables]) -> None:
    """Caption with its null, sentences without a program's word for undefined, data that a spreadsheet reads."""
    module = figure_module(name)
    assert "null" in module.caption(featured[kind]).lower()
    lines = [module.caption(featured[kind]), *module.describe(featured[kind])]
    assert len(lines) > 1
    assert not any("nan" in line.split() for line in lines)
    table = pd.read_csv(io.StringIO(csv_text(module.data(featured[kind]))))
    assert len(table) == len(module.data(featured[kind])) > 0


@pytest.mark.parametrize("name", NAMES)
def test_draws_one_site(name: str, featured: dict[str, RunTables]) -> None:
    """Any of them can be asked for one site, and refuses one that is not there."""
    module = figure_module(name)
    table = module.data(featured["plain"], KNOWN)
    assert "site" not in table or set(table["site"]) == {KNOWN}
    assert module.draw(featured["plain"], site=KNOWN).get_size_inches()[0] == pytest.approx(7.2)
    with pytest.raises(InputError, match="expected a site of this run; got 'nowhere'"):
        module.draw(featured["plain"], site="nowhere")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("coherence", "no feature has a defined coherence"),
        ("kinds", "no feature was described in this run"),
        ("readability", "no band was read in this run"),
        ("ambiguity", "ambiguity was not measured in this run"),
        ("transitions", "transitions were not measured in this run"),
    ],
)
def test_nothing_measured_is_drawn_as_undefined(name: str, reason: str, run_folders: dict[str, Path]) -> None:
    """A run whose study did not ask has a hatched panel with the reason."""
    run = RunTables.read(run_folders["minimal"])
    drawn = figure_module(name).draw(run)
    assert f"undefined: {reason}" in words(drawn)
    assert any(patch.get_hatch() for patch in drawn.axes[0].patches)
    assert figure_module(name).data(run).empty
    assert figure_module(name).describe(run) == []


def test_by_command(feature_runs: dict[str, Path], tmp_path: Path) -> None:
    """The front door writes the numbers of one site as CSV."""
    path = save_figure("coherence", feature_runs["plain"], tmp_path / "coherence.csv", site=KNOWN)
    assert set(pd.read_csv(path)["site"]) == {KNOWN}


# ---- the numbers given are the numbers drawn


def test_coherence_draws_its_data(featured: dict[str, RunTables]) -> None:
    """A dot a feature, filled where it is stabilised, a diamond where it is spectrally stable, the floor in grey."""
    module = figure_module("coherence")
    table = module.data(featured["plain"], KNOWN)
    axes = module.draw(featured["plain"], site=KNOWN).axes[0]
    own = table[(table["source"] == "channels") & (table["weights"] == "trained")]
    by_face = {(to_hex(dots.get_facecolor()[0]), len(dots.get_offsets())) for dots in axes.collections if len(
        dots.get_offsets()) and len(dots.get_facecolor())}  # fmt: skip
    floor = table[(table["source"] == "channels") & (table["weights"] == "floor")]
    stabilised, both = own["stabilised"] == "yes", own["spectrally_stable"] == "yes"
    assert (BLUE, int((stabilised & ~both).sum())) in by_face
    assert (RUST, int((stabilised & both).sum())) in by_face
    assert (PAPER, int((~stabilised).sum())) in by_face
    assert (NULL, len(floor)) in by_face
    drawn = np.concatenate([np.asarray(dots.get_offsets()) for dots in axes.collections])
    expected = pd.concat([own, floor])[["waveform", "lift"]].to_numpy()
    np.testing.assert_allclose(np.sort(drawn, axis=0), np.sort(expected, axis=0))
    null = [float(line.get_xdata()[0]) for line in axes.lines if len(set(line.get_xdata())) == 1]
    assert own["null_waveform"].median() in null
    across = [float(line.get_ydata()[0]) for line in axes.lines if len(set(line.get_ydata())) == 1]
    assert own["null_lift"].median() in across
    assert axes.get_ylim()[0] < table["lift"].min() < table["lift"].max() < axes.get_ylim()[1]


def test_coherence_says_its_share(featured: dict[str, RunTables]) -> None:
    """P(spectrally stable | stabilised) stands over the panel with its interval, undefined where none stabilised."""
    found = words(figure_module("coherence").draw(featured["plain"]))
    assert (
        "12 of 32 stabilised, 38 % [28, 48]\nP(spectral | stabilised) 25 % [5, 45]\n32 of 32 drawn" in found
    )
    assert "P(spectral | stabilised) undefined" in found
    assert "undefined: no coherence" in found
    (line,) = (
        line
        for line in figure_module("coherence").describe(featured["plain"])
        if f"{KNOWN}, channels" in line
    )
    assert "stabilised in untrained copies 3 % (2 seeds)" in line


def test_kinds_draw_their_shares(featured: dict[str, RunTables]) -> None:
    """Segments are as wide as shares, in the colours of their kinds, and sum to one in every bar."""
    module = figure_module("kinds")
    table = module.data(featured["plain"], KNOWN)
    sums = table.groupby(["source", "bar", "among"])["share"].sum()
    np.testing.assert_allclose(sums, 1.0)
    axes = module.draw(featured["plain"], site=KNOWN).axes[0]
    bar = table[(table["source"] == "channels") & (table["bar"] == "trained") & (table["among"] == "all")]
    segments = [patch for patch in axes.patches if isinstance(patch, Rectangle) and 0.0 < patch.get_y() < 0.2]
    drawn = {to_hex(patch.get_facecolor()): patch.get_width() for patch in segments}
    assert drawn == {
        FILLS[kind].colour: pytest.approx(share)
        for kind, share in zip(bar["kind"], bar["share"], strict=True)
    }
    assert {"S", "L", "P", "N", "?"} <= {text.get_text() for text in axes.texts}


def test_kinds_leave_undefined_undefined(featured: dict[str, RunTables]) -> None:
    """Where no feature stabilised there is a hatched row and no share, and copies beneath say nothing either."""
    module = figure_module("kinds")
    table = module.data(featured["plain"], "first_conv")
    own = table[(table["among"] == "stabilised") & (table["bar"] == "trained")]
    assert own["share"].isna().all()
    assert "none, or undefined" in words(module.draw(featured["plain"], site="first_conv"))
    assert "first_conv, channels, of stabilised features: undefined, there is none." in module.describe(
        featured["plain"]
    )


def test_where_nothing_stabilised_there_is_one_panel(featured: dict[str, RunTables]) -> None:
    """No column of hatched rows, but a sentence; undefined features stand in no bar and in no number."""
    run = featured["plain"]
    kinds = run.kinds[run.kinds["among"] == "all"]
    module = figure_module("kinds")
    changed = dataclasses.replace(run, kinds=kinds)
    (axes,) = module.draw(changed).axes
    assert axes.get_title(loc="left") == "of all features"
    assert "No feature stabilised" in module.caption(changed)
    assert "No feature stabilised" not in module.caption(run)
    assert len(module.draw(run).axes) == 2
    own = (kinds["site"] == KNOWN) & (kinds["source"] == "channels") & (kinds["seed"] == 0)
    row = (
        kinds[own].iloc[[0] * 2].assign(kind=["shape", "undefined"], count=[5, 3], share=[1.0, float("nan")])
    )
    (axes,) = module.draw(dataclasses.replace(run, kinds=row), site=KNOWN).axes
    assert [patch.get_width() for patch in axes.patches] == [1.0]
    assert "5" in {text.get_text() for text in axes.texts}


def test_kinds_that_nobody_knows_are_told_apart_or_lumped() -> None:
    """Two unknown kinds get fills of their own; of more, all but two are one; none is drawn like a known one."""
    few = fills_of(dict.fromkeys(["shape", "b", "a"]))
    assert list(few) == ["shape", "a", "b"]
    many = fills_of(dict.fromkeys([*"abcdefg", "undefined"]))
    assert list(many) == ["a", "b", REST, "undefined"]
    looks = {
        (fill.colour, fill.hatch) for fill in [*FILLS.values(), *fills_of(dict.fromkeys("abc")).values()]
    }
    assert len(looks) == len(FILLS) + 3


def test_kinds_draw_more_than_can_be_told_apart(featured: dict[str, RunTables]) -> None:
    """Many unknown kinds are one segment that is as wide as all of them."""
    run = featured["plain"]
    rows = run.kinds[(run.kinds["site"] == KNOWN) & (run.kinds["among"] == "all") & (run.kinds["seed"] == 0)]
    row = rows[rows["source"] == "channels"].iloc[[0] * 5]
    many = row.assign(kind=list("vwxyz"), share=0.2, count=2)
    axes = figure_module("kinds").draw(dataclasses.replace(run, kinds=many), site=KNOWN).axes[0]
    widths = sorted(patch.get_width() for patch in axes.patches)
    np.testing.assert_allclose(widths, [0.2, 0.2, 0.6])


def test_readability_draws_its_data(featured: dict[str, RunTables]) -> None:
    """Curves hold the bands; what lies below the axis is a mark at its edge; an undefined band is crossed out."""
    module = figure_module("readability")
    bands = module.data(featured["plain"], KNOWN)
    axes = module.draw(featured["plain"], site=KNOWN).axes[0]
    curves = {line.get_label(): line for line in axes.lines}
    for column in ("r2_all", "r2_best", "r2_baseline", "r2_control", "r2_null", "floor"):
        np.testing.assert_allclose(curves[column].get_ydata(), bands[column])
        np.testing.assert_allclose(curves[column].get_xdata(), erb.rate(bands["band_hz"].to_numpy()))
    below = [line for line in axes.lines if line.get_marker() == "v"]
    assert sum(len(line.get_xdata()) for line in below) == int((bands["r2_null"] < -0.12).sum()) == 1
    assert sum(bool(patch.get_hatch()) for patch in axes.patches) == int(bands["r2_all"].isna().sum()) == 1
    assert axes.get_position().width > 0.3
    trained = featured["plain"].readability
    floor = (
        trained[(trained["weights"] == "floor") & (trained["site"] == KNOWN)]
        .groupby("band_hz")["r2_all"]
        .mean()
    )
    np.testing.assert_allclose(bands.set_index("band_hz")["floor"], floor)


def test_ambiguity_draws_its_data(featured: dict[str, RunTables]) -> None:
    """Both directions, a style a number of clusters, each with its null; undefined views are marked above the axis."""
    module = figure_module("ambiguity")
    points = module.data(featured["plain"])
    assert points["view_ms"].min() == pytest.approx(0.5)
    for axes, direction in zip(
        module.draw(featured["plain"]).axes,
        ("spectrum given fragment", "fragment given spectrum"),
        strict=True,
    ):
        own = points[points["direction"] == direction]
        for _, curve in own.groupby("clusters"):
            for column in ("ratio", "null"):
                assert any(
                    np.array_equal(line.get_ydata(), curve[column], equal_nan=True) for line in axes.lines
                )
        crosses = [line for line in axes.lines if line.get_marker() == "x" and len(line.get_xdata())]
        assert sum(len(line.get_xdata()) for line in crosses) == int(own["ratio"].isna().sum()) == 1
        assert all(min(line.get_ydata()) > 1.0 for line in crosses)
        curves = [line for line in axes.lines if line.get_marker() == "o"]
        assert (
            len(
                {
                    line.get_linestyle() if line.get_linestyle() != "--" else str(line._dash_pattern)
                    for line in curves
                }
            )
            == 3
        )
    assert "1 view undefined" in " ".join(module.describe(featured["plain"]))


def test_ambiguity_marks_views_of_sites(featured: dict[str, RunTables]) -> None:
    """Sites that see as much share one name on the axis; a site that is asked for is the only one."""
    module = figure_module("ambiguity")
    assert "stack_end, codes" in words(module.draw(featured["plain"]))
    alone = words(module.draw(featured["plain"], site="first_conv"))
    assert "first_conv" in alone
    assert "stack_end" not in alone


def test_transitions_draw_their_data(featured: dict[str, RunTables]) -> None:
    """Music, both nulls and a diamond an untrained copy, with intervals where there are any."""
    module = figure_module("transitions")
    points = module.data(featured["plain"], KNOWN)
    assert set(points["sound"]) == {"music", "phase-scrambled", "shuffled", "floor"}
    axes = module.draw(featured["plain"], site=KNOWN).axes[0]
    for sound, marker in (("music", "o"), ("phase-scrambled", "s"), ("shuffled", "x"), ("floor", "D")):
        drawn = [float(line.get_xdata()[0]) for line in axes.lines if line.get_marker() == marker]
        np.testing.assert_allclose(sorted(drawn), sorted(points.loc[points["sound"] == sound, "sparsity"]))
    bars = [line for line in axes.lines if len(line.get_xdata()) == 2]
    assert len(bars) == 6
    few = module.draw(featured["few"], site=KNOWN).axes[0]
    assert not [line for line in few.lines if len(line.get_xdata()) == 2]


def test_transitions_hatch_what_is_undefined(featured: dict[str, RunTables]) -> None:
    """Music without a value is a hatched strip, and a word in the description."""
    module = figure_module("transitions")
    axes = module.draw(featured["plain"], site=UNDEFINED).axes[0]
    assert [patch.get_hatch() for patch in axes.patches] == ["xxxxx", "xxxxx"]
    assert "sparsity music undefined" in module.describe(featured["plain"], site=UNDEFINED)[0]


def test_many_features_are_few_dots(featured: dict[str, RunTables]) -> None:
    """Of thousands as many are drawn as a page holds, stabilised ones all, and the picture stays small."""
    run = featured["plain"]
    one = run.features[(run.features["source"] == "topk") & (run.features["site"] == KNOWN)]
    many = pd.concat([one] * 60, ignore_index=True)
    changed = dataclasses.replace(run, features=many)
    module = figure_module("coherence")
    table = module.data(changed, KNOWN)
    assert table.groupby("weights").size().to_dict() == {"floor": MOST_FEATURES, "trained": MOST_FEATURES}
    own = many[many["weights"] == "trained"]
    assert (table.loc[table["weights"] == "trained", "stabilised"] == "yes").sum() == min(
        (own["stabilised"] == "yes").sum(), MOST_FEATURES
    )
    pd.testing.assert_frame_equal(table, module.data(changed, KNOWN))
    drawn = module.draw(changed, site=KNOWN)
    assert f"{MOST_FEATURES} of {len(own):,} drawn" in words(drawn)
    assert f"At most {MOST_FEATURES} features" in module.caption(changed)
    assert "At most" not in module.caption(run)
    content = rendered(drawn, "svg")
    assert b"data:image/png;base64," in content
    assert len(content) < 400_000


def test_which_features_are_drawn_hangs_on_the_seed_alone(featured: dict[str, RunTables]) -> None:
    """The same for one site as for all; others for another seed; stabilised ones whatever the seed."""
    run = featured["plain"]
    trained = run.features[(run.features["weights"] == "trained") & (run.features["source"] == "topk")]
    every, alone = (few_features(run, rows, 16) for rows in (trained, trained[trained["site"] == KNOWN]))
    pd.testing.assert_frame_equal(every[every["site"] == KNOWN], alone)
    assert alone["number"].is_monotonic_increasing
    other = few_features(dataclasses.replace(run, plan=run.plan | {"seed": 3}), trained, 16)
    other = other[other["site"] == KNOWN]
    assert set(other["number"]) != set(alone["number"])
    stabilised = set(trained.loc[(trained["site"] == KNOWN) & (trained["stabilised"] == "yes"), "number"])
    assert stabilised <= set(other["number"]) & set(alone["number"])


def test_coherence_of_a_site_without_such_features_is_no_panel(featured: dict[str, RunTables]) -> None:
    """A source that a site lacks is no undefined panel: there is nothing to be defined."""
    run = featured["plain"]
    kept = run.features[~((run.features["source"] == "topk") & (run.features["site"] == "first_conv"))]
    drawn = figure_module("coherence").draw(dataclasses.replace(run, features=kept))
    assert "first_conv · topk" not in words(drawn)
    assert sum(axes.axison for axes in drawn.axes) == len(drawn.axes) - 1
