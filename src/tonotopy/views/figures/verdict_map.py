"""Verdicts by site and frequency, with the ceiling above each row and the floor of untrained copies under it.

Rows are sites in depth order, columns are the frequencies of the grid. The null is the floor: the share of
untrained copies (same architecture, random weights) whose line or plane passes at that site and frequency. The
ceiling, where a run has one, is the same architecture fitted to report partials.
"""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray

from tonotopy.views.axes import cell_edges, frequency_axis, hz_words, site_rows
from tonotopy.views.palette import CROSSES, FAINT, FALLS, INK, MARKS, NULL, PAPER, SOFT
from tonotopy.views.paper import Style, drawn, legend_below, sheet, undefined_sheet
from tonotopy.views.tables import LEAST_PIECES_FOR_INTERVALS, RunTables
from tonotopy.views.words import count, percent, share_with_interval

NAMES = ("verdict-map",)
CITATION = ""
LICENCE = "MIT"
TITLE = "Verdicts by site and frequency"

ROW = (0.06, 0.72)  # a row's verdicts, as parts of its height
STRIP = (0.76, 0.90)  # and its floor, under them
ROW_BELOW = (0.22, 0.72)  # a row's verdicts where the run has a ceiling
CEILING = (0.06, 0.18)  # and the ceiling, above them
COLUMNS = (
    "site",
    "order",
    "frequency_hz",
    "verdict",
    "probability",
    "borderline",
    "resolvable",
    "inherited_from_window",
    "floor_pass_share",
    "against_floor",
    "against_ceiling",
)


def data(run: RunTables, site: str | None = None) -> pd.DataFrame:
    """One row a cell; ``ceiling`` is what the ceiling's line reads there."""
    cells = run.of(run.verdicts, run.chosen(site))[list(COLUMNS)]
    line = run.ceiling[["site", "frequency_hz", "line"]].rename(columns={"line": "ceiling"})
    return cells.merge(line, on=["site", "frequency_hz"], how="left")


def row_of(run: RunTables) -> tuple[float, float]:
    """Where a row's verdicts are drawn, as parts of its height."""
    return ROW_BELOW if run.has_ceiling else ROW


@drawn
def draw(run: RunTables, *, site: str | None = None) -> Figure:
    """Draw the map."""
    cells = data(run, site)
    if cells.empty:
        return undefined_sheet(run, TITLE, "no verdicts in this run")
    sites = run.chosen(site)
    figure = sheet(run, TITLE, 1.15 + (0.34 if run.has_ceiling else 0.29) * len(sites))
    axes = figure.add_subplot()
    site_rows(axes, sites, middle=sum(row_of(run)) / 2)
    frequency_axis(axes, cell_edges(run.frequencies_hz))
    axes.spines["bottom"].set_visible(False)
    _cells(axes, run, sites, cells)
    for row, name in enumerate(sites):
        _marks(axes, row, cells[cells["site"] == name].reset_index(drop=True), row_of(run))
        _summary(axes, run, row, name)
    axes.text(
        1.015,
        0.0,
        "stable",
        transform=axes.get_yaxis_transform(),
        size=6,
        color=SOFT,
        va="bottom",
        weight="bold",
    )
    legend_below(figure, _legend(run), columns=5)
    return figure


def caption(run: RunTables) -> str:
    """How to read it, its null included."""
    seeds = run.floor_seeds
    certainty = (
        "A dot marks a borderline verdict, one that a bootstrap over pieces overturns more than one time in ten."
        if run.has_intervals
        else f"An open ring says that nobody knows how sure a verdict is: {count(run.n_pieces, 'piece')} are too "
        f"few for a bootstrap, which needs {LEAST_PIECES_FOR_INTERVALS}."
    )
    copies = (
        f"{seeds} untrained cop{'y' if seeds == 1 else 'ies'}"
        if seeds
        else "untrained copies (none in this run)"
    )
    above = (
        " The thin strip above each row is the ceiling, the same architecture fitted to report partials: black "
        "where its line passes, so that the model could; white where it could not either."
        if run.has_ceiling
        else ""
    )
    return (
        f"Each cell is one frequency at one site; the letter repeats the colour. {certainty} Cells with "
        "falling lines are unresolvable: the view is too short to tell neighbours apart, whatever was "
        "learned, so that “absent” there is anatomy, not finding. The null is the thin strip under each "
        f"row: the share of {copies} of the network that pass at that frequency, from white (none) to "
        f"black (all).{above}"
    )


