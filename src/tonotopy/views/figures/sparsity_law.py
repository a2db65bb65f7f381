"""Detection, consistency and specificity of the music-free line against how occupied the spectrum is.

Occupancy of a trial is exp(entropy of the energy share over 1-ERB bands): 1 where one band holds
everything, about 1.2 in silence with a partial, 8 in music, 14 in pink noise. The line is fitted without
music. A *half-point* is the occupancy at which its detection (consistency, specificity) has fallen half way
to chance. Null: detection of the same readout trained on shuffled labels.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tonotopy.signal import erb
from tonotopy.views.axes import log_axis
from tonotopy.views.figures._contract import highlights
from tonotopy.views.palette import NULL, PAPER, SITES
from tonotopy.views.paper import Style, chance, clean, drawn, grid_lines, legend_below, sheet, undefined_sheet
from tonotopy.views.tables import RunTables
from tonotopy.views.words import missing, number

NAMES = ("sparsity-law",)
CITATION = ""
LICENCE = "MIT"
TITLE = "Sparsity law: what a music-free line reads as the spectrum fills up"

PANELS = ("detection", "consistency", "specificity")
CHANCE = {"detection": "chance", "consistency": "none", "specificity": "flat"}
LIMITS = {"detection": (0.42, 1.03), "consistency": (-0.04, 1.03), "specificity": (-0.04, 1.03)}


def data(run: RunTables, site: str | None = None) -> pd.DataFrame:
    """One row a bin of occupancy, with the half-points of its site."""
    sites = highlights(run, run.sparsity, site)
    half = [name for name in run.sites.columns if name.startswith("half_")]
    return run.of(run.sparsity, sites).merge(run.sites[["site", *half]], on="site", how="left")


@drawn
def draw(run: RunTables, *, site: str | None = None) -> Figure:
    """Draw the three panels."""
    bins = data(run, site)
    if not bool(bins["detection"].notna().any()):
        return undefined_sheet(run, TITLE, "no trials by occupancy in this run")
    figure = sheet(run, TITLE, 2.55)
    panels = figure.subplots(1, len(PANELS))
    sites = list(dict.fromkeys(bins["site"]))
    low, high = float(bins["occupancy"].min()), float(bins["occupancy"].max())
    for axes, measure in zip(panels, PANELS, strict=True):
        axes.set_title(measure)
        grid_lines(axes)
        log_axis(axes, "x", low * 0.92, high * 1.08)
        axes.set_ylim(*LIMITS[measure])
        chance(axes, _chance(run, measure), CHANCE[measure])
        for index, name in enumerate(sites):
            _curve(axes, measure, bins[bins["site"] == name], index)
    _null(panels[0], bins, sites)
    panels[0].set_xlabel("occupancy (effective number of bands)")
    legend_below(figure, _legend(sites), columns=3)
    return figure


def caption(run: RunTables) -> str:
    """How to read it, its null included."""
    bands = (
        "Bars are 95 % intervals over pieces; "
        if run.has_intervals
        else "Intervals are undefined under 8 pieces; "
    )
    return (
        "A line fitted without any music, asked about trials from nearly empty to dense. If partials are "
        f"isolated only where the spectrum is already sparse, every curve falls to the right. {bands}a "
        "mark on the lower edge is the half-point, where a curve has fallen half way to chance, with its "
        "interval. Null: detection after training on shuffled labels (dashed grey), which should stay at "
        "chance; dotted lines are what a readout that knows nothing of the partial reads."
    )


def describe(run: RunTables, *, site: str | None = None) -> list[str]:
    """First and last bin, and half-points, site by site."""
    lines = []
    for name, bins in data(run, site).groupby("site", sort=False):
        first, last = bins.iloc[0], bins.iloc[-1]
        ends = f"{number(first['occupancy'])} and {number(last['occupancy'])}"
        parts = [
            f"{measure} {number(first[measure])} and {number(last[measure])}, half-point "
            f"{number(first[f'half_{measure}'])}"
            for measure in PANELS
        ]
        parts[0] = f"at occupancies {ends}, {parts[0]}"
        lines.append(f"{name}: {'; '.join(parts)}.")
    return lines


def _chance(run: RunTables, measure: str) -> float:
    """What a readout without any information about the partial reads."""
    if measure == "specificity":  # a flat answer: 3 of all the ERB on the axis are near
        span = np.ptp(erb.rate(run.frequencies_hz))
        return float(min(3.0 / span, 1.0)) if span > 0 else float("nan")
    return 0.5 if measure == "detection" else 0.0


def _curve(axes: Axes, measure: str, bins: pd.DataFrame, index: int) -> None:
    """A site's curve with intervals, and its half-point on the lower edge."""
    colour, marker = SITES[index]
    x, y = bins["occupancy"].to_numpy(dtype=float), bins[measure].to_numpy(dtype=float)
    nudged = x * 1.012 ** (index - 1.5)  # so that the bars of several sites do not hide one another
    axes.vlines(
        nudged, bins[f"{measure}_low"], bins[f"{measure}_high"], color=colour, linewidth=0.8, alpha=0.5
    )
    edge: Style = {"markeredgecolor": PAPER, "markeredgewidth": 0.4, "markersize": 4.0}
    axes.plot(nudged, y, color=colour, marker=marker, linewidth=1.1, **edge)
    half = [float(bins[f"half_{measure}{end}"].iloc[0]) for end in ("_low", "", "_high")]
    low, high = axes.get_xlim()
    if missing(half[1]) or not low <= half[1] <= high:
        return  # undefined, or beyond every trial that was tried: the words below the figure still say so
    height = LIMITS[measure][0] + 0.014 * (index + 1)
    axes.plot([half[0], half[2]], [height] * 2, color=colour, linewidth=0.8, clip_on=True)
    axes.plot(half[1], height, marker=marker, color=colour, markersize=3.2, clip_on=False, zorder=6)


def _null(axes: Axes, bins: pd.DataFrame, sites: list[str]) -> None:
    for name in sites:
        own = bins[bins["site"] == name]
        y = own["shuffled_detection"].to_numpy(dtype=np.float64)
        axes.plot(own["occupancy"], y, color=NULL, linewidth=0.8, linestyle=(0, (3, 1.5)), zorder=1.5)


def _legend(sites: list[str]) -> list[Line2D]:
    handles = [
        Line2D([], [], color=SITES[at][0], marker=SITES[at][1], markersize=3.5, label=clean(name, 36))
        for at, name in enumerate(sites)
    ]
    return [
        *handles,
        Line2D([], [], color=NULL, linewidth=0.8, linestyle=(0, (3, 1.5)), label="shuffled labels (null)"),
    ]
