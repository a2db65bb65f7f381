"""Level and envelope of the sound around a frame: how strong it is, and how much that fluctuates.

Levels come in dB and as amplitudes: the fit is linear, and a feature may follow either.
"""

from __future__ import annotations

import numpy as np

from tonotopy.signal.descriptors._contract import Columns, Sounds, central, db, rms

NAMES = ("level",)
CITATION = ""
LICENCE = "MIT"
SAYS = "follow the level"

#: The middle of the sound around, as a share of it: closer to what the frame sees where the view is short.
MIDDLE = 0.25


def describe(sounds: Sounds) -> Columns:
    """Six columns."""
    around = rms(sounds.around)
    middle = rms(central(sounds.around, max(1, round(MIDDLE * sounds.around.shape[1]))))
    steps = sounds.envelope
    fluctuation = steps.std(axis=1) / np.maximum(steps.mean(axis=1), 1e-9)
    crest = db(np.square(np.abs(sounds.around).max(axis=1))) - db(around**2)
    columns = (db(around**2), around, db(middle**2), middle, fluctuation, crest)
    names = ("level_db", "amplitude", "middle_db", "middle_amplitude", "fluctuation", "crest_db")
    return np.stack(columns, axis=1), names
