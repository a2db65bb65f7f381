"""Whether the same partial, added to different contexts, changes codes to the same code.

For a target and a stage: of pairs of frames of *different pieces* whose code changed when the partial was added, the
share that changed to the same code. A stage with few codes agrees by chance, and codes that are frequent agree more.
The null is the agreement over *other* partials at the same stage: in the place of each trial comes one of the same
piece in which a partial farther than 1.5 ERB (a target or a foil) changed codes, its changed codes weighted so that
they count as many; of any piece where the same has none. Trials are drawn whole, since codes that persist over frames
agree with themselves. A code for this partial agrees more than that; a code that comes whenever anything is added
does not. Where no other partial changes the code of the stage there is nothing to compare with: null and excess are
undefined, the agreement is told alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonotopy.measures.codes._information import Array, p_value
from tonotopy.measures.codes.present import LEAST_PIECES, targets_of
from tonotopy.recording.codes import NO_CODE, TrialCodes
from tonotopy.signal import erb
from tonotopy.sound.structures.partial import NEAR_ERB
from tonotopy.statistics.bootstrap import interval, piece_weights

#: Draws from other partials.
DRAWS: Final = 99
RESAMPLES: Final = 200


@dataclass(frozen=True)
class Agreement:
    """Agreement of changed codes; ``[stage, target]``, NaN where codes changed in fewer than 3 pieces."""

    target_hz: Array  # [target]
    agreement: Array = field(repr=False)
    null: Array = field(repr=False)  # mean over draws
    excess: Array = field(repr=False)
    excess_low: Array = field(repr=False)
    excess_high: Array = field(repr=False)
    p: Array = field(repr=False)
    changed: Array = field(repr=False)  # share of frames whose code changed


def agreement(
    trials: TrialCodes, *, draws: int = DRAWS, resamples: int = RESAMPLES, seed: int = 0
) -> Agreement:
    """Agreement of changed codes of every stage and target."""
    targets, hz = targets_of(trials)
    n_stages = trials.absent.shape[2]
    found = {name: np.full((n_stages, len(targets)), np.nan) for name in _FIELDS}
    pieces, piece = np.unique(trials.piece, return_inverse=True)
    weights = piece_weights(len(pieces), resamples, seed=seed)
    rate, foil_rate = erb.rate(trials.target_hz), erb.rate(trials.foil_hz)
    for stage in range(n_stages):
        own, foil = (_changed(trials, after, stage) for after in (trials.present, trials.foil))
        pool = np.concatenate([own, foil])  # [trial, code], targets first
        pool_rate, pool_piece = np.concatenate([rate, foil_rate]), np.concatenate([piece, piece])
        for k, target in enumerate(targets):
            rows = trials.target == target
            found["changed"][stage, k] = own[rows].sum(axis=1).mean() / trials.absent.shape[1]
            far = np.abs(pool_rate - erb.rate(hz[k])) > NEAR_ERB
            usable = np.flatnonzero(far & (pool.sum(axis=1) > 0))
            changing = np.flatnonzero(rows & (own.sum(axis=1) > 0))
            if len(np.unique(piece[changing])) < LEAST_PIECES:
                continue
            rng = np.random.default_rng([seed, stage, int(target), 103])
            table = _by_piece(own[changing], piece[changing], len(pieces))
            moved = _same(table, weights)
            found["agreement"][stage, k] = moved[0]
            if not len(usable):
                continue
            null = np.zeros((draws, len(pieces), own.shape[1]))
            for trial in changing:
                near = usable[pool_piece[usable] == piece[trial]]
                drawn = pool[rng.choice(near if len(near) else usable, draws)]
                null[:, piece[trial]] += drawn / drawn.sum(axis=1, keepdims=True) * own[trial].sum()
            random = np.array([_same(one, weights[:1])[0] for one in null])
            excess = float(moved[0] - random.mean())
            spread = moved[1:][np.isfinite(moved[1:])]
            spread = spread - spread.mean() + excess if len(spread) else spread
            low, high = interval(spread, n_pieces=len(np.unique(piece[changing]))) or (np.nan, np.nan)
            p = p_value(moved[0], random)
            for name, number in zip(_FIELDS[1:6], (random.mean(), excess, low, high, p), strict=True):
                found[name][stage, k] = number
    return Agreement(hz, **found)


_FIELDS = ("agreement", "null", "excess", "excess_low", "excess_high", "p", "changed")


def _changed(trials: TrialCodes, after: NDArray[np.int64], stage: int) -> Array:
    """Frames ``[trial, code]`` whose code changed, by the code that they changed to; codes numbered anew."""
    before, now = trials.absent[..., stage], after[..., stage]
    both = np.stack([trials.present[..., stage], trials.foil[..., stage]])
    codes, number = np.unique(both, return_inverse=True)
    number, n = number.reshape(both.shape)[0 if after is trials.present else 1], len(codes)
    changed = (before != now) & (before != NO_CODE) & (now != NO_CODE)
    cell = np.arange(len(now))[:, None] * n + number
    return np.bincount(cell[changed], minlength=len(now) * n).reshape(len(now), n).astype(np.float64)


def _by_piece(table: Array, piece: NDArray[np.int64], n_pieces: int) -> Array:
    """Sums ``[piece, code]`` of trials ``[trial, code]``."""
    total = np.zeros((n_pieces, table.shape[1]))
    np.add.at(total, piece, table)
    return total


def _same(table: Array, weights: Array) -> Array:
    """Share of pairs across pieces with the same code, under weights ``[draw, piece]``, of ``[piece, code]``.

    A piece drawn twice makes no pair with itself.

    Examples
    --------
    >>> _same(np.array([[2.0, 0.0], [1.0, 1.0]]), np.ones((1, 2))).tolist()
    [0.5]
    """
    total = weights @ table
    own = weights**2 @ table**2
    count = table.sum(axis=1)
    pairs = total.sum(axis=1) ** 2 - weights**2 @ count**2
    same = (total**2 - own).sum(axis=1)
    return np.divide(same, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)


def changes_of(absent: NDArray[np.int64], present: NDArray[np.int64]) -> Array:
    """Share of frames whose code changed, ``[stage]``, of codes ``[trial, frame, stage]``; NaN without any."""
    known = (absent != NO_CODE) & (present != NO_CODE)
    count = known.sum(axis=(0, 1))
    changed = ((absent != present) & known).sum(axis=(0, 1))
    return np.divide(changed, count, out=np.full(count.shape, np.nan), where=count > 0)
