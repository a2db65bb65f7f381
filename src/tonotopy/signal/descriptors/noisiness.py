"""Noisiness: how flat the spectrum is, how many bands it fills, and how much of it no partial accounts for."""

from __future__ import annotations

import numpy as np

from tonotopy.signal.descriptors._contract import Columns, Sounds, regions

NAMES = ("noisiness",)
CITATION = "Johnston 1988 (spectral flatness)"
LICENCE = "MIT"
SAYS = "follow how noisy the sound is"

#: Partials hold at most, and at least, this share of the energy, in dB.
RANGE_DB = 30.0


def describe(sounds: Sounds) -> Columns:
    """Five columns: three in dB of flatness, one in bands' entropy (nats), one in dB of energy left over."""
    frequency_hz, power = sounds.spectrum
    columns = {}
    for name, inside in regions(frequency_hz):
        part = power[:, inside] + 1e-14
        flatness = np.log(part).mean(axis=1) - np.log(part.mean(axis=1)) if inside.any() else power[:, 0] * 0
        columns[f"flatness_{name}"] = flatness * (10 / np.log(10))
    bands, partials = (10 ** (np.asarray(x, np.float64) / 10) for x in (sounds.band_db, sounds.partial_db))
    share = bands / bands.sum(axis=1, keepdims=True)
    columns["occupancy"] = -np.sum(share * np.log(share), axis=1)
    untracked = 10 * np.log10(bands.sum(axis=1) / partials.sum(axis=1))
    columns["untracked"] = np.clip(untracked, -RANGE_DB, RANGE_DB)
    return np.stack(list(columns.values()), axis=1), tuple(columns)
