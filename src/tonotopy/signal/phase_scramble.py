"""Sound with its long-term spectrum and nothing else: every phase drawn anew.

The transform of the whole sound keeps each magnitude and loses each phase, so that level, long-term spectrum and
(circular) autocorrelation stay to rounding, while onsets, envelopes, the order of notes and the shape of the waveform
go. What a measure still finds in such sound it owes to the spectrum alone.

Source: Theiler, Eubank, Longtin, Galdrikian and Farmer 1992, "Testing for nonlinearity in time series: the method
of surrogate data", Physica D 58, without their taper of the ends.
"""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.typing import NDArray


def phase_scrambled(sound: NDArray[np.floating], *, seed: int) -> NDArray[np.float32]:
    """A sound ``[time]`` with the phases of its spectrum drawn uniformly; the mean stays as it is.

    Peaks may exceed those of the sound, and full scale: nothing is clipped.

    Examples
    --------
    >>> click = np.eye(1, 64)[0]
    >>> spread = phase_scrambled(click, seed=0)
    >>> round(float(np.sum(spread**2)), 5), bool(np.abs(spread).max() < 0.5)
    (1.0, True)
    """
    n = len(sound)
    spectrum = scipy.fft.rfft(np.asarray(sound, dtype=np.float64))
    turn = np.exp(2j * np.pi * np.random.default_rng([seed, 43]).random(len(spectrum)))
    # The mean, and for an even length the highest frequency, are real: another phase would change their size.
    turn[0] = 1.0
    if n % 2 == 0:
        turn[-1] = 1.0
    return scipy.fft.irfft(spectrum * turn, n).astype(np.float32)
