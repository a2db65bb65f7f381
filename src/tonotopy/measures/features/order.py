"""Tonotopic order: whether features lie along an ordering as their best frequencies do, and how much they cover.

- *order* = Spearman's rank correlation of best frequency with place in the ordering, over features that pass or
  detect. Null: the features in random order; two-sided.
- *coverage* = share of the grid within :data:`COVERED_ERB` of the best frequency of a partial feature. Null: as many
  best frequencies drawn from those of random directions at the same site; one-sided, more coverage. Not drawn evenly:
  a site answers more to some frequencies than to others, and whatever reads it has its best frequencies there. Nor
  from shuffled labels: these leave no partial feature, and no coverage to compare with.

A p value is (1 + draws at least as extreme) / (1 + draws).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonotopy.anatomy.order import FEWEST, spatial_order
from tonotopy.core.errors import InputError
from tonotopy.measures.features.responses import Floats
from tonotopy.signal import erb

#: A frequency is covered by a best frequency so near (ERB).
COVERED_ERB = 1.0
#: Draws of each null.
DRAWS = 999


@dataclass(frozen=True)
class TonotopicOrder:
    """Order and coverage of a set of features; NaN is undefined."""

    ordered: int  # features whose order is measured
    order: float  # -1 to 1
    order_p: float
    partials: int  # features that cover
    coverage: float  # 0 to 1
    coverage_null: float  # mean of the draws
    coverage_p: float


def tonotopic_order(
    best_hz: Floats,
    grid_hz: Floats,
    *,
    ordered: NDArray[np.bool_],
    partials: NDArray[np.bool_],
    null_hz: Floats,
    place: ArrayLike | None = None,
    seed: int = 0,
    draws: int = DRAWS,
) -> TonotopicOrder:
    """Order and coverage, each with its null.

    Parameters
    ----------
    best_hz : of every feature, ``[feature]``
    ordered : features that pass or detect, ``[feature]``
    partials : features that answer to one partial, ``[feature]``
    null_hz : best frequencies of random directions at the site, ``[direction]``
    place : of each feature along the ordering, ``[feature]``; its number where absent

    Raises
    ------
    InputError
        The arrays are of different numbers of features.

    Examples
    --------
    >>> grid = erb.grid(8, 16_000)
    >>> every = np.ones(8, bool)
    >>> found = tonotopic_order(grid, grid, ordered=every, partials=every, null_hz=grid[:2])
    >>> found.order, found.order_p < 0.01, found.coverage, round(found.coverage_null, 1)
    (1.0, True, 1.0, 0.2)
    """
    along = np.arange(len(best_hz)) if place is None else np.asarray(place)
    if not len(best_hz) == len(ordered) == len(partials) == len(along):
        came = f"{len(best_hz)}, {len(ordered)}, {len(partials)} and {len(along)}"
        raise InputError("best_hz, ordered, partials and place of one length", came)
    rng = np.random.default_rng([seed, 59])
    chosen = np.flatnonzero(ordered & np.isfinite(best_hz))
    peaks = best_hz[chosen[np.argsort(along[chosen], kind="stable")]]
    order = order_p = float("nan")
    if len(peaks) >= FEWEST and np.ptp(peaks) > 0:
        order = spatial_order(peaks)
        null = np.array([spatial_order(rng.permutation(peaks)) for _ in range(draws)])
        order_p = float((1 + np.sum(np.abs(null) >= abs(order) - 1e-12)) / (1 + draws))
    own = best_hz[partials & np.isfinite(best_hz)]
    covered = coverage(own[None], grid_hz)[0]
    pool = null_hz[np.isfinite(null_hz)]
    mean = p = float("nan")
    if len(own) and len(pool):
        drawn = coverage(rng.choice(pool, (draws, len(own))), grid_hz)
        mean = float(drawn.mean())
        p = float((1 + np.sum(drawn >= covered - 1e-12)) / (1 + draws))
    return TonotopicOrder(len(peaks), order, order_p, len(own), float(covered), mean, p)


def coverage(best_hz: Floats, grid_hz: Floats) -> Floats:
    """Share of a grid near any of some frequencies, ``[draw, feature]`` to ``[draw]``.

    Examples
    --------
    >>> coverage(np.array([[55.0, 60.0]]), np.array([55.0, 1000.0])).tolist()
    [0.5]
    """
    rates, found = np.asarray(erb.rate(best_hz)), np.zeros(len(best_hz))
    for rate in erb.rate(grid_hz):
        found += np.any(np.abs(rates - rate) <= COVERED_ERB + 1e-9, axis=1)
    return found / len(grid_hz)
