"""Scores of pitch decoding as sums over pieces, differences with intervals, and whether these exceed both baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from tonotopy.core.errors import InputError
from tonotopy.measures.natural.held_out import LEAST_GROUPS
from tonotopy.measures.natural.moments import Array
from tonotopy.statistics.bootstrap import LEAST_PIECES_FOR_INTERVALS, piece_weights

#: Bootstraps over pieces.
RESAMPLES: Final = 1000
#: A difference of AUC that is known to be smaller than this is none.
NEGLIGIBLE: Final = 0.02


@dataclass(frozen=True)
class Score:
    """One score, as a ratio of sums over pieces: of AUC over ones, or of explained over whole variance."""

    window_s: float
    task: str
    read: str  # "features", "random", "levels"
    labels: str  # "real", "control", "shifted"
    probe: str  # "all", "best"
    top: Array = field(repr=False)  # [piece], 0 where undefined
    bottom: Array = field(repr=False)  # [piece], 0 where undefined

    def under(self, weights: Array) -> Array:
        """The score under weights of pieces ``[resample, piece]``; NaN where it is undefined."""
        top, bottom = weights @ self.top, weights @ self.bottom
        return np.divide(top, bottom, out=np.full(len(weights), np.nan), where=bottom > 0)


@dataclass(frozen=True)
class Estimate:
    """A number with its interval over pieces; NaN is undefined."""

    value: float
    low: float
    high: float


def estimate(
    plus: Sequence[Score], minus: Sequence[Score] = (), *, seed: int = 0, n_resamples: int = RESAMPLES
) -> Estimate:
    """Mean of some scores less the mean of others, with an interval: the same resamples of pieces for all.

    Raises
    ------
    InputError
        For no score, or scores of other numbers of pieces.
    """
    every = [*plus, *minus]
    if not plus or len({len(score.top) for score in every}) != 1:
        raise InputError("scores of the same pieces", f"{len(plus)} and {len(minus)} of different ones")
    counted = np.flatnonzero(np.all([score.bottom > 0 for score in every], axis=0))
    if len(counted) < LEAST_GROUPS:
        return Estimate(*[float("nan")] * 3)
    weights = np.zeros((1 + n_resamples, len(every[0].top)))
    weights[:, counted] = piece_weights(len(counted), n_resamples, seed=seed)
    found = np.mean([score.under(weights) for score in plus], axis=0)
    if minus:
        found = found - np.mean([score.under(weights) for score in minus], axis=0)
    if len(counted) < LEAST_PIECES_FOR_INTERVALS:
        return Estimate(float(found[0]), float("nan"), float("nan"))
    low, high = np.quantile(found[1:], [0.025, 0.975])
    return Estimate(float(found[0]), float(low), float(high))


def above_baselines(above_floor: Estimate, selectivity: Estimate) -> str:
    """Whether features decode pitch above random weights and a control task: *yes*, *no* or *undetermined*.

    *No* where one of the intervals lies below `NEGLIGIBLE`, *yes* where otherwise both lie above 0.

    Examples
    --------
    >>> above_baselines(Estimate(0.1, 0.05, 0.2), Estimate(0.2, 0.1, 0.3))
    'yes'
    >>> above_baselines(Estimate(0.0, -0.01, 0.01), Estimate(0.2, 0.1, 0.3))
    'no'
    >>> above_baselines(Estimate(0.0, float("nan"), float("nan")), Estimate(0.2, 0.1, 0.3))
    'undetermined'
    """
    both = (above_floor, selectivity)
    if not np.isfinite([end for one in both for end in (one.low, one.high)]).all():
        return "undetermined"
    if any(one.high < NEGLIGIBLE for one in both):
        return "no"
    return "yes" if all(one.low > 0 for one in both) else "undetermined"
