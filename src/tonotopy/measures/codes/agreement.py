"""Whether the same partial, added to different contexts, changes codes to the same code.

For a target and a stage: of pairs of frames of *different pieces* whose code changed when the partial was added, the
share that changed to the same code. A stage with few codes agrees by chance, and codes that are frequent agree more:
the null is the agreement over *other* partials at the same stage, with as many changed codes of each piece, drawn
from the trials of targets farther than 1.5 ERB. A code for this partial agrees more than that; a code that comes
whenever anything is added does not.
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
    names = ("agreement", "null", "excess", "excess_low", "excess_high", "p", "changed")
    found = {name: np.full((n_stages, len(targets)), np.nan) for name in names}
    pieces = np.unique(trials.piece)
    weights = piece_weights(len(pieces), resamples, seed=seed)
    known = (trials.absent != NO_CODE).all(axis=(1, 2)) & (trials.present != NO_CODE).all(axis=(1, 2))
    far = np.abs(erb.rate(hz)[:, None] - erb.rate(hz)) > NEAR_ERB
    for stage in range(n_stages):
        changed = (trials.present[..., stage] != trials.absent[..., stage]) & known[:, None]
        _, code = np.unique(trials.present[..., stage], return_inverse=True)
        code = code.reshape(changed.shape)
        n_codes = int(code.max()) + 1
        # Changed codes of each target and piece: pools that are drawn from, and histograms.
        pool = [
            [
                code[at][changed[at]]
                for piece in pieces
                for at in [(trials.target == t) & (trials.piece == piece)]
            ]
            for t in targets
        ]
        for k, target in enumerate(targets):
            rng = np.random.default_rng([seed, stage, int(target), 103])
            own = trials.target == target
            if known[own].any():
                found["changed"][stage, k] = changed[own & known].mean()
            used = np.array([len(part) > 0 for part in pool[k]])
            others = [
                np.concatenate([pool[j][i] for j in np.flatnonzero(far[k])] or [[]])
                for i in range(len(pieces))
            ]
            used &= np.array([len(part) > 0 for part in others])
            if used.sum() < LEAST_PIECES:
                continue
            table = np.stack([np.bincount(part, minlength=n_codes) for part in pool[k]]) * used[:, None]
            null = np.empty((draws, len(pieces), n_codes))
            for i, part in enumerate(others):
                count = len(pool[k][i]) if used[i] else 0
                drawn = (
                    rng.choice(part, (draws, count)).astype(np.int64)
                    if count
                    else np.zeros((draws, 0), np.int64)
                )
                cell = np.arange(draws)[:, None] * n_codes + drawn
                null[:, i] = np.bincount(cell.ravel(), minlength=draws * n_codes).reshape(draws, n_codes)
            value = _same(table.astype(np.float64), np.ones((1, len(pieces))))
            random = np.array([_same(one, np.ones((1, len(pieces))))[0] for one in null])
            moved = _same(table.astype(np.float64), weights[1:])
            excess = float(value[0] - random.mean())
            spread = moved[np.isfinite(moved)]
            ends = None
            if len(spread):
                ends = interval(spread - spread.mean() + excess, n_pieces=int(used.sum()))
            column = (
                value[0],
                random.mean(),
                excess,
                *(ends or (np.nan, np.nan)),
                p_value(value, random[:, None])[0],
            )
            for name, number in zip(names, column, strict=False):
                found[name][stage, k] = number
    return Agreement(hz, **found)


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
