"""Waveform coherence against spectral coherence of the fragments that each feature answers to most, a dot a feature.

Right of the null a feature's fragments are more alike as waveforms than those of random directions at the same
place of the spectrum; above it, as spectra. Features that stabilise as waveforms and stay low are monosemantic
in a waveform basis and polysemantic in the spectral one. Nulls: the matched random directions of each feature,
and untrained copies.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from tonotopy.views._feature_rows import RANDOM, copies, sources, trained
from tonotopy.views.figures._contract import highlights
from tonotopy.views.palette import BLUE, FAINT, NULL, PAPER, RUST, SOFT, VEIL
from tonotopy.views.paper import (
    Style,
    clean,
    drawn,
    grid_lines,
    legend_below,
    sheet,
    undefined_panel,
    undefined_sheet,
)
from tonotopy.views.tables import RunTables
from tonotopy.views.words import count, missing, number, percent, share_with_interval

NAMES = ("coherence",)
CITATION = ""
LICENCE = "MIT"
TITLE = "Are features waveforms or spectra? Coherence of their strongest fragments"

COLUMNS = (
    *("weights", "seed", "site", "order", "source", "feature", "number", "stabilised", "spectrally_stable"),
    *("waveform", "null_waveform", "p_waveform", "spectral", "null_spectral", "p_spectral"),
    *("lift", "null_lift", "p_lift"),
)
#: Untrained copies are many dots; more than so many in a panel are one picture in an SVG.
AS_PICTURE = 400
REACH = (0.05, 0.95)  # quantiles of the matched nulls that the band spans
#: Face and marker by (stabilised, spectrally stable).
MARKS: dict[tuple[bool, bool], tuple[str, str, str]] = {
    (False, False): (PAPER, BLUE, "o"),
    (True, False): (BLUE, BLUE, "o"),
    (False, True): (PAPER, RUST, "D"),
    (True, True): (RUST, RUST, "D"),
}


def data(run: RunTables, site: str | None = None) -> pd.DataFrame:
    """One row a feature, of the weights under study and of untrained copies; random directions are in the nulls."""
    table = run.features[run.features["source"] != RANDOM]
    return run.of(table, highlights(run, trained(table), site))[list(COLUMNS)]


@drawn
def draw(run: RunTables, *, site: str | None = None) -> Figure:
    """Draw one panel a site and source."""
    dots = data(run, site)
    if not bool(trained(dots)[["waveform", "spectral"]].notna().all(axis=1).any()):
        return undefined_sheet(run, TITLE, "no feature has a defined coherence")
    sites, rows = list(dict.fromkeys(dots["site"])), sources(dots)
    figure = sheet(run, TITLE, 0.75 + 2.05 * len(rows))
    panels = figure.subplots(len(rows), len(sites), squeeze=False)
    for row, (across, source) in enumerate(zip(panels, rows, strict=True)):
        for axes, name in zip(across, sites, strict=True):
            own = dots[(dots["site"] == name) & (dots["source"] == source)]
            axes.set_title(_title(name, source, several=len(rows) > 1), size=6.6, pad=21)
            _panel(axes, run, own, name, source)
            axes.tick_params(labelbottom=row == len(rows) - 1, labelleft=axes is across[0])
        across[0].set_ylabel("spectral coherence")
    panels[-1][0].set_xlabel("waveform coherence")
    legend_below(figure, _legend(), columns=4)
    return figure


def caption(run: RunTables) -> str:
    """How to read it, its null included."""
    seeds = run.features.loc[run.features["weights"] == "floor", "seed"].nunique()
    floor = "grey dots are features of untrained copies" if seeds else "no untrained copy was measured"
    return (
        "One dot a feature: how alike the sounds are that it answers to most, as waveforms (across) and as spectra "
        "(up). Filled dots are stabilised, diamonds are spectrally stable. Nulls: the dashed lines are the median of "
        f"the random directions matched to each feature, with the band that holds nine in ten of these; {floor}. "
        "Neither is judged by a place on the page, but by a p value against a feature’s own matched directions: of "
        "waveform coherence, and of how far one band stands out at all of its sounds. Numbers over a panel are "
        "shares, with 95 % intervals where these are defined."
    )


def describe(run: RunTables, *, site: str | None = None) -> list[str]:
    """Shares and medians, site by site."""
    lines = []
    for (name, source), own in trained(data(run, site)).groupby(["site", "source"], sort=False):
        known = own[own[["waveform", "spectral"]].notna().all(axis=1)]
        medians = known[["waveform", "spectral", "null_waveform", "null_spectral"]].median()
        floor = copies(run, str(name), str(source), "share_stabilised")
        lines.append(
            f"{name}, {source}: {_stabilised(run, own, str(name), str(source))}; "
            f"{_given(run, own, str(name), str(source))}; "
            f"median coherence {number(medians['waveform'])} as waveform (null {number(medians['null_waveform'])}), "
            f"{number(medians['spectral'])} as spectrum (null {number(medians['null_spectral'])}); stabilised in "
            f"untrained copies {floor.words}; {len(own) - len(known)} of {len(own)} undefined."
        )
    return lines


def _title(name: str, source: str, *, several: bool) -> str:
    return clean(f"{name} · {source}" if several else name, 30)


def _panel(axes: Axes, run: RunTables, own: pd.DataFrame, name: str, source: str) -> None:
    features = trained(own)
    known = features[features[["waveform", "spectral"]].notna().all(axis=1)]
    # The shares that the picture is about, where no dot can hide them.
    words = f"{_stabilised(run, features, name, source)}\n{_given(run, features, name, source)}"
    axes.text(0.0, 1.01, words, transform=axes.transAxes, size=5.3, color=SOFT, va="bottom", linespacing=1.25)
    if known.empty:
        undefined_panel(axes, "no coherence")
        return
    grid_lines(axes)
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(-0.03, 1.03)
    axes.set_xticks([0.0, 0.5, 1.0])
    axes.set_yticks([0.0, 0.5, 1.0])
    _null(axes, known)
    copied = own[own["weights"] == "floor"]
    axes.scatter(
        copied["waveform"], copied["spectral"], s=5, color=NULL, alpha=0.45, linewidths=0.0, zorder=2,
        rasterized=len(copied) > AS_PICTURE,
    )  # fmt: skip
    _dots(axes, known)


def _null(axes: Axes, known: pd.DataFrame) -> None:
    """Where random directions at the features' own places of the spectrum lie."""
    for values, line, band in (
        (known["null_waveform"].dropna(), axes.axvline, axes.axvspan),
        (known["null_spectral"].dropna(), axes.axhline, axes.axhspan),
    ):
        if len(values):
            low, high = np.quantile(values, REACH).tolist()
            band(low, high, facecolor=VEIL, linewidth=0.0, zorder=0.5)
            line(float(values.median()), color=SOFT, linewidth=0.7, linestyle=(0, (3, 1.5)), zorder=1)


