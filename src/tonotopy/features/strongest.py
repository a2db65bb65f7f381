"""The frames at which a feature is strongest, balanced over pieces (SPEC § 5)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Fragments of one piece, at most.
PER_PIECE = 2
#: Features that are looked at together.
AT_A_TIME = 256


def strongest(
    values: NDArray[np.floating],
    piece: NDArray[np.int64],
    start: NDArray[np.int64],
    *,
    apart: int,
    per_piece: int = PER_PIECE,
) -> NDArray[np.int64]:
    """Indices of the strongest frames of each feature: the same number from each piece, never two of one moment.

    Parameters
    ----------
    values : ``[frame, feature]``; strong is large, so a feature of both signs is two features
    piece : ``[frame]``
    start : ``[frame]``, where a frame begins in its piece, samples
    apart : samples between the beginnings of two frames of one piece, at least

    Returns
    -------
    ``[feature, fragment]``, fragments piece by piece; -1 where a piece has no further frame

    Examples
    --------
    >>> values = np.array([[1.0], [5.0], [4.0], [2.0], [9.0]])
    >>> strongest(values, np.array([0, 0, 0, 0, 1]), np.array([0, 10, 20, 40, 0]), apart=15).tolist()
    [[1, 3, 4, -1]]
    """
    numbers = np.unique(piece)
    found = np.full((values.shape[1], per_piece * len(numbers)), -1, np.int64)
    for k, number in enumerate(numbers):
        rows = np.flatnonzero(piece == number)
        places = np.asarray(start)[rows]
        for first in range(0, values.shape[1], AT_A_TIME):
            own = np.array(values[rows, first : first + AT_A_TIME], dtype=np.float32)
            for turn in range(per_piece):
                best = own.argmax(axis=0)
                taken = np.isfinite(np.take_along_axis(own, best[None], axis=0)[0])
                column = k * per_piece + turn
                found[first : first + AT_A_TIME, column] = np.where(taken, rows[best], -1)
                own[np.abs(places[:, None] - places[best][None]) < apart] = -np.inf
    return found
