"""Which moment a frame tells of: some are tried, as delays before the end of its view, and one is chosen."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonotopy.measures.natural.moments import Array

#: Parts of the span before the end of the view that may be the moment of a frame.
MOMENTS: Final = (0.5, 0.0, 0.125, 0.25, 0.75, 1.0)


def delays(span: int, step: float) -> Array:
    """Moments of a frame as samples before the end of its view, the middle first, ``[delay]``.

    Those nearer than half a step of the lanes, ``step`` samples, to another are left out.

    Examples
    --------
    >>> delays(1600, 160.0).tolist(), delays(64, 160.0).tolist()
    ([800.0, 0.0, 200.0, 400.0, 1200.0, 1600.0], [32.0])
    """
    kept: list[float] = []
    for moment in MOMENTS:
        if all(abs(moment * span - other) >= step / 2 for other in kept):
            kept.append(moment * span)
    return np.array(kept)


def best_delay(share: Array, defined: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The number of the delay that reads most on average over bands, ``[block]``.

    From shares of variance ``[block, penalty, delay, band]``, each at its best penalty, over the bands that are
    ``defined``, ``[band]``; the first delay where none is.
    """
    if not defined.any():
        return np.zeros(len(share), np.int64)
    return np.asarray(share.max(axis=1)[:, :, defined].mean(axis=2).argmax(axis=1))
