"""What adding a partial does to each logit, over frequency, and whether it does the same in every context.

The change of logit k in a trial is r = w_k · Δ, of the units at the site that the head reads. Of each class and target:

- `strength`: mean |r|, and `signed`: mean r; both over the root mean square of the class's r over all targets, so that
  classes with long weight vectors count no more than others;
- `consistency`: mean(r)² / mean(r²), 0 to 1, as SPEC § 4 has it but with the sign either way;
- `sign_agreement`: the chance that two trials of different pieces change the logit in the same direction.

A mean over few trials is never zero: each is set against random directions of the same site (drawn as everywhere,
`features.random_directions`), read in the same way on the same trials. `p` is one-sided over directions; adjusted for
the number of classes at each target (Benjamini and Hochberg 1995) it is `q`. What a partial does to *any* direction in
every context (it makes things louder) is in the null as well.

The null cannot tell a head that reads nothing from one that reads what random directions read: see docs/head.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

from tonotopy.core.errors import InputError
from tonotopy.features.random_directions import random_directions
from tonotopy.recording.recording import Recording
from tonotopy.statistics.bootstrap import interval, piece_weights

Array = NDArray[np.float64]

#: Random directions, and classes or directions at a time.
DIRECTIONS: Final = 384
AT_A_TIME: Final = 64
#: Fewer pieces than this give no number.
LEAST_PIECES: Final = 3
RESAMPLES: Final = 200
#: Changes below this share of the largest are none: a sign of rounding is no sign.
_NOTHING: Final = 1e-9


@dataclass(frozen=True)
class HeadProfile:
    """Answers of logits to partials; ``[class, target]`` where not said otherwise, NaN where undefined."""

    target_hz: Array  # [target]
    strength: Array = field(repr=False)
    signed: Array = field(repr=False)
    consistency: Array = field(repr=False)
    consistency_low: Array = field(repr=False)
    consistency_high: Array = field(repr=False)
    consistency_null: Array = field(repr=False)  # [target], median of random directions
    consistency_null_high: Array = field(repr=False)  # [target], their upper twentieth
    consistency_p: Array = field(repr=False)
    consistency_q: Array = field(repr=False)
    sign_agreement: Array = field(repr=False)
    sign_agreement_null: Array = field(repr=False)  # [target], median of random directions
    sign_agreement_p: Array = field(repr=False)
    best_hz: Array = field(repr=False)  # [class], of the largest strength
    concentration: Array = field(
        repr=False
    )  # [class], largest share of strength² of one target; 1 / targets is flat
    concentration_null: float  # median of random directions
    concentration_p: Array = field(repr=False)  # [class]
    n_pieces: NDArray[np.int64] = field(repr=False)  # [target]


def head_profile(
    recording: Recording,
    weight: NDArray[np.floating],
    *,
    directions: int = DIRECTIONS,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> HeadProfile:
    """Profile of logits over the targets of a recording.

    Parameters
    ----------
    recording : trials of any families at the site that the head reads; pieces of music and contexts of other
        families are the units of statistics
    weight : ``[class, unit]``

    Raises
    ------
    InputError
        The recording has other units than the head reads.
    """
    rows = np.asarray(weight, np.float32)
    if rows.ndim != 2 or rows.shape[1] != recording.core.shape[3]:
        expected = f"weights [class, {recording.core.shape[3]}]"
        raise InputError(expected, str(rows.shape), "a recording of another site")
    absent = recording.absent.reshape(-1, rows.shape[1])
    absent = absent[np.isfinite(absent).all(axis=1)]
    drawn = random_directions(absent, directions, seed=seed) if len(absent) > 1 else rows[:0]
    own, null = _measured(recording, rows), _measured(recording, drawn)
    table = recording.trials
    targets, first = np.unique(table.frequency_index, return_index=True)
    p, q = (np.full(own.consistency.shape, np.nan) for _ in range(2))
    sign_p = np.full(own.consistency.shape, np.nan)
    for k in range(len(targets)):
        p[:, k] = _p(own.consistency[:, k], null.consistency[:, k])
        sign_p[:, k] = _p(own.agreement[:, k], null.agreement[:, k])
        known = np.isfinite(p[:, k])
        if known.any():
            q[known, k] = false_discovery_control(p[known, k])
    low, high = _intervals(recording, rows, resamples, seed)
    hz = table.frequency_hz[first]
    best = np.where(
        np.isfinite(own.concentration), hz[np.argmax(np.nan_to_num(own.strength), axis=1)], np.nan
    )
    return HeadProfile(
        hz,
        own.strength,
        own.signed,
        own.consistency,
        low,
        high,
        _quantile(null.consistency, 0.5),
        _quantile(null.consistency, 0.95),
        p,
        q,
        own.agreement,
        _quantile(null.agreement, 0.5),
        sign_p,
        best,
        own.concentration,
        float(_quantile(null.concentration[:, None], 0.5)[0]),
        _p(own.concentration, null.concentration),
        own.pieces,
    )


@dataclass(frozen=True)
class _Measured:
    strength: Array  # [direction, target]
    signed: Array
    consistency: Array
    agreement: Array
    concentration: Array  # [direction]
    pieces: NDArray[np.int64]  # [target]


def _measured(recording: Recording, weight: NDArray[np.float32]) -> _Measured:
    """What directions read."""
    parts = [_some(recording, weight[i : i + AT_A_TIME]) for i in range(0, max(1, len(weight)), AT_A_TIME)]
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _NAMES}
    return _Measured(**joined, pieces=parts[0].pieces)


_NAMES = ("strength", "signed", "consistency", "agreement", "concentration")


def _some(recording: Recording, weight: NDArray[np.float32]) -> _Measured:
    values, target, piece = _changes(recording, weight)
    targets = np.unique(recording.trials.frequency_index)
    shape = (values.shape[2], len(targets))
    mean, size, square, agree = (np.full(shape, np.nan) for _ in range(4))
    pieces = np.zeros(len(targets), np.int64)
    for k, number in enumerate(targets):
        rows = target == number
        pieces[k] = len(np.unique(piece[rows]))
        if pieces[k] < LEAST_PIECES:
            continue
        own = values[rows]
        mean[:, k], size[:, k] = own.mean(axis=(0, 1)), np.abs(own).mean(axis=(0, 1))
        square[:, k] = (own**2).mean(axis=(0, 1))
        agree[:, k] = _agreement(own, piece[rows])
    known = np.isfinite(square).any(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = (
            np.sqrt(square[:, known].mean(axis=1, keepdims=True))
            if known.any()
            else np.full((shape[0], 1), np.nan)
        )
        scale = np.where(scale > 0, scale, np.nan)
        power = size[:, known] ** 2
        share = (
            power.max(axis=1, initial=0.0) / power.sum(axis=1) if known.any() else np.full(shape[0], np.nan)
        )
        consistency = np.where(square > 0, mean**2 / square, np.nan)
    return _Measured(size / scale, mean / scale, consistency, agree, share, pieces)


def _changes(
    recording: Recording, weight: NDArray[np.float32]
) -> tuple[Array, NDArray[np.int64], NDArray[np.int64]]:
    """Changes of logits ``[trial, frame, class]`` by the target, with the target and the piece of each trial."""
    table = recording.trials
    delta = recording.delta("present")
    known = np.isfinite(delta).all(axis=(1, 2))
    named = [f"{f} {p}" for f, p in zip(table.family[known], table.piece[known], strict=True)]
    _, piece = np.unique(named, return_inverse=True) if named else (None, np.zeros(0, np.int64))
    values = (delta[known] @ weight.T).astype(np.float64)
    return values, np.asarray(table.frequency_index[known]), np.asarray(piece)


def _agreement(values: Array, piece: NDArray[np.int64]) -> Array:
    """Chance that two frames of different pieces change in the same direction, ``[class]``; NaN without changes."""
    least = _NOTHING * np.abs(values).max(initial=0.0)
    sign = np.where(np.abs(values) > least, np.sign(values), 0.0)
    n = int(piece.max()) + 1
    total, count = np.zeros((n, values.shape[2])), np.zeros((n, values.shape[2]))
    np.add.at(total, piece, sign.sum(axis=1))
    np.add.at(count, piece, np.abs(sign).sum(axis=1))
    same = total.sum(axis=0) ** 2 - (total**2).sum(axis=0)
    pairs = count.sum(axis=0) ** 2 - (count**2).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(pairs > 0, 0.5 + 0.5 * same / pairs, np.nan)


def _intervals(
    recording: Recording, weight: NDArray[np.float32], resamples: int, seed: int
) -> tuple[Array, Array]:
    """Interval of consistency over pieces: the spread of resamples about their own mean, laid about the value."""
    targets = np.unique(recording.trials.frequency_index)
    ends = np.full((2, len(weight), len(targets)), np.nan)
    for i in range(0, len(weight), AT_A_TIME):
        values, target, piece = _changes(recording, weight[i : i + AT_A_TIME])
        for k, number in enumerate(targets):
            rows = target == number
            pieces, place = np.unique(piece[rows], return_inverse=True)
            if len(pieces) < LEAST_PIECES:
                continue
            sums = np.zeros((3, len(pieces), values.shape[2]))
            for row, part in enumerate((values[rows], values[rows] ** 2, np.ones_like(values[rows]))):
                np.add.at(sums[row], place, part.sum(axis=1))
            weights = piece_weights(len(pieces), resamples, seed=seed)
            mean, square, count = (weights @ part for part in sums)
            with np.errstate(invalid="ignore", divide="ignore"):
                draws = (mean / count) ** 2 / (square / count)
            for c in range(draws.shape[1]):
                moved = draws[1:, c] - draws[1:, c].mean() + draws[0, c]
                found = interval(moved, n_pieces=len(pieces))
                ends[:, i + c, k] = np.clip(found, 0, 1) if found else (np.nan, np.nan)
    return ends[0], ends[1]


def _p(own: Array, null: Array) -> Array:
    """One-sided p values ``[class]`` against ``[direction]``; NaN where either is undefined."""
    draws = np.sort(null[np.isfinite(null)])
    # Activations have seven digits: what differs by less than this is equal.
    beyond = len(draws) - np.searchsorted(draws, own - 1e-6, side="left")
    return np.where(np.isfinite(own) & (len(draws) > 0), (1 + beyond) / (1 + len(draws)), np.nan)


def _quantile(values: Array, level: float) -> Array:
    """Quantile over directions ``[direction, target]``; NaN where there are none."""
    return np.array(
        [np.quantile(c[np.isfinite(c)], level) if np.isfinite(c).any() else np.nan for c in values.T]
    )
