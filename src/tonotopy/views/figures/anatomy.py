"""The anatomy ladder: view, hop and what they rule out, layer by layer, before any weight is learned.

Left: how much sound a frame sees and how far apart frames are, as the operators predict (filled) and as
measured by gradient (ring). Right: the *resolution limit*, rate over view: partials closer than that look
the same; and the *carrier limit*, half the frame rate: above it an oscillation survives only as an alias or
an envelope. The null of a prediction is its measurement: where the two differ, the layer is named.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tonotopy.views.axes import log_axis, site_rows
from tonotopy.views.palette import BLUE, FAINT, INK, NULL, RUST, SKY, SOFT
from tonotopy.views.paper import Style, drawn, grid_lines, legend_below, sheet, undefined_sheet
from tonotopy.views.tables import RunTables
from tonotopy.views.words import count, missing, number

NAMES = ("anatomy",)
CITATION = ""
LICENCE = "MIT"
TITLE = "Anatomy: what each layer can see and follow"

FIELDS = (
    "view_ms",
    "hop_ms",
    "frame_rate_hz",
    "resolution_limit_hz",
    "carrier_limit_hz",
    "numbers_per_sample",
)
LEFT = (("view_ms", "view", BLUE, "o"), ("hop_ms", "hop", SKY, "s"))
RIGHT = (
    ("resolution_limit_hz", "resolution limit", RUST, "o"),
    ("carrier_limit_hz", "carrier limit", INK, "s"),
    ("frame_rate_hz", "frame rate", NULL, "|"),
)


def data(run: RunTables, site: str | None = None) -> pd.DataFrame:
    """One row a layer."""
    rows = [_row(run, layer) for layer in layers(run) if site is None or layer.get("name") == site]
    columns = ["site", *FIELDS, "measured_view_ms", "measured_hop_ms", "bounded", "mismatch"]
    return pd.DataFrame(rows, columns=pd.Index(columns))


def layers(run: RunTables) -> list[dict[str, Any]]:
    """The layers of the record, as far as they are records themselves."""
    found = run.anatomy.get("layers")
    return [layer for layer in found if isinstance(layer, dict)] if isinstance(found, list) else []


@drawn
def draw(run: RunTables, *, site: str | None = None) -> Figure:
    """Draw the ladder."""
    run.chosen(site)
    rows = data(run, site)
    if rows.empty:
        return undefined_sheet(run, TITLE, "no anatomy in this run")
    figure = sheet(run, TITLE, 0.95 + 0.2 * len(rows))
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, series, words in ((left, LEFT, "ms"), (right, RIGHT, "Hz")):
        site_rows(axes, rows["site"].tolist())
        grid_lines(axes, "x")
        _panel(axes, rows, series)
        axes.set_xlabel(words)
    left.set_title("sound that a frame sees, and its step")
    right.set_title("what that rules out")
    legend_below(figure, _legend(), columns=6)
    return figure


def caption(run: RunTables) -> str:
    """How to read it, its null included."""
    differ = int((data(run)["mismatch"] != "").sum())
    check = (
        f"{count(differ, 'layer')} where they differ, marked \u2260; the words are in the data"
        if differ
        else "they agree in every layer"
    )
    return (
        "Left: the view and hop of each layer as its operators predict them; a ring is the same as "
        "measured, the check on the prediction: "
        f"{check}. Right: two partials closer than the resolution "
        "limit look the same to any filter of the layer, whatever it learns; above the carrier limit an "
        "oscillation survives only as an alias or as an envelope. An arrow marks a view that state or "
        "normalisation makes unbounded."
    )


def describe(run: RunTables, *, site: str | None = None) -> list[str]:
    """View, hop and limits in words, layer by layer."""
    lines = []
    for _, row in data(run, site).iterrows():
        words = (
            f"{row['site']}: view {number(row['view_ms'])} ms, hop {number(row['hop_ms'])} ms, resolution "
            f"limit {number(row['resolution_limit_hz'])} Hz, carrier limit "
            f"{number(row['carrier_limit_hz'])} Hz"
        )
        lines.append(words + (f"; measured otherwise: {row['mismatch']}." if row["mismatch"] else "."))
    return lines


def _row(run: RunTables, layer: dict[str, Any]) -> dict[str, Any]:
    rate_hz = _number(run.anatomy.get("sample_rate_hz"))
    measured = layer.get("measured")
    found = measured if isinstance(measured, dict) else {}
    return {
        "site": str(layer.get("name", "")),
        **{name: _number(layer.get(name)) for name in FIELDS},
        "measured_view_ms": 1000.0 * _number(found.get("view_gradient")) / rate_hz,
        "measured_hop_ms": 1000.0 * _number(found.get("hop")) / rate_hz,
        "bounded": layer.get("bounded") is not False,
        "mismatch": str(layer.get("mismatch") or ""),
    }


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and value else float("nan")


def _panel(axes: Axes, rows: pd.DataFrame, series: tuple[tuple[str, str, str, str], ...]) -> None:
    heights = np.arange(len(rows)) + 0.5
    values = rows[[name for name, *_ in series]].to_numpy(dtype=np.float64)
    known = values[np.isfinite(values) & (values > 0.0)]
    if not known.size:
        axes.text(0.5, 0.5, "undefined", transform=axes.transAxes, ha="center", color=SOFT)
        return
    log_axis(axes, "x", known.min() / 1.6, known.max() * 1.6)
    for name, _words, colour, marker in series:
        x = rows[name].to_numpy(dtype=np.float64)
        axes.plot(x, heights, color=colour, linewidth=0.8, alpha=0.6, drawstyle="default")
        axes.plot(x, heights, marker=marker, color=colour, linestyle="none", markersize=3.2)
        if f"measured_{name}" in rows:
            ring: Style = {
                "markerfacecolor": "none",
                "markeredgecolor": colour,
                "markersize": 6.0,
                "markeredgewidth": 0.7,
            }
            axes.plot(rows[f"measured_{name}"], heights, marker="o", linestyle="none", **ring)
    if series is LEFT:
        unbounded = ~rows["bounded"].to_numpy(dtype=bool)
        axes.plot(
            values[unbounded, 0] * 1.28,
            heights[unbounded],
            linestyle="none",
            marker=">",
            color=BLUE,
            markersize=3,
        )
        _mismatches(axes, rows)


def _mismatches(axes: Axes, rows: pd.DataFrame) -> None:
    for at, (words, view) in enumerate(zip(rows["mismatch"], rows["view_ms"], strict=True)):
        if words and not missing(view):
            place: Style = {
                "xytext": (8, 0),
                "textcoords": "offset points",
                "va": "center",
                "size": 5.5,
                "color": RUST,
            }
            axes.annotate("\u2260 measured", (view, at + 0.5), **place)


def _legend() -> list[Line2D]:
    lines = [
        Line2D([], [], color=colour, marker=marker, markersize=3.5, linewidth=0.8, label=words)
        for _name, words, colour, marker in (*LEFT, *RIGHT)
    ]
    ring: Style = {"markerfacecolor": "none", "markeredgecolor": SOFT, "markersize": 5.5}
    return [*lines, Line2D([], [], linestyle="none", marker="o", label="measured", color=FAINT, **ring)]
