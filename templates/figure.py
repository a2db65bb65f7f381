"""One line that says what the figure shows: the registry lists it.

Copy this file to ``src/tonotopy/views/figures/`` under the name of your figure
(``spread_of_detection.py``), change what is marked, and it is there: ``tonotopy figure NAME`` draws it, and
the contract tests try it on a full and on a minimal run. Nothing else is edited, and it imports no other
figure.

This one draws how far detection spreads over frequencies at each site. Its null is the readout trained on
shuffled labels.
"""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from tonotopy.views.axes import site_rows
from tonotopy.views.palette import BLUE, NULL
from tonotopy.views.paper import drawn, grid_lines, sheet, undefined_sheet
from tonotopy.views.tables import RunTables
from tonotopy.views.words import number

NAMES = ("spread-of-detection",)  # change: spelled with hyphens
CITATION = ""  # change: where the picture comes from, if from a paper
LICENCE = "MIT"
TITLE = "Detection over frequencies, site by site"  # change: also the heading of the figure


def data(run: RunTables, site: str | None = None) -> pd.DataFrame:
    """Exactly the numbers that are drawn, one row a mark."""
    # `chosen` turns None into all sites, in depth order, and refuses a site that the run does not have.
    cells = run.of(run.verdicts, run.chosen(site))
    return cells[["site", "frequency_hz", "line_detection", "shuffled_detection"]]


@drawn  # the house style
def draw(run: RunTables, *, site: str | None = None) -> Figure:
    """Draw it."""
    points = data(run, site)
    # Undefined is drawn as undefined, with the reason; it is never a zero and never an error.
    if not bool(points["line_detection"].notna().any()):
        return undefined_sheet(run, TITLE, "detection was measured nowhere")
    sites = run.chosen(site)
    figure = sheet(run, TITLE, 0.7 + 0.25 * len(sites))  # the heading names encoder, weights, music, pieces
    axes = figure.add_subplot()
    site_rows(axes, sites)
    grid_lines(axes, "x")
    axes.set_xlim(0.4, 1.02)
    axes.set_xlabel("detection (area under the curve)")
    for row, name in enumerate(sites):
        own = points[points["site"] == name]
        for column, colour, height in (("line_detection", BLUE, 0.4), ("shuffled_detection", NULL, 0.65)):
            axes.plot(own[column], [row + height] * len(own), "|", color=colour, label=column)
    return figure


def caption(run: RunTables) -> str:
    """How to read it, its null included."""
    return (
        f"One tick for each of {len(run.frequencies_hz)} frequencies: how well the line tells present "
        "from absent. Null: the same readout trained on shuffled labels, in grey below."
    )


def describe(run: RunTables, *, site: str | None = None) -> list[str]:
    """What it shows, for a reader who does not see it."""
    medians = data(run, site).groupby("site", sort=False)[["line_detection", "shuffled_detection"]].median()
    return [
        f"{name}: median {number(row['line_detection'])}, shuffled labels {number(row['shuffled_detection'])}."
        for name, row in medians.iterrows()
    ]
