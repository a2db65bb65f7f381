"""What the codes of each stage tell of the partials of music: excess information by stage and band.

On music to which nothing was added. Information between the code of a stage and whether a band carries a tracked
partial, less its mean over codes that were moved against the sound of their piece. Nulls: that mean, which is 0 on
this scale, and untrained copies of the network.
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
from matplotlib.ticker import MaxNLocator

from tonotopy.judgement.claims.codes_and_head import LEVEL
from tonotopy.signal import erb
from tonotopy.views._code_rows import weights_of
from tonotopy.views.axes import cell_edges, frequency_axis, hz_words
from tonotopy.views.palette import BLUE, CROSSES, FAINT, INK, PAPER, SKY, SOFT
from tonotopy.views.paper import CROSSED, Style, drawn, legend_below, sheet, undefined_sheet
from tonotopy.views.tables import RunTables
from tonotopy.views.words import count, number, percent

NAMES = ("codes",)
CITATION = ""
LICENCE = "MIT"
TITLE = "What codes tell of the partials of music: stage by band"

TRAINED, FLOOR = "trained", "untrained"
#: From nothing to the most; what is below its null is as white as nothing.
COLOURS = LinearSegmentedColormap.from_list("bits", [PAPER, "#cfe6f5", SKY, BLUE, "#00263d"])
#: Of a panel without anything above its null, bits.
LEAST = 0.01


def data(run: RunTables, site: str | None = None) -> pd.DataFrame:
    """One row a cell: trained, and the mean over untrained copies; ``marked`` is the share of them with p <= .05."""
    rows = run.code_peaks[run.code_peaks["site"].isin(run.chosen(site))]
    rows = rows.assign(marked=(rows["p"] <= LEVEL).astype("float64").where(rows["p"].notna()))
    of = rows["weights"].map({"trained": TRAINED, "floor": FLOOR}).rename("of")
    values = ["excess_bits", "excess_low", "excess_high", "null_bits", "entropy_bits", "p", "marked"]
    found = rows.groupby([of, "stage", "band_hz"], sort=True)[values].mean().reset_index()
    found.loc[found["of"] == FLOOR, ["excess_low", "excess_high", "p"]] = (
        np.nan
    )  # of one copy, not of their mean
    order = found["of"].map({TRAINED: 0, FLOOR: 1}).to_numpy().argsort(kind="stable")
    return found.iloc[order].reset_index(drop=True)


@drawn
def draw(run: RunTables, *, site: str | None = None) -> Figure:
    """Draw a panel of the weights under study, and one of untrained copies beside it."""
    cells = data(run, site)
    if not bool(cells["excess_bits"].notna().any()):
        return undefined_sheet(run, TITLE, "nothing was measured of codes and bands")
    shown = list(dict.fromkeys(cells["of"]))
    stages = np.unique(cells["stage"])
    figure = sheet(run, TITLE, 1.5 + min(3.6, 0.2 * len(stages)))
    panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    most = max(LEAST, float(np.nanmax(cells["excess_bits"])))
    for axes, of in zip(panels, shown, strict=True):
        mesh = _panel(axes, cells[cells["of"] == of], stages, most, sparse=len(shown) > 1)
        axes.set_title(_title(run, of))
    panels[0].set_ylabel("stage")
    bar = figure.colorbar(mesh, ax=list(panels), pad=0.015, aspect=28, shrink=0.9)
    bar.set_label("bits above moved codes")
    bar.outline.set_linewidth(0.4)
    legend_below(figure, _legend(cells), columns=3)
    return figure


def caption(run: RunTables) -> str:
    """How to read it, its null included."""
    copies = sum(weights == "floor" for weights, _ in weights_of(run.code_peaks))
    beside = (
        f"at the right the mean of {count(copies, 'untrained copy', 'untrained copies')}, on the same scale"
        if copies
        else "no untrained copy was measured"
    )
    return (
        "Each cell is the information between the code of a stage and whether a band of the music carries a tracked "
        "partial, in bits above its null: the mean of the same with codes moved in time against the sound of their "
        "piece, which keeps how long codes last and what is common to a piece. White is nothing, or less than "
        f"the null; {beside}. Dots mark cells with p ≤ .05 against moved codes, without correction: one in twenty is "
        "marked by chance (of untrained copies where at least half of them are). Crossed cells are undefined. A band "
        "that sounds always, or never, has nothing to be told."
    )


def describe(run: RunTables, *, site: str | None = None) -> list[str]:
    """Mean, most and marked cells of each panel."""
    lines = []
    for of, own in data(run, site).groupby("of", sort=False):
        known = own[own["excess_bits"].notna()]
        if known.empty:
            lines.append(f"{of}: undefined in all {count(len(own), 'cell')}.")
            continue
        most = known.iloc[int(np.nanargmax(known["excess_bits"].to_numpy(dtype=np.float64)))]
        left = len(own) - len(known)
        undefined = f"; {count(left, 'cell')} undefined" if left else ""
        lines.append(
            f"{of}: {number(known['excess_bits'].mean())} bit above moved codes on average over "
            f"{count(len(known), 'cell')}, most {number(most['excess_bits'])} at stage {int(most['stage'])} and "
            f"{hz_words(most['band_hz'])} Hz; {percent((known['marked'] >= 0.5).mean())} of cells have p ≤ .05, by "
            f"chance 5 %{undefined}."
        )
    return lines


def _title(run: RunTables, of: str) -> str:
    copies = sum(weights == "floor" for weights, _ in weights_of(run.code_peaks))
    return (
        of if of == TRAINED else f"untrained, mean of {copies} (null)" if copies > 1 else "untrained (null)"
    )


def _panel(axes: Axes, own: pd.DataFrame, stages: np.ndarray, most: float, *, sparse: bool) -> QuadMesh:
    bands = np.unique(own["band_hz"])
    edges = cell_edges(bands)
    grid = own.pivot_table(index="stage", columns="band_hz", values="excess_bits", dropna=False)
    grid = grid.reindex(index=stages, columns=bands)
    frequency_axis(axes, edges, sparse=sparse)
    rows = np.arange(len(stages) + 1) - 0.5
    axes.axhspan(rows[0], rows[-1], facecolor=PAPER, edgecolor=FAINT, hatch=CROSSES, linewidth=0.0, zorder=0)
    values = np.ma.masked_invalid(grid.to_numpy(dtype=np.float64))
    mesh = axes.pcolormesh(
        edges, rows, values, cmap=COLOURS, vmin=0.0, vmax=most, edgecolors="face", linewidth=0.1, zorder=1
    )
    marked = own[own["marked"] >= 0.5]
    row = np.searchsorted(stages, marked["stage"].to_numpy())
    axes.scatter(
        erb.rate(marked["band_hz"].to_numpy(dtype=np.float64)),
        row,
        s=min(5.0, 60.0 / len(stages)),
        c=[PAPER if value > 0.45 * most else INK for value in marked["excess_bits"]],
        linewidths=0.0,
        zorder=3,
    )
    axes.set_ylim(rows[-1], rows[0])
    axes.yaxis.set_major_locator(MaxNLocator(nbins=10, integer=True))
    return mesh


def _legend(cells: pd.DataFrame) -> list[Line2D | Patch]:
    dot: Style = {"linestyle": "none", "marker": "o", "markersize": 2.2, "markeredgewidth": 0.0}
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=INK, label="p ≤ .05 against moved codes", **dot),
        Patch(facecolor=PAPER, edgecolor=SOFT, linewidth=0.4, label="at its null, or below"),
    ]
    if bool(cells["excess_bits"].isna().any()):
        handles.append(Patch(label="undefined", **CROSSED))
    return handles
