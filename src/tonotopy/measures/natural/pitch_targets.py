"""What is to be decoded of pitch, and the same with its sense taken away: control task and shifted labels.

The *control task* (J. Hewitt and P. Liang, "Designing and interpreting probes with control tasks", EMNLP 2019) gives
each type of moment the labels of a moment of another type, drawn once. A type is a set of pitch classes that sound
together: the `TYPES` commonest, to the nearest of which (by classes that differ) every moment belongs. The same
chord has the same wrong labels in all pieces, and labels change when chords change. Deviation from the source: the
moment is drawn among those with as many pitch classes, and where nothing sounds nothing does, so that whatever tells
how much sounds, above all loudness, reads the control task as well as the real one.

*Shifted* labels are those of another moment of the same piece, a quarter to three quarters of the piece away: they
come and go as the labels do, and have lost the moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.recording.pitches import Pitches

Ints = NDArray[np.int64]

TYPES: Final = 64
_BITS: Final = 1 << np.arange(12)


@dataclass(frozen=True)
class Labels:
    """Labels of one piece, on the grid of its pitches."""

    classes: NDArray[np.bool_] = field(repr=False)  # [time, 12]
    notes: NDArray[np.bool_] = field(repr=False)  # [time, note]
    height: NDArray[np.float64] = field(repr=False)  # [time], MIDI number of the lowest note, NaN where none

    def at(self, rows: Ints) -> Labels:
        """The labels of some moments."""
        return Labels(self.classes[rows], self.notes[rows], self.height[rows])


def joined(parts: Sequence[Labels]) -> Labels:
    """Labels of several stretches, one after the other."""
    names = ("classes", "notes", "height")
    return Labels(*(np.concatenate([getattr(one, name) for one in parts]) for name in names))


def labels_of(pitches: Pitches) -> Labels:
    """Labels of a piece as they are."""
    return Labels(pitches.classes, pitches.notes, pitches.height)


def shifted(labels: Sequence[Labels], *, seed: int) -> list[Labels]:
    """Labels of each piece shifted circularly within it."""
    found = []
    for piece, one in enumerate(labels):
        n = len(one.height)
        by = int(np.random.default_rng([seed, piece, 43]).uniform(0.25, 0.75) * n)
        found.append(one.at((np.arange(n) + by) % n))
    return found


def control(labels: Sequence[Labels], *, seed: int) -> list[Labels]:
    """Labels of the control task.

    Raises
    ------
    InputError
        For no piece.
    """
    if not labels:
        raise InputError("labels of at least 1 piece", "none")
    kind, sizes = types(labels)
    every, of = joined(labels), np.concatenate(kind)
    size = every.classes.sum(axis=1)
    rng = np.random.default_rng([seed, 59])
    given = np.zeros(len(sizes), np.int64)
    for number, wanted in enumerate(sizes):
        # Drawn from moments, not from types: common labels stay common.
        others = np.flatnonzero((of != number) & (size > 0)) if wanted else np.flatnonzero(of == number)
        if not len(others):
            others = np.flatnonzero(of == number)
        distance = np.abs(size[others] - wanted)
        given[number] = rng.choice(others[distance == distance.min()])
    return [every.at(given[own]) for own in kind]


def types(labels: Sequence[Labels]) -> tuple[list[Ints], Ints]:
    """The type of each moment of each piece ``[time]``, 0 the commonest; how many classes each has, ``[type]``."""
    codes = [one.classes @ _BITS for one in labels]
    found, count = np.unique(np.concatenate(codes), return_counts=True)
    common = found[np.argsort(-count, kind="stable")][:TYPES]
    nearest = np.bitwise_count(found[:, None] ^ common).argmin(axis=1)  # of several the commonest
    return [nearest[np.searchsorted(found, own)] for own in codes], np.bitwise_count(common).astype(np.int64)
