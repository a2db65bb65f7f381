"""How much a fragment of sound leaves open about the spectrum around it, and the other way round, by length of view.

From audio alone: fragments and spectra of the longer windows around them are clustered, and the entropy of one
given the other is set against its own, H(a | b) / H(a). One says nothing of the other at 1; it settles it at 0.
Null: the same with the pairs of each piece turned against each other, which is less than 1 by what few pairs and
many clusters do.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tonotopy.views.axes import log_axis
from tonotopy.views.features import number_words
from tonotopy.views.figures._contract import highlights, over_pieces
from tonotopy.views.palette import BLUE, NULL, RUST, SOFT
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
from tonotopy.views.words import count, decimal, number

NAMES = ("ambiguity",)
CITATION = ""
LICENCE = "MIT"
TITLE = "Ambiguity: what a fragment leaves open about the spectrum, and the spectrum about it"

DIRECTIONS = {"spectrum given fragment": BLUE, "fragment given spectrum": RUST}
#: One line style a number of clusters, the fewest first; more than these repeat.
DASHES = ((0, ()), (0, (5, 1.5)), (0, (1, 1.2)), (0, (5, 1.2, 1, 1.2)))
TOP, ABOVE = 1.12, 1.07  # of the axis, and where what is undefined is marked


def data(run: RunTables, site: str | None = None) -> pd.DataFrame:
    """One row a view, number of clusters and direction; views also in milliseconds. Of the music, not of a site."""
    run.chosen(site)  # refuses a site that the run does not have
    return run.ambiguity.assign(view_ms=1000.0 * run.ambiguity["view_s"])


@drawn
def draw(run: RunTables, *, site: str | None = None) -> Figure:
    """Draw one panel a direction; the views of a few sites are marked."""
    points = data(run, site)
    if not bool(points["ratio"].notna().any()):
        return undefined_sheet(run, TITLE, "ambiguity was not measured in this run")
    figure = sheet(run, TITLE, 2.75)
    panels = figure.subplots(1, len(DIRECTIONS), sharey=True)
    low, high = float(points["view_ms"].min()), float(points["view_ms"].max())
    for axes, (direction, colour) in zip(panels, DIRECTIONS.items(), strict=True):
        axes.set_title(direction)
        own = points[points["direction"] == direction]
        if not bool(own["ratio"].notna().any()):
            undefined_panel(axes, "not measured")
            continue
        grid_lines(axes)
        log_axis(axes, "x", low * 0.8, high * 1.25)
        axes.set_ylim(-0.03, TOP)
        axes.set_xlabel("length of the fragment (ms)")
        _views(axes, run, site)
        for at, clusters in enumerate(_clusters(points)):
            _curve(
                axes,
                own[own["clusters"] == clusters].sort_values("view_ms"),
                colour,
                DASHES[at % len(DASHES)],
            )
    panels[0].set_ylabel("entropy left, H(a | b) / H(a)")
    legend_below(figure, _legend(points), columns=5)
    return figure


def caption(run: RunTables) -> str:
    """How to read it, its null included."""
    interval = over_pieces(run.ambiguity[["ratio_low"]], "Bands")
    return (
        "At 1 the one says nothing about the other, at 0 it settles it. If fragments and mixtures of partials map "
        f"many to many, curves are high at short views and fall as the view grows. {interval} One line style a "
        "number of clusters: a conclusion that hangs on it is none. Null: the pairs of each piece turned against "
        "each other, in grey, in the same style; how far a curve lies below it is what one tells of the other. "
        "Ticks along the lower edge are the views of sites of the encoder, where they are within the axis."
    )


def describe(run: RunTables, *, site: str | None = None) -> list[str]:
    """Shortest and longest view of each curve."""
    lines = []
    for (direction, clusters), own in data(run, site).groupby(["direction", "clusters"], sort=False):
        known = own[own["ratio"].notna()].sort_values("view_ms")
        head = f"{direction}, {count(int(str(clusters)), 'cluster')}"
        if known.empty:
            lines.append(f"{head}: undefined.")
            continue
        ends = [
            f"{number_words(*row[['ratio', 'ratio_low', 'ratio_high']])} (null {decimal(row['null'])}) "
            f"at {number(row['view_ms'])} ms"
            for _, row in known.iloc[[0, -1]].iterrows()
        ]
        left = len(own) - len(known)
        undefined = f"; {count(left, 'view')} undefined" if left else ""
        lines.append(f"{head}: {', '.join(ends)}{undefined}.")
    return lines


def _clusters(points: pd.DataFrame) -> list[int]:
    return [int(many) for many in np.unique(points["clusters"])]


def _curve(axes: Axes, own: pd.DataFrame, colour: str, dashes: tuple[int, tuple[float, ...]]) -> None:
    x = own["view_ms"].to_numpy(dtype=np.float64)
    axes.fill_between(x, own["ratio_low"], own["ratio_high"], color=colour, alpha=0.13, linewidth=0.0)
    axes.plot(x, own["null"], color=NULL, linewidth=0.9, linestyle=dashes, zorder=2)
    axes.plot(
        x, own["ratio"], color=colour, linewidth=1.2, linestyle=dashes, marker="o", markersize=2.6, zorder=4
    )
    undefined = own["ratio"].isna().to_numpy()
    axes.plot(x[undefined], np.full(int(undefined.sum()), ABOVE), "x", color=SOFT, markersize=3.5, zorder=4)


def _views(axes: Axes, run: RunTables, site: str | None) -> None:
    """How much of the sound sites of the encoder see; sites that see as much share a mark."""
    low, high = axes.get_xlim()
    own = run.sites[run.sites["site"].isin(highlights(run, run.sites, site))]
    for view_s, sites in own.groupby("view_s", sort=False):
        view_ms = 1000.0 * float(str(view_s))
        name = ", ".join(clean(name, 18) for name in sites["site"])
        if low <= view_ms <= high:
            axes.plot(
                [view_ms] * 2, [0.0, 0.035], color=SOFT, linewidth=0.8, transform=axes.get_xaxis_transform()
            )
            place: Style = {"xy": (view_ms, 0.04), "xycoords": axes.get_xaxis_transform()}
            axes.annotate(
                clean(name, 40), **place, rotation=90, size=5.2, color=SOFT, ha="center", va="bottom"
            )


def _legend(points: pd.DataFrame) -> list[Line2D]:
    handles = [
        Line2D([], [], color=SOFT, linestyle=DASHES[at % len(DASHES)], label=count(clusters, "cluster"))
        for at, clusters in enumerate(_clusters(points))
    ]
    handles.append(Line2D([], [], color=NULL, linewidth=0.9, label="pairs turned against each other (null)"))
    if bool(points["ratio"].isna().any()):
        cross: Style = {"linestyle": "none", "marker": "x", "color": SOFT, "markersize": 3.5}
        handles.append(Line2D([], [], label="undefined", **cross))
    return handles
