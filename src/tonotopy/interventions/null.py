"""The own direction beside random ones: p, the least p there can be, what random ones reach, and how much they differ.

Random directions are drawn with the own one's variance. Where that is all but the largest variance there is, they are
all but the own direction itself, and what they do is no null: everything but their mean is then NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonotopy.interventions.controls import OWN, RANDOM
from tonotopy.interventions.pieces import p_value

#: Random directions whose median abs(cos) with the own one is above this are the own one.
ALIKE = 0.9

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Null:
    """One value a column, ``[column]``."""

    p: Floats  # (1 + random directions that reach as much) / (1 + random directions)
    p_least: Floats  # 1 / (1 + random directions)
    mean: Floats  # over random directions
    high: Floats  # the most that a random direction reaches
    cosine: Floats  # median abs(cos) of random directions with the own one


def null_of(
    values: Floats, direction: Sequence[str], cosine: Floats, asked: NDArray[np.bool_] | None = None
) -> Null:
    """Set the own direction's values beside those of the random ones.

    Parameters
    ----------
    values : ``[direction, column]``
    direction : names
    cosine : abs(cos) of each direction with the own one, ``[direction]``
    asked : which were measured, ``[direction, column]``; all where absent

    Examples
    --------
    >>> names = ["own", "random 0", "random 1", "random 2"]
    >>> found = null_of(np.array([[3.0], [1.0], [2.0], [4.0]]), names, np.array([1.0, 0.1, 0.0, 0.2]))
    >>> found.p.tolist(), found.p_least.tolist(), found.high.tolist()
    ([0.5], [0.25], [4.0])
    """
    random = np.array([name.split(" ")[0] == RANDOM for name in direction], dtype=bool)
    measured = np.ones(values.shape, dtype=bool) if asked is None else asked
    columns = values.shape[1]
    p, least, mean, high, alike = (np.full(columns, np.nan) for _ in range(5))
    for k in range(columns):
        rows = random & measured[:, k]
        if not rows.any():
            continue
        mean[k], alike[k] = values[rows, k].mean(), np.median(cosine[rows])
        if alike[k] > ALIKE:
            continue
        high[k], least[k] = values[rows, k].max(), 1 / (1 + rows.sum())
        if OWN in direction:
            p[k] = p_value(values[direction.index(OWN), k], values[rows, k])
    return Null(p, least, mean, high, alike)
