"""What kinds of features there are: the family of descriptors that explains most of each beyond all others (SPEC § 5).

Conventions: values of features are ``[frame, feature]``; frames of a piece come in order of time. All shares are
R² on held-out pieces, within pieces, pieces weighing alike (`family_fit`).

- ``r2``: of all descriptors together; ``alone``: of one family by itself;
- ``unique``: what is lost without a family, R²(all) - R²(all others), the latter not below 0. What several families
  can say alike is in ``r2`` and in no unique share: a steady tone is level in a band *and* a partial;
- its null: the same after the family's columns have been shifted circularly within each piece, by at least an eighth
  of it, which keeps all that the family and the feature are by themselves, and breaks what ties them in time;
- ``p``: the unique share, less the mean of its feature's draws, over their standard deviation, against the same of all
  draws of all features of the site (each against the other draws of its own feature): (1 + as large) / (1 + draws).
  Pooling features is what makes p small enough for thousands of tests. Benjamini and Hochberg (1995) over features
  and families.

A feature is named after the family with the largest unique share among those that survive and reach
:data:`LEAST_UNIQUE`. It is *unexplained* where all descriptors reach less than :data:`LEAST_R2`; *shared* where they
reach it and no family does by itself (a deviation from SPEC, which would call it unexplained, too); *undefined* where
it never changes within a piece, or there are fewer than `LEAST_PIECES` pieces.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

from tonotopy.core.errors import InputError
from tonotopy.measures.natural import family_fit as fit
from tonotopy.signal.descriptors import Descriptors, says
from tonotopy.statistics.bootstrap import LEAST_PIECES, LEAST_PIECES_FOR_INTERVALS, piece_weights

Array = NDArray[np.float64]

UNEXPLAINED: Final = "unexplained"
SHARED: Final = "shared"
UNDEFINED: Final = "undefined"
#: All descriptors explain at least this share of a feature that has a name.
LEAST_R2: Final = 0.1
#: And the family that it is named after this share beyond all others.
LEAST_UNIQUE: Final = 0.01
#: False discovery rate among features and families.
RATE: Final = 0.05
#: Draws of the null of one feature, at least and at most, and of all features together where that allows.
DRAWS: Final = (9, 199, 2000)
#: A shift is at least this share of a piece, either way.
SHIFT: Final = 1 / 8
#: Bootstraps over pieces.
RESAMPLES: Final = 200
#: Features that stand for a kind.
TYPICAL: Final = 4

_SAID = {
    UNEXPLAINED: "are explained by no family of descriptors",
    SHARED: "are explained by several families alike, by none beyond the others",
    UNDEFINED: "never change within a piece, or there are too few pieces to ask",
}


@dataclass(frozen=True)
class Kinds:
    """What features are named, and why; NaN is undefined."""

    families: tuple[str, ...]
    kind: tuple[str, ...] = field(repr=False)  # [feature]
    r2: Array = field(repr=False)  # [feature]
    r2_low: Array = field(repr=False)  # [feature], 95 % interval over pieces
    r2_high: Array = field(repr=False)
    unique: Array = field(repr=False)  # [family, feature]
    unique_low: Array = field(repr=False)  # [family, feature]
    unique_high: Array = field(repr=False)
    unique_null: Array = field(repr=False)  # [family, feature], mean of the draws
    alone: Array = field(repr=False)  # [family, feature]
    p: Array = field(repr=False)  # [family, feature]

    @property
    def named(self) -> Array:
        """Unique share of the family that a feature is named after, ``[feature]``; NaN without one."""
        found = np.full(len(self.kind), np.nan)
        for number, kind in enumerate(self.kind):
            if kind in self.families:
                found[number] = self.unique[self.families.index(kind), number]
        return found

    @property
    def p_kind(self) -> Array:
        """The p value of the family that names a feature; the smallest one where none does, ``[feature]``."""
        least = np.full(len(self.kind), np.nan)
        for number, kind in enumerate(self.kind):
            p = self.p[:, number]
            if kind in self.families:
                least[number] = p[self.families.index(kind)]
            elif np.isfinite(p).any():
                least[number] = np.nanmin(p)
        return least


@dataclass(frozen=True)
class Kind:
    """One row of the table of kinds."""

    kind: str
    count: int
    share: float  # of the features that were asked about
    r2: float  # median
    unique: float  # median of the naming family's; NaN where no family names
    typical: tuple[int, ...]  # features with the largest unique share, or R²
    sentence: str


def kinds(
    values: NDArray[np.floating],
    descriptors: Descriptors,
    piece: NDArray[np.integer],
    *,
    draws: int | None = None,
    seed: int,
) -> Kinds:
    """Name each feature by the family of descriptors that explains most of it beyond all others.

    Parameters
    ----------
    values : ``[frame, feature]``, frames of a piece in order of time
    descriptors : of the same frames
    piece : number of each frame's piece, ``[frame]``
    draws : of the null; None as many as :data:`DRAWS` says, few for many features

    Raises
    ------
    InputError
        Other frames, or values that are not finite.
    """
    values = np.asarray(values)
    if values.ndim != 2 or not len(values) == len(descriptors) == len(piece):
        came = f"values {values.shape}, {len(descriptors)} described frames and {len(piece)} pieces"
        raise InputError("values [frame, feature] of the frames that are described", came)
    if not (np.isfinite(values).all() and np.isfinite(descriptors.values).all()):
        raise InputError("finite values", "some that are not", "an encoder that overflows")
    n_features, n_families = values.shape[1], len(descriptors.families)
    if len(np.unique(piece)) < LEAST_PIECES or not n_features:
        return _undefined(descriptors.families, n_features)
    least, most, together = DRAWS
    draws = draws or int(np.clip(-(-together // n_features), least, most))
    data = fit.Centred.of(descriptors.values, values, piece, descriptors.family)
    groups = fit.by_group(data)
    penalty = fit.choose_penalties(groups)
    every = np.arange(len(descriptors.names))
    own = [np.flatnonzero(descriptors.family == k) for k in range(n_families)]
    others = [np.setdiff1d(every, columns) for columns in own]
    rest, whole = fit.left_by_piece(data, groups, [every, *others, *own], penalty)

    def shares(weights: Array) -> tuple[Array, Array, Array]:
        found = fit.explained(rest, whole, weights)
        without = np.maximum(found[:, 1 : 1 + n_families], 0.0)
        return found[:, 0], found[:, :1] - without, found[:, 1 + n_families :]

    r2, unique, alone = (found[0] for found in shares(np.ones((1, data.n_pieces))))
    null = _null(data, groups, penalty, own, draws, seed=seed) - (r2 - unique)
    p = _p_values(unique, null)
    if data.n_pieces >= LEAST_PIECES_FOR_INTERVALS:
        found = shares(piece_weights(data.n_pieces, RESAMPLES, seed=seed)[1:])
        (r2_low, r2_high), (low, high) = (np.quantile(f, [0.025, 0.975], axis=0) for f in found[:2])
    else:
        (r2_low, r2_high), (low, high) = np.full((2, n_features), np.nan), np.full((2, *p.shape), np.nan)
    named = _names(descriptors.families, r2, unique, p)
    return Kinds(
        descriptors.families, named, r2, r2_low, r2_high, unique, low, high, null.mean(axis=0), alone, p
    )


def table(found: Kinds, among: NDArray[np.bool_] | None = None) -> list[Kind]:
    """One row a kind that occurs, the most frequent first, undefined last.

    Parameters
    ----------
    among : which features are counted, ``[feature]``; None all of them
    """
    kind = np.array(found.kind, dtype=object)
    counted = np.ones(len(kind), bool) if among is None else among
    asked, named = int(np.sum(counted & (kind != UNDEFINED))), found.named
    rows = []
    for name in dict.fromkeys(kind[counted]):
        of = np.flatnonzero(counted & (kind == name))
        worth = np.where(np.isfinite(named[of]), named[of], np.nan_to_num(found.r2[of]))
        typical = of[np.argsort(-worth, kind="stable")][:TYPICAL]
        r2, unique = (float(np.median(x[of])) for x in (found.r2, named))
        share = len(of) / asked if asked and name != UNDEFINED else float("nan")
        sentence = f"{len(of)} of {int(counted.sum())} features {_SAID.get(name) or says(name)}"
        if np.isfinite(unique):
            sentence += f" (median R² {r2:.2f}, {unique:.2f} of it beyond all other descriptors)"
        elif np.isfinite(r2):
            sentence += f" (median R² {r2:.2f})"
        rows.append(Kind(name, len(of), share, r2, unique, tuple(typical.tolist()), sentence + "."))
    return sorted(rows, key=lambda row: (row.kind == UNDEFINED, -row.count, row.kind))


def _undefined(families: tuple[str, ...], n: int) -> Kinds:
    one, each = np.full(n, np.nan), np.full((len(families), n), np.nan)
    return Kinds(families, (UNDEFINED,) * n, one, one, one, each, each, each, each, each, each)


def _null(
    data: fit.Centred,
    groups: list[fit.Products],
    penalty: NDArray[np.int64],
    own: list[NDArray[np.int64]],
    draws: int,
    *,
    seed: int,
) -> Array:
    """R² of all columns with one family shifted in time, ``[draw, family, feature]``.

    Products of a shifted family with itself are as they were, so that only those with others are computed anew.
    """
    n_groups = len(groups)
    whole = fit.total(groups)
    found = np.empty((draws, len(own), len(whole.yy)))
    for draw in range(draws):
        rng = np.random.default_rng([seed, draw, 53])
        moved = [np.zeros_like(whole.xx) for _ in range(n_groups)]
        towards = [np.zeros_like(whole.xy) for _ in range(n_groups)]
        for piece, group in enumerate(data.group):
            x, y = data.columns[data.rows(piece)], data.targets[data.rows(piece)]
            n = len(x)
            least = int(np.ceil(SHIFT * n))
            shifted = np.roll(x, int(rng.integers(least, max(n - least, least + 1))), axis=0)
            moved[group] += (shifted.T @ x).astype(np.float64) / n
            towards[group] += (shifted.T @ y).astype(np.float64) / n
        for family, columns in enumerate(own):
            changed = [_exchanged(*each, columns) for each in zip(groups, moved, towards, strict=True)]
            every = fit.total(changed)
            left = np.zeros(len(whole.yy))
            for held, group in enumerate(changed):
                training = every - group
                fitted = fit.ridge(training.xx, training.xy, penalty[held], training.scale)
                left += fit.left(fitted, group.xx, group.xy, group.yy)
            found[draw, family] = np.where(whole.yy > 0, 1 - left / np.maximum(whole.yy, 1e-300), np.nan)
    return found


def _exchanged(group: fit.Products, moved: Array, towards: Array, columns: NDArray[np.int64]) -> fit.Products:
    """Products with some columns shifted, from those of all shifted columns with columns and with targets."""
    xx, xy = group.xx.copy(), group.xy.copy()
    within = xx[np.ix_(columns, columns)]
    xx[columns], xx[:, columns] = moved[columns], moved[columns].T
    xx[np.ix_(columns, columns)] = within
    xy[columns] = towards[columns]
    return fit.Products(xx, xy, group.yy)


def _p_values(unique: Array, null: Array) -> Array:
    """The p value of each family and feature from draws ``[draw, family, feature]``, pooled over features."""
    draws = len(null)
    p = np.full(unique.shape, np.nan)
    defined = np.isfinite(unique[0])
    if draws < 3 or not defined.any():
        return p
    null = null[:, :, defined]
    mean, spread = null.mean(axis=0), null.std(axis=0, ddof=1)
    seen = (unique[:, defined] - mean) / np.maximum(spread, 1e-9)
    # Mean and variance of the other draws, by taking each one out.
    apart = (null - mean) * draws / (draws - 1)
    variance = ((draws - 1) * spread**2 - apart * (null - mean)) / (draws - 2)
    chance = apart / np.maximum(np.sqrt(np.maximum(variance, 0)), 1e-9)
    for family in range(len(unique)):
        pool = np.sort(chance[:, family].ravel())
        larger = len(pool) - np.searchsorted(pool, seen[family], side="left")
        p[family, defined] = (1 + larger) / (1 + len(pool))
    return p


def _names(families: tuple[str, ...], r2: Array, unique: Array, p: Array) -> tuple[str, ...]:
    survives = np.zeros(p.shape, bool)
    tested = np.isfinite(p)
    if tested.any():
        survives[tested] = false_discovery_control(p[tested]) <= RATE
    worth = np.where(survives & (unique >= LEAST_UNIQUE), unique, -np.inf)
    best = worth.argmax(axis=0)
    named = np.array(families, dtype=object)[best]
    named[~np.isfinite(worth.max(axis=0))] = SHARED
    named[~(r2 >= LEAST_R2)] = UNEXPLAINED
    named[~np.isfinite(r2)] = UNDEFINED
    return tuple(named.tolist())
