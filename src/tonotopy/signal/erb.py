"""The ERB-rate scale: frequency in steps of the ear's own bandwidth.

Conventions
-----------
Frequencies are in Hz and not negative; ERB-rate numbers are dimensionless. Every function takes a number
or an array and answers elementwise in float64.

The *equivalent rectangular bandwidth* at f is 24.7 (4.37 f / 1000 + 1) Hz, and the *ERB-rate number* counts
the bandwidths that fit below f: 21.4 log10(1 + 0.00437 f). Both are the published formulas. Their constants
are rounded, so that the derivative of one is the inverse of the other only to 0.3 %.

Source: B. R. Glasberg and B. C. J. Moore, "Derivation of auditory filter shapes from notched-noise data",
Hearing Research 47, 103-138 (1990).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonotopy.core.errors import InputError

Array = NDArray[np.float64]

LOW_HZ = 55.0  # the grid's default lower end: the open A string of a bass guitar
HIGH_RATIO = 0.45  # the grid's default upper end, of the sampling rate: clear of anti-alias filters


def bandwidth_hz(frequency_hz: ArrayLike) -> Array:
    """Equivalent rectangular bandwidth at a frequency, in Hz.

    Parameters
    ----------
    frequency_hz : array-like of float, any shape
        Frequencies in Hz.

    Returns
    -------
    numpy.ndarray of float64, same shape
        Bandwidths in Hz.

    Examples
    --------
    >>> bandwidth_hz([0.0, 1000.0]).round(2).tolist()
    [24.7, 132.64]
    """
    return np.asarray(24.7 * (4.37 * np.asarray(frequency_hz, dtype=np.float64) / 1000.0 + 1.0))


def rate(frequency_hz: ArrayLike) -> Array:
    """ERB-rate number of a frequency: 21.4 log10(1 + 0.00437 f).

    Parameters
    ----------
    frequency_hz : array-like of float, any shape
        Frequencies in Hz, above -228 Hz (where the logarithm ends).

    Returns
    -------
    numpy.ndarray of float64, same shape
        ERB-rate numbers.

    Examples
    --------
    >>> rate([0.0, 1000.0]).round(2).tolist()
    [0.0, 15.62]
    """
    return np.asarray(21.4 * np.log10(1.0 + 0.00437 * np.asarray(frequency_hz, dtype=np.float64)))


def frequency_hz(rate_erb: ArrayLike) -> Array:
    """Frequency of an ERB-rate number, in Hz: the inverse of `rate`.

    Parameters
    ----------
    rate_erb : array-like of float, any shape
        ERB-rate numbers.

    Returns
    -------
    numpy.ndarray of float64, same shape
        Frequencies in Hz.

    Examples
    --------
    >>> float(frequency_hz(rate(440.0)).round(6))
    440.0
    """
    return np.asarray((10.0 ** (np.asarray(rate_erb, dtype=np.float64) / 21.4) - 1.0) / 0.00437)


def grid(n: int, sample_rate_hz: float, low_hz: float = LOW_HZ, high_ratio: float = HIGH_RATIO) -> Array:
    """Frequencies evenly spaced in ERB-rate, both ends included.

    Parameters
    ----------
    n : int
        Number of frequencies, at least 1 (1 gives the lower end alone).
    sample_rate_hz : float
        Sampling rate in Hz.
    low_hz : float
        Lowest frequency in Hz.
    high_ratio : float
        Highest frequency as a share of the sampling rate, at most 0.5.

    Returns
    -------
    numpy.ndarray of float64, [frequency]
        Frequencies in Hz, ascending.

    Raises
    ------
    InputError
        Where no such grid exists.

    Examples
    --------
    >>> grid(3, 16_000).round(1).tolist()
    [55.0, 1223.3, 7200.0]
    """
    high_hz = high_ratio * sample_rate_hz
    if n < 1:
        raise InputError("a grid of at least 1 frequency", repr(n))
    if not 0.0 <= high_ratio <= 0.5:
        raise InputError("high_ratio between 0 and 0.5 of the sampling rate", repr(high_ratio))
    if not (math.isfinite(high_hz) and 0.0 <= low_hz < high_hz):
        raise InputError(
            f"a lowest frequency from 0 Hz to below {high_hz:g} Hz",
            f"{low_hz:g} Hz",
            "a sampling rate too low for this grid",
        )
    points = frequency_hz(np.linspace(float(rate(low_hz)), float(rate(high_hz)), n))
    points[0] = low_hz  # exact at the ends, whatever the logarithm rounds to
    if n > 1:
        points[-1] = high_hz
    return points


def band_edges_hz(centre_hz: ArrayLike, width_erb: float = 1.0) -> tuple[Array, Array]:
    """Edges of the band around a frequency that is ``width_erb`` wide on the ERB-rate scale.

    The centre is the middle in ERB-rate, so the upper edge is a little farther from it in Hz. A band that
    would start below 0 Hz starts at 0 Hz.

    Parameters
    ----------
    centre_hz : array-like of float, any shape
        Centres in Hz.
    width_erb : float
        Whole width in ERB-rate units, not negative.

    Returns
    -------
    low_hz, high_hz : numpy.ndarray of float64, same shape
        Edges in Hz.

    Raises
    ------
    InputError
        For a negative width.

    Examples
    --------
    >>> [edge.round(1).tolist() for edge in band_edges_hz(1000.0)]
    [935.6, 1067.9]
    """
    if width_erb < 0.0:
        raise InputError("a band width of 0 ERB or more", f"{width_erb:g}")
    middle = rate(centre_hz)
    low_hz = np.maximum(frequency_hz(middle - width_erb / 2.0), 0.0)
    return np.asarray(low_hz), frequency_hz(middle + width_erb / 2.0)
