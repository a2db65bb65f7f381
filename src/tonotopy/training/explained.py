"""Explained variance on held-out rows, and what chance explains.

R^2 = 1 - sum w (y - y')^2 / sum w (y - mean y)^2, one number a target, the mean weighted too and taken over the
very rows that are tried: 0 is what the best constant explains, and less than 0 is possible. Its null shuffles
whole rows, not frames: neighbouring frames share most of their sound, and a frame shuffle would let persistence
pass for knowledge. The null is the 95th percentile, over shuffles, of the squared correlation, which is the R^2
that the best line through a shuffled prediction would have, and thus no less than the R^2 itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Shuffles of a null, and the percentile that is given.
SHUFFLES = 100
PERCENTILE = 95.0

Floats = NDArray[np.floating]


def explained(target: Floats, predicted: Floats, weight: Floats | None = None) -> NDArray[np.float64]:
    """Explained variance of each target, ``[target]``, from arrays ``[row, frame, target]``; NaN where it is constant.

    Examples
    --------
    >>> y = np.array([[[0.0], [1.0]], [[2.0], [3.0]]])
    >>> explained(y, y + 0.5).tolist()
    [0.8]
    """
    y, p = _flat(target), _flat(predicted)
    w = np.ones_like(y) if weight is None else _flat(weight)
    total = w.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (w * y).sum(axis=0) / total
        found = 1 - (w * (y - p) ** 2).sum(axis=0) / (w * (y - mean) ** 2).sum(axis=0)
    return np.where(np.isfinite(found), found, np.nan)


def chance(
    target: Floats, predicted: Floats, weight: Floats | None = None, *, rng: np.random.Generator
) -> NDArray[np.float64]:
    """The null of :func:`explained`, ``[target]``: see the module's docstring; NaN under three rows."""
    if len(target) < 3:
        return np.full(target.shape[-1], np.nan)
    found = [
        _squared_correlation(target, predicted[rng.permutation(len(predicted))], weight)
        for _ in range(SHUFFLES)
    ]
    return np.asarray(np.percentile(found, PERCENTILE, axis=0))


def together(of_cosine: Floats, of_sine: Floats) -> NDArray[np.float64]:
    """One number for a phase: the mean over its cosine and its sine, which have equal variance in the long run."""
    return np.asarray((np.asarray(of_cosine) + np.asarray(of_sine)) / 2, np.float64)


def _squared_correlation(target: Floats, predicted: Floats, weight: Floats | None) -> NDArray[np.float64]:
    y, p = _flat(target), _flat(predicted)
    w = np.ones_like(y) if weight is None else _flat(weight)
    w = w / w.sum(axis=0)
    y, p = y - (w * y).sum(axis=0), p - (w * p).sum(axis=0)
    spread = (w * y * y).sum(axis=0) * (w * p * p).sum(axis=0)
    return np.asarray((w * y * p).sum(axis=0) ** 2 / np.maximum(spread, 1e-30))


def _flat(values: Floats) -> NDArray[np.float64]:
    return np.asarray(values, np.float64).reshape(-1, np.shape(values)[-1])
