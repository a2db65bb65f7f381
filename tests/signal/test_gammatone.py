"""Gammatone filters: unit gain at the centre, the bandwidth of the ear, causal and decaying."""

from __future__ import annotations

import numpy as np
import pytest

from tonotopy.signal import erb
from tonotopy.signal.gammatone import impulse_responses


@pytest.mark.parametrize("rate", [16000, 24000])
def test_unit_gain_at_the_centre_and_bandwidth_of_an_erb(rate: int) -> None:
    """Gain 1 at the centre and not more elsewhere; equivalent rectangular bandwidth within 5 % of ERB(f)."""
    centres = np.array([110.0, 440.0, 1000.0, 3000.0, 6000.0])
    bank = impulse_responses(centres, rate, rate)
    power = np.abs(np.fft.rfft(bank, 8 * rate)) ** 2  # bins of 1/8 Hz
    frequencies = np.fft.rfftfreq(8 * rate, 1 / rate)
    for centre, row in zip(centres, power, strict=True):
        at = row[np.abs(frequencies - centre).argmin()]
        assert at == pytest.approx(1, abs=1e-6)
        assert row.max() < 1.01
        width = row.sum() * (frequencies[1] - frequencies[0]) / at
        assert width == pytest.approx(erb.bandwidth_hz(centre), rel=0.05)


def test_rings_and_dies() -> None:
    """Nothing at time 0, most of the energy early, almost none after 128 ms at 55 Hz and above."""
    (slow,) = impulse_responses(np.array([55.0]), 16000, 16000)
    assert slow[0] == 0
    energy = np.cumsum(slow**2) / np.sum(slow**2)
    assert energy[int(0.128 * 16000)] > 0.999
