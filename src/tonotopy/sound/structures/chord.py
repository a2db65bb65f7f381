"""The chord: three notes of a quality and a root, in any voicing, inversion and timbre, and its foils.

A target is a set of three pitch classes: one of five qualities on one of twelve roots (augmented triads have
four distinct ones). Its notes are put into random octaves between C3 and B5, so that inversion and spacing
change from trial to trial; all have one random envelope. A foil is the same notes in another chord: of all
chords that share two pitch classes with the target one is drawn, the shared notes stay where they are, and the
third moves to the nearest place that makes the foil. Level and envelope are the target's. Whoever listens for
one or two of the notes hears them in the foil too.

An item's coordinate is its number in :data:`CATALOGUE`. Near is the chord itself; every other chord is a bin.
Whatever number of chords a study has on its grid, the far region counts ten times as wide as the near one, as
on the axis of partials.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tonotopy.sound.music import LevelFunction
from tonotopy.sound.structures._contract import FAR_WIDTH, Floats, Items, Relation, Role, Structure, Voice
from tonotopy.sound.structures._harmonic import Envelope, Notes, drowns

NAMES = ("chord",)
CITATION = "SPEC of tonotopy, § 3"
LICENCE = "MIT"

#: Semitones above the root, and how many roots are distinct.
QUALITIES = {
    "maj": ((0, 4, 7), 12),
    "min": ((0, 3, 7), 12),
    "dim": ((0, 3, 6), 12),
    "sus4": ((0, 5, 7), 12),
    "aug": ((0, 4, 8), 4),
}
ROOTS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
#: Every chord: quality, root, pitch classes.
CATALOGUE = tuple(
    (quality, root, frozenset((root + step) % 12 for step in steps))
    for quality, (steps, roots) in QUALITIES.items()
    for root in range(roots)
)
#: Grids of up to so many targets are spread over the first so many chords: major and minor; all but augmented.
SPREADS = (24, 48, len(CATALOGUE))
#: Lowest note (MIDI) and octaves of the voicings; detuning of all notes of a trial, in cents.
LOWEST_MIDI = 48
OCTAVES = 3
DETUNING_CENTS = 20.0
#: Probes: the same quality a fifth above or below, the same root in another quality, the relative chord.
N_PROBES = 4
PARALLEL = {"maj": "min", "min": "maj", "dim": "min", "sus4": "maj", "aug": "maj"}
#: What tells major from minor is a semitone; here, in Hz, at the middle of the voicings (F#4).
SEMITONE_HZ = 370.0 * (2 ** (1 / 12) - 1)


def shared(a: float, b: float) -> int:
    """Number of pitch classes that two chords share."""
    return len(CATALOGUE[int(a)][2] & CATALOGUE[int(b)][2])


def relatives(target: float) -> list[int]:
    """Numbers of the other chords that share two pitch classes with a target."""
    return [k for k in range(len(CATALOGUE)) if k != int(target) and shared(target, k) == 2]


def number(quality: str, root: int) -> int:
    """Number of a chord in the catalogue."""
    root %= QUALITIES[quality][1]
    return next(k for k, (q, r, _) in enumerate(CATALOGUE) if (q, r) == (quality, root))


class Chord(Structure):
    """Triads in random voicings."""

    name = "chord"
    plural = "chords"
    in_hz = False
    n_probes = N_PROBES
    chance_specificity = 1 / (1 + FAR_WIDTH)

    def targets(self, n: int, sample_rate_hz: int) -> Floats:
        """Spread over major and minor triads; with more than 24 diminished and suspended ones, then augmented."""
        size = next((size for size in SPREADS if n <= size), SPREADS[-1])
        return np.unique(np.linspace(0, size - 1, min(n, size)).round())

    def label(self, item: float) -> str:
        """Root and quality."""
        quality, root, _ = CATALOGUE[int(item)]
        return f"{ROOTS[root]} {quality}"

    def draw_foil(
        self, target: float, sample_rate_hz: int, *, rng: np.random.Generator, on_grid: int | None = None
    ) -> float:
        """A chord that shares two notes with the target."""
        choices = relatives(target)
        if on_grid is not None:
            grid = self.targets(on_grid, sample_rate_hz)
            choices = [k for k in choices if k in grid] or [int(k) for k in grid if k != target]
        return float(rng.choice(choices))

    def probe(self, target: float, turn: int, sample_rate_hz: int) -> float:
        """A related chord: transposed by a fifth up or down, parallel, or the first of the relatives."""
        quality, root, _ = CATALOGUE[int(target)]
        kind = turn % N_PROBES
        if kind < 2:
            return float(number(quality, root + (7, 5)[kind]))
        if kind == 2:
            return float(number(PARALLEL[quality], root))
        parallel = number(PARALLEL[quality], root)
        return float(next(k for k in relatives(target) if k != parallel))

    def probe_kind(self, probe: Floats, target: Floats) -> NDArray[np.int64]:
        """Which of the related chords it is."""
        kinds = [
            [self.probe(t, turn, 0) for turn in range(N_PROBES)].index(p)
            for p, t in zip(probe, target, strict=True)
        ]
        return np.array(kinds, dtype=np.int64)

    def neighbour(self, target: float, sign: int, sample_rate_hz: int) -> float:
        """The same quality a tritone away: a chord that shares no note, or as few as there can be."""
        quality, root, _ = CATALOGUE[int(target)]
        return float(number(quality, root + 6))

    def is_near(self, items: Floats, target: float) -> NDArray[np.bool_]:
        """The chord itself."""
        return np.asarray(items == target)

    def relation(self, items: Floats, targets: Floats, sample_rate_hz: int) -> Relation:
        """Near is the chord itself; every other chord is a bin of its own."""
        near = items[:, None] == targets[None, :]
        bins = np.where(near, -1, items[:, None].astype(np.int64))
        one = np.ones(len(targets))
        return Relation(near, np.asarray(bins, dtype=np.int64), one, FAR_WIDTH * one)

    def tuning(self, items: Floats, target: float) -> Floats:
        """1 for the chord itself."""
        return np.asarray(items == target, dtype=np.float64)

    def out_of_band(self, levels: LevelFunction, targets: Floats, sample_rate_hz: int) -> NDArray[np.bool_]:
        """A note in the middle of the voicings has fewer than three harmonics that stand out of the dither."""
        middle = midi_hz(LOWEST_MIDI + 6 * OCTAVES)
        return np.full(len(targets), drowns(levels, middle, sample_rate_hz))

    def resolvable(self, targets: Floats, sample_rate_hz: int, view: int) -> NDArray[np.bool_]:
        """A semitone in the middle of the voicings is at least one over the view."""
        return np.full(len(targets), sample_rate_hz / view <= SEMITONE_HZ)

    def voice(
        self, items: Items, levels: LevelFunction, sample_rate_hz: int, *, rng: np.random.Generator
    ) -> Voice:
        """One voicing, detuning and envelope; the other items move as few notes as they can."""
        detuning = rng.uniform(-DETUNING_CENTS, DETUNING_CENTS) / 100
        octave = rng.integers(0, OCTAVES, 3)
        classes = sorted(CATALOGUE[int(items.target)][2])
        voiced = [LOWEST_MIDI + c + 12 * int(o) for c, o in zip(classes, octave, strict=True)]
        roles: tuple[Role, ...] = ("target", "foil", "neighbour", "probe")
        notes: dict[Role, tuple[float, ...]] = {
            role: tuple(midi_hz(note + detuning) for note in revoiced(voiced, items[role]))
            if np.isfinite(items[role])
            else ()
            for role in roles
        }
        return Notes(notes, Envelope(levels, rng=rng), sample_rate_hz, every_octave=True)


def revoiced(notes: list[int], item: float) -> list[int]:
    """Another chord with as few notes moved, and as little, as can be; MIDI numbers."""
    wanted = set(CATALOGUE[int(item)][2])
    kept = [note for note in notes if note % 12 in wanted]
    moving = [note for note in notes if note % 12 not in wanted]
    missing = sorted(wanted - {note % 12 for note in kept})
    for note, place in zip(moving, missing, strict=True):
        nearest = note + (place - note + 6) % 12 - 6
        lowest, highest = LOWEST_MIDI, LOWEST_MIDI + 12 * OCTAVES - 1
        kept.append(nearest + 12 * (nearest < lowest) - 12 * (nearest > highest))
    return sorted(kept)


def midi_hz(midi: float) -> float:
    """Frequency of a MIDI note number, A4 = 440 Hz."""
    return float(440.0 * 2 ** ((midi - 69) / 12))


STRUCTURE = Chord()
