"""How items lie to targets on a line: near and far, and bins of what is far.

Conventions: places are on the structure's own scale (ERB-rate for partials, semitones for pitches), on which
near means within ``near`` and bins are one wide.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonotopy.sound.structures._contract import Floats, Relation

#: Width of a bin of far responses.
BIN = 1.0


def relation(places: Floats, targets: Floats, low: float, high: float, *, near: float) -> Relation:
    """How items at ``places`` ``[row]`` lie to ``targets`` ``[target]`` on a range from ``low`` to ``high``."""
    distance = places[:, None] - targets[None, :]
    near_width = np.minimum(targets + near, high) - np.maximum(targets - near, low)
    return Relation(
        near=np.abs(distance) <= near,
        bins=far_bins(distance, low, high, targets, near=near),
        near_width=near_width,
        far_width=(high - low) - near_width,
    )


def far_bins(
    distance: NDArray[Any], low: float, high: float, targets: NDArray[Any], *, near: float
) -> NDArray[np.int64]:
    """Number of the bin of every item beyond ``near``, ``[row, target]``; -1 for the near ones.

    Even numbers lie below the target, odd ones above; a last bin of under half a width joins its neighbour.
    """
    bins = np.full(distance.shape, -1, dtype=np.int64)
    for parity, (side, room) in enumerate(((-1, targets - low), (1, high - targets))):
        offset = side * distance
        last = np.maximum(np.ceil((room - near) / BIN) - 1, 0)
        remainder = room - near - last * BIN
        last = np.where((remainder < BIN / 2) & (last > 0), last - 1, last)
        number = np.minimum(np.floor((offset - near) / BIN), last[None, :]).astype(np.int64)
        bins = np.where(offset > near, 2 * number + parity, bins)
    return bins
