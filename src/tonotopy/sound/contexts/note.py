"""One harmonic note with a random spectral slope."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tonotopy.sound.contexts._contract import ContextRequest
from tonotopy.sound.contexts._tones import harmonic_complex

NAMES = ("note",)
CITATION = ""
LICENCE = "MIT"

#: Range of fundamentals, MIDI note numbers (E2 to E6).
MIDI_RANGE = (40.0, 88.0)


def render(request: ContextRequest) -> NDArray[np.float64]:
    """A steady harmonic complex, ``[time]``."""
    return harmonic_complex(request, request.rng.uniform(*MIDI_RANGE))
