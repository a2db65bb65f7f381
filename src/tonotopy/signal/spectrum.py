"""Power in ERB bands, and how many bands a sound fills.

Conventions: power is mean square, full scale 1; levels are 10 log10 of it (dBFS, a full-scale square wave
is 0 dB and a full-scale sine -3 dB). Bands are rectangular on the ERB-rate scale.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from tonotopy.signal import erb


def power_spectrum(sound: NDArray[np.floating], sample_rate_hz: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """One-sided power at each transform frequency: ``(frequency_hz [bin], power [..., bin])``.

    A Hann window, corrected for its power, so that the sum over bins is the mean square of the sound.
    """
    n = sound.shape[-1]
    window = np.hanning(n)
    spectrum = np.abs(scipy.fft.rfft(np.asarray(sound, dtype=np.float64) * window)) ** 2
    spectrum[..., 1:] *= 2.0
    return scipy.fft.rfftfreq(n, 1.0 / sample_rate_hz), spectrum / (n * np.sum(window**2))


def band_power(
    sound: NDArray[np.floating],
    sample_rate_hz: float,
    centres_hz: NDArray[np.floating],
    *,
    width_erb: float = 1.0,
) -> NDArray[np.float64]:
    """Mean square of a sound within a band of ``width_erb`` around each centre, ``[..., centre]``."""
    frequencies, power = power_spectrum(sound, sample_rate_hz)
    cumulative = np.concatenate([np.zeros((*power.shape[:-1], 1)), np.cumsum(power, axis=-1)], axis=-1)
    rates = erb.rate(np.asarray(centres_hz, dtype=np.float64))
    half = width_erb / 2
    # Edges between bins count in part: at 55 Hz one bin is a noticeable share of the band.
    edges = [erb.frequency_hz(rates + d) / frequencies[1] + 0.5 for d in (-half, half)]
    return _at(cumulative, edges[1]) - _at(cumulative, edges[0])


def _at(values: NDArray[np.float64], position: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values along the last axis at fractional positions, linearly interpolated, ends held."""
    position = np.clip(position, 0, values.shape[-1] - 1)
    below = np.minimum(position.astype(np.int64), values.shape[-1] - 2)
    part = position - below
    return np.asarray(values[..., below] * (1 - part) + values[..., below + 1] * part)


def occupancy(sound: NDArray[np.floating], sample_rate_hz: float) -> float:
    """Effective number of 1-ERB bands that hold the energy: exp(entropy of the energy shares).

    Returns
    -------
    1 for a pure tone within a band, near the number of bands for ERB-shaped noise, NaN for digital silence.
    """
    frequencies, power = power_spectrum(sound, sample_rate_hz)
    bands = np.floor(erb.rate(frequencies)).astype(np.int64)
    energy = np.bincount(bands, weights=power)
    total = energy.sum()
    if not total > 0:
        return float("nan")
    share = energy[energy > 0] / total
    return float(np.exp(-np.sum(share * np.log(share))))
