"""Two-partial, pitch and chord templates do what they are built for, on sounds made by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tonotopy.encoders.phantoms import harmonic
from tonotopy.signal import erb

RATE = 16000
T = np.arange(8000) / RATE


def answer(name: str, sound: np.ndarray) -> np.ndarray:
    """The units' answers to a steady sound, mean over frames."""
    encoder = harmonic.open_encoder(name)
    audio = torch.from_numpy(sound.astype(np.float32))[None]
    return encoder.activations(audio, [name])[name][0].mean(dim=0).numpy()


def tone(hz: float, amplitude: float = 0.05) -> np.ndarray:
    """A sine."""
    return np.asarray(amplitude * np.sin(2 * np.pi * hz * T))


def note(f0: float, *, first: int = 1, slope: float = 0.5) -> np.ndarray:
    """Harmonics from ``first`` on, falling by n^-slope."""
    return np.sum([tone(n * f0, 0.05 * n**-slope) for n in range(first, int(7000 / f0) + 1)], axis=0)


def test_a_pair_needs_both() -> None:
    """A unit answers its two partials together, and a twentieth of that, or less, to either alone."""
    drawn = torch.rand(harmonic.PAIRS, 2, generator=harmonic.generator(0, 40)).numpy()
    low, high = (float(erb.rate(f)) for f in harmonic.PAIR_RANGE_HZ)
    pairs = np.asarray(erb.frequency_hz(low + (high - low) * drawn))
    apart = np.flatnonzero(np.abs(np.diff(erb.rate(pairs), axis=1))[:, 0] > 6)[:4]
    for unit in apart:
        one, other = (tone(float(hz)) for hz in pairs[unit])
        both = answer("two-partial", one + other)[unit]
        assert both > 0
        assert max(answer("two-partial", one)[unit], answer("two-partial", other)[unit]) < 0.05 * both


def pitch_of(sound: np.ndarray) -> float:
    """The f0 of the unit that answers most, in Hz."""
    encoder = harmonic.open_encoder("pitch-template")
    best = answer("pitch-template", sound).argmax()
    return float(harmonic.LOWEST_HZ * 2 ** (encoder._pitches[best] / 12))


@pytest.mark.parametrize("f0", [100.0, 233.0, 440.0, 800.0])
def test_a_pitch_whatever_its_envelope(f0: float) -> None:
    """Dull, bright or without its first two harmonics, the unit at f0 answers most; a sine moves none of them."""
    loud = answer("pitch-template", note(f0)).max()
    for sound in (note(f0), note(f0, slope=0.0), note(f0, slope=1.0), note(f0, first=2), note(f0, first=3)):
        assert abs(12 * np.log2(pitch_of(sound) / f0)) < 0.5
    assert answer("pitch-template", tone(f0)).max() < 0.1 * loud


def test_octaves_are_other_pitches() -> None:
    """The unit at f0 answers a complex at f0/2, 2 f0, 3/2 f0 and f0/3 with a tenth, or less."""
    f0 = 240.0
    unit = answer("pitch-template", note(f0)).argmax()
    own = answer("pitch-template", note(f0))[unit]
    for ratio in (1 / 2, 2.0, 3 / 2, 1 / 3):
        assert answer("pitch-template", note(ratio * f0))[unit] < 0.1 * own, ratio


def chord_sound(*midi: int) -> np.ndarray:
    """Notes with falling harmonics."""
    return np.sum([note(440.0 * 2 ** ((m - 69) / 12), slope=1.5) for m in midi], axis=0)


def test_a_chord_in_any_voicing() -> None:
    """Among the chords that share two notes with it, C major in three voicings is C major; with E flat, C minor."""
    names = [(steps, root) for steps in harmonic.TRIADS for root in range(12)]
    classes = [frozenset((root + step) % 12 for step in steps) for steps, root in names]
    for target, voicings in (
        (0, ((60, 64, 67), (52, 60, 67), (55, 64, 72))),
        (12, ((60, 63, 67), (51, 60, 67))),
    ):
        rivals = [k for k, notes in enumerate(classes) if len(notes & classes[target]) == 2]
        for midi in voicings:
            found = answer("chord-template", chord_sound(*midi))
            assert found[target] > 2 * found[rivals].max(), midi
