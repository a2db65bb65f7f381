"""How well the partials in each band are read from all units of a site, and from the best single feature.

On music to which nothing was added. What all of them read and no single one does is the *localisation gap*: the
information is there and lies across features. Baselines: the log-ERB spectrogram read in the same way, and a
control task (Hewitt and Liang 2019), the same targets drawn at random for each kind of input. Nulls: targets
shifted against the frames, and untrained copies of the network.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from tonotopy.signal import erb
from tonotopy.views._feature_rows import trained, untrained
from tonotopy.views.axes import cell_edges, frequency_axis
from tonotopy.views.features import number_words
from tonotopy.views.figures._contract import highlights
from tonotopy.views.palette import BLUE, CROSSES, FAINT, NULL, RUST, SKY, SOFT
from tonotopy.views.paper import (
    CROSSED,
    Style,
    clean,
    drawn,
    grid_lines,
    legend_below,
    sheet,
    undefined_sheet,
)
from tonotopy.views.tables import RunTables
from tonotopy.views.words import count, decimal, missing, number

NAMES = ("readability",)
CITATION = ""
LICENCE = "MIT"
TITLE = "Partials of real music: read from all units, and from the best feature"

COLUMNS = 2
LOW = -0.12  # of the axis: below it a readout is worse than no readout, by however much
DASHES = (0, (3, 1.5))
DOTS = (0, (1, 1.4))
CURVES: dict[str, tuple[str, Style]] = {
    "r2_all": ("all units", {"color": BLUE, "marker": "o", "markersize": 2.6, "zorder": 6}),
    "r2_best": ("best single feature", {"color": SKY, "marker": "s", "markersize": 2.6, "zorder": 5}),
    "r2_baseline": (
        "log-ERB spectrogram",
        {"color": RUST, "linestyle": DASHES, "zorder": 4, "linewidth": 1.0},
    ),
    "floor": ("all units, untrained (null)", {"color": NULL, "zorder": 3, "linewidth": 1.0}),
    "r2_control": ("control task", {"color": SOFT, "linestyle": DOTS, "zorder": 3, "linewidth": 0.9}),
    "r2_null": (
        "shifted targets (null)",
        {"color": NULL, "linestyle": DASHES, "zorder": 2, "linewidth": 0.8},
    ),
}


def data(run: RunTables, site: str | None = None) -> pd.DataFrame:
    """One row a band: R² of each readout on held-out pieces; ``floor`` is the mean over untrained copies."""
    rows = trained(run.readability)
    own = run.of(rows, highlights(run, rows, site))
    floor = untrained(run.readability).groupby(["site", "band_hz"])["r2_all"].mean().rename("floor")
    return own.drop(columns=["weights", "seed"]).join(floor, on=["site", "band_hz"])


@drawn
def draw(run: RunTables, *, site: str | None = None) -> Figure:
    """Draw one panel a site."""
    bands = data(run, site)
    if not bool(bands["r2_all"].notna().any()):
        return undefined_sheet(run, TITLE, "no band was read in this run")
    sites = list(dict.fromkeys(bands["site"]))
    columns = min(COLUMNS, len(sites))
    rows = math.ceil(len(sites) / columns)
    figure = sheet(run, TITLE, 0.75 + 1.7 * rows)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    # A panel is low: where little is read, most of it would be empty.
    top = min(
        1.03, max(0.3, 1.05 * float(np.nanmax(bands[[*CURVES, "r2_all_high"]].to_numpy(dtype=np.float64))))
    )
    edges = cell_edges(np.unique(bands["band_hz"].to_numpy(dtype=np.float64)))
    for at, axes in enumerate(panels.flat):
        if at >= len(sites):
            axes.set_axis_off()
            continue
        last = at + columns >= len(sites)
        axes.set_title(clean(sites[at], 44))
        grid_lines(axes, "y")
        frequency_axis(axes, edges, sparse=True, label=last)
        axes.tick_params(labelbottom=last)
        axes.set_ylim(LOW, top)
        _panel(axes, bands[bands["site"] == sites[at]])
    figure.supylabel("R² on held-out pieces", size=7, color=SOFT)
    legend_below(figure, _legend(bands), columns=4)
    return figure


def caption(run: RunTables) -> str:
    """How to read it, its null included."""
    seeds = untrained(run.readability)["seed"].nunique()
    floor = (
        f"the mean of {count(seeds, 'untrained copy', 'untrained copies')}" if seeds else "no untrained copy"
    )
    return (
        "How much of the amplitude of the partials in each band, as loudness grows with it, a ridge "
        "regression reads, on pieces that it was not fitted on: from all units of a site (with 95 % "
        "intervals over pieces) and from the best single one. The shaded gap is what is there and not in any one "
        "feature. What the log-ERB spectrogram reads comes with the sound, and needs no network; a "
        "control task says how much a readout learns by heart. Nulls: targets shifted against the frames, "
        f"and {floor} in grey. Triangles at the lower edge are values below it: worse than guessing the "
        "mean. Crossed bands are undefined: too little sounds there."
    )


def describe(run: RunTables, *, site: str | None = None) -> list[str]:
    """Medians over bands, and the band with the widest gap, site by site."""
    lines = []
    for name, own in data(run, site).groupby("site", sort=False):
        known = own[own["r2_all"].notna()]
        if known.empty:
            lines.append(f"{name}: undefined in all {count(len(own), 'band')}.")
            continue
        medians = known[list(CURVES)].median()
        parts = [f"{words} {decimal(medians[column])}" for column, (words, _) in CURVES.items()]
        gap = ""
        if bool(known["gap"].notna().any()):
            wide = known.iloc[int(np.nanargmax(known["gap"].to_numpy(dtype=np.float64)))]
            size = number_words(wide["gap"], wide["gap_low"], wide["gap_high"])
            gap = f"; the widest gap is {size} at {number(wide['band_hz'])} Hz"
        left = len(own) - len(known)
        undefined = f"; undefined in {count(left, 'band')}" if left else ""
        lines.append(
            f"{name}, median R² over {count(len(known), 'band')}: {', '.join(parts)}{gap}{undefined}."
        )
    return lines


def _panel(axes: Axes, own: pd.DataFrame) -> None:
    x = erb.rate(own["band_hz"].to_numpy(dtype=np.float64))
    axes.axhline(0.0, color=NULL, linewidth=0.7, linestyle=(0, (1, 2)), zorder=1)
    edges = cell_edges(own["band_hz"])
    for at in np.flatnonzero(own["r2_all"].isna()):
        axes.axvspan(
            edges[at], edges[at + 1], facecolor="none", edgecolor=FAINT, hatch=CROSSES, linewidth=0.0
        )
    every, best = (own[name].to_numpy(dtype=np.float64) for name in ("r2_all", "r2_best"))
    where = every > best
    axes.fill_between(x, best, every, where=where.tolist(), color=SKY, alpha=0.22, linewidth=0.0, zorder=1)
    low, high = (own[f"r2_all_{end}"].to_numpy(dtype=np.float64) for end in ("low", "high"))
    axes.vlines(x, np.maximum(low, LOW), high, color=BLUE, linewidth=1.6, alpha=0.35, zorder=5)
    for column, (_, style) in CURVES.items():
        y = own[column].to_numpy(dtype=np.float64)
        line: Style = {"linewidth": 1.1} | style
        axes.plot(x, y, label=column, **line)
        under = y < LOW
        mark: Style = {"linestyle": "none", "marker": "v", "markersize": 2.6, "color": style["color"]}
        if under.any():  # an empty line that is not clipped would count as wide as the sheet
            axes.plot(x[under], np.full(int(under.sum()), LOW + 0.02), clip_on=False, **mark)


def _legend(bands: pd.DataFrame) -> list[Line2D | Patch]:
    handles: list[Line2D | Patch] = [
        Line2D([], [], label=words, **style)
        for column, (words, style) in CURVES.items()
        if not missing(bands[column].max())
    ]
    handles.insert(2, Patch(facecolor=SKY, alpha=0.22, linewidth=0.0, label="localisation gap"))
    if bool(bands["r2_all"].isna().any()):
        handles.append(Patch(label="undefined", **CROSSED))
    return handles
