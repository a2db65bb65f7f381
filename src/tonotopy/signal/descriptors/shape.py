"""Shape of the fragment itself, sample by sample and with its phase: slope, curvature, zero crossings, oscillation.

- The middle samples are fitted by a polynomial (orthonormal on the samples: discrete Legendre or Gram polynomials,
  the basis of Savitzky and Golay 1964): value, slope, curvature and the third order, signed, since a linear filter
  is signed; and without sign, since a rectified filter is half of either: max(0, x) = (x + |x|) / 2.
- A fragment long enough to hold a period is projected on windowed cosines and sines, 1 ERB apart. The two together
  fit an oscillation of any phase, so that a filter need not be centred on the fragment.
- Changes of sign a sample, of the fragment and of its slope.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tonotopy.signal import erb
from tonotopy.signal.descriptors._contract import Columns, Floats, Sounds, central

NAMES = ("shape",)
CITATION = "Savitzky and Golay 1964 (local polynomials); Gabor 1946 (windowed oscillations)"
LICENCE = "MIT"
SAYS = "follow the shape of the waveform, with its phase"

#: Samples that are fitted by a polynomial.
SAMPLES = 7
ORDERS = ("value", "slope", "curvature", "third")
#: Step between oscillations, ERB; their length is so many times 1 / ERB seconds, within the fragment.
STEP_ERB = 1.0
LENGTH = 1.5
#: An oscillation has at least so many periods in its window.
PERIODS = 1.5
#: In shorter fragments polynomials leave few dimensions to oscillate in.
LEAST_SAMPLES = 16


def describe(sounds: Sounds) -> Columns:
    """10 columns for a view of 7 samples, some 80 for long ones."""
    fragment = np.asarray(sounds.fragment, dtype=np.float64)
    samples = min(SAMPLES, fragment.shape[1])
    found = central(fragment, samples) @ polynomials(samples, min(samples, len(ORDERS)))
    called = ORDERS[: found.shape[1]]
    waves, hz = oscillations(fragment.shape[1], sounds.sample_rate_hz)
    crossings = np.stack([_crossings(fragment), _crossings(np.diff(fragment, axis=1))], axis=1)
    names = (*called, *(f"absolute_{name}" for name in called), "zero_crossings", "turning_points")
    names += tuple(f"{part}_{f:.0f}_hz" for f in hz for part in ("cosine", "sine"))
    return np.concatenate([found, np.abs(found), crossings, fragment @ waves], axis=1), names


def polynomials(samples: int, orders: int) -> NDArray[np.float64]:
    """Orthonormal polynomials of degree 0, 1, ... on equally spaced samples, ``[time, order]``; positive at the end.

    Examples
    --------
    >>> polynomials(3, 2).round(3).tolist()
    [[0.577, -0.707], [0.577, 0.0], [0.577, 0.707]]
    """
    time = np.linspace(-1.0, 1.0, samples)
    basis, _ = np.linalg.qr(np.vander(time, orders, increasing=True))
    return np.asarray((basis * np.sign(basis[-1])).round(15) + 0.0)


@lru_cache(maxsize=8)
def oscillations(samples: int, sample_rate_hz: int) -> tuple[NDArray[np.float64], tuple[float, ...]]:
    """Unit-norm windowed cosines and sines, ``[time, 2 frequency]``, and the frequencies in Hz.

    Examples
    --------
    >>> [len(oscillations(n, 16_000)[1]) for n in (7, 64, 1024)]
    [0, 23, 31]
    """
    rates = np.arange(2.0, float(erb.rate(0.47 * sample_rate_hz)), STEP_ERB)
    columns, kept = [], []
    for hz in erb.frequency_hz(rates):
        length = int(min(samples, LENGTH * sample_rate_hz / float(erb.bandwidth_hz(hz))))
        if samples < LEAST_SAMPLES or length * hz < PERIODS * sample_rate_hz:
            continue
        time = (np.arange(length) - (length - 1) / 2) / sample_rate_hz
        window, start = np.hanning(length + 2)[1:-1], (samples - length) // 2
        for wave in (np.cos, np.sin):
            column = np.zeros(samples)
            column[start : start + length] = window * wave(2 * np.pi * hz * time)
            columns.append(column / np.linalg.norm(column))
        kept.append(float(hz))
    return np.array(columns).reshape(-1, samples).T, tuple(kept)


def _crossings(sound: Floats) -> NDArray[np.float64]:
    """Changes of sign a sample, ``[frame]``."""
    if sound.shape[1] < 2:
        return np.zeros(len(sound))
    return np.asarray(np.mean((sound[:, 1:] >= 0) != (sound[:, :-1] >= 0), axis=1))
