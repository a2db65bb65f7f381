"""Scrambled phases: magnitudes stay, the waveform goes, and the draw is the seed's."""

from __future__ import annotations

import numpy as np
import pytest

from tonotopy.signal.phase_scramble import phase_scrambled


@pytest.mark.parametrize("n", [1000, 1001, 1013])
def test_every_magnitude_and_the_mean_stay(n: int) -> None:
    rng = np.random.default_rng(0)
    sound = np.cumsum(rng.standard_normal(n)) + 3.0
    found = phase_scrambled(sound, seed=1)
    assert found.shape == sound.shape
    assert found.dtype == np.float32
    before, after = np.abs(np.fft.rfft(sound)), np.abs(np.fft.rfft(found.astype(np.float64)))
    np.testing.assert_allclose(after, before, rtol=1e-3, atol=1e-3 * before.max() * 1e-2)
    assert found.mean() == pytest.approx(sound.mean(), rel=1e-5)


def test_the_waveform_goes_and_the_seed_decides() -> None:
    rng = np.random.default_rng(2)
    sound = rng.standard_normal(4000) * (np.arange(4000) % 400 < 40)  # bursts
    first, same, other = (phase_scrambled(sound, seed=s) for s in (5, 5, 6))
    np.testing.assert_array_equal(first, same)
    assert abs(np.corrcoef(first, sound)[0, 1]) < 0.1
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.1

    def crest(x: np.ndarray) -> float:
        return float(np.abs(x).max() / x.std())

    assert crest(sound) > 8
    assert crest(first) < 5
