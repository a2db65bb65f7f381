"""Entropies of paired labels from counts, pieces weighed, against pairings turned round within each piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

#: Of the turned pairings, so many are weighed anew in each resample.
FEW = 9


def conditional_entropy(table: Array, axis: int) -> Array:
    """Entropy in bits of one label given the other, from counts ``[..., first, second]``.

    ``axis`` -1: of the second given the first; -2: of the first given the second.

    Examples
    --------
    Two fragments; the first always comes with one spectrum, the second with either of two:

    >>> float(conditional_entropy(np.array([[4.0, 0.0], [2.0, 2.0]]), -1))
    0.5
    """
    given = table.sum(axis=axis)
    joint = table.reshape(*table.shape[:-2], -1)
    return entropy(joint) - entropy(given)


@dataclass(frozen=True)
class Paired:
    """Entropies in bits, ``[draw, resample]``; draw 0 is the true pairing; NaN where a resample was not read."""

    joint: Array
    first: Array
    second: Array


def paired(
    first: Sequence[Labels], second: Sequence[Labels], half: Labels, turns: Array, weights: Array
) -> Paired:
    """Entropies of two labels of the same places, and of both together, under the true and under turned pairings.

    Parameters
    ----------
    first, second : of each piece, labels ``[place]`` in order of time
    half : ``[piece]``, 0 or 1; labels of the two halves have nothing to do with each other
    turns : shares of a piece by which the second labels are turned round, ``[draw]``
    weights : of pieces, ``[resample, piece]``, all ones first

    Entropies are means over the halves, as each weighs in the resample.
    """
    sums = np.zeros((3, 1 + len(turns), len(weights)))
    total = np.zeros(len(weights))
    for own in (0, 1):
        pieces = np.flatnonzero(half == own).tolist()
        size = np.array([len(first[k]) for k in pieces], dtype=np.float64)
        weight = weights[:, pieces]
        amount = weight @ size
        total += amount
        alone = [_weighed([first[k] for k in pieces], weight), _weighed([second[k] for k in pieces], weight)]
        sums[1:] += amount * np.array(alone)[:, None, :]
        for draw, turn in enumerate([0.0, *turns]):
            codes = [first[k] * (1 << 20) + np.roll(second[k], round(turn * len(second[k]))) for k in pieces]
            read = len(weights) if draw <= FEW else 1
            sums[0, draw, :read] += amount[:read] * _weighed(codes, weight[:read])
            sums[0, draw, read:] = np.nan
    return Paired(*(sums / total))


def _weighed(labels: Sequence[Labels], weights: Array) -> Array:
    """Entropy in bits of labels pooled over pieces under weights ``[resample, piece]``; ``[resample]``."""
    names, label = np.unique(np.concatenate(labels), return_inverse=True)
    piece = np.repeat(np.arange(len(labels)), [len(of) for of in labels])
    counts = np.bincount(piece * len(names) + label, minlength=len(labels) * len(names))
    return entropy(weights @ counts.reshape(len(labels), len(names)).astype(np.float64))


def entropy(counts: Array) -> Array:
    """Plug-in entropy in bits over the last axis; 0 where there is nothing."""
    total = counts.sum(axis=-1)
    some = np.where(counts > 0, counts, 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        bits = np.log2(total) - np.sum(some * np.log2(some), axis=-1) / total
    return np.where(total > 0, bits, 0.0)
