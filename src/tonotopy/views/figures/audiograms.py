"""The lowest level at which a partial is detected, against frequency: one small panel a site.

Levels are in dB re L(f), the music's own level in the band, so that 0 dB is a partial as loud as its
surroundings. A level that is *never* reached is a mark in a lane of its own above the ladder, not a number.
The nulls are the raw input window (dashed) and untrained copies (grey, one line a seed).
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedFormatter, FixedLocator
from numpy.typing import NDArray

from tonotopy.signal import erb
from tonotopy.views.axes import cell_edges, frequency_axis, hz_words
from tonotopy.views.palette import BLUE, CROSSES, FAINT, NULL, PAPER, RUST, SKY, SOFT, VEIL
from tonotopy.views.paper import Style, clean, drawn, grid_lines, legend_below, sheet, undefined_sheet
from tonotopy.views.tables import RunTables
from tonotopy.views.words import count, number

NAMES = ("audiograms",)
CITATION = ""
LICENCE = "MIT"
TITLE = "Audiograms: the lowest level at which a partial is detected"

COLUMNS = 4  # panels a row
LADDER_DB = (-24.0, 18.0)  # levels that were tried
NEVER_DB = 24.0  # where the lane of "never" is drawn
CURVES: dict[str, Style] = {
    "line": {"color": BLUE, "linewidth": 1.4, "zorder": 4},
    "plane": {"color": SKY, "linewidth": 1.0, "zorder": 3},
    "raw": {"color": RUST, "linewidth": 1.0, "linestyle": (0, (3.0, 1.5)), "zorder": 2},
    "floor": {"color": NULL, "linewidth": 0.6, "alpha": 0.8, "zorder": 1},
}
MARKERS = {"line": "^", "plane": "^", "raw": "x", "floor": "_"}
LANES_DB = {"line": 0.0, "plane": 1.2, "raw": 2.4, "floor": 3.6}  # where in the lane a curve's marks lie


def data(run: RunTables, site: str | None = None) -> pd.DataFrame:
    """One row a point: site, curve (line, plane, raw, floor), seed of the floor, frequency, level."""
    sites = run.chosen(site)
    cells = run.of(run.verdicts, sites)
    parts = [
        pd.DataFrame(
            {
                "site": cells["site"],
                "curve": curve,
                "seed": "",
                "frequency_hz": cells["frequency_hz"],
                "level_db": cells[f"{curve}_audiogram_db"],
            }
        )
        for curve in ("line", "plane", "raw")
    ]
    floor = run.of(run.floor, sites).rename(columns={"line_audiogram_db": "level_db"})
    floor = floor.assign(curve="floor", seed=floor["seed"].astype(str))
    return pd.concat([*parts, floor[parts[0].columns]], ignore_index=True)


@drawn
def draw(run: RunTables, *, site: str | None = None) -> Figure:
    """Draw the panels."""
    points = data(run, site)
    if not bool(points["level_db"].notna().any()):
        return undefined_sheet(run, TITLE, "no audiogram was measured")
    sites = run.chosen(site)
    columns = min(COLUMNS, len(sites))
    rows = math.ceil(len(sites) / columns)
    figure = sheet(run, TITLE, 0.55 + (1.35 if len(sites) > 1 else 2.4) * rows)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for index, axes in enumerate(panels.flat):
        if index >= len(sites):
            axes.set_axis_off()
            continue
        _panel(axes, sites[index], points[points["site"] == sites[index]])
        # The last panel of a column carries its ticks, even where the row below is cut short.
        last = index + columns >= len(sites)
        frequency_axis(axes, cell_edges(run.frequencies_hz), sparse=len(sites) > 1, label=last)
        axes.tick_params(labelbottom=last)
    figure.supylabel("level (dB re the music's own)", size=7, color=SOFT)
    legend_below(figure, _legend(run), columns=6)
    return figure


def caption(run: RunTables) -> str:
    """How to read it, its null included."""
    floor = f"grey, {count(run.floor_seeds, 'seed')}" if run.floor_seeds else "none in this run"
    return (
        "How loud a partial must be, re the music's own level at its frequency, until it is told present "
        "from absent with an area under the curve of .9. Low is sensitive. Marks in the top lane read "
        "never: not at any level that was tried. Nulls: the same readout as the plane on the raw input "
        f"window, with no model (dashed), and the line on untrained copies of the network ({floor}). A "
        "curve that does not lie below its null is not the model's doing."
    )


def describe(run: RunTables, *, site: str | None = None) -> list[str]:
    """Range and nevers of the line, site by site."""
    points = data(run, site)
    lines = []
    for name in run.chosen(site):
        own = points[(points["site"] == name) & (points["curve"] == "line")]
        level = own["level_db"].to_numpy(dtype=np.float64)
        reached, never = np.isfinite(level), np.isinf(level)
        words = [f"never at {never.sum()} of {len(level)} frequencies"]
        if reached.any():
            best = int(np.nanargmin(np.where(reached, level, np.nan)))
            at = hz_words(float(own["frequency_hz"].iloc[best]))
            middle = number(float(np.median(level[reached])))
            words.insert(0, f"median {middle} dB, lowest {number(float(level[best]))} dB at {at} Hz")
        if np.isnan(level).any():
            words.append(f"undefined at {int(np.isnan(level).sum())}")
        lines.append(f"{name}: {', '.join(words)}.")
    return lines


def _panel(axes: Axes, site: str, points: pd.DataFrame) -> None:
    axes.set_title(clean(site, 24))
    grid_lines(axes, "y")
    axes.axhspan(NEVER_DB - 2.5, NEVER_DB + 6.0, color=VEIL, linewidth=0.0, zorder=0)
    for (curve, _seed), rows in points.groupby(["curve", "seed"], sort=False):
        _curve(axes, str(curve), rows)
    _undefined(axes, points[points["curve"] == "line"])
    ticks = [-24.0, -12.0, 0.0, 12.0, NEVER_DB + 1.8]
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_major_formatter(FixedFormatter(["\u221224", "\u221212", "0", "12", "never"]))
    axes.set_ylim(LADDER_DB[0] - 2.0, NEVER_DB + 6.0)


def _curve(axes: Axes, curve: str, rows: pd.DataFrame) -> None:
    """A line that breaks where nothing is reached or defined, and marks in the lane of never."""
    x = erb.rate(rows["frequency_hz"].to_numpy(dtype=np.float64))
    level: NDArray[np.float64] = rows["level_db"].to_numpy(dtype=np.float64)
    axes.plot(x, np.where(np.isfinite(level), level, np.nan), label=curve, **CURVES[curve])
    never = np.isposinf(level)
    lane = np.full(int(never.sum()), NEVER_DB + LANES_DB[curve])
    colour = str(CURVES[curve]["color"])
    axes.plot(
        x[never],
        lane,
        linestyle="none",
        marker=MARKERS[curve],
        markersize=2.0,
        color=colour,
        markeredgewidth=0.6,
    )


def _undefined(axes: Axes, line: pd.DataFrame) -> None:
    """Hatch the frequencies at which the line has no level at all."""
    edges = cell_edges(line["frequency_hz"])
    for at in np.flatnonzero(line["level_db"].isna().to_numpy()):
        box: Style = {"facecolor": PAPER, "edgecolor": FAINT, "hatch": CROSSES, "linewidth": 0.0}
        axes.axvspan(edges[at], edges[at + 1], zorder=0.5, **box)


def _legend(run: RunTables) -> list[Line2D | Patch]:
    words = {
        "line": "line",
        "plane": "plane",
        "raw": "raw input window (null)",
        "floor": "floor, untrained (null)",
    }
    keys = [key for key in words if key != "floor" or run.floor_seeds]
    handles: list[Line2D | Patch] = [Line2D([], [], label=words[key], **CURVES[key]) for key in keys]
    handles.append(Line2D([], [], linestyle="none", marker="^", markersize=3, color=SOFT, label="never"))
    handles.append(Patch(facecolor=PAPER, edgecolor=FAINT, hatch=CROSSES, linewidth=0.0, label="undefined"))
    return handles
