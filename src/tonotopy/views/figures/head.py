"""What adding a partial does to the classes of a head, by frequency, and how alike it is across contexts.

Above, the signed change of each class's logit over frequency, in units of the class's own root mean square over all
frequencies. Below, the median over classes of how consistent the change is. Nulls: random directions of the same site,
and untrained copies of the network.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from tonotopy.judgement.claims.codes_and_head import LEVEL
from tonotopy.signal import erb
from tonotopy.views._code_rows import weights_of
from tonotopy.views.axes import cell_edges, frequency_axis, hz_words, share_axis
from tonotopy.views.palette import BLUE, CROSSES, FAINT, INK, NULL, PAPER, RUST
from tonotopy.views.paper import CROSSED, Style, drawn, grid_lines, legend_below, sheet, undefined_sheet
from tonotopy.views.tables import RunTables
from tonotopy.views.words import count, decimal, percent

NAMES = ("head",)
CITATION = ""
LICENCE = "MIT"
TITLE = "What partials do to the classes of the head"

#: Classes that are drawn one by one; of more, so many, evenly spread in their order.
CLASSES = 64
TRAINED, FLOOR = "trained", "untrained"
COLOURS = LinearSegmentedColormap.from_list("signed", [RUST, "#f4ddc0", PAPER, "#b9dcf2", BLUE])
DASHES = (0, (3, 1.5))


def data(run: RunTables, site: str | None = None) -> pd.DataFrame:
    """One row a class and frequency, at most 64 classes; of one untrained copy, and only the first."""
    rows = run.head[run.head["site"].isin(run.chosen(site))]
    classes = np.unique(rows["class"])
    chosen = (
        classes[np.unique(np.linspace(0, len(classes) - 1, CLASSES).round().astype(int))]
        if len(classes)
        else []
    )
    rows = rows[rows["class"].isin(chosen)]
    copies = [seed for weights, seed in weights_of(rows) if weights == "floor"]
    own = rows[(rows["weights"] == "trained") | (rows["seed"].isin(copies[:1]))]
    columns = ["class", "class_hz", "frequency_hz", "signed", "strength", "consistency", "consistency_low"]
    columns += ["consistency_high", "consistency_null", "consistency_null_high", "consistency_q"]
    of = own["weights"].map({"trained": TRAINED, "floor": FLOOR})
    found = own[columns].assign(of=of)
    order = found["of"].map({TRAINED: 0, FLOOR: 1}).to_numpy().argsort(kind="stable")
    return found.iloc[order].reset_index(drop=True)[["of", *columns]]


@drawn
def draw(run: RunTables, *, site: str | None = None) -> Figure:
    """Draw the map of classes above, consistency below; untrained at the right."""
    cells = data(run, site)
    if not bool(cells["signed"].notna().any()):
        return undefined_sheet(run, TITLE, "nothing was measured of a head")
    shown = list(dict.fromkeys(cells["of"]))
    classes = cells["class"].nunique()
    high = min(3.4, 0.8 + 0.05 * classes)
    figure = sheet(run, TITLE, 2.4 + high)
    panels = figure.subplots(
        2, len(shown), sharey="row", sharex="col", squeeze=False, height_ratios=(high, 1.3)
    )
    most = max(1e-9, float(np.nanquantile(np.abs(cells["signed"]), 0.99)))
    for column, of in enumerate(shown):
        own = cells[cells["of"] == of]
        mesh = _map(panels[0, column], own, most)
        panels[0, column].set_title(of if of == TRAINED else "untrained (null)")
        _consistency(panels[1, column], own)
    panels[0, 0].set_ylabel(_class_words(run, classes))
    panels[1, 0].set_ylabel("consistency")
    bar = figure.colorbar(mesh, ax=list(panels[0]), pad=0.015, aspect=24, shrink=0.9, extend="both")
    bar.set_label("change of logit (rms)")
    bar.outline.set_linewidth(0.4)
    legend_below(figure, _legend(cells), columns=4)
    return figure


def caption(run: RunTables) -> str:
    """How to read it, its null included."""
    n = int(run.head_sites["n_classes"].max()) if len(run.head_sites) else run.head["class"].nunique()
    some = (
        f"{CLASSES} of {n:,} classes, evenly spread in their order"
        if n > CLASSES
        else count(n, "class", "classes")
    )
    copies = sum(weights == "floor" for weights, _ in weights_of(run.head))
    beside = "one untrained copy at the right" if copies else "no untrained copy was measured"
    return (
        f"Above, one row a class ({some}), named by the frequency that it stands for where it stands for one: the "
        "mean change of its logit when a partial is added, over all contexts, in units of the class's root mean square "
        "over all frequencies; blue rises, rust falls, white is none. Dots mark "
        "answers that are more consistent across contexts than those of random directions (q ≤ .05 over the classes "
        "at a frequency). Below, the median over these classes of mean² over mean square of the change, 1 "
        "where every context moves the logit alike. Nulls: random directions of the same site, their median and "
        f"upper twentieth (dashed, dotted); {beside}. Crossed cells are undefined."
    )


def describe(run: RunTables, *, site: str | None = None) -> list[str]:
    """Medians of consistency beside the null, and how much is beyond it."""
    lines = []
    for of, own in data(run, site).groupby("of", sort=False):
        known = own[own["consistency"].notna()]
        if known.empty:
            lines.append(f"{of}: undefined in all {count(len(own), 'cell')}.")
            continue
        beyond = percent((known["consistency_q"] <= LEVEL).mean())
        left = len(own) - len(known)
        undefined = f"; {count(left, 'cell')} undefined" if left else ""
        lines.append(
            f"{of}: median consistency {decimal(known['consistency'].median())}, of random directions "
            f"{decimal(known['consistency_null'].median())}; {beyond} of {count(len(known), 'cell')} have q ≤ .05"
            f"{undefined}."
        )
    return lines


def _class_words(run: RunTables, drawn_classes: int) -> str:
    n = int(run.head_sites["n_classes"].max()) if len(run.head_sites) else drawn_classes
    return f"class ({drawn_classes} of {n})" if n > drawn_classes else "class"


def _map(axes: Axes, own: pd.DataFrame, most: float) -> QuadMesh:
    hz, classes = np.unique(own["frequency_hz"]), np.unique(own["class"])
    edges, rows = cell_edges(hz), np.arange(len(classes) + 1) - 0.5
    grid = own.pivot_table(index="class", columns="frequency_hz", values="signed", dropna=False)
    values = np.ma.masked_invalid(grid.reindex(index=classes, columns=hz).to_numpy(dtype=np.float64))
    frequency_axis(axes, edges, sparse=True, label=False)
    axes.axhspan(rows[0], rows[-1], facecolor=PAPER, edgecolor=FAINT, hatch=CROSSES, linewidth=0.0, zorder=0)
    mesh = axes.pcolormesh(
        edges, rows, values, cmap=COLOURS, vmin=-most, vmax=most, edgecolors="face", linewidth=0.1, zorder=1
    )
    marked = own[own["consistency_q"] <= LEVEL]
    axes.scatter(
        erb.rate(marked["frequency_hz"].to_numpy(dtype=np.float64)),
        np.searchsorted(classes, marked["class"].to_numpy()),
        s=1.6,
        c=INK,
        linewidths=0.0,
        zorder=3,
    )
    axes.set_ylim(rows[-1], rows[0])
    ticks = np.unique(np.linspace(0, len(classes) - 1, min(8, len(classes))).round().astype(int))
    stands = own.groupby("class")["class_hz"].first().reindex(classes).to_numpy(dtype=np.float64)
    words = [
        f"{hz_words(hz)} Hz" if np.isfinite(hz) else str(int(n))
        for n, hz in zip(classes, stands, strict=True)
    ]
    axes.set_yticks(ticks, [words[tick] for tick in ticks])
    return mesh


def _consistency(axes: Axes, own: pd.DataFrame) -> None:
    by = own.groupby("frequency_hz")[["consistency", "consistency_null", "consistency_null_high"]].median()
    x = erb.rate(by.index.to_numpy(dtype=np.float64))
    grid_lines(axes, "y")
    share_axis(axes, "y", "")
    axes.set_yticks([0.0, 0.5, 1.0], ["0", ".5", "1"])
    for at in np.flatnonzero(by["consistency"].isna()):
        edges = cell_edges(by.index.to_numpy(dtype=np.float64))
        axes.axvspan(
            edges[at], edges[at + 1], facecolor="none", edgecolor=FAINT, hatch=CROSSES, linewidth=0.0
        )
    axes.plot(x, by["consistency"], color=BLUE, marker="o", markersize=2.4, zorder=4)
    axes.plot(x, by["consistency_null"], color=NULL, linestyle=DASHES, linewidth=1.0, zorder=3)
    axes.plot(x, by["consistency_null_high"], color=NULL, linestyle=(0, (1, 1.4)), linewidth=0.9, zorder=2)
    frequency_axis(axes, cell_edges(by.index.to_numpy(dtype=np.float64)), sparse=True)


def _legend(cells: pd.DataFrame) -> list[Line2D | Patch]:
    dot: Style = {"linestyle": "none", "marker": "o", "markersize": 1.8, "markeredgewidth": 0.0}
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=BLUE, marker="o", markersize=2.4, label="median of classes"),
        Line2D([], [], color=NULL, linestyle=DASHES, label="random directions, median (null)"),
        Line2D([], [], color=NULL, linestyle=(0, (1, 1.4)), label="their upper twentieth"),
        Line2D([], [], color=INK, label="q ≤ .05", **dot),
    ]
    if bool(cells["signed"].isna().any()):
        handles.append(Patch(label="undefined", **CROSSED))
    return handles
