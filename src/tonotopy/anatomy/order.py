"""How a first layer's filters line up along frequency: two numbers, each with its null.

Definitions
-----------
Let p_1 <= … <= p_K be the sorted peaks. R²_erb is the share of variance that a straight line explains of the
ERB-rate numbers of the p_i against i, R²_hz the same of the p_i themselves.

- *log-likeness* = ((1 - R²_hz) - (1 - R²_erb)) / ((1 - R²_hz) + (1 - R²_erb)): +1 where the peaks are evenly
  spaced in ERB-rate, -1 where they are evenly spaced in Hz, 0 where both lines fit alike. Sorting makes both
  R² high for any filters, so neither means anything alone. Null: as many filters of as many taps, white
  Gaussian; the p-value is one-sided (more log-like than random filters).
- *spatial order* = Spearman's rank correlation of peak and index. Null: the peaks in random order; the
  p-value is two-sided. Most architectures give the index no meaning, so 0 is what to expect.

A p-value is (1 + draws at least as extreme) / (1 + draws): it is never 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import rankdata

from tonotopy.anatomy.response import Array, power_response
from tonotopy.signal import erb

FEWEST = 5  # filters with a peak, below which no order is defined
DRAWS = 199
COARSE = 8  # points of the transform for each tap, in the null


@dataclass(frozen=True)
class Order:
    """Order numbers of a first layer; ``None`` where undefined, with the reason in ``undefined``.

    ``log_likeness_null`` and ``spatial_null`` are ``[draw]`` (draws whose peaks all coincide are left out).
    """

    filters: int
    log_likeness: float | None = None
    log_likeness_p: float | None = None
    r2_erb: float | None = None
    r2_hz: float | None = None
    spatial: float | None = None
    spatial_p: float | None = None
    log_likeness_null: Array = field(default_factory=lambda: np.empty(0), repr=False)
    spatial_null: Array = field(default_factory=lambda: np.empty(0), repr=False)
    undefined: dict[str, str] = field(default_factory=dict)


NUMBERS = ("log_likeness", "log_likeness_p", "r2_erb", "r2_hz", "spatial", "spatial_p")


def order(peak_hz: Array, taps: int, sample_rate_hz: float, *, seed: int, draws: int = DRAWS) -> Order:
    """Both order numbers of filters with these peaks.

    Parameters
    ----------
    peak_hz : numpy.ndarray of float64, [filter]
        Peaks in Hz in the layer's own order; not-a-number where undefined (left out).
    taps : int
        Samples per filter.
    sample_rate_hz : float
        Sampling rate in Hz.
    seed : int
        Of both nulls.
    draws : int
        Draws of each null.

    Returns
    -------
    Order
        Numbers, p-values and nulls.

    Examples
    --------
    >>> found = order(erb.grid(32, 16_000), 512, 16_000, seed=0)
    >>> round(found.log_likeness, 2), round(found.spatial, 2), found.log_likeness_p
    (1.0, 1.0, 0.005)
    """
    peaks = peak_hz[np.isfinite(peak_hz)]
    reason = _why_not(peaks, taps)
    if reason:
        return Order(len(peaks), undefined=dict.fromkeys(NUMBERS, reason))
    rng = np.random.default_rng(seed)
    random_peaks = (_random_peaks(len(peaks), taps, sample_rate_hz, rng) for _ in range(draws))
    log_null = np.array([log_likeness(drawn)[0] for drawn in random_peaks if np.ptp(drawn) > 0.0])
    spatial_null = np.array([spatial_order(rng.permutation(peaks)) for _ in range(draws)])
    likeness, r2_erb, r2_hz = log_likeness(peaks)
    spatial = spatial_order(peaks)
    return Order(
        filters=len(peaks),
        log_likeness=likeness,
        log_likeness_p=_p_value(log_null, likeness, lambda values: values),
        r2_erb=r2_erb,
        r2_hz=r2_hz,
        spatial=spatial,
        spatial_p=_p_value(spatial_null, spatial, np.abs),
        log_likeness_null=log_null,
        spatial_null=spatial_null,
    )


def log_likeness(peak_hz: Array) -> tuple[float, float, float]:
    """Log-likeness, R² on the ERB-rate axis and R² in Hz of peaks in any order.

    Parameters
    ----------
    peak_hz : numpy.ndarray of float64, [filter]
        At least two different peaks in Hz.

    Returns
    -------
    tuple of float
        Log-likeness from -1 to 1, and both R².

    Examples
    --------
    >>> [round(value, 2) for value in log_likeness(np.array([100.0, 200.0, 300.0, 400.0]))]
    [-1.0, 0.99, 1.0]
    """
    ascending = np.sort(peak_hz)
    index = np.arange(len(ascending))
    r2_erb = float(np.corrcoef(index, erb.rate(ascending))[0, 1] ** 2)
    r2_hz = float(np.corrcoef(index, ascending)[0, 1] ** 2)
    left_erb, left_hz = max(1.0 - r2_erb, 1e-12), max(1.0 - r2_hz, 1e-12)
    return (left_hz - left_erb) / (left_hz + left_erb), r2_erb, r2_hz


def spatial_order(peak_hz: Array) -> float:
    """Spearman's rank correlation of peak and index.

    Examples
    --------
    >>> spatial_order(np.array([400.0, 300.0, 100.0]))
    -1.0
    """
    return float(np.round(np.corrcoef(np.arange(len(peak_hz)), rankdata(peak_hz))[0, 1], 12))


def _why_not(peaks: Array, taps: int) -> str:
    if len(peaks) < FEWEST:
        return f"{len(peaks)} filters have a peak: fewer than {FEWEST}"
    if taps < 2:
        return "filters of one tap are all flat"
    return "all filters share one peak" if float(np.ptp(peaks)) == 0.0 else ""


def _random_peaks(filters: int, taps: int, sample_rate_hz: float, rng: np.random.Generator) -> Array:
    """Peaks of white Gaussian filters, on a coarser grid than the measured ones."""
    points = max(512, 1 << (COARSE * taps - 1).bit_length())
    power = power_response(rng.standard_normal((filters, taps)), points)
    return np.asarray(np.argmax(power, axis=1) * (sample_rate_hz / points))


def _p_value(null: Array, value: float, size: Callable[[Array], Array]) -> float:
    return float((1 + np.sum(size(null) >= size(np.asarray(value)) - 1e-12)) / (1 + len(null)))
