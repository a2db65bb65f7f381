"""Sounds of a set are equally loud, below the peak, and otherwise as they were."""

from __future__ import annotations

import numpy as np
import pytest

from tonotopy.core.errors import InputError
from tonotopy.interventions import matched
from tonotopy.signal.loudness import loudness_lkfs

RATE = 16000


def noise(level: float, seed: int = 0) -> np.ndarray:
    return level * np.random.default_rng(seed).standard_normal(RATE)


def test_sounds_of_unlike_level_become_equally_loud() -> None:
    """To a hundredth of a decibel, at the loudness that is told; each is only scaled."""
    made = matched({"a": noise(0.001), "b": noise(0.1, 1)}, RATE)
    assert np.allclose(loudness_lkfs(made.sounds, RATE), made.loudness_lkfs, atol=0.01)
    assert made.loudness_lkfs == -23.0
    assert np.corrcoef(made.sounds[0], noise(0.001))[0, 1] == pytest.approx(1)


def test_one_peak_turns_all_of_them_down() -> None:
    """A click keeps its set below -1 dBFS, and equally loud."""
    click = noise(0.001)
    click[100] = 1.0
    made = matched({"a": click, "b": noise(0.01, 1)}, RATE)
    assert np.abs(made.sounds).max() == pytest.approx(10 ** (-1 / 20), rel=1e-5)
    assert made.loudness_lkfs < -23.0
    assert np.allclose(loudness_lkfs(made.sounds, RATE), made.loudness_lkfs, atol=0.01)


def test_silence_stays_silence() -> None:
    """It has no loudness and no gain."""
    made = matched({"a": np.zeros(RATE), "b": noise(0.01)}, RATE)
    assert not made.sounds[0].any()
    assert np.isnan(made.gain_db[0])


def test_faults() -> None:
    """Nothing, unlike lengths, samples that are no numbers."""
    with pytest.raises(InputError, match="sounds of one length"):
        matched({}, RATE)
    with pytest.raises(InputError, match="sounds of one length"):
        matched({"a": noise(1)[:10], "b": noise(1)}, RATE)
    with pytest.raises(InputError, match="a decoder that overflowed"):
        matched({"a": noise(np.nan)}, RATE)
