"""How sparse, and how repeatable over pieces, the steps between clusters of frames are, site by site.

Directions of frames are clustered on the sphere; a table counts which cluster follows which, repeats dropped.
*Sparsity* says how few of the steps that could be taken are; *repeatability*, how far the tables of different
pieces agree. Nulls: the same music with the phases of its spectrum scrambled, frames in shuffled order, and
untrained copies of the network. Music must exceed all three before a site has transitions of its own (Cosme
2026, post 1).
"""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FixedFormatter, FixedLocator

from tonotopy.views._feature_rows import few_sites, trained, untrained
from tonotopy.views.features import number_words
from tonotopy.views.figures._contract import over_pieces
from tonotopy.views.palette import BLUE, INK, NULL, PAPER, RUST, SOFT, VEIL
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
from tonotopy.views.words import count, missing

NAMES = ("transitions",)
CITATION = "Cosme 2026, post 1"
LICENCE = "MIT"
TITLE = "Transitions between clusters of frames: how sparse, how repeatable"

#: Measures with what stands at their axes.
MEASURES = {
    "sparsity": "share of entropy that the order of frames takes away",
    "repeatability": "bits a step that other pieces save on this one",
}
#: Place in a row, marker and colour of each sound.
SOUNDS: dict[str, tuple[str, float, str, str]] = {
    "music": ("music", 0.2, "o", BLUE),
    "phase-scrambled": ("phases scrambled (null)", 0.4, "s", RUST),
    "shuffled": ("frames shuffled (null)", 0.6, "x", SOFT),
    "floor": ("music, untrained copies (null)", 0.8, "D", NULL),
}
ENDS = [name + end for name in MEASURES for end in ("", "_low", "_high")]


def data(run: RunTables, site: str | None = None) -> pd.DataFrame:
    """One row a site, number of clusters and sound; ``floor`` is music in untrained copies, a row a seed."""
    columns = ["site", "order", "clusters", "sound", "seed", *ENDS]
    floor = untrained(run.transitions)
    floor = floor[floor["sound"] == "music"].assign(sound="floor")
    rows = (
        pd.concat([trained(run.transitions), floor], ignore_index=True)
        if len(floor)
        else trained(run.transitions)
    )
    sites = few_sites(run, rows, site, len(set(rows["clusters"])))
    return run.of(rows.sort_values("clusters", kind="stable"), sites)[columns]


@drawn
def draw(run: RunTables, *, site: str | None = None) -> Figure:
    """Draw one panel a measure."""
    points = data(run, site)
    if not bool(points[list(MEASURES)].notna().any(axis=None)):
        return undefined_sheet(run, TITLE, "transitions were not measured in this run")
    rows = list(dict.fromkeys(zip(points["site"], points["clusters"], strict=True)))
    several = len(set(points["clusters"])) > 1
    figure = sheet(run, TITLE, 1.0 + 0.36 * len(rows))
    panels = figure.subplots(1, len(MEASURES), sharey=True)
    for axes, measure in zip(panels, MEASURES, strict=True):
        axes.set_title(measure)
        axes.set_xlabel(MEASURES[measure])
        grid_lines(axes, "x")
        axes.spines["left"].set_visible(False)
        axes.hlines(
            range(1, len(rows)), 0.0, 1.0, transform=axes.get_yaxis_transform(), color=VEIL, linewidth=0.6
        )
        axes.tick_params(axis="y", length=0.0, labelcolor=INK)
        for at, (name, clusters) in enumerate(rows):
            own = points[(points["site"] == name) & (points["clusters"] == clusters)]
            _row(axes, at, own, measure)
        _hatch_undefined(axes, points, rows, measure)
    axes = panels[0]
    axes.set_ylim(len(rows), 0.0)
    axes.yaxis.set_major_locator(FixedLocator([at + 0.5 for at in range(len(rows))]))
    labels = [
        clean(name, 24) + (f"\n{count(int(many), 'cluster')}" if several else "") for name, many in rows
    ]
    axes.yaxis.set_major_formatter(FixedFormatter(labels))
    legend_below(figure, _legend(points), columns=5)
    return figure


def caption(run: RunTables) -> str:
    """How to read it, its null included."""
    many = sorted({int(clusters) for clusters in run.transitions["clusters"]})
    clusters = f" ({', '.join(f'{found:,}' for found in many)} clusters)" if many else ""
    interval = over_pieces(run.transitions[["sparsity_low", "repeatability_low"]], "Bars")
    return (
        f"Which cluster of frames follows which{clusters}: how few of the possible steps are taken (0 "
        "where order takes nothing of the entropy of the next cluster away, 1 where it settles it), and "
        f"how far pieces agree in them. {interval} Nulls: the same pieces with scrambled phases, frames in "
        "shuffled order, and untrained copies of the network, one diamond a seed. Sparse steps are the "
        "network's own only where music lies right of all of these."
    )


def describe(run: RunTables, *, site: str | None = None) -> list[str]:
    """Both measures with intervals and nulls, row by row."""
    lines = []
    for (name, clusters), own in data(run, site).groupby(["site", "clusters"], sort=False):
        parts = []
        for measure in MEASURES:
            words = [
                f"{SOUNDS[str(sound)][0]} {_words(rows, measure)}"
                for sound, rows in own.groupby("sound", sort=False)
            ]
            parts.append(f"{measure} {', '.join(words)}")
        lines.append(f"{name}, {count(int(str(clusters)), 'cluster')}: {'; '.join(parts)}.")
    return lines


def _words(rows: pd.DataFrame, measure: str) -> str:
    if len(rows) > 1:
        return number_words(rows[measure].mean(), rows[measure].min(), rows[measure].max()) + " over seeds"
    row = rows.iloc[0]
    return number_words(row[measure], row[f"{measure}_low"], row[f"{measure}_high"])


def _row(axes: Axes, at: int, own: pd.DataFrame, measure: str) -> None:
    for sound, (_, place, marker, colour) in SOUNDS.items():
        for _, row in own[own["sound"] == sound].iterrows():
            height = at + place
            ends = [row[f"{measure}_low"], row[f"{measure}_high"]]
            if sound != "floor" and not missing(ends[0]) and not missing(ends[1]):
                axes.plot(ends, [height] * 2, color=colour, linewidth=2.0, alpha=0.35, zorder=2)
            hollow: Style = {"markerfacecolor": PAPER} if sound == "floor" else {}
            axes.plot(row[measure], height, marker, color=colour, markersize=3.6, zorder=4, **hollow)


def _hatch_undefined(axes: Axes, points: pd.DataFrame, rows: list[tuple[str, int]], measure: str) -> None:
    """Rows in which music has no value, over the whole width of the panel."""
    for at, (name, clusters) in enumerate(rows):
        own = points[
            (points["site"] == name) & (points["clusters"] == clusters) & (points["sound"] == "music")
        ]
        if own.empty or bool(own[measure].isna().all()):
            across = axes.get_yaxis_transform()
            axes.add_patch(Rectangle((0.0, at + 0.1), 1.0, 0.2, transform=across, zorder=1, **CROSSED))


def _legend(points: pd.DataFrame) -> list[Line2D | Patch]:
    handles: list[Line2D | Patch] = []
    for sound, (words, _, marker, colour) in SOUNDS.items():
        face: Style = {"markerfacecolor": PAPER} if sound == "floor" else {}
        handles.append(
            Line2D([], [], linestyle="none", marker=marker, color=colour, markersize=4, label=words, **face)
        )
    if bool(points.loc[points["sound"] == "music", list(MEASURES)].isna().any(axis=None)):
        handles.append(Patch(label="undefined", **CROSSED))
    return handles
