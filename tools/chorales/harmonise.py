"""Four-part harmony for a melody by dynamic programming over chords and voicings.

A *step* is a stretch of melody that starts on a beat and bears one chord; notes that fall between beats pass.
A *state* of a step is a chord of the key with one MIDI number for each lower voice. States have a cost
(doubling, spacing, inversion), pairs of states have a cost (root movement, parallel fifths and octaves,
leaps, leading notes and sevenths that do not resolve), and the cheapest path is the harmony. The rules are
those of any primer of four-part writing; their weights are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from melodies import Melody, Note
from numpy.typing import NDArray

RANGES = {"alto": (53, 74), "tenor": (48, 67), "bass": (40, 62)}
FORBIDDEN = 100.0


@dataclass(frozen=True)
class Chord:
    """Pitch classes above the tonic from the root up, and how unwelcome the chord is."""

    name: str
    tones: tuple[int, ...]
    cost: float


MAJOR = (
    Chord("I", (0, 4, 7), 0.0),
    Chord("ii", (2, 5, 9), 0.6),
    Chord("iii", (4, 7, 11), 1.5),
    Chord("IV", (5, 9, 0), 0.4),
    Chord("V", (7, 11, 2), 0.2),
    Chord("V7", (7, 11, 2, 5), 0.5),
    Chord("vi", (9, 0, 4), 0.6),
    Chord("vii°", (11, 2, 5), 1.2),
    Chord("V/V", (2, 6, 9), 1.0),
    Chord("V7/V", (2, 6, 9, 0), 1.2),
    Chord("V/vi", (4, 8, 11), 1.6),
    Chord("V7/IV", (0, 4, 7, 10), 1.8),
    Chord("V/ii", (9, 1, 4), 1.8),
)
MINOR = (
    Chord("i", (0, 3, 7), 0.0),
    Chord("ii°", (2, 5, 8), 0.9),
    Chord("III", (3, 7, 10), 0.7),
    Chord("iv", (5, 8, 0), 0.4),
    Chord("V", (7, 11, 2), 0.2),
    Chord("V7", (7, 11, 2, 5), 0.5),
    Chord("v", (7, 10, 2), 1.2),
    Chord("VI", (8, 0, 3), 0.6),
    Chord("VII", (10, 2, 5), 0.8),
    Chord("VII7", (10, 2, 5, 8), 1.0),
    Chord("IV", (5, 9, 0), 1.2),
    Chord("ii", (2, 5, 9), 1.4),
    Chord("V/V", (2, 6, 9), 1.2),
    Chord("I", (0, 4, 7), 2.0),
)
CHORDS = {"major": MAJOR, "minor": MINOR}
# Cost of the root moving up by this many semitones.
ROOT_MOVES = (1.1, 0.4, 0.3, 1.0, 1.0, 0.0, 1.5, 0.5, 0.4, 0.3, 0.9, 0.9)
PHRASE_ENDS = {
    "I": 0.0,
    "i": 0.0,
    "V": 0.6,
    "V/V": 1.0,
    "III": 0.8,
    "VII": 1.2,
    "vi": 1.5,
    "VI": 1.5,
    "iv": 1.5,
}


@dataclass(frozen=True)
class Step:
    """A stretch of melody under one chord, and whether it ends a phrase or the tune."""

    notes: tuple[Note, ...]
    beats: float
    ends: str


@dataclass(frozen=True)
class States:
    """All states of a step: voices ``[state, voice]`` from the bass up; chord, root and cost ``[state]``."""

    voices: NDArray[np.int64]
    chord: NDArray[np.int64]
    root: NDArray[np.int64]
    cost: NDArray[np.float64]


def harmonise(melody: Melody) -> tuple[list[Step], NDArray[np.int64]]:
    """Steps of the melody and their voices ``[step, voice]`` from the bass up."""
    steps = _steps(melody)
    layers = [_states(step, melody) for step in steps]
    total, back = layers[0].cost, []
    for before, after in pairwise(layers):
        through = total[:, None] + _pair_costs(before, after, CHORDS[melody.mode])
        back.append(through.argmin(axis=0))
        total = through.min(axis=0) + after.cost
    assert total.min() < FORBIDDEN, f"{melody.name}: no harmony keeps the rules"
    path = [int(total.argmin())]
    for pointer in reversed(back):
        path.append(int(pointer[path[-1]]))
    return steps, np.stack([layer.voices[i] for layer, i in zip(layers, reversed(path), strict=True)])


def _steps(melody: Melody) -> list[Step]:
    """Cut each phrase at the notes that start on a beat."""
    steps: list[Step] = []
    for number, phrase in enumerate(melody.phrases):
        groups: list[list[Note]] = []
        beat = 0.0
        for note in phrase:
            if beat % 1 == 0:
                groups.append([])
            groups[-1].append(note)
            beat += note.beats
        last = "tune" if number == len(melody.phrases) - 1 else "phrase"
        for index, group in enumerate(groups):
            ends = last if index == len(groups) - 1 else ""
            steps.append(Step(tuple(group), sum(n.beats for n in group), ends))
    return steps


def _states(step: Step, melody: Melody) -> States:
    """Every legal voicing of every chord that holds the step's first note."""
    soprano = step.notes[0].midi
    rows, chords, costs = [], [], []
    for index, chord in enumerate(CHORDS[melody.mode]):
        if (soprano - melody.tonic) % 12 not in chord.tones:
            continue
        voices = _voicings(soprano, [(melody.tonic + tone) % 12 for tone in chord.tones])
        cost = np.array([_state_cost(row, chord, step, melody) for row in voices])
        good = np.flatnonzero(cost < FORBIDDEN)
        rows += [voices[i] for i in good]
        costs += cost[good].tolist()
        chords += [index] * len(good)
    assert rows, f"{melody.name}: no chord for {soprano}"
    roots = [(melody.tonic + CHORDS[melody.mode][index].tones[0]) % 12 for index in chords]
    return States(np.array(rows), np.array(chords), np.array(roots), np.array(costs))


