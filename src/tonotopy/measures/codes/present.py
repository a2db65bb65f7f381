"""What a code tells of an added partial: information against swapped labels, and AUC on held-out pieces.

For each target and stage, over the frames of all trials given: the plug-in information between the code and whether
the partial was there. The null swaps *present* and *absent* within a trial, all frames of its two sounds together: a
context's own codes, and codes that persist over frames, stay what they are. `attainable_bits` is the excess
of a code that the partial always changes to one and the same: what as many frames of such codes could show at most
(with large codebooks and few trials little; then no excess means no power). With ``against="foil"`` the other sound
is the foil, and the question is which partial was added, not whether anything was.

AUC of P(present | code): chances of codes are counted on the other pieces (half a frame is added to each code), the
AUC is that of the log odds on the pieces left out; jointly, log odds of stages are added, as if stages were
independent. (Not F1: a single code's recall is bounded by how often it is used.) Its null, and p, are the same from
trials with swapped labels: with few pieces single values are far from one half either way. The interval resamples
pieces without counting chances anew, and is too narrow with few pieces: judge by p.

Memory: that of the trials' codes; nothing grows with the number of codes of a stage.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from tonotopy.measures.codes._information import Array, information_bits, p_value
from tonotopy.recording.codes import NO_CODE, TrialCodes
from tonotopy.statistics.auc import auc, wins
from tonotopy.statistics.bootstrap import interval, piece_weights

#: Swaps of labels, and fewer for what is fitted again each time.
SWAPS: Final = 99
FITTED_SWAPS: Final = 19
#: Folds of pieces that are held out in turn, at most.
FOLDS: Final = 8
#: Fewer pieces than this give no number.
LEAST_PIECES: Final = 3
RESAMPLES: Final = 200


@dataclass(frozen=True)
class Presence:
    """What codes tell of added partials; ``[stage, target]`` where not said otherwise."""

    target_hz: Array  # [target]
    information_bits: Array = field(repr=False)
    null_bits: Array = field(repr=False)
    excess_bits: Array = field(repr=False)
    excess_low_bits: Array = field(repr=False)
    excess_high_bits: Array = field(repr=False)
    p: Array = field(repr=False)
    attainable_bits: Array = field(repr=False)
    auc: Array = field(repr=False)
    auc_null: Array = field(repr=False)
    auc_low: Array = field(repr=False)
    auc_high: Array = field(repr=False)
    auc_p: Array = field(repr=False)
    joint_auc: Array = field(repr=False)  # [target]
    joint_auc_null: Array = field(repr=False)
    joint_auc_low: Array = field(repr=False)
    joint_auc_high: Array = field(repr=False)
    joint_auc_p: Array = field(repr=False)
    best_stage: NDArray[np.int64] = field(repr=False)  # [target], of most excess
    best_excess_bits: Array = field(repr=False)  # [target], on the other half of the pieces, either way, mean
    n_pieces: NDArray[np.int64] = field(repr=False)  # [target]


def presence(
    trials: TrialCodes,
    *,
    against: Literal["absent", "foil"] = "absent",
    swaps: int = SWAPS,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Presence:
    """What codes tell of each target, over all trials given (those of music, or of any families)."""
    targets, hz = targets_of(trials)
    n_stages = trials.absent.shape[2]
    grid = {name: np.full((n_stages, len(targets)), np.nan) for name in _GRID}
    row = {name: np.full(len(targets), np.nan) for name in _ROW}
    pieces = np.zeros(len(targets), np.int64)
    for k, target in enumerate(targets):
        rows = np.flatnonzero(trials.target == target)
        other = trials.absent if against == "absent" else trials.foil
        pair = np.stack([other[rows], trials.present[rows]], axis=1)  # [trial, label, frame, stage]
        known = (pair != NO_CODE).all(axis=(1, 2, 3))
        pair, (_, piece) = pair[known], np.unique(trials.piece[rows][known], return_inverse=True)
        pieces[k] = piece.max(initial=-1) + 1
        if pieces[k] < LEAST_PIECES:
            continue
        rng = np.random.default_rng([seed, int(target), 101])
        tables = [_table(pair[..., stage]) for stage in range(n_stages)]
        for stage, table in enumerate(tables):
            found = _information(table, piece, swaps, resamples, rng)
            for name, value in zip(_GRID[:7], found, strict=True):
                grid[name][stage, k] = value
        row["best_excess_bits"][k] = _cross_chosen(tables, piece, rng)
        _fill_auc(grid, row, k, tables, piece, resamples, rng)
    known = np.isfinite(grid["excess_bits"]).any(axis=0)
    best = np.where(known, np.argmax(np.nan_to_num(grid["excess_bits"], nan=-np.inf), axis=0), -1)
    joint = {name: row[name] for name in _ROW[:5]}
    return Presence(
        hz, **grid, **joint, best_stage=best, best_excess_bits=row["best_excess_bits"], n_pieces=pieces
    )


_GRID = (
    "information_bits",
    "null_bits",
    "excess_bits",
    "excess_low_bits",
    "excess_high_bits",
    "p",
    "attainable_bits",
    "auc",
    "auc_null",
    "auc_low",
    "auc_high",
    "auc_p",
)
_ROW = ("joint_auc", "joint_auc_null", "joint_auc_low", "joint_auc_high", "joint_auc_p", "best_excess_bits")


def targets_of(trials: TrialCodes) -> tuple[NDArray[np.int64], Array]:
    """Indices of the targets that trials have, and their frequencies, each ``[target]``."""
    targets, first = np.unique(trials.target, return_index=True)
    return targets, trials.target_hz[first]


def _table(pair: NDArray[np.int64]) -> NDArray[np.int64]:
    """Codes ``[trial, label, frame]`` numbered anew, so that all numbers come."""
    _, number = np.unique(pair, return_inverse=True)
    return number.reshape(pair.shape)


def _histograms(table: NDArray[np.int64]) -> Array:
    """Frames ``[trial, label, code]`` of each code."""
    n = int(table.max()) + 1
    cell = np.arange(table.shape[0] * 2)[:, None] * n + table.reshape(-1, table.shape[2])
    return np.bincount(cell.ravel(), minlength=table.shape[0] * 2 * n).reshape(-1, 2, n).astype(np.float64)


def _swapped(seen: Array, swap: NDArray[np.bool_], weight: Array | None = None) -> Array:
    """Information with the labels of some trials swapped, ``[draw, trial]`` to ``[draw]``."""
    own = np.ones(swap.shape) if weight is None else weight
    one = (own * ~swap) @ seen.reshape(len(seen), -1) + (own * swap) @ seen[:, ::-1].reshape(len(seen), -1)
    return information_bits(one.reshape(len(swap), 2, -1))


def _information(
    table: NDArray[np.int64], piece: NDArray[np.int64], swaps: int, resamples: int, rng: np.random.Generator
) -> tuple[float, ...]:
    """Information, null, excess, its interval and p of one target and stage."""
    seen, n = _histograms(table), len(table)
    value = float(_swapped(seen, np.zeros((1, n), np.bool_))[0])
    null = _swapped(seen, rng.random((swaps, n)) < 0.5)
    n_pieces = int(piece.max()) + 1
    weights = piece_weights(n_pieces, resamples, seed=int(rng.integers(1 << 31)))[1:, piece]
    # A resample has fewer distinct trials and so more bias: the spread about its own mean is what counts.
    draws = _swapped(seen, np.zeros(weights.shape, np.bool_), weights)
    excess = value - float(null.mean())
    ends = interval(draws - draws.mean() + excess, n_pieces=n_pieces) or (float("nan"), float("nan"))
    planted = np.stack([seen[:, 0], np.zeros_like(seen[:, 0])], axis=1)
    planted = np.concatenate([planted, np.zeros((n, 2, 1))], axis=2)
    planted[:, 1, -1] = table.shape[2]
    attainable = 1.0 - float(_swapped(planted, rng.random((swaps, n)) < 0.5).mean())
    return value, float(null.mean()), excess, *ends, float(p_value(np.array(value), null)), attainable


def _cross_chosen(
    tables: list[NDArray[np.int64]], piece: NDArray[np.int64], rng: np.random.Generator
) -> float:
    """Excess at the best stage, which is chosen on one half of the pieces and read on the other, and the reverse."""
    half = rng.permutation(int(piece.max()) + 1) % 2
    excess = np.empty((2, len(tables)))
    for side in (0, 1):
        own = np.flatnonzero(half[piece] == side)
        for stage, table in enumerate(tables):
            seen = _histograms(table[own])
            null = _swapped(seen, rng.random((SWAPS, len(own))) < 0.5)
            excess[side, stage] = _swapped(seen, np.zeros((1, len(own)), np.bool_))[0] - null.mean()
    return float((excess[1, excess[0].argmax()] + excess[0, excess[1].argmax()]) / 2)


def _fill_auc(
    grid: dict[str, Array],
    row: dict[str, Array],
    k: int,
    tables: list[NDArray[np.int64]],
    piece: NDArray[np.int64],
    resamples: int,
    rng: np.random.Generator,
) -> None:
    """AUC of one target at every stage and jointly, with null and interval."""
    n_pieces = int(piece.max()) + 1
    weights = piece_weights(n_pieces, resamples, seed=int(rng.integers(1 << 31)))
    fold = rng.permutation(n_pieces) % min(FOLDS, n_pieces)
    none = np.zeros(len(piece), np.bool_)
    draws = [none, *(rng.random(len(piece)) < 0.5 for _ in range(FITTED_SWAPS))]
    found = np.full((len(draws), len(tables) + 1), np.nan)
    ends = np.full((2, len(tables) + 1), np.nan)
    for draw, swap in enumerate(draws):
        labelled = [np.where(swap[:, None, None], table[:, ::-1], table) for table in tables]
        odds = np.stack([_log_odds(table, fold[piece]) for table in labelled])
        for stage, score in enumerate([*odds, odds.sum(axis=0)]):
            values = _auc(score, piece, weights if draw == 0 else weights[:1])
            found[draw, stage] = values[0]
            if draw == 0:
                ends[:, stage] = interval(values[1:], n_pieces=n_pieces) or (np.nan, np.nan)
    columns = (found[0], found[1:].mean(axis=0), *ends, p_value(found[0], found[1:]))
    for name, joint, values in zip(_GRID[7:], _ROW, columns, strict=False):
        grid[name][:, k], row[joint][k] = values[:-1], values[-1]


def _log_odds(table: NDArray[np.int64], fold: NDArray[np.int64]) -> Array:
    """Log odds of *present* of every frame ``[trial, label, frame]``, from the trials of other folds."""
    counted, found = _histograms(table), np.empty(table.shape)
    total = counted.sum(axis=0)
    for own in np.unique(fold):
        rows = fold == own
        log = np.log(total - counted[rows].sum(axis=0) + 0.5)
        found[rows] = (log[1] - log[0])[table[rows]]
    return found


def _auc(score: Array, piece: NDArray[np.int64], weights: Array) -> Array:
    """AUC of present against absent frames under weights of pieces."""
    frames = score.shape[2]
    each, n_pieces = np.repeat(piece, frames), weights.shape[1]
    won, pairs = wins(score[:, 1].ravel(), score[:, 0].ravel(), each, each, n_pieces)
    return auc(won, pairs, weights)
