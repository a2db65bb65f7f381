"""Ridge regression tried on groups that took no part in it; the penalty is chosen on the groups that did.

Groups are gathered into at most `BLOCKS` blocks. For a held-out group, penalties (and whatever else there is to
choose between targets) are compared on the other blocks: a fit on all blocks but two is tried on one of the two,
for the sake of the other. A pair of blocks left out serves both, so that this costs six fits a penalty and not one
for every two groups. With the penalty chosen, the line is fitted on all groups but the one held out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from itertools import combinations
from typing import Final

import numpy as np

from tonotopy.measures.natural.moments import Array, Ints, Moments, Sums
from tonotopy.statistics.bootstrap import LEAST_PIECES_FOR_INTERVALS, piece_weights

BLOCKS: Final = 4
#: Relative to the mean variance of the features.
PENALTIES: Final = (1e-6, 1e-4, 1e-2, 1.0, 30.0)
#: Bootstraps over groups of pieces.
RESAMPLES: Final = 200
#: Fewer groups with frames than this, and nothing is defined.
LEAST_GROUPS: Final = 3


@dataclass(frozen=True)
class Validation:
    """Squared errors on blocks of training groups, for the sake of each block that is held out."""

    block: Ints = field(repr=False)  # [group], the block of each group that has frames
    group: Ints = field(repr=False)  # [group], its number
    error: Array = field(repr=False)  # [block, penalty, target]
    spread: Array = field(repr=False)  # [block, target]

    def share(self) -> Array:
        """Share of variance, ``[block, penalty, target]``; minus infinity where the target does not vary."""
        spread = np.broadcast_to(self.spread[:, None], self.error.shape)
        ratio = np.divide(self.error, spread, out=np.full(self.error.shape, np.inf), where=spread > 0)
        return np.asarray(1.0 - ratio)

    def penalties(self, columns: Ints) -> Ints:
        """The number of the penalty that is best for each of some targets, both ``[block, column]``."""
        return np.asarray(np.take_along_axis(self.share(), columns[:, None], axis=2).argmax(axis=1))


def validate(
    moments: Moments, penalties: tuple[float, ...] = PENALTIES, *, columns: slice | Ints = slice(None)
) -> Validation | None:
    """Errors of every penalty on training groups, for some of the targets, in the order asked for.

    None with fewer than `LEAST_GROUPS` groups that have frames.
    """
    group = np.flatnonzero(moments.counts)
    if len(group) < LEAST_GROUPS:
        return None
    n_blocks = min(BLOCKS, len(group))
    block = np.arange(len(group)) * n_blocks // len(group)
    sums = [moments.groups(group[block == b], columns) for b in range(n_blocks)]
    error = np.zeros((n_blocks, len(penalties), len(sums[0].yy)))
    spread = np.zeros((n_blocks, len(sums[0].yy)))
    for one, other in combinations(range(n_blocks), 2):
        training = reduce(Sums.plus, (sums[b] for b in range(n_blocks) if b not in (one, other)))
        for row, penalty in enumerate(penalties):
            weights = training.ridge(penalty)
            error[one, row] += sums[other].error_of(weights, training)
            error[other, row] += sums[one].error_of(weights, training)
        spread[one] += sums[other].spread_about(training)
        spread[other] += sums[one].spread_about(training)
    return Validation(block, group, error, spread)


@dataclass(frozen=True)
class HeldOut:
    """Squared errors on groups that took no part, ``[group, target]`` each."""

    error: Array = field(repr=False)
    spread: Array = field(repr=False)

    def split(self, count: int) -> list[HeldOut]:
        """Targets in so many parts of one length."""
        parts = zip(np.split(self.error, count, axis=1), np.split(self.spread, count, axis=1), strict=True)
        return [HeldOut(*part) for part in parts]

    def share(self, weights: Array | None = None) -> Array:
        """Share of variance over all groups, ``[target]``; under weights ``[resample, group]``, a row each.

        NaN where the target does not vary.
        """
        once = weights is None
        over = np.ones((1, len(self.error))) if weights is None else weights
        error, spread = over @ self.error, over @ self.spread
        found = 1.0 - np.divide(error, spread, out=np.full(error.shape, np.nan), where=spread > 0)
        return np.asarray(found[0] if once else found)


def try_out(
    moments: Moments,
    known: Validation,
    columns: Ints,
    penalty: Ints,
    penalties: tuple[float, ...] = PENALTIES,
) -> HeldOut:
    """Fit on all groups but one, try on that one, for each.

    Parameters
    ----------
    columns, penalty : ``[block, column]``, which targets are asked for, and the number of the penalty of each,
        for the groups of each block
    """
    error, spread = np.empty((2, len(known.group), columns.shape[1]))
    every, place = np.unique(columns, return_inverse=True)
    place = place.reshape(columns.shape)
    for row, (others, own) in enumerate(moments.without(known.group, every)):
        block = known.block[row]
        training, test = others.targets(place[block]), own.targets(place[block])
        spread[row] = test.spread_about(training)
        error[row] = test.error_of(fit_each(training, penalty[block], penalties), training)
    return HeldOut(error, spread)


def fit_each(training: Sums, penalty: Ints, penalties: tuple[float, ...]) -> Array:
    """Weights of ridge regression, each target with its own penalty, ``[feature, target]``.

    ``penalty``, ``[target]``, numbers them.
    """
    weights = np.empty(training.xy.shape)
    for choice in np.unique(penalty):
        these = np.flatnonzero(penalty == choice)
        weights[:, these] = training.targets(these).ridge(penalties[choice])
    return weights


def resamples(n_groups: int, count: int, *, seed: int) -> Array | None:
    """Weights of groups ``[resample, group]``, all ones first; None where there are too few for intervals."""
    return piece_weights(n_groups, count, seed=seed) if n_groups >= LEAST_PIECES_FOR_INTERVALS else None


def interval_of(samples: Array) -> tuple[Array, Array]:
    """Percentile interval of each column over resamples ``[resample, column]``; NaN without resamples."""
    if not len(samples):
        nothing = np.full(samples.shape[1], np.nan)
        return nothing, nothing
    low, high = np.quantile(samples, [0.025, 0.975], axis=0)
    return low, high
