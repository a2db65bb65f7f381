"""Chroma and chord: pitch classes and triads, whatever the octave and the instrument."""

from __future__ import annotations

import numpy as np

from tonotopy.signal.chords import PITCH_CLASSES, vocabulary
from tonotopy.signal.descriptors._contract import Columns, Sounds

NAMES = ("harmony",)
CITATION = "Mauch and Dixon 2010 (chroma); Fujishima 1999 (chords)"
LICENCE = "MIT"
SAYS = "follow pitch classes or chords"


def describe(sounds: Sounds) -> Columns:
    """Twelve levels, and one column a chord: 1 where it is the one estimated."""
    chords = vocabulary()[1:]
    here = sounds.chord[:, None] == np.arange(len(chords))
    return np.concatenate([sounds.chroma, here], axis=1), (*PITCH_CLASSES, *(f"chord_{c}" for c in chords))
