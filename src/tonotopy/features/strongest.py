"""The frames at which a feature is strongest, balanced over pieces (SPEC § 5)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Fragments of one piece, at most.
PER_PIECE = 2


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
    apart : samples that lie between two frames of one piece, at least

    Returns
    -------
    ``[feature, fragment]``, fragments piece by piece; -1 where a piece has no further frame.

    Examples
    --------
    >>> values = np.array([[1.0], [5.0], [4.0], [2.0], [9.0]])
    >>> strongest(values, np.array([0, 0, 0, 0, 1]), np.array([0, 10, 20, 40, 0]), apart=15).tolist()
    [[1, 3, 4, -1]]
    """
    found = []
    for number in np.unique(piece):
        rows = np.flatnonzero(piece == number)
        own = np.array(values[rows], dtype=np.float32)
        places = np.asarray(start)[rows]
        for _ in range(per_piece):
            best = own.argmax(axis=0)
            taken = np.isfinite(np.take_along_axis(own, best[None], axis=0)[0])
            found.append(np.where(taken, rows[best], -1))
            near = np.abs(places[:, None] - places[best][None]) < apart
            own[near] = -np.inf
    return np.stack(found, axis=1)
