"""Three-note chords: triads of four qualities, in random voicings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tonotopy.sound.contexts._contract import ContextRequest
from tonotopy.sound.contexts._tones import harmonic_complex

NAMES = ("chord",)
CITATION = ""
LICENCE = "MIT"

#: Semitones above the root: major, minor, diminished, augmented.
TRIADS = ((0, 4, 7), (0, 3, 7), (0, 3, 6), (0, 4, 8))
#: Range of roots, MIDI note numbers.
ROOT_RANGE = (40, 64)


def render(request: ContextRequest) -> NDArray[np.float64]:
    """Three steady notes of one triad, each up to an octave higher by chance, ``[time]``."""
    rng = request.rng
    root = rng.integers(*ROOT_RANGE)
    triad = TRIADS[rng.integers(len(TRIADS))]
    notes = [root + step + 12 * rng.integers(0, 2) for step in triad]
    return np.sum([harmonic_complex(request, float(note)) for note in notes], axis=0)