def describe(run: RunTables, *, site: str | None = None) -> list[str]:
    """Runs of equal verdicts along the axis, site by site."""
    cells = data(run, site)
    lines = []
    for name in run.chosen(site):
        own = cells[cells["site"] == name]
        parts = []
        cells_hz = zip(own["verdict"], own["frequency_hz"].to_numpy(dtype=np.float64), strict=True)
        for verdict, group in groupby(cells_hz, key=lambda cell: cell[0]):
            ends = [float(frequency_hz) for _, frequency_hz in group]
            reach = hz_words(ends[0]) + (f"–{hz_words(ends[-1])}" if len(ends) > 1 else "")
            parts.append(f"{verdict} at {reach} Hz")
        lines.append(f"{name}: {', '.join(parts) or 'undefined'}.")
    return lines


def _cells(axes: Axes, run: RunTables, sites: tuple[str, ...], cells: pd.DataFrame) -> None:
    """Coloured cells in the rows and grey ones in the strips, one collection each."""
    edges = cell_edges(run.frequencies_hz)
    row = cells["site"].map({name: at for at, name in enumerate(sites)}).to_numpy(dtype=np.int64)
    column = np.searchsorted(run.frequencies_hz, cells["frequency_hz"].to_numpy(dtype=np.float64))
    left, right = edges[column], edges[column + 1]
    colours = [MARKS[str(verdict)].colour for verdict in cells["verdict"]]
    top, bottom = row_of(run)
    rectangles = _rectangles(left, right, row + top, row + bottom)
    axes.add_collection(PolyCollection(rectangles, facecolors=colours, edgecolors=PAPER, linewidths=0.4))
    known = cells["ceiling"].notna() & (cells["ceiling"] != "undefined")
    could = (cells["ceiling"] == "passes").to_numpy(dtype=np.float64, copy=True)
    could[~known.to_numpy(dtype=bool)] = np.nan
    floor = cells["floor_pass_share"].to_numpy(dtype=np.float64)
    for values, place in ((floor, STRIP), (could, CEILING)):
        at = np.isfinite(values)
        rectangles = _rectangles(left[at], right[at], row[at] + place[0], row[at] + place[1])
        strip = PolyCollection(rectangles, array=values[at], cmap="Greys", edgecolors=FAINT, linewidths=0.25)
        strip.set_clim(0.0, 1.0)
        axes.add_collection(strip)


def _rectangles(
    left: np.ndarray, right: np.ndarray, top: np.ndarray, bottom: np.ndarray
) -> list[NDArray[np.float64]]:
    """Corners, ``[cell, corner, x or y]``."""
    x, y = np.stack([left, right, right, left], axis=1), np.stack([top, top, bottom, bottom], axis=1)
    return list(np.stack([x, y], axis=2))


def _marks(axes: Axes, row: int, cells: pd.DataFrame, place: tuple[float, float]) -> None:
    """Letters, hatches and dots of one row."""
    top, bottom = place
    edges = cell_edges(cells["frequency_hz"])
    for verdict, left, right in _stretches(cells["verdict"], edges):
        if verdict == "undefined":
            _hatch(axes, row, (left, right), place, (CROSSES, FAINT, 0.0))
        mark = MARKS[str(verdict)]
        middle = ((left + right) / 2, row + (top + bottom) / 2)
        axes.text(*middle, mark.letter, color=mark.on, size=5.2, ha="center", va="center_baseline")
    for resolvable, left, right in _stretches(cells["resolvable"], edges):
        if not resolvable:
            _hatch(axes, row, (left, right), place, (FALLS, SOFT, 0.7))
    centres = (edges[1:] + edges[:-1]) / 2.0
    borderline = cells["borderline"]
    unsure = borderline.isna() & (cells["verdict"] != "undefined")
    for flags, height, marker, size, face, edge in (
        (borderline.fillna(False), bottom - 0.09, "o", 2.0, INK, PAPER),
        (unsure, bottom - 0.09, "o", 2.0, PAPER, INK),
        (cells["inherited_from_window"], top + 0.11, "v", 2.8, INK, PAPER),
    ):
        at = flags.to_numpy(dtype=bool)
        ring: Style = {
            "markersize": size,
            "markerfacecolor": face,
            "markeredgecolor": edge,
            "markeredgewidth": 0.3,
        }
        axes.plot(centres[at], np.full(at.sum(), row + height), linestyle="none", marker=marker, **ring)


