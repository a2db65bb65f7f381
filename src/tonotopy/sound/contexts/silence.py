"""Silence: nothing but the dither that every synthetic context carries."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tonotopy.sound.contexts._contract import ContextRequest

NAMES = ("silence",)
CITATION = ""
LICENCE = "MIT"


def render(request: ContextRequest) -> NDArray[np.float64]:
    """Zeros, ``[time]``."""
    return np.zeros(request.n_samples)
