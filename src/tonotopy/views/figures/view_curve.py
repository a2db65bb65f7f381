"""Share of frequencies that pass against how much sound a window of frames sees.

A site's frames are read W at a time, W from 1 upward: what relations among fragment activations can do that
one frame cannot. The null is the same number of raw samples with no model, read by a plane.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tonotopy.views.axes import log_axis, share_axis
from tonotopy.views.palette import BLUE, PAPER, RUST, SKY, SOFT
from tonotopy.views.paper import Style, clean, drawn, grid_lines, legend_below, sheet, undefined_sheet
from tonotopy.views.tables import RunTables
from tonotopy.views.words import number, percent

NAMES = ("view-curve",)
CITATION = ""
LICENCE = "MIT"
TITLE = "View curve: what a window of frames reads"

COLUMNS = 3
CURVES: dict[str, tuple[str, Style]] = {
    "line": ("line", {"color": BLUE, "marker": "o", "zorder": 4}),
    "plane": ("plane", {"color": SKY, "marker": "s", "zorder": 3}),
    "raw_plane": (
        "plane on raw samples (null)",
        {"color": RUST, "marker": "x", "zorder": 5, "linestyle": (0, (3, 1.5))},
    ),
}


def data(run: RunTables, site: str | None = None) -> pd.DataFrame:
    """One row a point."""
    found = run.of(run.view_curve, run.chosen(site))
    return found.assign(view_ms=1000.0 * found["view_s"])


@drawn
def draw(run: RunTables, *, site: str | None = None) -> Figure:
    """Draw one panel a site."""
    points = data(run, site)
    points = points[points["view_ms"] > 0.0]
    if not bool(points["share_passes"].notna().any()):
        return undefined_sheet(run, TITLE, "no windows of frames were read in this run")
    sites = list(dict.fromkeys(points["site"]))
    columns = min(COLUMNS, len(sites))
    rows = math.ceil(len(sites) / columns)
    figure = sheet(run, TITLE, 0.6 + 1.75 * rows)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    low, high = float(points["view_ms"].min()), float(points["view_ms"].max())
    for index, axes in enumerate(panels.flat):
        if index >= len(sites):
            axes.set_axis_off()
            continue
        axes.set_title(clean(sites[index], 34))
        grid_lines(axes)
        log_axis(axes, "x", low * 0.8, high * 1.25)
        share_axis(axes, "y", "")
        if index + columns >= len(sites):
            axes.tick_params(labelbottom=True)
            axes.set_xlabel("total view (ms)")
        for curve, rows_ in points[points["site"] == sites[index]].groupby("readout", sort=False):
            _curve(axes, str(curve), rows_)
    figure.supylabel("frequencies that pass", size=7, color=SOFT)
    legend_below(figure, _legend(), columns=4)
    return figure


def caption(run: RunTables) -> str:
    """How to read it, its null included."""
    bands = (
        "Bands are 95 % intervals over pieces"
        if run.has_intervals
        else "Intervals are undefined under 8 pieces"
    )
    return (
        "Share of frequencies whose readout passes when it sees W consecutive frames, against the span "
        f"of sound that W frames see together. {bands}; hollow marks are windows too large to fit whole, "
        "of which frames evenly spread over the same view were read. Null: raw samples of the same view, "
        "with no model (dashed). Where the null passes too, a passing plane is what the layer keeps, not "
        "what it makes."
    )


def describe(run: RunTables, *, site: str | None = None) -> list[str]:
    """Shortest and longest view of each curve."""
    lines = []
    for (name, readout), rows in data(run, site).groupby(["site", "readout"], sort=False):
        first, last = rows.iloc[0], rows.iloc[-1]
        start = f"{percent(first['share_passes'])} at {number(first['view_ms'])} ms"
        end = f"{percent(last['share_passes'])} at {number(last['view_ms'])} ms"
        lines.append(f"{name}, {CURVES[str(readout)][0]}: {start}, {end}.")
    return lines


def _curve(axes: Axes, readout: str, rows: pd.DataFrame) -> None:
    rows = rows.sort_values("view_ms")
    style = dict(CURVES[readout][1])
    x, y = rows["view_ms"].to_numpy(dtype=float), rows["share_passes"].to_numpy(dtype=float)
    colour = str(style["color"])
    axes.fill_between(x, rows["share_low"], rows["share_high"], color=colour, alpha=0.12, linewidth=0.0)
    axes.plot(x, y, markersize=0, label=readout, **style)
    thinned = rows["thinned"].to_numpy(dtype=bool)
    for chosen, face in ((~thinned, colour), (thinned, PAPER)):
        mark: Style = {
            "markersize": 3.2,
            "markerfacecolor": face,
            "markeredgecolor": colour,
            "markeredgewidth": 0.8,
        }
        axes.plot(x[chosen], y[chosen], **(style | {"linestyle": "none"} | mark))
    undefined = np.isnan(y)
    axes.plot(x[undefined], np.full(int(undefined.sum()), -0.01), "|", color=SOFT, markersize=4)


def _legend() -> list[Line2D]:
    handles = [Line2D([], [], markersize=3.2, label=words, **style) for words, style in CURVES.values()]
    hollow: Style = {"marker": "o", "markerfacecolor": PAPER, "markeredgecolor": SOFT, "markersize": 3.2}
    return [*handles, Line2D([], [], linestyle="none", label="thinned in time", **hollow)]
