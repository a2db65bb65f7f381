"""The first convolution's filters: their frequency responses, sorted by peak, against two straight lines.

The picture that papers draw of learned filterbanks (Lee et al. 2017): filters along x by ascending peak,
frequency along y, colour the gain in dB re each filter's own peak. Peaks evenly spaced in ERB-rate follow
the dashed line, peaks evenly spaced in Hz the dotted one. Sorting makes any filters look ordered, so the
number beside the picture is compared with as many random filters of as many taps.

Responses are read off at equal steps of ERB-rate (linear interpolation of the dB values).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator
from numpy.typing import NDArray

from tonotopy.signal import erb
from tonotopy.views.axes import TICKS_HZ, hz_words
from tonotopy.views.palette import FAINT, INK, NULL, RUST, SOFT
from tonotopy.views.paper import Style, drawn, legend_below, sheet, undefined_sheet
from tonotopy.views.tables import RunTables
from tonotopy.views.words import count, number

NAMES = ("first-layer",)
CITATION = "Lee, Park, Kim and Nam, Sample-level deep convolutional neural networks, SMC 2017"
LICENCE = "MIT"
TITLE = "First layer: responses of the filters, sorted by their peaks"

Array = NDArray[np.float64]
STEPS = 192  # along frequency
MOST = 192  # filters drawn; more are thinned evenly
FLOOR_DB = -40.0  # where the colours end
COLUMNS = ("rank", "filter", "peak_hz", "frequency_hz", "response_db")


def data(run: RunTables, site: str | None = None) -> pd.DataFrame:
    """One row a cell of the picture: filter by rank, frequency, gain re the filter's peak."""
    run.chosen(site)
    picture = _picture(run)
    if picture is None:
        return pd.DataFrame(columns=pd.Index(COLUMNS), dtype=float)
    order, peak_hz, response_db, frequencies_hz = picture
    ranks, steps = response_db.shape
    columns = (
        np.repeat(np.arange(ranks), steps),
        np.repeat(order, steps),
        np.repeat(peak_hz, steps),
        np.tile(frequencies_hz, ranks),
        response_db.ravel(),
    )
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


@drawn
def draw(run: RunTables, *, site: str | None = None) -> Figure:
    """Draw the picture and the null of its order."""
    run.chosen(site)
    picture = _picture(run)
    if picture is None:
        return undefined_sheet(run, TITLE, _why_not(run))
    figure = sheet(run, TITLE, 3.1)
    image, null = figure.subplots(1, 2, width_ratios=(3.0, 1.15))
    _image(image, picture)
    _null(null, _order(run))
    bar = figure.colorbar(image.images[0], ax=image, pad=0.015, aspect=34)
    bar.set_label("gain (dB re each filter's peak)", size=6.5, color=SOFT)
    bar.outline.set_visible(False)
    legend_below(figure, image.lines, columns=3)
    return figure


def caption(run: RunTables) -> str:
    """How to read it, its null included."""
    first = _first(run)
    filters = first.get("filters")
    total = len(filters) if isinstance(filters, list) else 0
    with_peak = len(first.get("by_peak") or [])
    return (
        f"Each column is one filter of the first convolution ({count(total, 'filter')}, {with_peak} with "
        f"a peak, at most {MOST} drawn), ordered by the frequency of its peak (orange line). Peaks evenly "
        "spaced in ERB-rate would lie on the dashed line, evenly spaced in Hz on the dotted one. Null: "
        "log-likeness of as many random filters of the same length (grey); sorting alone makes any "
        "filters look ordered."
    )


def describe(run: RunTables, *, site: str | None = None) -> list[str]:
    """The numbers beside the picture."""
    run.chosen(site)
    picture = _picture(run)
    if picture is None:
        return [f"undefined: {_why_not(run)}."]
    peaks, order = picture[1], _order(run)
    low, middle, high = (hz_words(float(peak)) for peak in (peaks[0], np.median(peaks), peaks[-1]))
    likeness, spatial = (number(order.get(name)) for name in ("log_likeness", "spatial"))
    p_likeness, p_spatial = (number(order.get(name)) for name in ("log_likeness_p", "spatial_p"))
    return [
        f"{len(peaks)} filters drawn, peaks from {low} to {high} Hz, median {middle} Hz.",
        f"Log-likeness {likeness} (p {p_likeness} against random filters).",
        f"Order along the index {spatial} (p {p_spatial} against shuffling).",
    ]


def _first(run: RunTables) -> dict[str, Any]:
    found = run.anatomy.get("first_layer")
    return found if isinstance(found, dict) else {}


