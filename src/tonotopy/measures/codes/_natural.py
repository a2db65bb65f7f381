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


def moved(codes: Codes, segment: NDArray[np.integer] | None, rng: np.random.Generator) -> Codes:
    """Codes of one piece moved against its sound: segments in another order, or a circular shift without segments.

    Frames are in the order of time. Whole segments move, since codes and sounds both persist: shuffled frames would
    credit codes for persisting.
    """
    n = len(codes)
    if segment is None:
        least = int(np.ceil(LEAST_SHIFT * n))
        return np.roll(codes, int(rng.integers(least, max(least + 1, n - least))), axis=0) if n > 1 else codes
    edges = np.flatnonzero(np.diff(np.asarray(segment), prepend=np.asarray(segment)[:1] - 1))
    parts = np.split(codes, edges[1:])
    return np.concatenate([parts[k] for k in rng.permutation(len(parts))])
