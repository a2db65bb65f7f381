"""How much of many features families of columns explain on held-out pieces: ridge regression from second moments.

Conventions: rows are frames of several pieces; columns (descriptors) explain targets (features). Both are centred
within each piece, so that what a piece holds constant (how loud it was mastered) is not asked: from a dozen pieces
nothing can be learned about it. Pieces weigh alike. A column has unit mean square, over the number of columns of its
family: families are penalised alike, however many columns they have (else thirty columns of noise drown the six that
matter; a coarse form of banded ridge, Dupré la Tour et al. 2022, "Feature-space selection with banded ridge
regression").

Pieces are dealt into at most :data:`FOLDS` groups; each is predicted by a fit to the others. The penalty of a target
is chosen among :data:`PENALTIES` inside the training groups, each held out in turn (nested cross-validation), for all
columns together, and kept for fits on some of them. With S the sum of squares, left and whole, weighted by pieces,
R² = 1 - S_left / S_whole.

This is not `held_out`, which has one penalty for all columns and asks for the means of pieces too: there the question
is what can be read, here what a feature is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, pairwise
from typing import Final

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from tonotopy.measures.natural.moments import deal

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Groups of pieces, each held out in turn; fewer where there are fewer pieces.
FOLDS: Final = 6
#: Penalties on squared coefficients, over the mean square of the average column.
PENALTIES: Final = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
#: Where there are too few groups to choose one.
MIDDLE: Final = 2
#: A target whose deviations within pieces are below this share of its size is dead.
DEAD: Final = 1e-6


@dataclass(frozen=True)
class Centred:
    """Columns and targets, centred within pieces; rows sorted by piece."""

    columns: NDArray[np.float32] = field(repr=False)  # [frame, column]
    targets: NDArray[np.float32] = field(repr=False)  # [frame, target]
    edges: Ints = field(repr=False)  # [piece + 1], rows where pieces begin
    dead: NDArray[np.bool_] = field(repr=False)  # [target]

    @staticmethod
    def of(
        columns: NDArray[np.floating],
        targets: NDArray[np.floating],
        piece: NDArray[np.integer],
        family: NDArray[np.integer],
    ) -> Centred:
        """From columns ``[frame, column]``, targets ``[frame, target]``, piece ``[frame]`` and family ``[column]``.

        Frames of a piece stay in the order in which they come.
        """
        order = np.argsort(piece, kind="stable")
        edges = np.concatenate([[0], np.cumsum(np.unique(piece, return_counts=True)[1])])
        size = np.sqrt(np.mean(np.square(targets, dtype=np.float64), axis=0))
        x, _ = _centred(columns[order], edges)
        x /= np.sqrt(np.bincount(family)[family]).astype(np.float32)
        y, spread = _centred(targets[order], edges)
        dead = ~(spread > DEAD * size)
        y[:, dead] = 0.0
        return Centred(x, y, edges, dead)

    @property
    def n_pieces(self) -> int:
        """Number of pieces."""
        return len(self.edges) - 1

    @cached_property
    def group(self) -> Ints:
        """Group of each piece, ``[piece]``."""
        return deal(self.n_pieces, seed=0, most=FOLDS)

    def rows(self, piece: int) -> slice:
        """Rows of a piece."""
        return slice(int(self.edges[piece]), int(self.edges[piece + 1]))

    def moments(self, piece: int) -> Products:
        """Of one piece, per frame."""
        x, y = self.columns[self.rows(piece)], self.targets[self.rows(piece)]
        yy = np.einsum("ft,ft->t", y, y, dtype=np.float64)
        return Products(*(np.asarray(sums, np.float64) / len(x) for sums in (x.T @ x, x.T @ y, yy)))


def _centred(values: NDArray[np.floating], edges: Ints) -> tuple[NDArray[np.float32], Array]:
    """Centred within pieces and scaled to unit mean square, pieces weighing alike; and what that was."""
    found = np.empty(values.shape, np.float32)
    square = np.zeros(values.shape[1])
    for low, high in pairwise(edges):
        part = values[low:high].astype(np.float64)
        part -= part.mean(axis=0)
        square += np.mean(part**2, axis=0)
        found[low:high] = part
    spread = np.sqrt(square / (len(edges) - 1))
    found /= np.where(spread > 0, spread, 1.0).astype(np.float32)
    return found, spread


@dataclass(frozen=True)
class Products:
    """Mean products within a piece, or their sum over pieces."""

    xx: Array = field(repr=False)  # [column, column]
    xy: Array = field(repr=False)  # [column, target]
    yy: Array = field(repr=False)  # [target]

    def __add__(self, other: Products) -> Products:
        return Products(self.xx + other.xx, self.xy + other.xy, self.yy + other.yy)

    def __sub__(self, other: Products) -> Products:
        return Products(self.xx - other.xx, self.xy - other.xy, self.yy - other.yy)

    @property
    def scale(self) -> float:
        """Mean square of the average column: what penalties are relative to."""
        return max(float(np.trace(self.xx)) / len(self.xx), np.finfo(float).tiny)


def left(fitted: Array, xx: Array, xy: Array, yy: Array) -> Array:
    """Mean square that coefficients ``[column, target]`` leave, ``[target]``."""
    return np.asarray(yy + np.sum(fitted * (xx @ fitted - 2 * xy), axis=0))


def by_group(data: Centred) -> list[Products]:
    """Products of each group of pieces."""
    found: dict[int, Products] = {}
    for piece, group in enumerate(data.group.tolist()):
        own = data.moments(piece)
        found[group] = found[group] + own if group in found else own
    return [found[group] for group in sorted(found)]


def total(groups: Sequence[Products]) -> Products:
    """Products of all groups."""
    found = groups[0]
    for products in groups[1:]:
        found = found + products
    return found


def choose_penalties(groups: Sequence[Products]) -> Ints:
    """Which of :data:`PENALTIES` each target takes where each group is held out, ``[group, target]``."""
    n, every = len(groups), total(groups)
    if n < 3:
        return np.full((n, len(every.yy)), MIDDLE)
    lost = np.zeros((n, len(PENALTIES), len(every.yy)))
    for pair in combinations(range(n), 2):
        training = every - groups[pair[0]] - groups[pair[1]]
        values, vectors = np.linalg.eigh(training.xx)
        along = vectors.T @ training.xy
        # A fit without both groups is tried on either, for the sake of the other.
        for held, tested in (pair, pair[::-1]):
            of = groups[tested]
            xx, xy = vectors.T @ of.xx @ vectors, vectors.T @ of.xy
            for k, penalty in enumerate(PENALTIES):
                fitted = along / (np.maximum(values, 0) + penalty * training.scale)[:, None]
                lost[held, k] += left(fitted, xx, xy, of.yy)
    return np.asarray(lost.argmin(axis=1))


def ridge(xx: Array, xy: Array, penalty: Ints, scale: float) -> Array:
    """Coefficients ``[column, target]``, each target with its own of :data:`PENALTIES`, ``[target]``."""
    found = np.empty_like(xy)
    for k in np.unique(penalty):
        of = penalty == k
        system = xx + PENALTIES[k] * scale * np.eye(len(xx))
        factor = scipy.linalg.cho_factor(system, lower=True, check_finite=False)
        found[:, of] = scipy.linalg.cho_solve(factor, xy[:, of], check_finite=False)
    return found


def left_by_piece(
    data: Centred, groups: Sequence[Products], models: Sequence[Ints], penalty: Ints
) -> tuple[Array, Array]:
    """Mean squares that each model leaves of held-out pieces, ``[model, piece, target]``, and what there is.

    Parameters
    ----------
    models : columns of each model
    penalty : ``[group, target]``
    """
    every = total(groups)
    rest = np.empty((len(models), data.n_pieces, len(every.yy)))
    whole = np.empty((data.n_pieces, len(every.yy)))
    for held, group in enumerate(groups):
        training = every - group
        scale = training.scale
        fits = [ridge(training.xx[np.ix_(c, c)], training.xy[c], penalty[held], scale) for c in models]
        for piece in np.flatnonzero(data.group == held):
            own = data.moments(int(piece))
            whole[piece] = own.yy
            for number, (c, fitted) in enumerate(zip(models, fits, strict=True)):
                rest[number, piece] = left(fitted, own.xx[np.ix_(c, c)], own.xy[c], own.yy)
    return rest, whole


def explained(rest: Array, whole: Array, weights: Array) -> Array:
    """R² under weights of pieces ``[resample, piece]``: ``[resample, model, target]``; NaN where nothing varies."""
    top = np.einsum("rp,mpt->rmt", weights, rest, optimize=True)
    bottom = (weights @ whole)[:, None]
    ok = bottom > 0
    return np.where(ok, 1 - top / np.where(ok, bottom, 1.0), np.nan)


def held_out_r2(data: Centred) -> Array:
    """R² of all columns together, ``[target]``; NaN for dead targets and under two pieces."""
    if data.n_pieces < 2:
        return np.full(data.targets.shape[1], np.nan)
    groups = by_group(data)
    rest, whole = left_by_piece(data, groups, [np.arange(data.columns.shape[1])], choose_penalties(groups))
    return np.asarray(explained(rest, whole, np.ones((1, data.n_pieces)))[0, 0])