def _dots(axes: Axes, known: pd.DataFrame) -> None:
    picture = len(known) > AS_PICTURE
    for (stabilised, spectral), (face, edge, marker) in MARKS.items():
        at = (known["stabilised"] == "yes") == stabilised
        at &= (known["spectrally_stable"] == "yes") == spectral
        dots: Style = {"facecolors": face, "edgecolors": edge, "marker": marker, "rasterized": picture}
        axes.scatter(
            known.loc[at, "waveform"], known.loc[at, "spectral"],
            s=13, linewidths=0.7, alpha=0.85, zorder=4 + stabilised, **dots,
        )  # fmt: skip


def _stabilised(run: RunTables, features: pd.DataFrame, name: str, source: str) -> str:
    """How many stabilise, from the table of sites, which has the interval."""
    row = _row(run, name, source)
    if row is None:
        return f"{int((features['stabilised'] == 'yes').sum()):,} of {len(features):,} stabilised"
    if missing(row["share_stabilised"]):
        return f"{count(int(row['n']), 'feature')}, stabilised: undefined"
    share = share_with_interval(row["share_stabilised"], row["low_stabilised"], row["high_stabilised"])
    return f"{int(row['n_stabilised']):,} of {int(row['n']):,} stabilised, {share}"


def _given(run: RunTables, features: pd.DataFrame, name: str, source: str) -> str:
    """P(spectrally stable | stabilised)."""
    row = _row(run, name, source)
    if row is None:
        of = features[features["stabilised"] == "yes"]
        known = of[of["spectrally_stable"] != "undefined"]
        value = float((known["spectrally_stable"] == "yes").mean()) if len(known) else float("nan")
        return f"P(spectral | stabilised) {percent(value)}"
    value, low, high = (row[part] for part in GIVEN)
    return f"P(spectral | stabilised) {share_with_interval(value, low, high)}"


GIVEN = ("spectral_given_stabilised", "low_spectral_given", "high_spectral_given")


def _row(run: RunTables, name: str, source: str) -> pd.Series | None:
    rows = trained(run.feature_sites)
    rows = rows[(rows["site"] == name) & (rows["source"] == source)]
    return rows.iloc[0] if len(rows) else None


def _legend() -> list[Line2D | Patch]:
    dot: Style = {"linestyle": "none", "markersize": 3.8, "markeredgewidth": 0.8}
    words = {
        (True, False): "stabilised",
        (False, True): "spectrally stable",
        (True, True): "both",
        (False, False): "neither",
    }
    marks = [
        Line2D([], [], marker=marker, markerfacecolor=face, markeredgecolor=edge, label=words[key], **dot)
        for key, (face, edge, marker) in MARKS.items()
    ]
    return [
        *marks,
        Line2D(
            [],
            [],
            marker="o",
            color=NULL,
            alpha=0.6,
            linestyle="none",
            markersize=2.6,
            label="untrained (null)",
        ),
        Line2D(
            [],
            [],
            color=SOFT,
            linewidth=0.7,
            linestyle=(0, (3, 1.5)),
            label="matched random directions (null)",
        ),
        Patch(facecolor=VEIL, edgecolor=FAINT, linewidth=0.3, label="nine in ten of them"),
    ]
