"""Pieces are the unit: means over pieces, intervals by bootstrap over them, p against random directions.

Under 3 pieces everything is NaN, under 8 intervals are. A quotient of sums is NaN where what it is divided by may as
well be nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonotopy.statistics.bootstrap import interval, piece_weights

#: Under this number of pieces nothing is defined (SPEC § 4).
LEAST_PIECES = 3
#: Resamples that say whether a sum is above 0.
RESAMPLES = 1000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """Values of equal shape: the mean over pieces and the ends of its 95 % interval."""

    value: Floats
    low: Floats
    high: Floats


def over_pieces(
    values: Floats, piece: NDArray[np.int64], *, n_resamples: int = 1000, seed: int = 0
) -> Estimate:
    """Mean over pieces of the last axis, ``[..., trial]`` to ``[...]``; trials that are NaN take no part.

    Examples
    --------
    >>> over_pieces(np.array([1.0, 3.0, 2.0, 5.0]), np.array([0, 0, 1, 2])).value.tolist()
    3.0
    >>> over_pieces(np.array([1.0, 3.0]), np.array([0, 1])).value.tolist()
    nan
    """
    ones = np.where(np.isfinite(values), 1.0, 0.0)
    return ratio_over_pieces(
        np.nan_to_num(values, posinf=0.0, neginf=0.0) * ones,
        ones,
        piece,
        n_resamples=n_resamples,
        seed=seed,
        of_means=True,
    )


def ratio_over_pieces(
    top: Floats,
    bottom: Floats,
    piece: NDArray[np.int64],
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    of_means: bool = False,
) -> Estimate:
    """Sum of ``top`` over sum of ``bottom``, ``[..., trial]`` to ``[...]``.

    ``of_means`` takes the ratio in each piece first. A quotient of sums is the one to use where a piece that has
    little to lose should weigh little. It is NaN unless the low end (2.5 %) of the sum of ``bottom``, resampled over
    pieces, is above 0: a share of what may be nothing is noise of either sign.

    Examples
    --------
    >>> float(ratio_over_pieces(np.ones(4), np.array([2.0, 1.0, 3.0, 2.0]), np.arange(4)).value)
    0.5
    >>> float(ratio_over_pieces(np.ones(4), np.array([2.0, -1.0, 1.0, -1.0]), np.arange(4)).value)
    nan
    """
    names, number = np.unique(piece, return_inverse=True)
    member = np.equal.outer(number, np.arange(len(names))).astype(np.float64)  # [trial, piece]
    a, b = top @ member, bottom @ member
    if of_means:
        a, b = _divided(a, b), (b > 0).astype(np.float64)
        a = np.nan_to_num(a)
    weights = piece_weights(len(names), n_resamples, seed=seed)
    enough = (b != 0).sum(axis=-1) >= LEAST_PIECES
    if not of_means:
        enough &= _above_nothing(b, seed=seed)
    drawn = np.where(enough, np.moveaxis(_divided(a @ weights.T, b @ weights.T), -1, 0), np.nan)
    low, high = np.full(enough.shape, np.nan), np.full(enough.shape, np.nan)
    for place in np.ndindex(enough.shape):
        n_pieces = int((b[place] != 0).sum())
        found = interval(drawn[(slice(1, None), *place)], n_pieces=n_pieces)
        low[place], high[place] = found or (np.nan, np.nan)
    return Estimate(drawn[0], low, high)


def p_value(value: Floats, draws: Floats) -> Floats:
    """(1 + draws at least as large) / (1 + draws), draws on the first axis; NaN where either is undefined.

    Examples
    --------
    >>> float(p_value(np.array(3.0), np.array([1.0, 2.0, 4.0])))
    0.5
    """
    value = np.asarray(value, dtype=np.float64)
    p = (1 + np.sum(draws >= value, axis=0)) / (1 + len(draws))
    defined = np.isfinite(value) & np.isfinite(draws).all(axis=0) & (len(draws) > 0)
    return np.where(defined, p, np.nan)


def _divided(top: Floats, bottom: Floats) -> Floats:
    return np.divide(top, bottom, out=np.full(np.shape(top), np.nan), where=bottom > 0)


def _above_nothing(values: Floats, *, seed: int) -> NDArray[np.bool_]:
    """Whether the low end of the sum over pieces, ``[..., piece]`` to ``[...]``, is above 0; of few pieces too."""
    weights = piece_weights(values.shape[-1], RESAMPLES, seed=seed)
    return np.asarray(np.quantile(values @ weights[1:].T, 0.025, axis=-1) > 0)
