"""First and second moments of frames and targets per group of pieces: what ridge regression needs, and no more.

Pieces are dealt to at most `MOST_GROUPS` groups. `Moments` adds up, in float64, a group's counts, means and
centred products, so that memory does not grow with frames, parts computed apart merge, and a line fitted on some
groups can be tried on others without seeing the data again.

Conventions: x is ``[frame, feature]``, y is ``[frame, target]``; a ridge solution has an intercept, and its
penalty is relative: ``penalty`` times the mean variance of the features is added to each variance. A share of
variance is held out: one minus the squared error on frames that took no part in the fit over the squared error of
the training mean. The best constant has 0; worse than it is below 0.

Means and centred products are merged as in T. F. Chan, G. H. Golub and R. J. LeVeque, "Algorithms for computing
the sample variance", The American Statistician 37, 242-247 (1983): large means lose no digits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import blas, lapack

from tonotopy.core.errors import InputError

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_GROUPS: Final = 12
#: A feature whose variance is below this share of its mean square is constant but for rounding.
_CONSTANT: Final = 1e-12


def deal(n_pieces: int, *, seed: int, most: int = MOST_GROUPS) -> Ints:
    """The group of each piece, ``[piece]``: at most ``most`` groups, as even as can be.

    Examples
    --------
    >>> sorted(deal(5, seed=0, most=3).tolist())
    [0, 0, 1, 1, 2]
    """
    if n_pieces < 1 or most < 1:
        raise InputError("at least 1 piece and 1 group", f"{n_pieces} and {most}")
    order = np.random.default_rng([seed, n_pieces, 41]).permutation(n_pieces)
    group = np.empty(n_pieces, np.int64)
    group[order] = np.arange(n_pieces) % min(most, n_pieces)
    return group


def thinned(rows: Ints, most: int) -> Ints:
    """At most so many of some rows, evenly spread.

    Examples
    --------
    >>> thinned(np.arange(10), 4).tolist()
    [0, 2, 5, 7]
    """
    count = min(len(rows), most)
    return rows[np.arange(count) * len(rows) // max(count, 1)]


@dataclass(frozen=True)
class Sums:
    """Moments of some frames: what a fit is made from, or tried on."""

    count: float
    mean_x: Array = field(repr=False)  # [feature]
    mean_y: Array = field(repr=False)  # [target]
    xx: Array = field(repr=False)  # [feature, feature], centred; or its diagonal, [feature]
    xy: Array = field(repr=False)  # [feature, target], centred
    yy: Array = field(repr=False)  # [target], centred

    @staticmethod
    def of(x: ArrayLike, y: ArrayLike, *, gram: bool = True) -> Sums:
        """Of frames ``x`` and targets ``y``; without ``gram`` only the diagonal of the features' products."""
        frames, targets = np.asarray(x, np.float64), np.asarray(y, np.float64)
        count = float(len(frames))
        mean_x, mean_y = (values.sum(axis=0) / max(count, 1.0) for values in (frames, targets))
        frames, targets = frames - mean_x, targets - mean_y
        xx = frames.T @ frames if gram else np.einsum("ij,ij->j", frames, frames)
        return Sums(count, mean_x, mean_y, xx, frames.T @ targets, np.einsum("ij,ij->j", targets, targets))

    def plus(self, other: Sums) -> Sums:
        """Of all frames of both."""
        if not other.count:
            return self
        if not self.count:
            return other
        count = self.count + other.count
        share = other.count / count
        both = self.count * share
        dx, dy = other.mean_x - self.mean_x, other.mean_y - self.mean_y
        # The products between, to which the rest is added in place: the arrays are large.
        xx = np.multiply.outer(both * dx, dx) if self.xx.ndim == 2 else both * dx**2
        xy = np.multiply.outer(both * dx, dy)
        for sums in (self, other):
            xx += sums.xx
            xy += sums.xy
        yy = self.yy + other.yy + both * dy**2
        return Sums(count, self.mean_x + share * dx, self.mean_y + share * dy, xx, xy, yy)

    def targets(self, columns: slice | Ints) -> Sums:
        """The same frames with some of the targets."""
        xy = self.xy[:, columns] if isinstance(columns, slice) else np.take(self.xy, columns, axis=1)
        return Sums(self.count, self.mean_x, self.mean_y[columns], self.xx, xy, self.yy[columns])

    def apart(self) -> Sums:
        """The same without products of different features."""
        return replace(self, xx=self.diagonal)

    @property
    def diagonal(self) -> Array:
        """Centred square of each feature, ``[feature]``."""
        return np.diagonal(self.xx) if self.xx.ndim == 2 else self.xx

    @cached_property
    def variance_x(self) -> Array:
        """Variance of each feature, ``[feature]``; exactly 0 where it is constant but for rounding."""
        variance = self.diagonal / max(self.count, 1.0)
        return np.where(variance > _CONSTANT * (variance + self.mean_x**2), variance, 0.0)

    def ridge(self, penalty: float) -> Array:
        """Weights of all features together, ``[feature, target]``: 0 where nothing varies."""
        assert self.xx.ndim == 2, "the diagonal alone has no ridge"
        size = float(np.mean(self.variance_x)) * self.count
        if not size > 0:
            return np.zeros(self.xy.shape)
        system = self.xx.copy()
        system.flat[:: len(system) + 1] += penalty * size
        # LAPACK's axes are the other way round: transposes of what lies here need no copy, and targets come as rows.
        factor, fault = lapack.dpotrf(system.T, lower=1, clean=0, overwrite_a=1)
        if fault:
            raise np.linalg.LinAlgError(f"products of features are not positive definite ({fault})")
        apply = blas.dtrsm
        if self.xy.shape[1] > 2 * len(factor):  # products run faster than so many substitutions
            factor, _ = lapack.dtrtri(factor, lower=1, overwrite_c=1)
            apply = blas.dtrmm
        half = apply(1.0, factor, self.xy.T, side=1, lower=1, trans_a=1)
        return np.asarray(apply(1.0, factor, half, side=1, lower=1, overwrite_b=1).T)

    def single(self) -> Array:
        """Weight of each feature by itself, ``[feature, target]``: 0 where it does not vary."""
        size = self.variance_x[:, None] * self.count
        return np.divide(self.xy, size, out=np.zeros(self.xy.shape), where=size > 0)

    def half_products(self, weights: Array) -> Array:
        """What times ``weights [feature, target]`` sums up to half the square of their predictions.

        A triangle of the products of features, its diagonal halved: half the work of all of them.
        """
        triangle = self.xx.copy()
        triangle.flat[:: len(triangle) + 1] *= 0.5
        return np.asarray(blas.dtrmm(1.0, triangle.T, weights.T, side=1, lower=1).T)

    def spread_about(self, training: Sums) -> Array:
        """Squared error of the training mean, ``[target]``."""
        return np.asarray(self.yy + self.count * (self.mean_y - training.mean_y) ** 2)

    def error_of(self, weights: Array, training: Sums) -> Array:
        """Squared error of a line ``[feature, target]`` fitted on other frames, ``[target]``."""
        product = self.half_products(weights)
        product -= self.xy
        inside = self.yy + 2 * np.einsum("ij,ij->j", weights, product)
        offset = self.mean_y - training.mean_y - (self.mean_x - training.mean_x) @ weights
        return np.asarray(np.maximum(inside, 0.0) + self.count * offset**2)

    def errors_of_single(self, weights: Array, training: Sums) -> Array:
        """Squared error of each feature's own line, ``[feature, target]``."""
        inside = self.yy + weights * (self.diagonal[:, None] * weights - 2 * self.xy)
        offset = self.mean_y - training.mean_y - (self.mean_x - training.mean_x)[:, None] * weights
        return np.asarray(np.maximum(inside, 0.0) + self.count * offset**2)


