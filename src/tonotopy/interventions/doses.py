"""What a curve of effect over dose says: does more give more, and does less than nothing give less."""

from __future__ import annotations

import numpy as np
import scipy.stats
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def monotonicity(strength: Floats, effect: Floats) -> Floats:
    """Spearman of strength ``[dose]`` with effect ``[dose, trial]``, ``[trial]``.

    No effect at strength 0 belongs to the curve. NaN under three doses, that one included, and where an effect is
    undefined or all are equal.

    Examples
    --------
    >>> monotonicity(np.array([-1.0, 1.0, 2.0]), np.array([[-3.0], [2.0], [9.0]])).round(6).tolist()
    [1.0]
    """
    keep = strength != 0
    x = np.concatenate([[0.0], strength[keep]])
    out = np.full(effect.shape[1], np.nan)
    for trial in range(effect.shape[1]):
        y = np.concatenate([[0.0], effect[keep, trial]])
        if len(x) >= 3 and np.isfinite(y).all() and np.ptp(y) > 0:
            out[trial] = scipy.stats.spearmanr(x, y).statistic
    return out


def sign_share(strength: Floats, effect: Floats) -> Floats:
    """Share of doses whose effect ``[dose, trial]`` has the sign of the strength, ``[trial]``.

    Doses of which the effect is undefined take no part; NaN where none is left.
    """
    asked = strength != 0
    defined = np.isfinite(effect[asked])
    right = defined & (np.sign(effect[asked]) == np.sign(strength[asked])[:, None])
    count = defined.sum(axis=0)
    return np.divide(right.sum(axis=0), count, out=np.full(len(count), np.nan), where=count > 0)
