"""Share of frequencies that are stable, site by site in depth order, with every null beside it.

Nulls: the range over untrained copies of the network (grey band, its mean a bar) and the same readout
trained on shuffled labels (cross). Whiskers show how far the share moves when the threshold of specificity
moves to .75 and to .85.
"""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from tonotopy.views.axes import share_axis, site_rows
from tonotopy.views.palette import BLUE, CROSSES, FAINT, NULL, PAPER, SKY, SOFT, VEIL
from tonotopy.views.paper import Style, drawn, grid_lines, legend_below, sheet, undefined_sheet
from tonotopy.views.tables import RunTables
from tonotopy.views.words import missing, percent, share_with_interval

NAMES = ("depth-profile",)
CITATION = ""
LICENCE = "MIT"
TITLE = "Share of stable frequencies through the depth of the network"

COLUMNS = (
    "site",
    "order",
    "role",
    "share_stable",
    "low_stable",
    "high_stable",
    "stable_kappa_75",
    "stable_kappa_85",
    "share_phase_locked",
    "floor_stable_mean",
    "floor_stable_min",
    "floor_stable_max",
    "shuffled_stable",
)
MIDDLE, BELOW = 0.42, 0.68  # heights in a row of the share and of the whisker


def data(run: RunTables, site: str | None = None) -> pd.DataFrame:
    """One row a site."""
    return run.of(run.sites, run.chosen(site))[list(COLUMNS)]


@drawn
def draw(run: RunTables, *, site: str | None = None) -> Figure:
    """Draw the profile."""
    rows = data(run, site)
    if not bool(rows["share_stable"].notna().any()):
        return undefined_sheet(run, TITLE, "no site has a defined share")
    figure = sheet(run, TITLE, 0.95 + 0.25 * len(rows))
    axes = figure.add_subplot()
    site_rows(axes, rows["site"].tolist(), middle=MIDDLE)
    share_axis(axes, "x", "share of frequencies")
    grid_lines(axes, "x")
    for at, row in rows.iterrows():
        _row(axes, int(str(at)), row)
    stable = rows["share_stable"].to_numpy(dtype=float)
    heights = [at + MIDDLE for at in range(len(rows))]
    axes.plot(stable, heights, color=BLUE, linewidth=0.7, alpha=0.5, zorder=3)
    axes.plot(stable, heights, "o", color=BLUE, markersize=4.2, zorder=5, label="stable")
    legend_below(figure, _legend(), columns=4)
    return figure


def caption(run: RunTables) -> str:
    """How to read it, its null included."""
    interval = (
        "Bars are 95 % intervals over pieces."
        if run.has_intervals
        else f"Intervals are undefined: {run.n_pieces} pieces are fewer than 8."
    )
    return (
        f"Only stable is claimed. {interval} The thin whisker below each point runs from the share at a "
        "threshold of specificity of .85 to that at .75. Nulls: the grey band is the range over "
        "untrained copies of the network and its bar their mean; the cross is the same readout trained "
        "on shuffled labels. Diamonds are phase-locked, shown and not counted."
    )


def describe(run: RunTables, *, site: str | None = None) -> list[str]:
    """Share, threshold and nulls in words, site by site."""
    lines = []
    for _, row in data(run, site).iterrows():
        share = share_with_interval(row["share_stable"], row["low_stable"], row["high_stable"])
        moved = f"{percent(row['stable_kappa_75'])} at .75, {percent(row['stable_kappa_85'])} at .85"
        nulls = f"floor {percent(row['floor_stable_mean'])}, shuffled {percent(row['shuffled_stable'])}"
        lines.append(f"{row['site']}: stable {share} ({moved}); {nulls}.")
    return lines


def _row(axes: Axes, at: int, row: pd.Series) -> None:
    """Everything of one site but its point."""
    if missing(row["share_stable"]):
        box: Style = {"facecolor": PAPER, "edgecolor": FAINT, "hatch": CROSSES, "linewidth": 0.0}
        axes.add_patch(Rectangle((0.0, at + 0.15), 1.0, 0.7, **box))
        return
    low, high = row["floor_stable_min"], row["floor_stable_max"]
    if not missing(low):
        # A floor of exactly one value still needs a width to be seen.
        left, width = max(low - 0.003, -0.03), max(high - low, 0.0) + 0.006
        axes.add_patch(Rectangle((left, at + 0.08), width, 0.84, color=FAINT, linewidth=0.0, zorder=1))
        axes.plot([row["floor_stable_mean"]] * 2, [at + 0.08, at + 0.92], color=NULL, linewidth=1.0, zorder=2)
    axes.plot(
        row["shuffled_stable"], at + MIDDLE, "x", color=SOFT, markersize=3.2, markeredgewidth=0.7, zorder=4
    )
    axes.plot(
        [row["low_stable"], row["high_stable"]], [at + MIDDLE] * 2, color=BLUE, linewidth=2.6, alpha=0.35
    )
    ends = [row["stable_kappa_85"], row["stable_kappa_75"]]
    axes.plot(ends, [at + BELOW] * 2, "|-", color=BLUE, linewidth=0.6, markersize=3.0, markeredgewidth=0.6)
    diamond: Style = {
        "markersize": 3.4,
        "markerfacecolor": PAPER,
        "markeredgecolor": SKY,
        "markeredgewidth": 0.9,
    }
    axes.plot(row["share_phase_locked"], at + MIDDLE, "D", zorder=4, **diamond)


def _legend() -> list[Line2D | Patch]:
    dot: Style = {"linestyle": "none", "markersize": 4}
    return [
        Line2D([], [], marker="o", color=BLUE, label="stable", **dot),
        Line2D([], [], color=BLUE, linewidth=2.6, alpha=0.35, label="its interval over pieces"),
        Line2D([], [], color=BLUE, linewidth=0.6, marker="|", markersize=3.5, label="specificity .85 to .75"),
        Line2D([], [], marker="D", color=SKY, markerfacecolor=PAPER, label="phase-locked", **dot),
        Patch(facecolor=FAINT, label="floor: untrained, range (null)"),
        Line2D([], [], marker="x", color=SOFT, label="shuffled labels (null)", **dot),
        Patch(facecolor=VEIL, edgecolor=FAINT, hatch=CROSSES, linewidth=0.0, label="undefined"),
    ]
