"""Chords: planted sequences are recovered and move with a transposition; shuffled, silent and noisy ones are not."""

from __future__ import annotations

import itertools

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tonotopy.core.errors import InputError
from tonotopy.signal.additive import join, render_partials
from tonotopy.signal.chords import (
    NO_CHORD,
    PITCH_CLASSES,
    QUALITIES,
    Chord,
    chord_sequence,
    posteriors,
    viterbi,
    vocabulary,
)
from tonotopy.signal.chroma import HOP_S
from tonotopy.signal.instruments import INSTRUMENTS
from tonotopy.sound.sources import open_music
from tonotopy.sound.sources.scores import _chorales

RATE = 8000
SEQUENCE = ("C", "Am", "F", "G", "Dm", "E")
CHORD_S = 0.8


def notes_of(symbol: str, shift: float = 0.0) -> list[float]:
    """MIDI numbers of a chord: its root an octave below, then root position around middle C."""
    root = symbol[:2] if symbol[1:2] in ("b", "#") else symbol[:1]
    pitch = PITCH_CLASSES.index(root)
    return [48 + pitch + shift, *(60 + pitch + step + shift for step in QUALITIES[symbol[len(root) :]][1])]


def played(symbols: tuple[str, ...], instrument: str = "reed", shift: float = 0.0) -> np.ndarray:
    """A sequence of chords, each of ``CHORD_S`` seconds."""
    rng = np.random.default_rng(1)
    rows = [
        INSTRUMENTS[instrument].note(
            440 * 2 ** ((midi - 69) / 12), k * CHORD_S, (k + 1) * CHORD_S, level=0.05, rng=rng
        )
        for k, symbol in enumerate(symbols)
        for midi in notes_of(symbol, shift)
    ]
    return render_partials(join(rows), RATE, round(len(symbols) * CHORD_S * RATE))


def accuracy(found: list[Chord], symbols: tuple[str, ...]) -> float:
    """Share of time with the right label."""
    right = sum(
        max(0.0, min(chord.end_s, (k + 1) * CHORD_S) - max(chord.start_s, k * CHORD_S))
        for chord in found
        for k, symbol in enumerate(symbols)
        if chord.label == symbol
    )
    return right / (len(symbols) * CHORD_S)


@pytest.mark.parametrize("instrument", ["reed", "plucked", "bowed"])
def test_a_planted_sequence_is_recovered(instrument: str) -> None:
    """Nine tenths of the time has the chord that was played, and the spans fill the sound."""
    sound = played(SEQUENCE, instrument)
    found = chord_sequence(sound, RATE)
    assert accuracy(found, SEQUENCE) > 0.9
    assert found[0].start_s == 0.0
    assert found[-1].end_s == len(sound) / RATE
    assert all(a.end_s == b.start_s and a.label != b.label for a, b in itertools.pairwise(found))
    assert all(0.0 <= chord.confidence <= 1.0 for chord in found)


def test_shuffled_chords_are_at_chance() -> None:
    """The same sound read against its chords in all other orders: on average one in six is right."""
    found = chord_sequence(played(SEQUENCE), RATE)
    orders = list(itertools.permutations(SEQUENCE))
    assert np.mean([accuracy(found, order) for order in orders]) < 0.25


@pytest.mark.parametrize("shift", [1, 5, 8])
def test_labels_move_with_a_transposition(shift: int) -> None:
    """All notes up by k semitones: all roots up by k, the same qualities, for nine tenths of the time."""
    moved = tuple(
        PITCH_CLASSES[(PITCH_CLASSES.index(symbol.rstrip("m")) + shift) % 12] + symbol[1:]
        for symbol in SEQUENCE
    )
    assert accuracy(chord_sequence(played(SEQUENCE, shift=shift), RATE), moved) > 0.9


@pytest.mark.parametrize("shift", [-0.35, 0.25])
def test_tuning_does_not_matter(shift: float) -> None:
    """A piano that is out of tune with 440 Hz plays the same chords."""
    assert accuracy(chord_sequence(played(SEQUENCE, shift=shift), RATE), SEQUENCE) > 0.9


def test_more_qualities_where_they_are_asked_for() -> None:
    """Sevenths, diminished and suspended chords are told from triads."""
    symbols = ("C", "G7", "Bdim", "Asus4", "Dm7")
    found = chord_sequence(played(symbols), RATE, qualities=tuple(QUALITIES))
    assert accuracy(found, symbols) > 0.8


@pytest.mark.parametrize("level", [0.0, 1e-6])
def test_silence_has_no_chord(level: float) -> None:
    """Digital silence and dither are one span of no chord."""
    (only,) = chord_sequence(level * np.random.default_rng(2).normal(size=RATE), RATE)
    assert (only.label, only.start_s, only.end_s) == (NO_CHORD, 0.0, 1.0)


