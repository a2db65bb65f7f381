"""Periodicity: how well the sound around a frame repeats itself, and how often a second.

The normalised autocorrelation of the windowed sound over that of the window (Boersma 1993). Only its local
maxima count, so that a sound without high frequencies, which resembles itself for a while, is not periodic by that.
"""

from __future__ import annotations

import numpy as np
import scipy.fft

from tonotopy.signal.descriptors._contract import Columns, Sounds

NAMES = ("periodicity",)
CITATION = "Boersma 1993, Accurate short-term analysis of the fundamental frequency"
LICENCE = "MIT"
SAYS = "follow how periodic the sound is, or its period"

#: Fundamental frequencies from here, by octaves (Hz).
LOWEST_HZ = 62.5
OCTAVES = 5
#: Strength by which a repetition must be better than one an octave higher (Boersma 1993).
OCTAVE_COST = 0.02


def describe(sounds: Sounds) -> Columns:
    """The strongest repetition in each octave, overall, and the latter times the logarithm of its rate."""
    sound = sounds.around - sounds.around.mean(axis=1, keepdims=True, dtype=np.float64)
    n = sound.shape[1]
    window = np.hanning(n)
    n_fft = scipy.fft.next_fast_len(2 * n, real=True)
    longest = min(n - 2, round(sounds.sample_rate_hz / LOWEST_HZ))
    own = scipy.fft.irfft(np.abs(scipy.fft.rfft(window, n_fft)) ** 2, n_fft)[: longest + 2]
    found = scipy.fft.irfft(np.abs(scipy.fft.rfft(sound * window, n_fft)) ** 2, n_fft)[:, : longest + 2]
    found = found * (own[0] / own) / np.maximum(found[:, :1], 1e-12)
    middle = found[:, 1:-1]
    peak = (middle > found[:, :-2]) & (middle >= found[:, 2:])
    peaks = np.where(peak, np.clip(middle, 0.0, 1.0), 0.0)
    rate_hz = sounds.sample_rate_hz / np.arange(1, longest + 1)
    octave = np.floor(np.log2(rate_hz / LOWEST_HZ) + 1e-9).astype(np.int64)
    columns, names = [], []
    for k in range(OCTAVES):
        inside = octave == k
        columns.append(peaks[:, inside].max(axis=1, initial=0.0))
        names.append(f"from_{LOWEST_HZ * 2**k:g}_hz")
    counted = peaks * (octave < OCTAVES)
    # What repeats after a period does so after two, as well: the shorter one is meant.
    best = (counted - OCTAVE_COST * (counted > 0) * (OCTAVES - np.log2(rate_hz / LOWEST_HZ))).argmax(axis=1)
    strength = counted[np.arange(len(counted)), best]
    columns += [strength, strength * np.log2(rate_hz[best] / LOWEST_HZ)]
    return np.stack(columns, axis=1), (*names, "strength", "octaves")
