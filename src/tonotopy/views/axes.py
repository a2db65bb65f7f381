"""Axes that figures share: ERB-rate with ticks in Hz, logarithmic with plain ticks, sites in rows.

Positions on the frequency axis are ERB-rate numbers (Glasberg and Moore 1990), so that equal widths are equal
numbers of auditory filters; labels are in Hz.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator
from numpy.typing import ArrayLike, NDArray

from tonotopy.signal import erb
from tonotopy.views.paper import clean

TICKS_HZ = (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000)
SPARSE_TICKS_HZ = (100, 500, 2_000, 10_000)
FREQUENCY_LABEL = "frequency (Hz, evenly spaced in ERB-rate)"


def hz_words(frequency_hz: float) -> str:
    """A frequency as a tick says it.

    Examples
    --------
    >>> hz_words(500), hz_words(2000), hz_words(1234.5), hz_words(55.4)
    ('500', '2k', '1.23k', '55')
    """
    return f"{frequency_hz / 1000:.3g}k" if frequency_hz >= 999.5 else f"{frequency_hz:.0f}"


def cell_edges(frequencies_hz: ArrayLike) -> NDArray[np.float64]:
    """Edges in ERB-rate of one cell for each frequency: half way between neighbours.

    Examples
    --------
    >>> edges = cell_edges(erb.frequency_hz([1.0, 2.0, 4.0]))
    >>> edges.round(6).tolist()
    [0.5, 1.5, 3.0, 5.0]
    """
    middle = erb.rate(np.asarray(frequencies_hz, dtype=np.float64))
    if len(middle) == 1:
        return np.array([middle[0] - 0.5, middle[0] + 0.5])
    inner = (middle[1:] + middle[:-1]) / 2.0
    first, last = middle[0] - (inner[0] - middle[0]), middle[-1] + (middle[-1] - inner[-1])
    return np.concatenate([[first], inner, [last]])


def frequency_axis(
    axes: Axes, edges_erb: NDArray[np.float64], *, sparse: bool = False, label: bool = True
) -> None:
    """Ticks in Hz on an x axis whose positions are ERB-rate numbers."""
    low, high = float(edges_erb[0]), float(edges_erb[-1])
    ticks = [f for f in (SPARSE_TICKS_HZ if sparse else TICKS_HZ) if low <= float(erb.rate(f)) <= high]
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator([float(erb.rate(f)) for f in ticks]))
    axes.xaxis.set_major_formatter(FixedFormatter([hz_words(f) for f in ticks]))
    axes.xaxis.set_minor_locator(NullLocator())
    if label:
        axes.set_xlabel("frequency (Hz)" if sparse else FREQUENCY_LABEL)


def log_axis(axes: Axes, which: str, low: float, high: float, *, unit: str = "") -> None:
    """A logarithmic axis from ``low`` to ``high`` with ticks at 1, 2, 5 or at powers of ten, as numbers."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    if high < 6.0 * low:  # room for two ticks at least
        low, high = (low * high / 6.0) ** 0.5, (low * high * 6.0) ** 0.5
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    ticks = log_ticks(low, high)
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FixedFormatter([tick_words(tick) + unit for tick in ticks]))
    axis.set_minor_locator(NullLocator())
    (axes.set_xlim if which == "x" else axes.set_ylim)(low, high)


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers between two, at most about seven.

    Examples
    --------
    >>> log_ticks(1.0, 20.0), log_ticks(0.1, 1000.0)
    ([1.0, 2.0, 5.0, 10.0, 20.0], [0.1, 1.0, 10.0, 100.0, 1000.0])
    """
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if math.log10(high / low) <= 2.2 else (1,)
    ticks = [float(f"{step}e{decade}") for decade in decades for step in steps]
    return [tick for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]


def tick_words(value: float) -> str:
    """A number on an axis.

    Examples
    --------
    >>> tick_words(0.1), tick_words(20.0), tick_words(5000.0), tick_words(2e6)
    ('0.1', '20', '5k', '2M')
    """
    if value >= 1e6:
        return f"{value / 1e6:g}M"
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


def share_axis(axes: Axes, which: str, label: str) -> None:
    """An axis of shares, 0 to 100 %."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(FixedLocator([0.0, 0.25, 0.5, 0.75, 1.0]))
    axis.set_major_formatter(FixedFormatter(["0", "25", "50", "75", "100 %"]))
    (axes.set_xlim if which == "x" else axes.set_ylim)(-0.03, 1.03)
    (axes.set_xlabel if which == "x" else axes.set_ylabel)(label)


def site_rows(axes: Axes, sites: Sequence[str], *, middle: float = 0.5, longest: int = 26) -> None:
    """One row a site, first at the top, named at the left; no tick marks."""
    axes.set_ylim(len(sites), 0.0)
    axes.yaxis.set_major_locator(FixedLocator([row + middle for row in range(len(sites))]))
    axes.yaxis.set_major_formatter(FixedFormatter([clean(site, longest) for site in sites]))
    axes.tick_params(axis="y", length=0.0, labelcolor="#1c2530")
    axes.spines["left"].set_visible(False)