@pytest.mark.parametrize("colour", ["white", "pink"])
def test_noise_has_no_chord(colour: str) -> None:
    """At least 95 % of the time."""
    spectrum = np.fft.rfft(np.random.default_rng(3).normal(size=4 * RATE))
    if colour == "pink":
        spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    noise = np.fft.irfft(spectrum)
    found = chord_sequence(0.05 * noise / noise.std(), RATE)
    none = sum(chord.end_s - chord.start_s for chord in found if chord.label == NO_CHORD)
    assert none > 0.95 * 4.0


def test_a_lone_note_is_no_chord() -> None:
    """One note is in six triads alike."""
    note = INSTRUMENTS["flute"].note(440.0, 0.0, 1.0, level=0.06, rng=np.random.default_rng(0))
    assert {chord.label for chord in chord_sequence(render_partials(note, RATE, RATE), RATE)} == {NO_CHORD}


@pytest.mark.parametrize("name", ["veni-emmanuel", "winchester-old"])
def test_chorales_are_read(name: str) -> None:
    """Of the time in which the four voices sound a triad or a seventh chord, nine tenths are read as its triad."""
    source = open_music("scores")
    clip = next(clip for clip in source.clips() if clip.name == name)
    seconds = 8.0
    sound = source.read(clip, RATE, duration_s=seconds)[0]
    found = chord_sequence(sound, RATE)
    truths = [true_triad(name, time_s) for time_s in np.arange(HOP_S / 2, seconds, HOP_S)]
    reads = [
        next(chord.label for chord in found if chord.start_s <= time_s < chord.end_s)
        for time_s in np.arange(HOP_S / 2, seconds, HOP_S)
    ]
    decided = [(truth, read) for truth, read in zip(truths, reads, strict=True) if truth is not None]
    assert len(decided) > 0.8 * len(truths)
    assert np.mean([truth == read for truth, read in decided]) > 0.9


def true_triad(name: str, time_s: float) -> str | None:
    """The triad, or that of the seventh chord, whose pitch classes are exactly those that sound; None if none."""
    chorale = _chorales()[name]
    sounding = set()
    for voice in chorale.voices:
        ends = np.cumsum([beats for _, beats in voice]) * 60.0 / chorale.tempo_bpm
        at = int(np.searchsorted(ends, time_s, side="right"))
        sounding |= {voice[at][0] % 12} if at < len(voice) else set()
    reduced = {"": "", "m": "m", "7": "", "maj7": "", "m7": "m"}
    hits = {
        PITCH_CLASSES[root] + reduced[quality]
        for quality in reduced
        for root in range(12)
        if {(root + step) % 12 for step in QUALITIES[quality][1]} == sounding
    }
    return hits.pop() if len(hits) == 1 else None


# ---- the path


def brute_force(scores: np.ndarray, stay: float) -> tuple[np.ndarray, np.ndarray]:
    """The best path and all posteriors by trying every path."""
    n_frames, n_states = scores.shape
    leave = (1 - stay) / (n_states - 1)
    paths = np.array(list(itertools.product(range(n_states), repeat=n_frames)))
    moves = np.where(np.diff(paths, axis=1) == 0, np.log(stay), np.log(leave)).sum(axis=1)
    logs = scores[np.arange(n_frames), paths].sum(axis=1) + moves
    weight = np.exp(logs - logs.max())
    shares = np.stack([(weight[:, None] * (paths == state)).sum(axis=0) for state in range(n_states)], axis=1)
    return paths[np.argmax(logs)], shares / weight.sum()


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), stay=st.floats(0.4, 0.98), n_frames=st.integers(1, 5))
def test_path_and_posteriors_agree_with_brute_force(seed: int, stay: float, n_frames: int) -> None:
    """Every path of a small model tried one by one gives the same best path and the same posteriors."""
    scores = np.random.default_rng(seed).normal(0, 2, (n_frames, 3))
    path, shares = brute_force(scores, stay)
    assert viterbi(scores, stay).tolist() == path.tolist()
    assert posteriors(scores, stay) == pytest.approx(shares, abs=1e-9)


def test_refuses_what_it_does_not_know() -> None:
    """A quality that is none, a length that is none; a sound of no samples has no chords."""
    with pytest.raises(InputError, match="sus4"):
        vocabulary(("", "power"))
    with pytest.raises(InputError, match=r"at least 0\.05 s"):
        chord_sequence(np.zeros(100), RATE, mean_chord_s=0.0)
    assert chord_sequence(np.zeros(0), RATE) == []
