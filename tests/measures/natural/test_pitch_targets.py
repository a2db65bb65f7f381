"""The control task keeps everything of pitch but its sense: times of change, how many sound, and one answer a chord."""

from __future__ import annotations

import numpy as np
import pytest
from tests.measures.natural.planted_pitches import chords

from tonotopy.core.errors import InputError
from tonotopy.measures.natural.pitch_targets import TYPES, control, labels_of, shifted, types

LABELS = [labels_of(chords(seed)) for seed in range(6)]


def test_a_type_keeps_its_labels_in_all_pieces() -> None:
    """Control labels are a function of the type, of all three tasks at once, and are labels of some moment."""
    kind, _ = types(LABELS)
    found = control(LABELS, seed=0)
    told: dict[int, tuple[bytes, bytes, float]] = {}
    moments = {one.notes[row].tobytes() for one in LABELS for row in range(len(one.height))}
    for own, of in zip(found, kind, strict=True):
        for row, number in enumerate(of.tolist()):
            height = float(np.nan_to_num(own.height[row]))
            labels = own.classes[row].tobytes(), own.notes[row].tobytes(), height
            assert told.setdefault(number, labels) == labels
            assert own.notes[row].tobytes() in moments
    assert len(told) > 20


def test_types_are_the_commonest_sets_or_near_them() -> None:
    """A common set is its own type; every other moment goes to a set that differs least."""
    kind, sizes = types(LABELS)
    assert len(sizes) == TYPES
    sets = {}
    for one, of in zip(LABELS, kind, strict=True):
        for row, number in enumerate(of.tolist()):
            sets.setdefault(number, []).append(one.classes[row])
    for number, members in sets.items():
        exact = [m for m in members if m.sum() == sizes[number]]
        assert exact
    counts = np.bincount(np.concatenate(kind))
    assert counts[0] >= np.median(counts)


def test_where_nothing_sounds_nothing_does_and_as_much_sounds_as_before() -> None:
    """How many classes sound is nearly that of the real labels; silence stays silent; sets are others."""
    found = control(LABELS, seed=0)
    real, given = (np.concatenate([one.classes for one in labels]) for labels in (LABELS, found))
    silent = ~real.any(axis=1)
    assert silent.any()
    assert not given[silent].any()
    many, wrong = real.sum(axis=1), given.sum(axis=1)
    assert np.corrcoef(many, wrong)[0, 1] > 0.75
    kind, _ = types(LABELS)
    assert (given != real)[~silent].any(axis=1).mean() > 0.95
    assert sum(map(len, kind)) == len(real)


def test_shifted_labels_are_those_of_another_moment() -> None:
    """The same labels in each piece, in the same order but for where it begins."""
    for own, real in zip(shifted(LABELS, seed=0), LABELS, strict=True):
        n = len(real.height)
        by = [k for k in range(n) if np.array_equal(np.roll(real.notes, -k, axis=0), own.notes)]
        assert by
        assert n / 4 - 1 <= by[0] <= 3 * n / 4


def test_no_piece_is_refused() -> None:
    """There is nothing to draw from."""
    with pytest.raises(InputError, match="at least 1 piece"):
        control([], seed=0)
