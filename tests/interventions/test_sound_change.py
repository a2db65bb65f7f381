"""Where two sounds differ is found where it was put, in the spectrum and in tracked partials."""

from __future__ import annotations

import numpy as np
import pytest

from tonotopy.core.errors import InputError
from tonotopy.interventions import sound_change
from tonotopy.interventions.sound_change import analysed
from tonotopy.signal import erb

RATE = 16000
N = RATE


def tone(hz: float, amplitude: float = 0.1) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * hz * np.arange(N) / RATE + 1)


@pytest.mark.parametrize("hz", [80.0, 440.0, 1000.0, 6000.0])
@pytest.mark.parametrize("kind", ["spectrum", "partials"])
def test_a_partial_that_is_added_is_all_of_the_change(hz: float, kind: str) -> None:
    """Beside loud partials elsewhere; 20 dB more amplitude are 20 dB of gain."""
    ground = tone(3 * hz if hz < 2000 else hz / 3, 0.3)
    sounds = np.stack([ground + tone(hz, 0.01), ground + tone(hz, 0.1)])
    found = analysed(sounds, RATE, hz)
    before, after = getattr(found, kind)
    assert sound_change.specificity(before, after, found.near) > 0.98
    assert sound_change.gain_db(before, after, found.near) == pytest.approx(20, abs=0.5)
    assert sound_change.leakage(before, after, found.near) < 0.02


@pytest.mark.parametrize("kind", ["spectrum", "partials"])
def test_a_partial_elsewhere_is_leakage(kind: str) -> None:
    """2 ERB away is elsewhere."""
    hz = 1000.0
    other = float(erb.frequency_hz(erb.rate(hz) + 2.5))
    sounds = np.stack([tone(hz), tone(hz) + tone(other, 0.1)])
    found = analysed(sounds, RATE, hz)
    before, after = getattr(found, kind)
    assert sound_change.specificity(before, after, found.near) < 0.02
    assert abs(sound_change.gain_db(before, after, found.near)) < 0.5


def test_in_levels_a_little_more_bass_does_not_outweigh_a_high_partial() -> None:
    """1 dB of a loud bass holds more power than 20 dB of a faint partial, and is less of a change."""
    sounds = np.stack([tone(100.0, 0.5) + tone(4000.0, 0.001), tone(100.0, 0.56) + tone(4000.0, 0.01)])
    found = analysed(sounds, RATE, 4000.0, tracked=False)
    assert sound_change.specificity(*found.spectrum, found.near) < 0.01
    assert sound_change.specificity_level(*found.spectrum, found.near) > 0.95


def test_an_even_change_of_level_reads_the_width_of_the_band() -> None:
    """All bands 6 dB up: 2 ERB of all there are."""
    noise = 0.1 * np.random.default_rng(0).standard_normal(N)
    found = analysed(np.stack([noise, 2 * noise]), RATE, 1000.0, tracked=False)
    width = len(found.near) + 1
    assert sound_change.specificity_level(*found.spectrum, found.near) == pytest.approx(2 / width, rel=0.02)


def test_equal_sounds_have_no_change_to_share() -> None:
    """Undefined, not zero."""
    found = analysed(np.stack([tone(500.0), tone(500.0)]), RATE, 500.0)
    assert np.isnan(sound_change.specificity(found.spectrum[0], found.spectrum[1], found.near))
    silent = analysed(np.zeros((1, N)), RATE, 500.0)
    assert np.isnan(sound_change.gain_db(silent.spectrum[0], silent.spectrum[0], silent.near))


def test_nearness_is_one_there_and_zero_at_the_start() -> None:
    """1 for the sound that was wanted, 0 for no change, less for the wrong way."""
    sounds = np.stack([tone(500.0), tone(500.0) + tone(2000.0), tone(500.0, 0.5)])
    a, b, c = analysed(sounds, RATE, 2000.0, tracked=False).spectrum
    assert sound_change.nearness(a, b, b) == pytest.approx(1)
    assert sound_change.nearness(a, a, b) == pytest.approx(0)
    assert sound_change.nearness(a, c, b) < 0


def test_a_partial_that_wavers_about_f_does_not_change_band() -> None:
    """Vibrato at f is no change of power near f, to a hundredth."""
    t = np.arange(N) / RATE
    wavering = 0.1 * np.sin(2 * np.pi * 1000 * t + 0.5 * np.sin(2 * np.pi * 5 * t))
    found = analysed(np.stack([tone(1000.0), wavering]), RATE, 1000.0)
    for power in (found.spectrum, found.partials):
        assert power is not None
        changed = np.abs(power[1] - power[0])[:, found.near].sum() / power[0][:, found.near].sum()
        assert changed < 0.02


def test_bands_meet_at_f_and_tile_the_axis() -> None:
    """Two whole bands lie within ±1 ERB of f, wherever there is room."""
    for hz in (55.0, 700.0, 7000.0):
        distance, _ = sound_change.bands(hz, RATE)
        assert np.allclose(np.diff(distance), 1)
        assert (np.abs(distance) < 1).sum() in {1, 2}
    assert (np.abs(sound_change.bands(700.0, RATE)[0]) < 1).sum() == 2


def test_faults() -> None:
    """Too short a sound, and one that overflowed."""
    with pytest.raises(InputError, match="render longer sounds"):
        analysed(np.zeros((1, 2000)), RATE, 500.0)
    with pytest.raises(InputError, match="a decoder that overflowed"):
        analysed(np.full((1, N), np.nan), RATE, 500.0)
