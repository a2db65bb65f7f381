"""Power in bands and occupancy: energy is conserved, tones fill one band, noise fills them all."""

from __future__ import annotations

import numpy as np
import pytest

from tonotopy.signal import erb
from tonotopy.signal.spectrum import band_power, occupancy, power_spectrum

RATE = 16000


def flat_noise(low_erb: float, high_erb: float, *, seconds: int = 8, seed: int = 0) -> np.ndarray:
    """Noise with equal power in every ERB of a range."""
    n = seconds * RATE
    frequencies = np.fft.rfftfreq(n, 1 / RATE)
    inside = (erb.rate(frequencies) >= low_erb) & (erb.rate(frequencies) < high_erb)
    amplitude = np.where(inside, 1 / np.sqrt(erb.bandwidth_hz(frequencies)), 0)
    phase = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(frequencies))
    return np.fft.irfft(amplitude * np.exp(1j * phase), n)


def test_power_sums_to_mean_square() -> None:
    """For steady sound, a tone and noise, the spectrum sums to the mean square."""
    t = np.arange(2 * RATE) / RATE
    for sound in (0.3 * np.sin(2 * np.pi * 441.3 * t), flat_noise(3, 30)):
        assert power_spectrum(sound, RATE)[1].sum() == pytest.approx(np.mean(sound**2), rel=0.02)


def test_bands_share_out_the_power() -> None:
    """Bands that tile the axis sum to the whole; edges count in part, so no bin is counted twice."""
    sound = flat_noise(3, 30)
    centres = erb.frequency_hz(np.arange(0.5, erb.rate(RATE / 2), 1.0))
    bands = band_power(sound, RATE, centres)
    assert bands.sum() == pytest.approx(power_spectrum(sound, RATE)[1].sum(), rel=1e-3)
    wide = band_power(sound, RATE, erb.frequency_hz(np.arange(1.0, 20, 2.0)), width_erb=2.0)
    np.testing.assert_allclose(wide, bands[:20].reshape(-1, 2).sum(axis=1), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("hz", [60.0, 440.0, 5000.0])
def test_a_tone_is_in_its_own_band(hz: float) -> None:
    """A sine of amplitude a has a²/2 in the band around it and nothing two ERB away."""
    t = np.arange(RATE) / RATE
    away = float(erb.frequency_hz(erb.rate(hz) + 2.0))
    own, other = band_power(0.2 * np.sin(2 * np.pi * hz * t), RATE, np.array([hz, away]))
    assert own == pytest.approx(0.02, rel=0.01)
    assert other < 1e-4 * own


def test_a_tone_on_the_edge_is_shared() -> None:
    """A sine exactly between two bands gives half its power to each: edges are where they are said to be."""
    t = np.arange(RATE) / RATE
    sides = erb.frequency_hz(erb.rate(1000.0) + np.array([-0.5, 0.5]))
    below, above = band_power(0.2 * np.sin(2 * np.pi * 1000.0 * t), RATE, sides)
    assert below == pytest.approx(0.01, rel=0.02)
    assert above == pytest.approx(0.01, rel=0.02)


def test_occupancy_of_tones() -> None:
    """One tone in the middle of its band fills 1 band; k equal tones in k bands fill k."""
    t = np.arange(RATE) / RATE
    for k in (1, 2, 4, 8):
        hz = erb.frequency_hz(10.5 + 2.0 * np.arange(k))
        sound = np.sin(2 * np.pi * hz[:, None] * t + np.arange(k)[:, None]).sum(axis=0)
        assert occupancy(sound, RATE) == pytest.approx(k, rel=0.02)


def test_occupancy_of_noise_counts_bands() -> None:
    """Noise that is flat over n ERB fills n bands; twice as many bands, twice the occupancy."""
    ten, twenty = occupancy(flat_noise(8, 18), RATE), occupancy(flat_noise(8, 28), RATE)
    assert ten == pytest.approx(10, rel=0.02)
    assert twenty / ten == pytest.approx(2, rel=0.02)


def test_occupancy_does_not_know_level_and_silence_is_undefined() -> None:
    """Ten times louder fills as many bands; digital silence fills NaN, not 0."""
    sound = flat_noise(8, 18, seconds=1)
    assert occupancy(10 * sound, RATE) == pytest.approx(occupancy(sound, RATE), rel=1e-9)
    assert np.isnan(occupancy(np.zeros(1000), RATE))
