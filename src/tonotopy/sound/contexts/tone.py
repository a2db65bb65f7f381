"""One steady tone, uniform on the ERB-rate scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tonotopy.signal import erb
from tonotopy.sound.contexts._contract import ContextRequest

NAMES = ("tone",)
CITATION = ""
LICENCE = "MIT"

#: Lowest tone, Hz: the lowest frequency of the grid of targets.
LOWEST_HZ = 55.0


def render(request: ContextRequest) -> NDArray[np.float64]:
    """A sine of random frequency and phase, ``[time]``."""
    low, high = erb.rate(LOWEST_HZ), erb.rate(request.top_hz)
    frequency = erb.frequency_hz(request.rng.uniform(low, high))
    phase = request.rng.uniform(0, 2 * np.pi)
    t = np.arange(request.n_samples) / request.sample_rate_hz
    return np.asarray(np.sin(2 * np.pi * frequency * t + phase))
