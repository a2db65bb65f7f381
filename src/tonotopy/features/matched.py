"""A measured value against those of random directions at the same place.

What features measure depends on where they are: bass fits itself better than treble. So a value is set against the
:data:`MATCHED` nearest random directions, less a straight line through them, in units of their spread: a studentised
residual. Each random direction is set against its own neighbours in the same way, itself left out, and the p value
of a feature is its rank among the residuals of all of them. Ranked among its neighbours alone, no p could be below
1 / (1 + MATCHED), and no false discovery rate be kept among many features.

A feature outside of what random directions reach is compared with those at the edge: a line reaches no further than
its points.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

#: Neighbours with which a value is compared.
MATCHED = 99
#: Places beyond this share of random directions at either end count as being there.
EDGE = 0.005
#: Smaller spreads and differences than this are rounding.
ROUNDING = 1e-6


@dataclass(frozen=True)
class Against:
    """Values with their null, ``[feature]``; NaN is undefined."""

    expected: NDArray[np.float64] = field(repr=False)  # of random directions at the place
    residual: NDArray[np.float64] = field(repr=False)  # what is above it, in units of their spread
    p: NDArray[np.float64] = field(repr=False)


def against(
    place: NDArray[np.floating],
    value: NDArray[np.floating],
    null_place: NDArray[np.floating],
    null_value: NDArray[np.floating],
) -> Against:
    """Values against matched ones of random directions; large is remarkable.

    Parameters
    ----------
    place, null_place : ``[feature, axis]``, ``[direction, axis]``
    value, null_value : ``[feature]``, ``[direction]``

    Returns
    -------
    NaN where a value or a place is, and everywhere where fewer than 1 + :data:`MATCHED` directions are defined
    """
    held = np.isfinite(null_value) & np.isfinite(null_place).all(axis=1)
    asked = np.isfinite(value) & np.isfinite(place).all(axis=1)
    found = np.full((3, len(value)), np.nan)
    if held.sum() > MATCHED and asked.any():
        around = _Neighbours(null_place[held], null_value[held])
        found[:2, asked] = around.of(place[asked], value[asked], own=False)
        null = np.sort(around.of(null_place[held], null_value[held], own=True)[1])
        below = np.searchsorted(null, found[1, asked] - ROUNDING)
        found[2, asked] = (1 + len(null) - below) / (1 + len(null))
    return Against(*found)


class _Neighbours:
    """Random directions by place."""

    def __init__(self, place: NDArray[np.floating], value: NDArray[np.floating]) -> None:
        self.edges = np.quantile(place, [EDGE, 1 - EDGE], axis=0)
        self.scale = np.maximum(place.std(axis=0), ROUNDING)
        self.value = np.asarray(value, dtype=np.float64)
        self.place = self._within(place)
        self.tree = cKDTree(self.place)

    def _within(self, place: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.asarray(np.clip(place, *self.edges) / self.scale)

    def of(
        self, place: NDArray[np.floating], value: NDArray[np.floating], *, own: bool
    ) -> NDArray[np.float64]:
        """Expected values and studentised residuals, ``[2, feature]``; with ``own``, each less itself."""
        at = self._within(place)
        _, near = self.tree.query(at, MATCHED + own)
        if own:
            other = near != np.arange(len(at))[:, None]
            other[other.all(axis=1), -1] = False  # among more twins than neighbours: any of them is itself
            near = near[other].reshape(len(at), MATCHED)
        line = np.concatenate([np.ones((*near.shape, 1)), self.place[near] - at[:, None]], axis=-1)
        terms = line.shape[-1]
        # The ridge is for directions that all lie at one place.
        normal = np.linalg.inv(np.swapaxes(line, 1, 2) @ line + ROUNDING * MATCHED * np.eye(terms))
        fit = np.einsum("fij,fkj,fk->fi", normal, line, self.value[near])
        left = self.value[near] - np.einsum("fkj,fj->fk", line, fit)
        spread = np.sqrt((left**2).sum(axis=1) / (MATCHED - terms) * (1 + normal[:, 0, 0]))
        return np.stack([fit[:, 0], (value - fit[:, 0]) / np.maximum(spread, ROUNDING)])