def _stretches(values: pd.Series, edges: np.ndarray) -> list[tuple[object, float, float]]:
    """Neighbouring cells of one value as value, left edge and right edge."""
    found = []
    for value, group in groupby(range(len(values)), key=values.tolist().__getitem__):
        cells = list(group)
        found.append((value, float(edges[cells[0]]), float(edges[cells[-1] + 1])))
    return found


def _hatch(
    axes: Axes,
    row: int,
    across: tuple[float, float],
    down: tuple[float, float],
    how: tuple[str, str, float],
) -> None:
    (left, right), (top, bottom), (hatch, colour, width) = across, down, how
    box: Style = {"facecolor": "none", "edgecolor": colour, "hatch": hatch, "linewidth": width}
    axes.add_patch(Rectangle((left, row + top), right - left, bottom - top, **box))


def _summary(axes: Axes, run: RunTables, row: int, name: str) -> None:
    """The share that is stable, with its interval, right of the row; the floor's under it."""
    line = run.sites[run.sites["site"] == name].iloc[0]
    value = share_with_interval(line["share_stable"], line["low_stable"], line["high_stable"])
    right = axes.get_yaxis_transform()
    axes.text(1.015, row + sum(row_of(run)) / 2, value, transform=right, size=6, va="center_baseline")
    if run.has_ceiling:
        ceiling = f"ceiling {percent(line['ceiling_stable'])}"
        axes.text(1.015, row + 0.12, ceiling, transform=right, size=5, color=SOFT, va="center_baseline")
    floor = f"floor {percent(line['floor_stable_mean'])}"
    axes.text(1.015, row + 0.83, floor, transform=right, size=5, color=SOFT, va="center_baseline")


def _legend(run: RunTables) -> list[Patch | Line2D]:
    handles: list[Patch | Line2D] = []
    for verdict, mark in MARKS.items():
        hatch = CROSSES if verdict == "undefined" else ""
        label = f"{mark.letter}  {verdict}" if mark.letter else verdict
        handles.append(Patch(facecolor=mark.colour, edgecolor=NULL, linewidth=0.4, hatch=hatch, label=label))
    handles.append(Patch(facecolor=PAPER, edgecolor=SOFT, linewidth=0.4, hatch=FALLS, label="unresolvable"))
    dot = (
        ("o", "borderline", INK)
        if run.has_intervals
        else ("o", "certainty undefined (too few pieces)", PAPER)
    )
    for marker, label, face in (dot, ("v", "inherited from the window", INK)):
        mark_of: Style = {
            "markersize": 2.5,
            "markerfacecolor": face,
            "markeredgecolor": INK,
            "markeredgewidth": 0.4,
        }
        handles.append(Line2D([], [], linestyle="none", marker=marker, label=label, **mark_of))
    if run.floor_seeds:
        strip: Style = {"facecolor": "#7a7a7a", "edgecolor": FAINT, "linewidth": 0.4}
        handles.append(Patch(label=f"strip{' below' if run.has_ceiling else ''}: floor that passes", **strip))
    if run.has_ceiling:
        black: Style = {"facecolor": INK, "edgecolor": FAINT, "linewidth": 0.4}
        handles.append(Patch(label="strip above: the ceiling passes", **black))
    return handles
