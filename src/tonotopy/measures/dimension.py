"""How many dimensions of a site music uses, and whether two sites use the same ones.

Conventions: frames are raw activations ``[frame, unit]``, each with the number of its piece. Covariances are
centred, in float64, and pieces weigh alike; *energy* is variance about the mean over music. With C the
covariance and λ its eigenvalues, descending:

- *effective dimension*: the participation ratio (tr C)² / tr C², between 1 and the number of units (Gao et
  al. 2017, "A theory of multineuronal dimensionality, dynamics and measurement");
- the *held* subspace: the fewest leading eigenvectors that hold 95 % of the energy; its dimension is ``held``;
- *overlap* of two held subspaces with projections P_a, P_b: tr(P_a P_b) / min(rank P_a, rank P_b), the mean
  squared cosine of their principal angles (Björck and Golub 1973; normalised as in Hu et al. 2021, "LoRA",
  § 7.2). 1: one contains the other. Defined where both live in the same units, as snapshots of one training do;
- *shared*: the share of a piece's energy, about the mean over music, that lies in the subspace which the other
  pieces hold; the rest is the piece's own.

All are invariant to a rotation of the units. Nulls: white frames, as many, read :func:`white_dimension`, since
few frames span few dimensions; two random subspaces overlap by :func:`random_overlap`. What repeats at all is
bounded by ``halves``, the overlap of the subspaces of two halves of the pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Share of the energy that a held subspace holds.
HELD = 0.95
#: Share of the energy that may be lost when frames are put on fewer axes, for speed.
LOST = 1e-8
#: A site whose spread is below this share of its RMS over music is dead.
DEAD = 1e-6


@dataclass(frozen=True)
class Frames:
    """Frames of one site on their principal axes; the axes that hold next to nothing are left out.

    ``axes`` are orthonormal and may be many where a site has many units; they are never more than the frames.
    """

    values: Array = field(repr=False)  # [frame, axis], about the mean over music
    axes: Array = field(repr=False)  # [unit, axis]
    piece: NDArray[np.int64] = field(repr=False)  # [frame]
    n_pieces: int

    @staticmethod
    def of(frames: NDArray[np.floating], piece: NDArray[np.integer]) -> Frames | None:
        """Frames ``[frame, unit]`` with the piece of each; those that are not finite take no part.

        None where the site is dead, or nothing is finite: every measure of it is undefined.
        """
        numbers, piece = np.unique(piece, return_inverse=True)
        finite = np.isfinite(frames).all(axis=1)
        values, piece = np.asarray(frames[finite], dtype=np.float64), piece[finite]
        if len(values) < 2 or len(np.unique(piece)) < len(numbers):
            return None
        size = float(np.sqrt(np.mean(values**2)))
        weight = _frame_weights(piece, np.ones(len(numbers)))
        values = values - weight @ values
        if not np.sqrt(np.mean(values**2)) > DEAD * size:
            return None
        # Fewer frames than units span fewer dimensions: the Gram matrix of the smaller side has them all.
        if values.shape[0] < values.shape[1]:
            squares, left = np.linalg.eigh(values @ values.T)
            axes = values.T @ left / np.sqrt(np.maximum(squares, np.finfo(float).tiny))
        else:
            squares, axes = np.linalg.eigh(values.T @ values)
        kept = np.cumsum(np.maximum(squares, 0.0)) > LOST * np.maximum(squares, 0.0).sum()
        axes = axes[:, kept]
        return Frames(values @ axes, axes, piece.astype(np.int64), len(numbers))

    @property
    def units(self) -> int:
        """Units of the site."""
        return self.axes.shape[0]

    def covariance(self, weights: Array) -> Array:
        """Covariance ``[axis, axis]`` under weights of pieces, ``[piece]``."""
        weight = _frame_weights(self.piece, weights)
        mean = weight @ self.values
        return (self.values * weight[:, None]).T @ self.values - np.outer(mean, mean)


@dataclass(frozen=True)
class Dimension:
    """What one site's frames read; resample 0 is the data itself."""

    effective: Array = field(repr=False)  # [resample]
    subspaces: tuple[Array, ...] = field(repr=False)  # [resample] of bases [unit, component]: what is held
    within: Array = field(repr=False)  # [piece] effective dimension of a piece by itself
    shared: Array = field(repr=False)  # [piece] share of its energy that other pieces' subspace holds
    halves: float  # overlap of the subspaces of even and odd pieces
    white: float  # null of the effective dimension
    n_frames: int
    units: int

    @property
    def held(self) -> Array:
        """Dimension of the held subspace, ``[resample]``."""
        return np.array([float(basis.shape[1]) for basis in self.subspaces])


