"""What a filter lets through: peak, centroid, bandwidths, Q, pass bands and gain at DC.

Definitions, for p(f) = |H(f)|² over its maximum, f from 0 Hz to half the sampling rate
---------------------------------------------------------------------------------------
- *peak*: where p is largest (a parabola through three points of log p); undefined for a flat filter.
- *centroid*: the mean of f weighted by p. For one symmetric pass band it equals the peak; where the two
  differ the filter leans or has several pass bands.
- *bandwidth*: width of the interval around the peak where p >= 1/2 (-3 dB). A band that reaches 0 Hz or half
  the rate is cut there, and ``open_edge`` says so.
- *noise bandwidth*: the integral of p, i.e. the width of the rectangle of the same peak and energy.
- Both in ERB: the same on the ERB-rate axis (difference of edges; integral of p over ERB-rate).
- *Q*: peak over bandwidth; undefined where the peak is 0 Hz or undefined.
- *pass bands*: local maxima of p within 10 dB of the largest, separated from it and from one another by dips
  of at least 3 dB (side lobes of an untapered filter lie 13 dB down and do not count).
- *gain at DC*: p(0 Hz) in dB.

A filter whose norm is below 1e-6 of the largest filter's is *dead*: everything about it is undefined.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

from tonotopy.anatomy.response import Array, decibels
from tonotopy.signal import erb

DEAD = 1e-6  # of the largest filter's norm
FLAT_DB = 0.01  # a response that varies less has no peak
BAND_WITHIN_DB = 10.0  # a pass band comes this near to the highest
BAND_DIP_DB = 3.0  # and is separated from the others by at least this


@dataclass(frozen=True)
class PassBands:
    """What each filter lets through: arrays ``[filter]``, not-a-number where undefined.

    ``undefined[i]`` maps the undefined fields of filter i to the reason. ``open_edge[i]`` is "low", "high",
    "both" or "": the ends of the axis that the -3 dB band reaches.
    """

    peak_hz: Array
    centroid_hz: Array
    bandwidth_hz: Array
    bandwidth_erb: Array
    noise_bandwidth_hz: Array
    noise_bandwidth_erb: Array
    q: Array
    pass_bands: Array
    dc_db: Array
    open_edge: tuple[str, ...]
    undefined: tuple[dict[str, str], ...]


NUMBERS = tuple(field.name for field in fields(PassBands) if field.name not in {"open_edge", "undefined"})


def pass_bands(power: Array, frequencies_hz: Array, dead: NDArray[np.bool_]) -> PassBands:
    """Measure every filter's pass band.

    Parameters
    ----------
    power : numpy.ndarray of float64, [filter, frequency]
        |H|², from 0 Hz to half the sampling rate, evenly spaced.
    frequencies_hz : numpy.ndarray of float64, [frequency]
        Its axis.
    dead : numpy.ndarray of bool, [filter]
        Filters about which nothing is defined.

    Returns
    -------
    PassBands
        One value a filter.
    """
    rows = [_dead() if gone else _one(row, frequencies_hz) for row, gone in zip(power, dead, strict=True)]
    numbers = {name: np.array([row[0].get(name, np.nan) for row in rows]) for name in NUMBERS}
    return PassBands(
        **numbers, open_edge=tuple(row[1] for row in rows), undefined=tuple(row[2] for row in rows)
    )


def dead_filters(filters: Array) -> NDArray[np.bool_]:
    """Which filters are dead: norm zero, or below 1e-6 of the largest filter's.

    Examples
    --------
    >>> dead_filters(np.array([[0.0, 0.0], [1.0, -1.0]])).tolist()
    [True, False]
    """
    norms = np.linalg.norm(filters, axis=1)
    return np.asarray(norms <= DEAD * norms.max(initial=0.0))


_Row = tuple[dict[str, float], str, dict[str, str]]


def _dead() -> _Row:
    return {}, "", dict.fromkeys(NUMBERS, "dead filter: its weights are zero")


def _one(power: Array, frequencies_hz: Array) -> _Row:
    """Numbers, open edge and reasons for one filter that is not dead."""
    peak_hz, peak_power = _peak(power, frequencies_hz)
    p = power / peak_power
    low_hz, high_hz, open_edge = _half_power_edges(p, frequencies_hz)
    area_hz = float(np.trapezoid(p, frequencies_hz))
    numbers = {
        "peak_hz": peak_hz,
        "centroid_hz": float(np.trapezoid(p * frequencies_hz, frequencies_hz)) / area_hz,
        "bandwidth_hz": high_hz - low_hz,
        "bandwidth_erb": float(erb.rate(high_hz) - erb.rate(low_hz)),
        "noise_bandwidth_hz": area_hz,
        "noise_bandwidth_erb": float(np.trapezoid(p, erb.rate(frequencies_hz))),
        "q": peak_hz / (high_hz - low_hz),
        "pass_bands": float(_count(decibels(p))),
        "dc_db": float(decibels(p[0])),
    }
    reasons = _unpeaked(p, peak_hz)
    return numbers | dict.fromkeys(reasons, np.nan), open_edge, reasons


def _unpeaked(p: Array, peak_hz: float) -> dict[str, str]:
    """Fields that a flat or a low-pass filter leaves undefined."""
    if float(np.ptp(decibels(p))) < FLAT_DB:
        flat = "flat response: no peak"
        return {"peak_hz": flat, "q": flat, "pass_bands": flat}
    return {"q": "the peak is at 0 Hz"} if peak_hz == 0.0 else {}


def _peak(power: Array, frequencies_hz: Array) -> tuple[float, float]:
    """Frequency and height of the largest value, by a parabola through its log and its neighbours'."""
    at = int(np.argmax(power))
    if at in {0, len(power) - 1} or power[at - 1] == 0.0 or power[at + 1] == 0.0:
        return float(frequencies_hz[at]), float(power[at])
    left, middle, right = np.log(power[at - 1 : at + 2])
    bend = left - 2.0 * middle + right
    shift = 0.0 if bend == 0.0 else 0.5 * (left - right) / bend
    step_hz = frequencies_hz[1] - frequencies_hz[0]
    return float(frequencies_hz[at] + shift * step_hz), float(np.exp(middle - 0.25 * (left - right) * shift))


