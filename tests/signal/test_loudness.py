"""K-weighting has the coefficients of the recommendation at 48 kHz, and reads the same sound alike at other rates."""

from __future__ import annotations

import numpy as np
import pytest

from tonotopy.signal.loudness import k_weighting, loudness_lkfs

# ITU-R BS.1770-4, tables 1 and 2.
SHELF = [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585]
HIGH_PASS = [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621]


def test_coefficients_are_those_of_the_recommendation() -> None:
    """At 48 kHz, to the digits that are printed."""
    assert np.allclose(k_weighting(48_000), [SHELF, HIGH_PASS], atol=1e-9)


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 44_100])
@pytest.mark.parametrize("hz", [60.0, 440.0, 2000.0])
def test_a_tone_reads_the_same_at_every_rate(rate: int, hz: float) -> None:
    """Within .15 dB: the bilinear transform bends the shelf a little at low rates."""
    here, there = (
        loudness_lkfs(0.1 * np.sin(2 * np.pi * hz * np.arange(2 * r) / r), r) for r in (rate, 48_000)
    )
    assert abs(float(here - there)) < 0.15


def test_ten_decibels_are_ten_and_silence_is_undefined() -> None:
    """Loudness follows level; nothing has none."""
    noise = np.random.default_rng(0).standard_normal(8000)
    loud, quiet, silent = loudness_lkfs(np.stack([noise, noise / 10**0.5, 0 * noise]), 16_000)
    assert loud - quiet == pytest.approx(10.0)
    assert np.isnan(silent)
