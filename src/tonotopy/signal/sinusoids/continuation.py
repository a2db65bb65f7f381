"""Which peaks belong together: links between frames, labels of the chains they form.

After R. J. McAulay and T. F. Quatieri, IEEE Trans. ASSP 34, 744-754 (1986), whose peaks are matched to the
nearest in frequency, frame by frame and in order of frequency. Deviations: distance is in ERB-rate units and
counts the step in level; candidates are the next above and the next below; a match holds when each of the two
is the other's best choice, then again among those still free, so that the order does not matter; and as such
matches depend on two frames only, all pairs of frames are matched at once. Gaps are bridged by matching the
ends of chains to later beginnings.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tonotopy.signal import erb

_ROUNDS = 2
_LEVEL_DB = 12.0  # a step of level that weighs as much as the largest step of frequency
_STRIDE = 1e3  # ERB-rate units between frames on the common axis: more than any frequency has

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def chains(frame: Ints, frequency_hz: Floats, amplitude: Floats, *, jump_erb: float, gap_frames: int) -> Ints:
    """A label ``[peak]`` for each peak, equal for those of one track; numbers are of no meaning.

    ``frame``, ``frequency_hz`` and ``amplitude`` are sorted by (frame, frequency).
    """
    place, level_db = erb.rate(frequency_hz), 20 * np.log10(amplitude)
    following = np.full(len(frame), -1)
    preceding = np.full(len(frame), -1)
    for step in range(1, gap_frames + 2):
        ends, starts = np.flatnonzero(following < 0), np.flatnonzero(preceding < 0)
        one, other = match(
            (frame[ends] + step, place[ends], level_db[ends]),
            (frame[starts], place[starts], level_db[starts]),
            jump_erb,
        )
        following[ends[one]] = starts[other]
        preceding[starts[other]] = ends[one]
    root = np.where(preceding < 0, np.arange(len(frame)), preceding)
    while not np.array_equal(further := root[root], root):
        root = further
    return root


def match(
    left: tuple[Ints, Floats, Floats], right: tuple[Ints, Floats, Floats], jump_erb: float
) -> tuple[Ints, Ints]:
    """Pairs of rows of equal frame, one from each side: best choices of each other among those still free.

    Each side is (frame, ERB-rate, level in dB), sorted by the first two.
    """
    pairs = []
    free_left, free_right = np.arange(len(left[0])), np.arange(len(right[0]))
    for _ in range(_ROUNDS):
        one, other = _mutual(
            [column[free_left] for column in left], [column[free_right] for column in right], jump_erb
        )
        if not len(one):
            break
        pairs.append((free_left[one], free_right[other]))
        free_left, free_right = _without(free_left, one), _without(free_right, other)
    empty = np.empty(0, np.int64)
    return (
        np.concatenate([empty, *(a for a, _ in pairs)]),
        np.concatenate([empty, *(b for _, b in pairs)]),
    )


def _without(rows: Ints, taken: Ints) -> Ints:
    """The rows at places that are not taken."""
    free = np.ones(len(rows), np.bool_)
    free[taken] = False
    return rows[free]


def _mutual(left: list[NDArray], right: list[NDArray], jump_erb: float) -> tuple[Ints, Ints]:  # type: ignore[type-arg]
    """Rows that choose each other."""
    if not len(left[0]) or not len(right[0]):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    # Between sentinels, so that every candidate exists; another frame is too far away to be chosen.
    axis = np.concatenate([[-np.inf], right[0] * _STRIDE + right[1], [np.inf]])
    level = np.concatenate([[0.0], right[2], [0.0]])
    place = left[0] * _STRIDE + left[1]
    above = np.searchsorted(axis, place)
    chosen = np.zeros(len(place), np.int64)
    least = np.full(len(place), np.inf)
    best = np.full(len(axis), np.inf)
    for there in (above - 1, above):
        step = np.abs(axis[there] - place) / jump_erb
        cost = np.where(step <= 1, step + np.abs(level[there] - left[2]) / _LEVEL_DB, np.inf)
        nearer = cost < least
        chosen[nearer], least[nearer] = there[nearer], cost[nearer]
        np.minimum.at(best, there, cost)
    agreed = np.flatnonzero((chosen > 0) & (least == best[chosen]))
    # Two rows may cost the same: the first has it.
    winner = np.full(len(axis), -1)
    winner[chosen[agreed[::-1]]] = agreed[::-1]
    agreed = agreed[winner[chosen[agreed]] == agreed]
    return agreed, chosen[agreed] - 1
