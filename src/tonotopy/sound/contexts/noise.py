"""Pink noise: equal power in every octave from 20 Hz to the top of the range."""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from tonotopy.sound.contexts._contract import ContextRequest

NAMES = ("noise",)
CITATION = ""
LICENCE = "MIT"

#: Below this frequency, Hz, the noise has no power.
LOWEST_HZ = 20.0


def render(request: ContextRequest) -> NDArray[np.float64]:
    """Gaussian noise with a 1/f power spectrum, ``[time]``."""
    white = request.rng.standard_normal(request.n_samples)
    frequency = scipy.fft.rfftfreq(request.n_samples, 1.0 / request.sample_rate_hz)
    gain = np.where(frequency < LOWEST_HZ, 0.0, 1.0 / np.sqrt(np.maximum(frequency, LOWEST_HZ)))
    return np.asarray(scipy.fft.irfft(scipy.fft.rfft(white) * gain, request.n_samples))
