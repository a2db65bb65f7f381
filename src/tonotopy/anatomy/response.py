"""Frequency responses of filters, exactly from their weights.

Conventions
-----------
Filters are ``[filter, time]``, float64; responses are discrete-time Fourier transforms
H(f) = sum over n of h[n] exp(-2 pi i f n / rate), at frequencies in Hz. A framework's convolution is a
correlation, which conjugates H: magnitudes are the same. Levels in dB never fall below `FLOOR_DB`, which
stands for a gain of nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

FLOOR_DB = -200.0  # what a gain of exactly zero is drawn at
SMALLEST_FFT = 8192  # points of the transform, however short the filter
OVERSAMPLING = 32  # points of the transform for each tap: the grid is 1/32 of the resolution limit


def fft_points(taps: int) -> int:
    """Points of the zero-padded transform for filters of so many taps: a power of two.

    Examples
    --------
    >>> fft_points(7), fft_points(512)
    (8192, 16384)
    """
    return max(SMALLEST_FFT, 1 << (OVERSAMPLING * taps - 1).bit_length())


def power_response(filters: Array, points: int) -> Array:
    """Squared magnitude of the zero-padded transform.

    Parameters
    ----------
    filters : numpy.ndarray of float64, [filter, time]
        Impulse responses.
    points : int
        Points of the transform, at least as many as taps.

    Returns
    -------
    numpy.ndarray of float64, [filter, frequency]
        |H|² at ``points // 2 + 1`` frequencies from 0 Hz to half the sampling rate.

    Examples
    --------
    >>> power_response(np.array([[0.0, 2.0]]), 8).tolist()
    [[4.0, 4.0, 4.0, 4.0, 4.0]]
    """
    assert points >= filters.shape[1]
    spectrum = np.fft.rfft(filters, points, axis=1)
    return np.asarray(spectrum.real**2 + spectrum.imag**2)


def response_at(filters: Array, frequency_hz: ArrayLike, sample_rate_hz: float) -> NDArray[np.complex128]:
    """The complex response at any frequencies, summed term by term.

    Parameters
    ----------
    filters : numpy.ndarray of float64, [filter, time]
        Impulse responses.
    frequency_hz : array-like of float, [frequency]
        Frequencies in Hz; beyond half the rate they are the negative ones.
    sample_rate_hz : float
        Sampling rate in Hz.

    Returns
    -------
    numpy.ndarray of complex128, [filter, frequency]
        H(f).

    Examples
    --------
    >>> response_at(np.array([[1.0, 1.0]]), [0.0, 4000.0], 8000).round(6).real.tolist()
    [[2.0, 0.0]]
    """
    turns = np.outer(np.arange(filters.shape[1]), np.asarray(frequency_hz, dtype=np.float64)) / sample_rate_hz
    return np.asarray(filters @ np.exp(-2j * np.pi * turns), dtype=np.complex128)


def decibels(power: ArrayLike) -> Array:
    """Ratios of power in dB, not below `FLOOR_DB`; what is not a number stays so.

    Examples
    --------
    >>> decibels([1.0, 0.5, 0.0]).round(2).tolist()
    [0.0, -3.01, -200.0]
    """
    return np.asarray(
        10.0 * np.log10(np.maximum(np.asarray(power, dtype=np.float64), 10.0 ** (FLOOR_DB / 10.0)))
    )
