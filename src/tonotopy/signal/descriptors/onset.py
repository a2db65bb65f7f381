"""Onset and flux: how the sound around a frame changes from before its middle to after it."""

from __future__ import annotations

import numpy as np

from tonotopy.signal import erb
from tonotopy.signal.descriptors._contract import Columns, Sounds, db, regions
from tonotopy.signal.spectrum import band_power

NAMES = ("onset",)
CITATION = "Bello et al. 2005, A tutorial on onset detection in music signals (spectral flux)"
LICENCE = "MIT"
SAYS = "answer to onsets and other changes"

#: Width of the bands whose levels are compared, ERB: half the sound around is too short for narrower ones.
WIDTH_ERB = 3.0
#: Added to powers, so that changes among what nobody hears do not count (dB).
QUIET_DB = -80.0


def describe(sounds: Sounds) -> Columns:
    """Seven columns, all in dB."""
    quiet = 10 ** (QUIET_DB / 10)
    half = sounds.around.shape[1] // 2
    rates = np.arange(2.5, float(erb.rate(0.49 * sounds.sample_rate_hz)) - WIDTH_ERB / 2, WIDTH_ERB)
    centres = erb.frequency_hz(rates)
    before, after = (
        db(band_power(part, sounds.sample_rate_hz, centres, width_erb=WIDTH_ERB) + quiet)
        for part in (sounds.around[:, :half], sounds.around[:, -half:])
    )
    change = after - before
    steps = db(sounds.envelope**2 + quiet)
    columns = {
        "rising_flux": np.maximum(change, 0).mean(axis=1),
        "falling_flux": np.maximum(-change, 0).mean(axis=1),
        "attack": np.diff(steps, axis=1).max(axis=1, initial=0.0),
        "release": -np.diff(steps, axis=1).min(axis=1, initial=0.0),
    }
    for name, inside in regions(centres):
        columns[f"change_{name}"] = change[:, inside].mean(axis=1) if inside.any() else np.zeros(len(sounds))
    return np.stack(list(columns.values()), axis=1), tuple(columns)