class Moments:
    """Accumulator of `Sums`, one a group of pieces.

    Parameters
    ----------
    group : ``[piece]``, the group of each piece, from 0 (see `deal`)
    features, targets : how many of each
    gram : whether products of different features are kept; without, memory grows with features only and there is
        no ridge solution, only single features

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> moments = Moments(np.array([0, 1]), features=2, targets=1)
    >>> for piece in (0, 1):
    ...     x = rng.standard_normal((50, 2))
    ...     moments.update(x, x[:, :1] + 3, piece)
    >>> training, test = moments.groups([0]), moments.groups([1])
    >>> weights = training.ridge(1e-9)
    >>> bool(test.error_of(weights, training)[0] < 1e-6 * test.spread_about(training)[0])
    True
    """

    def __init__(self, group: ArrayLike, features: int, targets: int, *, gram: bool = True) -> None:
        self.group = np.asarray(group, np.int64)
        if self.group.ndim != 1 or not len(self.group) or self.group.min() < 0:
            raise InputError("a group from 0 for each piece", repr(self.group.tolist()))
        if features < 1 or targets < 1:
            raise InputError("at least 1 feature and 1 target", f"{features} and {targets}")
        self.features, self.targets, self.gram = features, targets, gram
        shape = (features, features) if gram else (features,)
        nothing = Sums(
            0.0, *(np.zeros(s) for s in ((features,), (targets,), shape, (features, targets), targets))
        )
        self._sums = [nothing] * (int(self.group.max()) + 1)

    @property
    def n_groups(self) -> int:
        """How many groups there are, empty ones too."""
        return len(self._sums)

    @property
    def counts(self) -> Array:
        """Frames of each group, ``[group]``."""
        return np.array([sums.count for sums in self._sums])

    def update(self, x: NDArray[np.floating], y: NDArray[np.floating], piece: int) -> None:
        """Add frames of one piece.

        Raises
        ------
        InputError
            For another number of frames, features or targets, values that are not finite, or no such piece.
        """
        shapes = np.shape(x), np.shape(y)
        if shapes != ((len(x), self.features), (len(x), self.targets)):
            wanted = f"[frame, {self.features}] and [frame, {self.targets}], as many frames of both"
            raise InputError(wanted, f"shapes {shapes[0]} and {shapes[1]}")
        if not 0 <= piece < len(self.group):
            raise InputError(f"a piece from 0 to {len(self.group) - 1}", str(piece))
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise InputError(
                "finite values", f"some that are not, in piece {piece}", "an encoder that overflows"
            )
        if len(x):
            at = self.group[piece]
            self._sums[at] = self._sums[at].plus(Sums.of(x, y, gram=self.gram))

    def merge(self, other: Moments) -> None:
        """Add what another accumulator of the same shape has seen.

        Raises
        ------
        InputError
            Where features, targets or the groups of pieces differ.
        """
        same = (self.features, self.targets, self.gram) == (other.features, other.targets, other.gram)
        if not same or not np.array_equal(self.group, other.group):
            raise InputError("moments of the same features, targets and groups", "others")
        self._sums = [a.plus(b) for a, b in zip(self._sums, other._sums, strict=True)]

    def without(
        self, chosen: Sequence[int] | Ints, columns: slice | Ints = slice(None), *, gram: bool = True
    ) -> Iterator[tuple[Sums, Sums]]:
        """For each of some groups, moments of all the others of them, and its own; see `groups`."""
        one = [self.groups([number], columns, gram=gram) for number in chosen]
        before, after = list(accumulate(one, Sums.plus)), list(accumulate(one[::-1], Sums.plus))[::-1]
        for k, own in enumerate(one):
            sides = [
                part for part in (before[k - 1] if k else None, *after[k + 1 : k + 2]) if part is not None
            ]
            yield reduce(Sums.plus, sides), own

    def groups(
        self, chosen: Sequence[int] | Ints, columns: slice | Ints = slice(None), *, gram: bool = True
    ) -> Sums:
        """Moments of some groups together; of none, an error.

        Parameters
        ----------
        columns : which of the targets
        gram : whether with the products of different features, where they are kept

        Raises
        ------
        InputError
            For no group.
        """
        if not len(chosen):
            raise InputError("at least 1 group", "none")
        parts = (self._sums[int(number)].targets(columns) for number in chosen)
        return reduce(Sums.plus, parts if gram else (part.apart() for part in parts))
