"""The best single feature of each target: chosen on some groups of pieces, tried on those that took no part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tonotopy.measures.natural.held_out import HeldOut, Validation
from tonotopy.measures.natural.moments import Array, Ints, Moments, Sums


def best_single(
    moments: Moments, known: Validation, columns: Sequence[slice], overall: slice
) -> tuple[HeldOut, Ints, Array]:
    """Errors of the best single feature, which it is by all groups, and how often it was that one.

    Parameters
    ----------
    columns : of each block, which targets are asked for
    overall : which targets are asked for by all groups together

    Returns
    -------
    errors on held-out groups; the number of the feature, ``[target]``; the share of held-out groups without which
    it was the best too, ``[target]``
    """
    best = explains_most(moments.groups(known.group, overall, gram=False))
    error, spread = np.empty((2, len(known.group), len(best)))
    repeats = np.zeros(len(best))
    asked = np.stack([np.arange(moments.targets)[some] for some in columns])  # [block, target]
    every, place = np.unique(asked, return_inverse=True)
    place = place.reshape(asked.shape)
    for row, (others, own) in enumerate(moments.without(known.group, every, gram=False)):
        block = known.block[row]
        training, test = others.targets(place[block]), own.targets(place[block])
        chosen = explains_most(training)
        each = test.errors_of_single(training.single(), training)
        error[row], spread[row] = each[chosen, np.arange(len(best))], test.spread_about(training)
        repeats += chosen == best
    return HeldOut(error, spread), best, repeats / len(known.group)


def explains_most(training: Sums) -> Ints:
    """The feature that explains most of each target by itself, ``[target]``."""
    size = training.variance_x[:, None]
    return np.argmax(np.divide(training.xy**2, size, out=np.zeros(training.xy.shape), where=size > 0), axis=0)
