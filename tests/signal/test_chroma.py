"""Chroma: notes are found at their pitch whatever the tuning, octaves fold, noise and silence have none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import nnls

from tonotopy.core.errors import InputError
from tonotopy.signal.additive import join, render_partials
from tonotopy.signal.chroma import (
    COMPRESSION,
    FINE,
    HOP_S,
    LOWEST,
    TOP,
    _profiles,
    _shared,
    chroma,
    note_levels,
    note_spectrogram,
)
from tonotopy.signal.instruments import INSTRUMENTS

RATE = 8000


def played(*midi: float, instrument: str = "flute", seconds: float = 1.0) -> np.ndarray:
    """Notes together."""
    rng = np.random.default_rng(0)
    made = [
        INSTRUMENTS[instrument].note(440 * 2 ** ((m - 69) / 12), 0.0, seconds, level=0.06, rng=rng)
        for m in midi
    ]
    return render_partials(join(made), RATE, round(seconds * RATE))


@pytest.mark.parametrize("midi", [48, 57, 69, 81])
def test_a_note_is_found_at_its_pitch(midi: int) -> None:
    """The strongest note of every middle frame is the one that was played, though it has harmonics."""
    found = note_spectrogram(played(midi), RATE)
    assert set(found.level[4:-4].argmax(axis=1) + LOWEST) == {midi}


def test_two_notes_an_octave_apart_share_a_pitch_class() -> None:
    """A3 and A4 fold to A, which then holds more than four fifths of the chroma."""
    folded = chroma(note_spectrogram(played(57, 69), RATE))[4:-4]
    assert folded.shape[1] == 12
    assert np.all(folded[:, 9] > 0.8 * folded.sum(axis=1))


@pytest.mark.parametrize("tuning", [-0.4, -0.2, 0.0, 0.3])
def test_tuning_is_recovered(tuning: float) -> None:
    """Within 5 cents, and the chroma stays where it was."""
    found = note_spectrogram(played(60 + tuning, 64 + tuning, 67 + tuning), RATE)
    assert found.tuning == pytest.approx(tuning, abs=0.05)
    loudest = np.argsort(chroma(found)[6])[-3:]
    assert set(loudest) == {0, 4, 7}


def test_level_does_not_move_the_chroma() -> None:
    """A sound 12 dB softer has the same chroma but for its scale."""
    sound = played(60, 64, 67)
    loud, soft = (chroma(note_spectrogram(gain * sound, RATE))[6] for gain in (1.0, 10 ** (-12 / 20)))
    assert soft / np.linalg.norm(soft) == pytest.approx(loud / np.linalg.norm(loud), abs=1e-6)


@pytest.mark.parametrize("level", [0.0, 1e-6])
def test_silence_has_none(level: float) -> None:
    """Digital silence and dither."""
    sound = level * np.random.default_rng(0).normal(size=RATE)
    found = note_spectrogram(sound, RATE)
    assert not found.level.any()
    assert found.tuning == 0.0
    assert len(found.level) == round(1 / HOP_S)


def test_white_noise_has_nearly_none() -> None:
    """Noise as loud as the notes has less than a hundredth of their chroma a frame."""
    noise = 0.06 * np.random.default_rng(0).normal(size=2 * RATE)
    heard, tonal = (note_spectrogram(sound, RATE).level.mean() for sound in (noise, played(60, 64, 67)))
    assert heard < 0.01 * tonal


@pytest.mark.parametrize(
    ("audio", "rate"), [(np.zeros((2, 100)), RATE), (np.full(100, np.nan), RATE), (np.zeros(100), 100)]
)
def test_refuses_what_is_no_sound(audio: np.ndarray, rate: int) -> None:
    """Two channels, samples that are no numbers, a rate at which there are no chords."""
    with pytest.raises(InputError):
        note_spectrogram(audio, rate)


def test_levels_are_those_of_least_squares_on_all_bins() -> None:
    """Solving in the basis of the profiles finds the levels that the profiles themselves give, noise included."""
    rng = np.random.default_rng(3)
    frame, midi = np.repeat(np.arange(5), 20), rng.uniform(34.0, 110.0, 100)
    amplitude = rng.exponential(0.1, 100)
    n_bins = (TOP - LOWEST + 1) * FINE
    scale = np.zeros((5, n_bins))
    for index, part in _shared(midi):
        np.add.at(scale, (frame, index), amplitude**COMPRESSION * part)
    expected = [nnls(_profiles(n_bins), row)[0] for row in scale]
    assert np.allclose(note_levels(frame, midi, amplitude, 5), expected, rtol=1e-9, atol=1e-12)