def _order(run: RunTables) -> dict[str, Any]:
    found = _first(run).get("order")
    return found if isinstance(found, dict) else {}


def _why_not(run: RunTables) -> str:
    reasons = run.anatomy.get("undefined")
    reason = reasons.get("first_layer") if isinstance(reasons, dict) else None
    return str(reason or "no first convolution was described in this run")


def _picture(run: RunTables) -> tuple[NDArray[np.int64], Array, Array, Array] | None:
    """Filters in order, their peaks, responses ``[filter, frequency]``, frequencies; or undefined."""
    first = _first(run)
    try:
        order = np.asarray(first["by_peak"], dtype=np.int64)
        response_db = np.asarray(first["response_db"], dtype=np.float64)
        axis_hz = np.asarray(first["frequencies_hz"], dtype=np.float64)
        peak_hz = np.asarray(first["bands"]["peak_hz"], dtype=np.float64)
        order = (
            order[np.unique(np.linspace(0, len(order) - 1, MOST).round().astype(int))]
            if len(order) > MOST
            else order
        )
        frequencies_hz = erb.frequency_hz(np.linspace(erb.rate(axis_hz[0]), erb.rate(axis_hz[-1]), STEPS))
        rows = [np.interp(frequencies_hz, axis_hz, response_db[index]) for index in order]
        return (order, peak_hz[order], np.stack(rows), frequencies_hz) if rows else None
    except (KeyError, IndexError, TypeError, ValueError):
        return None


def _image(axes: Axes, picture: tuple[NDArray[np.int64], Array, Array, Array]) -> None:
    _, peak_hz, response_db, frequencies_hz = picture
    low, high = (float(erb.rate(end)) for end in (frequencies_hz[0], frequencies_hz[-1]))
    place: Style = {"extent": (-0.5, len(peak_hz) - 0.5, low, high), "origin": "lower", "aspect": "auto"}
    axes.imshow(response_db.T, cmap="Blues", vmin=FLOOR_DB, vmax=0.0, interpolation="nearest", **place)
    rank = np.arange(len(peak_hz))
    axes.plot(rank, erb.rate(peak_hz), color=RUST, linewidth=1.2, label="peaks")
    first, last = float(peak_hz[0]), float(peak_hz[-1])
    even_erb = np.linspace(float(erb.rate(first)), float(erb.rate(last)), len(rank))
    for line, style, words in (
        (even_erb, (0, (4, 2)), "evenly in ERB-rate"),
        (erb.rate(np.linspace(first, last, len(rank))), (0, (1, 1.5)), "evenly in Hz"),
    ):
        axes.plot(rank, line, color=INK, linewidth=0.8, linestyle=style, label=words)
    ticks = [tick for tick in TICKS_HZ if frequencies_hz[0] <= tick <= frequencies_hz[-1]]
    axes.yaxis.set_major_locator(FixedLocator([float(erb.rate(tick)) for tick in ticks]))
    axes.yaxis.set_major_formatter(FixedFormatter([hz_words(tick) for tick in ticks]))
    axes.set_ylabel("frequency (Hz, evenly spaced in ERB-rate)")
    axes.set_xlabel("filters by ascending peak")
    axes.set_xlim(-0.5, len(peak_hz) - 0.5)
    axes.set_ylim(low, high)


def _null(axes: Axes, order: dict[str, Any]) -> None:
    """Log-likeness of the filters against that of random ones."""
    axes.set_title("log-likeness")
    drawn_null, found = order.get("log_likeness_null"), order.get("log_likeness")
    values = (
        [value for value in drawn_null if isinstance(value, int | float)]
        if isinstance(drawn_null, list)
        else []
    )
    axes.set_xlim(-1.05, 1.05)
    axes.xaxis.set_major_locator(FixedLocator([-1.0, 0.0, 1.0]))
    axes.xaxis.set_major_formatter(FixedFormatter(["in Hz", "0", "in ERB"]))
    axes.set_xlabel("how the peaks are evenly spaced")
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    if values:
        counts, *_ = axes.hist(
            values, bins=np.linspace(-1, 1, 25).tolist(), color=FAINT, label="random filters (null)"
        )
        axes.set_ylim(0.0, 1.6 * float(np.max(counts)))  # room for the legend
    if isinstance(found, int | float):
        axes.axvline(found, color=RUST, linewidth=1.4, label="these filters")
        axes.legend(loc="upper center", title=f"p {number(order.get('log_likeness_p'))}", title_fontsize=6.5)
    else:
        axes.text(0.5, 0.5, "undefined", transform=axes.transAxes, ha="center", color=NULL)