def _voicings(soprano: int, classes: list[int]) -> list[tuple[int, int, int, int]]:
    """Bass, tenor, alto, soprano in range, without crossing, with no wide gaps above the tenor."""
    pitches = {v: [p for p in range(low, high + 1) if p % 12 in classes] for v, (low, high) in RANGES.items()}
    return [
        (bass, tenor, alto, soprano)
        for alto in pitches["alto"]
        if alto <= soprano <= alto + 12
        for tenor in pitches["tenor"]
        if tenor <= alto <= tenor + 12
        for bass in pitches["bass"]
        if bass < tenor <= bass + 19
    ]


def _state_cost(voices: tuple[int, ...], chord: Chord, step: Step, melody: Melody) -> float:
    """Cost of one voicing by itself; `FORBIDDEN` or more where a rule is broken."""
    tones = [(voice - melody.tonic) % 12 for voice in voices]
    count = [tones.count(tone) for tone in chord.tones]
    seventh = len(chord.tones) == 4
    if not count[0] or not count[1] or (seventh and count[3] != 1):
        return FORBIDDEN
    sharp = chord.tones[1] in (11, 6, 8, 1)  # a leading note, of the key or of a neighbour
    diminished = chord.name.endswith("°")
    if sharp and count[1] > 1:
        return FORBIDDEN
    cost = chord.cost + 0.8 * (not count[2]) + 0.5 * max(0, count[1] - 1) * (not diminished)
    cost += 0.4 * max(0, count[2] - 1)
    bass = chord.tones.index(tones[0])
    cost += (1.5 if diminished else 0.0, 0.0 if diminished else 0.35, 3.0, 1.5)[bass]
    cost += 0.05 * max(0, voices[1] - voices[0] - 12) + 0.02 * abs(voices[0] - 50)
    cost += 0.3 * (voices[1] == voices[2]) + 0.3 * (voices[2] == voices[3])
    return cost + _cadence_cost(chord, bass, step.ends)


