"""Flip level: the lowest level of an added partial at which the code of a stage changes in half of the trials.

`changed` is the share of frames whose code is another one than without the partial, at each level of the ladder (re
the natural level of the target). The flip level is where it crosses one half for the first time, interpolated between
levels; -inf where even the lowest level changes half of the codes, inf where none does.

A code that changes at the least provocation flips early and hears nothing. `changed_by_foil` is the share that another
partial, of the foil's frequency and natural level, changes; `specific` is what the target changes beyond that at the
same level (+6 dB), with an interval over pieces, and `p` swaps target and foil within trials. Codes that hear nothing
flip at -inf, or never, with nothing specific.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonotopy.measures.codes._information import Array, p_value
from tonotopy.measures.codes.agreement import changes_of
from tonotopy.measures.codes.present import LEAST_PIECES, targets_of
from tonotopy.recording.codes import NO_CODE, TrialCodes
from tonotopy.statistics.bootstrap import interval, piece_weights

#: Share of changed codes at which a code has flipped.
HALF: Final = 0.5
#: Swaps of target and foil, and resamples of pieces.
SWAPS: Final = 199
RESAMPLES: Final = 200


@dataclass(frozen=True)
class FlipLevel:
    """Flip levels; ``[stage, target]`` where not said otherwise."""

    target_hz: Array  # [target]
    level_db: Array  # [level]
    changed: Array = field(repr=False)  # [level, stage, target]
    flip_level_db: Array = field(repr=False)
    changed_by_target: Array = field(repr=False)
    changed_by_foil: Array = field(repr=False)
    specific: Array = field(repr=False)
    specific_low: Array = field(repr=False)
    specific_high: Array = field(repr=False)
    p: Array = field(repr=False)


def flip_level(
    trials: TrialCodes, *, swaps: int = SWAPS, resamples: int = RESAMPLES, seed: int = 0
) -> FlipLevel:
    """Flip levels of every stage and target; NaN with fewer than 3 pieces or without a ladder."""
    targets, hz = targets_of(trials)
    shape = (trials.absent.shape[2], len(targets))
    changed = np.full((len(trials.level_db), *shape), np.nan)
    found = {name: np.full(shape, np.nan) for name in _FIELDS}
    for k, target in enumerate(targets):
        rows = np.flatnonzero(trials.target == target)
        if len(np.unique(trials.piece[rows])) < LEAST_PIECES:
            continue
        for level in range(len(trials.level_db)):
            changed[level, :, k] = changes_of(trials.absent[rows], trials.level[level, rows])
        values = _specific(trials, rows, swaps, resamples, np.random.default_rng([seed, int(target), 107]))
        for name, value in zip(_FIELDS, values, strict=True):
            found[name][:, k] = value
    flips = crossing(trials.level_db, changed)
    return FlipLevel(hz, trials.level_db, changed, flips, **found)


_FIELDS = ("changed_by_target", "changed_by_foil", "specific", "specific_low", "specific_high", "p")


def crossing(level_db: Array, changed: Array) -> Array:
    """First level at which a share ``[level, ...]`` reaches one half, interpolated; NaN where a level is unknown.

    Examples
    --------
    >>> crossing(np.array([-6.0, 0.0, 6.0]), np.array([0.0, 0.25, 0.75])).item()
    3.0
    """
    reached = changed >= HALF
    first = np.argmax(reached, axis=0)
    after = np.take_along_axis(changed, first[None], axis=0)[0]
    before = np.take_along_axis(changed, np.maximum(first - 1, 0)[None], axis=0)[0]
    low, high = level_db[np.maximum(first - 1, 0)], level_db[first]
    with np.errstate(invalid="ignore", divide="ignore"):
        between = low + (high - low) * (HALF - before) / (after - before)
    found = np.where(first == 0, -np.inf, between)
    found = np.where(reached.any(axis=0), found, np.inf)
    return np.where(np.isfinite(changed).all(axis=0), found, np.nan)


def _specific(
    trials: TrialCodes, rows: NDArray[np.int64], swaps: int, resamples: int, rng: np.random.Generator
) -> tuple[Array, ...]:
    """What target and foil change, the difference, its interval and p, each ``[stage]``."""
    absent, present, foil = (values[rows] for values in (trials.absent, trials.present, trials.foil))
    known = ((absent != NO_CODE) & (present != NO_CODE) & (foil != NO_CODE)).all(axis=(1, 2))
    absent, present, foil = absent[known], present[known], foil[known]
    nothing = np.full(absent.shape[2], np.nan)
    pieces, piece = np.unique(trials.piece[rows][known], return_inverse=True)
    if len(pieces) < LEAST_PIECES:
        return (nothing,) * len(_FIELDS)
    by_target, by_foil = ((values != absent).mean(axis=1) for values in (present, foil))  # [trial, stage]
    difference = by_target - by_foil
    value = difference.mean(axis=0)
    sign = np.where(rng.random((swaps, len(difference))) < 0.5, -1.0, 1.0)
    p = p_value(value, sign @ difference / len(difference))
    weights = piece_weights(len(pieces), resamples, seed=int(rng.integers(1 << 31)))[1:, piece]
    with np.errstate(invalid="ignore"):
        draws = weights @ difference / weights.sum(axis=1, keepdims=True)
    ends = [interval(column, n_pieces=len(pieces)) or (np.nan, np.nan) for column in draws.T]
    low, high = np.array(ends).T
    return by_target.mean(axis=0), by_foil.mean(axis=0), value, low, high, p
