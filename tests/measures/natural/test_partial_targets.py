"""Targets of natural sound: compressed amplitudes, and a control task in which each type of sound keeps one value."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tonotopy.core.errors import InputError
from tonotopy.measures.natural.partial_targets import COMPRESSION, compressed, targets_of
from tonotopy.measures.natural.sound_types import Types
from tonotopy.recording.lanes import FLOOR_DB, Lanes, bands_hz

RATE, HOP, POINTS = 16_000, 160, 300


def lanes_of_noise(seed: int) -> Lanes:
    """Levels that vary in every band and at every moment by themselves."""
    rng = np.random.default_rng([seed, 2])
    band_hz = bands_hz(RATE)
    level = (-50 + 8 * rng.standard_normal((POINTS, len(band_hz)))).astype(np.float32)
    return Lanes(RATE / HOP, band_hz, level, level, np.zeros((POINTS, 12), np.float32), np.full(POINTS, -1))


def test_amplitudes_are_compressed_and_nothing_is_zero() -> None:
    """Ten times the amplitude is ten to the power of the exponent; no partial is 0, not little."""
    one, ten, none = compressed(np.array([-40.0, -20.0, FLOOR_DB]))
    assert ten / one == pytest.approx(10**COMPRESSION)
    assert none == 0


def test_types_keep_one_value_each() -> None:
    """A control target is a function of the type of sound alone, and takes values that the band has."""
    lanes = [lanes_of_noise(k) for k in range(3)]
    types = Types.of(lanes, count=8, seed=1)
    targets = targets_of(lanes, types=types)
    kind = types.type_of(lanes[0])
    for number in np.unique(kind):
        assert (np.ptp(targets[0].control[kind == number], axis=0) == 0).all()
    assert len(np.unique(kind)) > 3
    every = np.concatenate([target.real for target in targets])
    assert all(np.isin(targets[0].control[:, band], every[:, band]).all() for band in range(every.shape[1]))


def test_bad_input_says_what_is_wrong() -> None:
    """Lanes of another rate, a single type."""
    lanes = lanes_of_noise(0)
    with pytest.raises(InputError, match="the same bands"):
        Types.of([lanes, replace(lanes, band_hz=lanes.band_hz + 1)])
    with pytest.raises(InputError, match="at least 2 types"):
        Types.of([lanes], count=1)