def _cadence_cost(chord: Chord, bass: int, ends: str) -> float:
    """A phrase ends on a chord of rest in root position, the tune on the tonic or (Phrygian tunes) on V."""
    if not ends:
        return 0.0
    if bass != 0:
        return FORBIDDEN if ends == "tune" else 4.0
    if ends == "tune":
        return {"I": -1.5, "i": 0.0, "V": 6.0}.get(chord.name, FORBIDDEN)
    return PHRASE_ENDS.get(chord.name, 4.0)


def _pair_costs(before: States, after: States, chords: tuple[Chord, ...]) -> NDArray[np.float64]:
    """Cost of each state of a step after each of the step before, ``[before, after]``."""
    cost = np.array([[_progression_cost(a, b) for b in chords] for a in chords])[before.chord][:, after.chord]
    start, end = before.voices[:, None, :], after.voices[None, :, :]
    move = end - start
    cost = cost + 0.07 * np.abs(move[..., 1:3]).sum(axis=-1) + 0.03 * np.abs(move[..., 0])
    cost += 2.0 * (np.abs(move[..., 1:3]) > 5).sum(axis=-1) + 1.5 * (np.abs(move[..., :3]) == 6).sum(axis=-1)
    cost += 1.0 * (np.abs(move[..., 0]) > 7) + FORBIDDEN * (np.abs(move[..., 0]) > 12)
    cost += 0.4 * (move[..., 0] == 0) + 0.15 * (move[..., 1:3] == 0).sum(axis=-1)
    for low, high in combinations(range(4), 2):
        gap = (end[..., high] - end[..., low]) % 12
        same = gap == (start[..., high] - start[..., low]) % 12
        cost += FORBIDDEN * (same & np.isin(gap, (0, 7)) & (move[..., low] != 0) & (move[..., high] != 0))
        if high == low + 1:
            cost += 3.0 * ((end[..., low] > start[..., high]) | (end[..., high] < start[..., low]))
    gap = (end[..., 3] - end[..., 0]) % 12
    together = np.sign(move[..., 0]) * np.sign(move[..., 3]) > 0
    cost += 2.0 * (np.isin(gap, (0, 7)) & together & (np.abs(move[..., 3]) > 2))
    return cost + _resolution_costs(before, move, chords)


def _progression_cost(first: Chord, second: Chord) -> float:
    """Cost of one chord after another: root movement, and dominants that do not go where they lead."""
    rise = (second.tones[0] - first.tones[0]) % 12
    cost = ROOT_MOVES[rise]
    if first.name.startswith(("V/", "V7/")) or first.name == "VII7":
        return cost + (0.0 if rise == 5 else 4.0)
    if first.name in ("V", "V7"):
        soft = 1.0 if rise in (1, 2) else 1.5
        seventh = 2.0 if first.name == "V7" and second.name != "V7" else 0.0
        return cost + (0.0 if rise in (0, 5) else soft + seventh)
    if first.name == "vii°":
        return cost + (0.0 if rise == 1 else 2.5)
    return cost


def _resolution_costs(
    before: States, move: NDArray[np.int64], chords: tuple[Chord, ...]
) -> NDArray[np.float64]:
    """Below the soprano, leading notes go up a step or stay, and sevenths go down a step or stay."""
    cost = np.zeros(move.shape[:2])
    leads = np.array([len(c.tones) == 4 or c.name.startswith(("V", "vii")) for c in chords])[before.chord]
    with_seventh = np.array([len(c.tones) == 4 for c in chords])[before.chord]
    above_root = (before.voices - before.root[:, None]) % 12
    for voice in range(3):
        third = leads & (above_root[:, voice] == 4)
        cost += 1.2 * (third[:, None] & ~np.isin(move[..., voice], (0, 1)))
        seventh = with_seventh & (above_root[:, voice] == 10)
        cost += 3.0 * (seventh[:, None] & ~np.isin(move[..., voice], (0, -1, -2)))
    return cost
