"""Reuse: how much of a later site's answer is lost with a site's line, beyond what random directions take.

Rows are sites at which the line is projected out, columns the sites behind that are read along their own lines. Medians
over frequencies of the difference between own line and random directions of equal variance.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from tonotopy.views.causes import percent_of, reuse_rows
from tonotopy.views.palette import BLUE, INK, PAPER, RUST, SOFT
from tonotopy.views.paper import CROSSED, clean, drawn, legend_below, sheet, undefined_sheet
from tonotopy.views.tables import RunTables
from tonotopy.views.words import missing

NAMES = ("reuse",)
CITATION = ""
LICENCE = "MIT"
TITLE = "Reuse: what later sites lose without a line, beyond random directions"

LATER = 12  # later sites drawn; the table has all
COLOURS = LinearSegmentedColormap.from_list("lost", [RUST, PAPER, BLUE])
WORDS = {"trained": "these weights", "floor": "untrained copy (null)"}


def data(run: RunTables, site: str | None = None) -> pd.DataFrame:
    """One row a set of weights, site and later site: medians over frequencies, and how many are surely read."""
    chosen = set(run.chosen(site))
    parts = []
    for weights in WORDS:
        rows = reuse_rows(run, weights)
        parts.append(rows[rows["site"].isin(chosen)].assign(weights=weights))
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


@drawn
def draw(run: RunTables, *, site: str | None = None) -> Figure:
    """Draw one matrix for the weights under study and one for an untrained copy."""
    rows = data(run, site)
    if rows.empty:
        return undefined_sheet(run, TITLE, "no site with another behind it was asked")
    there = [weights for weights in WORDS if weights in set(rows["weights"])]
    sites = list(dict.fromkeys(rows["site"]))
    later = list(rows.sort_values("later_order", kind="stable")["later_site"].drop_duplicates())
    if len(later) > LATER:
        later = [later[at] for at in np.unique(np.round(np.linspace(0, len(later) - 1, LATER)).astype(int))]
    longest = max(len(clean(name, 22)) for name in later)
    figure = sheet(run, TITLE, 0.75 + 0.055 * longest + 0.32 * max(2, len(sites)))
    panels = figure.subplots(1, len(there), squeeze=False, sharey=True)[0]
    for at, (axes, weights) in enumerate(zip(panels, there, strict=True)):
        axes.set_title(WORDS[weights])
        _matrix(axes, rows[rows["weights"] == weights], sites, later, first=at == 0)
    legend_below(figure, _legend(), columns=4)
    return figure


def _matrix(axes: Axes, rows: pd.DataFrame, sites: list[str], later: list[str], *, first: bool) -> None:
    """One panel: a cell a pair of sites; pairs that do not exist are left blank."""
    scale = Normalize(-1.0, 1.0)
    by_pair = rows.set_index(["site", "later_site"])["beyond"]
    for y, site in enumerate(sites):
        for x, place in enumerate(later):
            if (site, place) not in by_pair.index:
                continue
            value = float(by_pair[site, place])
            if missing(value):
                axes.add_patch(Rectangle((x, y), 1, 1, **CROSSED))
                continue
            shade = scale(float(np.clip(value, -1.0, 1.0)))
            axes.add_patch(Rectangle((x, y), 1, 1, facecolor=COLOURS(shade), edgecolor=PAPER, linewidth=1.0))
            colour = PAPER if abs(value) > 0.55 else INK
            size = 6.0 if len(later) <= 8 else 4.8
            words = percent_of(value).replace(" %", "")
            axes.text(x + 0.5, y + 0.5, words, ha="center", va="center", size=size, color=colour)
    axes.set_xlim(0, len(later))
    axes.set_ylim(len(sites), 0)
    axes.set_xticks(
        [x + 0.5 for x in range(len(later))], [clean(name, 22) for name in later], rotation=50, ha="right"
    )
    axes.set_yticks([y + 0.5 for y in range(len(sites))], [clean(name, 22) for name in sites])
    axes.tick_params(length=0.0)
    axes.set_xlabel("read at")
    if first:
        axes.set_ylabel("projected out at")
    for side in axes.spines.values():
        side.set_color(SOFT)


def _legend() -> list[Patch]:
    shades = {
        -1.0: "−100 %: answers more without it",
        0.0: "0: as random directions",
        1.0: "100 %: nothing is left",
    }
    found = [
        Patch(facecolor=COLOURS((value + 1) / 2), edgecolor=SOFT, linewidth=0.4, label=words)
        for value, words in shades.items()
    ]
    return [*found, Patch(label="undefined", **CROSSED)]


def caption(run: RunTables, *, site: str | None = None) -> str:
    """How to read it, its null included."""
    rows = data(run, site)
    floor = (
        "an untrained copy beside them" if "floor" in set(rows["weights"]) else "no untrained copy was asked"
    )
    return (
        "At the site of a row the line of each frequency is projected out of music with and without that "
        "partial; a cell is the share of the answer that the later site's own line loses, less what it "
        "loses without random directions of equal variance (the null): median over frequencies, in per "
        f"cent; {floor}. A perfect variable of the model reads 100, a direction that nothing later reads "
        "0. Medians, since where the intact answer is all but nothing a quotient is noise. Crossed cells "
        "are undefined."
    )


def describe(run: RunTables, *, site: str | None = None) -> list[str]:
    """Every cell, with what random directions and other targets' lines take."""
    lines = []
    for _, row in data(run, site).iterrows():
        head = f"{WORDS[row['weights']]}, {row['site']} → {row['later_site']}"
        if missing(row["beyond"]):
            lines.append(f"{head}: undefined at all {row['n']} frequencies.")
            continue
        read = "" if missing(row["n_read"]) else f"; surely read at {row['n_read']:.0f} of {row['n_defined']}"
        nulls = f"random {percent_of(row['lost_random'])}, other targets {percent_of(row['lost_other'])}"
        lines.append(f"{head}: lost {percent_of(row['lost'])} ({nulls}){read}.")
    return lines
