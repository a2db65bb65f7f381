"""How the share of frequencies whose line passes moves with the threshold of specificity.

All other conditions stay at their thresholds; specificity alone is asked for more or less. A flat curve
around .8 is a robust share, a steep one says that the number hangs on the threshold. The null is the same
readout trained on shuffled labels, held to the same conditions.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tonotopy.views.axes import share_axis
from tonotopy.views.figures._contract import highlights
from tonotopy.views.palette import NULL, SITES, SOFT, VEIL
from tonotopy.views.paper import clean, drawn, grid_lines, legend_below, sheet, undefined_sheet
from tonotopy.views.tables import RunTables
from tonotopy.views.words import percent

NAMES = ("margins",)
CITATION = ""
LICENCE = "MIT"
TITLE = "Margins: how the share moves with the threshold of specificity"

STEPS = np.round(np.arange(0.50, 1.0001, 0.01), 2)
AT_LEAST = {"detection": 0.9, "identification": 0.9, "consistency": 0.5, "gradedness": 0.9}
LARGEST_LOBE = 0.5
BAND = (0.75, 0.85)  # thresholds between which every share is quoted


def data(run: RunTables, site: str | None = None) -> pd.DataFrame:
    """One row a threshold: site, readout (line, or shuffled, the null), share of frequencies."""
    rows = []
    for name in highlights(run, run.verdicts, site):
        cells = run.verdicts[(run.verdicts["site"] == name) & (run.verdicts["verdict"] != "undefined")]
        for readout in ("line", "shuffled"):
            known = cells[cells[f"{readout}_specificity"].notna()]
            specificity = known[f"{readout}_specificity"].to_numpy(dtype=np.float64)
            others = _others(known, readout)
            for step in STEPS:
                share = float(np.mean(others & (specificity >= step))) if len(known) else float("nan")
                rows.append({"site": name, "readout": readout, "threshold": float(step), "share": share})
    return pd.DataFrame(rows, columns=pd.Index(["site", "readout", "threshold", "share"]))


@drawn
def draw(run: RunTables, *, site: str | None = None) -> Figure:
    """Draw the curves."""
    curves = data(run, site)
    if not bool(curves["share"].notna().any()):
        return undefined_sheet(run, TITLE, "no frequency has a defined verdict")
    figure = sheet(run, TITLE, 2.5)
    axes = figure.add_subplot()
    axes.axvspan(*BAND, color=VEIL, linewidth=0.0, zorder=0)
    axes.axvline(0.8, color=SOFT, linewidth=0.6, zorder=1)
    grid_lines(axes, "y")
    share_axis(axes, "y", "frequencies whose line passes")
    axes.set_xlim(STEPS[0], STEPS[-1])
    axes.set_xlabel("threshold of specificity (.8 is the verdict's, the band is .75 to .85)")
    sites = list(dict.fromkeys(curves["site"]))
    for index, name in enumerate(sites):
        own = curves[curves["site"] == name]
        _curve(axes, own, SITES[index])
    legend_below(figure, _legend(sites), columns=3)
    return figure


def caption(run: RunTables) -> str:
    """How to read it, its null included."""
    return (
        f"Share of the {len(run.frequencies_hz)} frequencies, those with a defined verdict, whose line "
        "meets every other condition and has at least this specificity. Steep curves in the band mean "
        "that a share hangs on the threshold. Null: the same readout trained on shuffled labels (dashed "
        "grey)."
    )


def describe(run: RunTables, *, site: str | None = None) -> list[str]:
    """Shares at the three quoted thresholds."""
    lines = []
    for name, own in data(run, site).groupby("site", sort=False):
        line = own[own["readout"] == "line"].set_index("threshold")["share"]
        null = own[own["readout"] == "shuffled"].set_index("threshold")["share"]
        parts = ", ".join(f"{percent(line[step])} at {step}" for step in (0.75, 0.8, 0.85))
        lines.append(f"{name}: {parts}; shuffled labels {percent(null[0.8])} at 0.8.")
    return lines


def _others(cells: pd.DataFrame, readout: str) -> np.ndarray:
    """Whether every condition but specificity holds; undefined does not."""
    met = [cells[f"{readout}_{name}"].to_numpy(dtype=np.float64) >= least for name, least in AT_LEAST.items()]
    met.append(cells[f"{readout}_largest_lobe"].to_numpy(dtype=np.float64) <= LARGEST_LOBE)
    return np.asarray(np.all(met, axis=0))


def _curve(axes: Axes, own: pd.DataFrame, style: tuple[str, str]) -> None:
    colour, marker = style
    line, null = own[own["readout"] == "line"], own[own["readout"] == "shuffled"]
    axes.plot(
        line["threshold"],
        line["share"],
        color=colour,
        marker=marker,
        markevery=5,
        markersize=3.2,
        linewidth=1.2,
    )
    axes.plot(null["threshold"], null["share"], color=NULL, linewidth=0.8, linestyle=(0, (3, 1.5)))


def _legend(sites: list[str]) -> list[Line2D]:
    handles = [
        Line2D([], [], color=SITES[at][0], marker=SITES[at][1], markersize=3.5, label=clean(name, 36))
        for at, name in enumerate(sites)
    ]
    return [
        *handles,
        Line2D([], [], color=NULL, linewidth=0.8, linestyle=(0, (3, 1.5)), label="shuffled labels (null)"),
    ]
