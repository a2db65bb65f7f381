"""What recurs: directions of two dictionaries matched to one another (Hungarian algorithm).

Each direction of one set gets at most one partner of the other, so that the sum of their cosines is largest
(Kuhn 1955; scipy). Cosines are signed: a latent and its negative are two features. The greedy figure of the
literature, the mean over one set of the largest cosine with the other (mean max cosine similarity, Sharkey 2022), is
given beside it. Both are compared with random directions of the same numbers: in few dimensions those match well too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from tonotopy.core.errors import InputError
from tonotopy.features.sources._contract import unit_rows

#: Pairs of random sets from which the null is taken.
NULL_DRAWS = 4


@dataclass(frozen=True)
class Consistency:
    """How well two sets of directions agree.

    ``partner`` and ``cosine`` are ``[feature]`` of the first set: its partner in the second (−1 where it has none) and
    their cosine (NaN there). ``null_cosine`` are matched cosines of random directions, ``[draw, pair]``.
    """

    partner: NDArray[np.int64] = field(repr=False)
    cosine: NDArray[np.float64] = field(repr=False)
    mean_cosine: float
    mean_max_cosine: float
    null_cosine: NDArray[np.float64] = field(repr=False)
    null_mean_cosine: float
    null_mean_max_cosine: float

    @property
    def recurring(self) -> NDArray[np.bool_]:
        """``[feature]``: matched better than 95 % of the pairs of random directions."""
        with np.errstate(invalid="ignore"):
            above: NDArray[np.bool_] = self.cosine > np.quantile(self.null_cosine, 0.95)
        return above


def consistency(a: Any, b: Any, *, seed: int = 0) -> Consistency:
    """Match the directions of ``a`` and ``b``: arrays ``[feature, unit]``, or anything that has ``directions``.

    Examples
    --------
    >>> rows = np.random.default_rng(0).standard_normal((5, 16))
    >>> consistency(rows, rows[::-1]).partner
    array([4, 3, 2, 1, 0])
    """
    first, second = _directions(a), _directions(b)
    if first.shape[1] != second.shape[1]:
        raise InputError(f"directions of {first.shape[1]} units", f"{second.shape[1]} units", "another site")
    partner, cosine, greedy = _matched(first, second)
    rng = np.random.default_rng([seed, 41])
    drawn = [
        _matched(unit_rows(rng.standard_normal(first.shape)), unit_rows(rng.standard_normal(second.shape)))
        for _ in range(NULL_DRAWS)
    ]
    null = np.stack([found[1][~np.isnan(found[1])] for found in drawn])
    return Consistency(
        partner,
        cosine,
        float(np.nanmean(cosine)),
        greedy,
        null,
        float(null.mean()),
        float(np.mean([found[2] for found in drawn])),
    )


def recurrence(sets: Sequence[Any]) -> NDArray[np.float64]:
    """Mean matched cosine of each feature of the first set with each other set, ``[feature]``."""
    if len(sets) < 2:
        raise InputError("at least two dictionaries", str(len(sets)), "train several seeds")
    first = _directions(sets[0])
    cosines = np.stack([_matched(first, _directions(other))[1] for other in sets[1:]])
    mean: NDArray[np.float64] = cosines.mean(axis=0)  # a feature without a partner is NaN
    return mean


def _directions(given: Any) -> NDArray[np.float32]:
    rows = np.asarray(getattr(given, "directions", given))
    if rows.ndim != 2 or not rows.size or not np.isfinite(rows).all():
        raise InputError(
            "finite directions [feature, unit]", f"shape {rows.shape}", "an empty or damaged set"
        )
    return unit_rows(rows)


def _matched(
    first: NDArray[np.float32], second: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float64], float]:
    cosines = first.astype(np.float64) @ second.astype(np.float64).T
    rows, columns = linear_sum_assignment(cosines, maximize=True)
    partner, cosine = np.full(len(first), -1, np.int64), np.full(len(first), np.nan)
    partner[rows], cosine[rows] = columns, cosines[rows, columns]
    return partner, cosine, float(cosines.max(axis=1).mean())
