"""Entropy and information of counted outcomes, in bits; biased as plug-in estimates are, and corrected where named.

With few frames a code the plug-in information of things that have nothing in common is far above zero. Nothing here
is reported alone: the same estimate on shuffled data is taken from it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

Array = NDArray[np.float64]


def entropy_bits(counts: NDArray[np.integer] | Array, *, corrected: bool = False) -> Array:
    """Entropy over the last axis of counts ``[..., outcome]``; NaN where nothing was counted.

    Parameters
    ----------
    corrected : adds (outcomes seen - 1) / (2 N ln 2) (G. A. Miller, "Note on the bias of information estimates", 1955)

    Examples
    --------
    >>> entropy_bits(np.array([2, 2, 0])).item()
    1.0
    """
    values = np.asarray(counts, np.float64)
    total = values.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        bits = (np.log(total) - xlogy(values, values).sum(axis=-1) / total) / np.log(2)
        if corrected:
            bits = bits + ((values > 0).sum(axis=-1) - 1) / (2 * total * np.log(2))
    return np.where(total > 0, np.maximum(bits, 0.0), np.nan)


def information_bits(counts: NDArray[np.integer] | Array) -> Array:
    """Plug-in information between the last two axes of counts ``[..., outcome, outcome]``; NaN without any.

    Examples
    --------
    >>> information_bits(np.array([[5, 0], [0, 5]])).round(6).item()
    1.0
    """
    values = np.asarray(counts, np.float64)
    rows, columns = values.sum(axis=-1), values.sum(axis=-2)
    total = rows.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        terms = xlogy(values, values).sum(axis=(-2, -1)) - xlogy(rows, rows).sum(axis=-1)
        terms = terms - xlogy(columns, columns).sum(axis=-1) + xlogy(total, total)
        bits = terms / total / np.log(2)
    return np.where(total > 0, np.maximum(bits, 0.0), np.nan)


def p_value(value: Array, null: Array) -> Array:
    """(1 + draws at least as large) / (1 + draws), ``null`` with draws outermost; NaN where either is undefined.

    Examples
    --------
    >>> p_value(np.array(2.0), np.array([0.0, 1.0, 3.0])).item()
    0.5
    """
    # Draws that repeat the data exactly may differ from them by rounding.
    beyond = np.sum(null >= value - 1e-12, axis=0)
    known = np.isfinite(value) & np.isfinite(null).all(axis=0) & (len(null) > 0)
    return np.where(known, (1 + beyond) / (1 + len(null)), np.nan)