def dimension(frames: Frames, weights: Array) -> Dimension:
    """Effective dimension, held subspace, and what pieces share.

    Parameters
    ----------
    frames : of music, with no partial added
    weights : of pieces, ``[resample, piece]``, all ones first

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> plane = rng.standard_normal((400, 2)) @ np.linalg.qr(rng.standard_normal((9, 2)))[0].T
    >>> found = Frames.of(plane, np.repeat(np.arange(8), 50))
    >>> read = dimension(found, np.ones((1, 8)))
    >>> round(float(read.effective[0]), 1), int(read.held[0])
    (2.0, 2)
    """
    covariances = [frames.covariance(w) for w in weights]
    effective = np.array([participation_ratio(c) for c in covariances])
    subspaces = tuple(frames.axes @ leading(c) for c in covariances)
    n_pieces = frames.n_pieces
    even = (np.arange(n_pieces) % 2 == 0).astype(np.float64)
    halves = float("nan")
    if n_pieces >= 2:
        halves = overlap(leading(frames.covariance(even)), leading(frames.covariance(1 - even)))
    return Dimension(
        effective,
        subspaces,
        within=np.array([participation_ratio(frames.covariance(w)) for w in np.eye(n_pieces)]),
        shared=_shared(frames),
        halves=halves,
        white=white_dimension(len(frames.values), frames.units),
        n_frames=len(frames.values),
        units=frames.units,
    )


def participation_ratio(covariance: Array) -> float:
    """(tr C)² / tr C²; NaN where there is no energy.

    Examples
    --------
    >>> participation_ratio(np.diag([2.0, 1.0, 1.0]))
    2.6666666666666665
    """
    square = float(np.sum(covariance**2))
    return float(np.trace(covariance)) ** 2 / square if square > 0 else float("nan")


def leading(covariance: Array, share: float = HELD) -> Array:
    """The fewest leading eigenvectors that hold a share of the energy, ``[axis, component]``.

    Examples
    --------
    >>> leading(np.diag([6.0, 3.5, 0.5])).shape
    (3, 2)
    """
    values, vectors = np.linalg.eigh(covariance)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    if not values.sum() > 0:
        return vectors[:, :0]
    # A share that is reached but for rounding is reached.
    n = int(np.searchsorted(np.cumsum(values), share * values.sum() * (1 - 1e-12))) + 1
    return np.asarray(vectors[:, : min(n, len(values))])


def overlap(a: Array, b: Array) -> float:
    """tr(P_a P_b) / min(rank) of two orthonormal bases, ``[axis, component]`` each; NaN where one is empty.

    Examples
    --------
    >>> axes = np.eye(3)
    >>> (
    ...     overlap(axes[:, :2], axes[:, :1]),
    ...     overlap(axes[:, :2], axes[:, 1:]),
    ...     overlap(axes[:, :1], axes[:, 2:]),
    ... )
    (1.0, 0.5, 0.0)
    """
    least = min(a.shape[1], b.shape[1])
    return float(np.sum((a.T @ b) ** 2)) / least if least else float("nan")


def overlaps(a: Sequence[Array], b: Sequence[Array]) -> Array:
    """Overlap under each resample, ``[resample]``; both must have drawn the same pieces, as they heard the same."""
    return np.array([overlap(first, second) for first, second in zip(a, b, strict=True)])


def random_overlap(held_a: float, held_b: float, units: int) -> float:
    """Expected overlap of two random subspaces: the larger dimension over the units.

    The projection of any direction on a random subspace of dimension k holds k / units of it on average.

    Examples
    --------
    >>> random_overlap(4, 16, 64)
    0.25
    """
    return max(held_a, held_b) / units


def white_dimension(n_frames: int, units: int) -> float:
    """Effective dimension that independent white frames read: fewer than the units, since frames are few.

    The ratio of the expected (tr S)² and tr S² of a Wishart matrix with n = frames − 1 degrees of freedom:
    (units · n + 2) / (n + units + 1).

    Examples
    --------
    >>> white_dimension(10**9, 64), white_dimension(65, 64)
    (63.999..., 31.7...)
    """
    n = n_frames - 1
    return (units * n + 2) / (n + units + 1)


def _shared(frames: Frames) -> Array:
    """Share of each piece's energy in the subspace that the other pieces hold, ``[piece]``."""
    found = np.full(frames.n_pieces, np.nan)
    if frames.n_pieces < 2:
        return found
    for k, own in enumerate(np.eye(frames.n_pieces)):
        others = leading(frames.covariance(1 - own))
        # About the mean over music: what a piece holds constant and others do not is its own, too.
        values = frames.values[frames.piece == k]
        energy = float(np.sum(values**2))
        if energy > 0:
            found[k] = np.sum((values @ others) ** 2) / energy
    return found


def _frame_weights(piece: NDArray[np.integer], weights: Array) -> Array:
    """Weights of frames ``[frame]`` that sum to 1, from weights of pieces: pieces weigh alike."""
    count = np.bincount(piece, minlength=len(weights))
    each = weights[piece] / count[piece]
    return np.asarray(each / each.sum())
