"""Chains of states: transitions, what they would be without order, and what order saves.

In the *jump chain* a state's repeats are dropped: what stays is which state follows which, not how long each lasts.
Without order a jump chain is not uniform: the next state is any but the present one. ``independent`` is the model
of that, quasi-independence (Goodman 1968, "The analysis of cross-classified data", JASA 63): P(j | i)
proportional to b_j, j ≠ i, with b fitted so that each state is entered as often as it was.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

#: Rounds of the fit of quasi-independence.
ROUNDS = 100
#: What has no direction has no state.
NONE = -1


def transitions_of(states: Labels, *, jump: bool) -> Labels:
    """Pairs ``[transition, 2]`` of present and next state within stretches ``[stretch, frame]``.

    Examples
    --------
    >>> transitions_of(np.array([[0, 0, 1, 1, 0, -1, 2, 1]]), jump=True).tolist()
    [[0, 1], [1, 0], [2, 1]]
    """
    parts = [np.zeros((0, 2), np.int64)]
    for row in states:
        kept = row[np.concatenate([[True], row[1:] != row[:-1]])] if jump else row
        pairs = np.stack([kept[:-1], kept[1:]], axis=1)
        parts.append(pairs[(pairs != NONE).all(axis=1)])
    return np.concatenate(parts)


def shuffled(states: Labels, rng: np.random.Generator, *, jump: bool) -> Labels:
    """The same states in another order within each stretch; in a jump chain, visits are moved as wholes."""
    found = np.full_like(states, NONE)
    for row, into in zip(states, found, strict=True):
        kept = row[np.concatenate([[True], row[1:] != row[:-1]])] if jump else row
        kept = kept[kept != NONE]
        into[: len(kept)] = rng.permutation(kept)
    return found


def counted(pairs: Labels, n_states: int) -> Array:
    """Counts ``[present, next]`` of pairs."""
    codes = pairs[:, 0] * n_states + pairs[:, 1]
    return np.bincount(codes, minlength=n_states**2).reshape(n_states, n_states).astype(np.float64)


def independent(counts: Array, *, jump: bool) -> Array:
    """P(next | present) were there no order, ``[present, next]``: the best such model of the counts.

    Examples
    --------
    >>> counts = np.array([[0.0, 2.0, 1.0], [2.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    >>> independent(counts, jump=True).round(2).tolist()
    [[0.0, 0.67, 0.33], [0.67, 0.0, 0.33], [0.5, 0.5, 0.0]]
    """
    entered, left = counts.sum(axis=0), counts.sum(axis=1)
    share = entered / max(entered.sum(), 1.0)
    if not jump:
        return np.tile(share, (len(counts), 1))
    for _ in range(ROUNDS):
        # P(j | i) = b_j / (1 - b_i): entries into j from everywhere else must sum to what was seen.
        rate = left / np.maximum(1.0 - share, 1e-9)
        share = entered / np.maximum(rate.sum() - rate, 1e-9)
        share /= max(share.sum(), 1e-300)
    model = np.tile(share, (len(counts), 1))
    np.fill_diagonal(model, 0.0)
    sums = model.sum(axis=1, keepdims=True)
    return np.divide(model, sums, out=np.zeros_like(model), where=sums > 0)


def entropy_ratio(counts: Array, *, jump: bool) -> float:
    """H(next | present) over what it would be without order; NaN where nothing could vary."""
    free = -_log_likelihood(counts, independent(counts, jump=jump))
    bound = -_log_likelihood(counts, counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0))
    return bound / free if free > 1e-9 else float("nan")


def gain_bits(test: Array, training: Array, *, prior: float, jump: bool) -> float:
    """Bits a transition that the matrix of other pieces saves over their model without order, on these counts.

    The matrix is the posterior mean under ``prior`` transitions from each state that follow the model without order
    (MacKay and Peto 1995, "A hierarchical Dirichlet language model"): where nothing was learned nothing is lost.
    """
    n = len(training)
    some = np.full((n, n), 1.0 / n)
    if jump:
        np.fill_diagonal(some, 0.0)
    base = independent(training + some, jump=jump)
    matrix = (training + prior * base) / (training.sum(axis=1, keepdims=True) + prior)
    total = float(test.sum())
    if not total > 0:
        return float("nan")
    return (_log_likelihood(test, matrix) - _log_likelihood(test, base)) / total


def _log_likelihood(counts: Array, model: Array) -> float:
    """Bits, negative."""
    seen = counts > 0
    return float(np.sum(counts[seen] * np.log2(np.maximum(model[seen], 1e-300))))
