"""What measures on natural sound share: checked codes of one piece, and codes moved in time within it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError

Codes = NDArray[np.int64]

#: Groups that pieces are dealt to, for intervals: memory does not grow with pieces.
GROUPS: Final = 8
#: The least shift of codes against sound, as a share of the piece.
LEAST_SHIFT: Final = 0.1
#: Fewer segments than this have fewer other orders than a null has draws: their codes are shifted.
LEAST_SEGMENTS: Final = 4


def checked(codes: NDArray[np.integer], n_stages: int, n_codes: int) -> Codes:
    """Codes ``[frame, stage]`` of one piece.

    Raises
    ------
    InputError
        Another shape, no whole numbers, or a number that no code has.
    """
    found = np.asarray(codes)
    expected = f"codes [frame, {n_stages}] from 0 to {n_codes - 1}"
    if found.ndim != 2 or found.shape[1] != n_stages or found.dtype.kind not in "iu":
        raise InputError(expected, f"{found.dtype} {found.shape}", "activations, or stages left out")
    if found.size and (found.min() < 0 or found.max() >= n_codes):
        raise InputError(expected, f"{found.min()} to {found.max()}", "codes of another quantiser")
    return found.astype(np.int64, copy=False)


def refuse_again(known: set[int], more: set[int]) -> None:
    """Refuse pieces that were counted before.

    Raises
    ------
    InputError
        Some of ``more`` are known.
    """
    if again := sorted(known & more):
        came = f"{', '.join(map(str, again[:5]))} again"
        raise InputError("pieces that were not counted yet", came, "the same shard twice")


def moved(codes: Codes, segment: NDArray[np.integer] | None, rng: np.random.Generator) -> Codes:
    """Codes of one piece moved against its sound: segments in another order, or a circular shift.

    Frames are in the order of time. Whole segments move, since codes and sounds both persist: shuffled frames would
    credit codes for persisting. Codes are shifted where there are no segments, or fewer than :data:`LEAST_SEGMENTS`.
    They never stay where they are, unless there is but one frame.
    """
    n = len(codes)
    edges = np.zeros(0, np.int64)
    if segment is not None and n:
        edges = np.flatnonzero(np.diff(np.asarray(segment), prepend=np.asarray(segment)[:1] - 1))
    if len(edges) < LEAST_SEGMENTS:
        least = int(np.ceil(LEAST_SHIFT * n))
        return np.roll(codes, int(rng.integers(least, max(least + 1, n - least))), axis=0) if n > 1 else codes
    parts = np.split(codes, edges[1:])
    order = rng.permutation(len(parts))
    while np.array_equal(order, np.arange(len(parts))):
        order = rng.permutation(len(parts))
    return np.concatenate([parts[k] for k in order])