def _half_power_edges(p: Array, frequencies_hz: Array) -> tuple[float, float, str]:
    """Where p first falls to one half on each side of its peak, and which side has no such place."""
    at = int(np.argmax(p))
    below_left, below_right = np.flatnonzero(p[:at] < 0.5), np.flatnonzero(p[at:] < 0.5)
    low_hz, high_hz = float(frequencies_hz[0]), float(frequencies_hz[-1])
    if below_left.size:
        low_hz = _crossing(p, frequencies_hz, int(below_left[-1]))
    if below_right.size:
        high_hz = _crossing(p, frequencies_hz, at + int(below_right[0]) - 1)
    edge = {(0, 0): "both", (0, 1): "low", (1, 0): "high", (1, 1): ""}
    return low_hz, high_hz, edge[int(below_left.size > 0), int(below_right.size > 0)]


def _crossing(p: Array, frequencies_hz: Array, left: int) -> float:
    """Where the line between two neighbouring points passes one half."""
    share = (0.5 - p[left]) / (p[left + 1] - p[left])
    return float(frequencies_hz[left] + share * (frequencies_hz[left + 1] - frequencies_hz[left]))


def _count(level_db: Array) -> int:
    """Local maxima within 10 dB of the largest and 3 dB above the dips around them."""
    padded = np.concatenate([[-1e4], level_db, [-1e4]])  # so that the ends of the axis can be maxima
    peaks, _ = find_peaks(padded, height=-BAND_WITHIN_DB, prominence=BAND_DIP_DB)
    return len(peaks)
