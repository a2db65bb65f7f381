"""What pieces use of a site under one set of weights: subspaces of pieces, of noise and of the stimulus set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tonotopy.measures.dimension import (
    DEAD,
    HELD,
    Frames,
    dimension,
    leading,
    participation_ratio,
    white_dimension,
)
from tonotopy.statistics.bootstrap import LEAST_PIECES

Array = NDArray[np.float64]
Values = NDArray[np.floating]

#: What is said of each piece.
MEASURES = (
    "effective_dimension",
    "held_dimension",
    "noise_used",
    "noise_holds",
    "stimuli_used",
    "stimuli_holds",
    "shared",
    "own",
    "own_dimension",
)
#: What is said of the site as a whole.
OF_SITE = (
    "music_dimension",  # effective, of all pieces together
    "music_held",
    "noise_dimension",
    "noise_held",
    "stimuli_dimension",
    "stimuli_held",
    "common_dimension",  # directions of which the pieces' subspaces hold 95 % on average
)


@dataclass(frozen=True)
class Heard:
    """Frames of one site under one set of weights; raw activations."""

    music: Values = field(repr=False)  # [frame, unit]
    piece: NDArray[np.integer] = field(repr=False)  # [frame], from 0
    noise: Values = field(repr=False)  # [frame, unit]
    stimuli: Values = field(repr=False)  # [frame, unit]


@dataclass(frozen=True)
class Measured:
    """What `MEASURES` and `OF_SITE` read; the nulls are what chance, or white frames, would read."""

    of_pieces: Array  # [measure, piece]
    null: Array  # [measure]
    of_site: Array  # [measure of the site, resample]
    of_site_null: Array  # [measure of the site]


def measured(heard: Heard, least: int, weights: Array, seed: int) -> Measured:
    """All measures of a site, on ``least`` frames of each set, under weights of pieces ``[resample, piece]``."""
    n_pieces, n_resamples = weights.shape[1], len(weights)
    undefined = Measured(
        np.full((len(MEASURES), n_pieces), np.nan),
        np.full(len(MEASURES), np.nan),
        np.full((len(OF_SITE), n_resamples), np.nan),
        np.full(len(OF_SITE), np.nan),
    )
    if n_pieces < LEAST_PIECES:
        return undefined
    rng = np.random.default_rng([seed, 67])
    index = [
        rng.choice(np.flatnonzero(heard.piece == k), least, replace=False) for k in np.unique(heard.piece)
    ]
    music = Frames.of(heard.music[np.concatenate(index)], np.repeat(np.arange(n_pieces), least))
    others = [_alone(frames, least, rng) for frames in (heard.noise, heard.stimuli)]
    if music is None:
        return undefined
    return _read(music, others, least, weights)


def _alone(frames: Values, least: int, rng: np.random.Generator) -> Frames | None:
    chosen = rng.choice(len(frames), least, replace=False)
    return Frames.of(frames[chosen], np.zeros(least, np.int64))


def _read(music: Frames, others: Sequence[Frames | None], least: int, weights: Array) -> Measured:
    units, n = music.units, music.n_pieces
    whole = dimension(music, np.ones((1, n)))
    covariances = [music.covariance(own) for own in np.eye(n)]
    held = [music.axes @ leading(c) for c in covariances]
    rest = [music.axes @ leading(music.covariance(1 - own)) for own in np.eye(n)]
    energy = np.array([np.trace(c) for c in covariances])
    # What rounding leaves of a piece that never changes is no subspace.
    still = energy <= DEAD**2 * np.trace(music.covariance(np.ones(n)))
    rank = np.array([basis.shape[1] for basis in held], dtype=np.float64)
    rank[still] = np.nan
    mean_rank = float(np.mean(rank[~still])) if not still.all() else float("nan")
    beyond = np.array([np.sum((p.T @ r) ** 2) for p, r in zip(held, rest, strict=True)])
    rest_rank = np.mean([basis.shape[1] for basis in rest])
    of_pieces = [np.where(still, np.nan, whole.within), rank]
    null = [white_dimension(least, units), float("nan")]
    of_site = list(_pooled(music, weights))
    for frames in others:
        used, holds, size, basis_rank = _against(music, covariances, held, frames)
        of_pieces += [np.where(still, np.nan, used), np.where(still, np.nan, holds)]
        null += [mean_rank / units, basis_rank / units]
        of_site += [np.full(len(weights), size), np.full(len(weights), basis_rank)]
    of_pieces += [whole.shared, 1 - whole.shared, rank - beyond]
    null += [rest_rank / units, 1 - rest_rank / units, mean_rank * (1 - rest_rank / units)]
    moving = [basis for basis, dead in zip(held, still, strict=True) if not dead]
    of_site.append(_common(moving, weights[:, ~still]))
    white = white_dimension(least, units)
    many = white_dimension(least * n, units)
    return Measured(
        np.array(of_pieces),
        np.array(null),
        np.array(of_site),
        np.array([many, np.nan, white, np.nan, white, np.nan, np.nan]),
    )


def _pooled(music: Frames, weights: Array) -> tuple[Array, Array]:
    """Effective and held dimension of all pieces together, ``[resample]`` each.

    As `Frames.covariance` under each weighing, from one pass over the frames: pieces weigh alike.
    """
    moments = np.zeros((music.n_pieces, music.values.shape[1], music.values.shape[1]))
    means = np.zeros(moments.shape[:2])
    for k in range(music.n_pieces):
        values = music.values[music.piece == k]
        moments[k], means[k] = values.T @ values / len(values), values.mean(axis=0)
    found = np.zeros((2, len(weights)))
    for k, weight in enumerate(weights / weights.sum(axis=1, keepdims=True)):
        mean = weight @ means
        covariance = np.tensordot(weight, moments, axes=1) - np.outer(mean, mean)
        found[:, k] = participation_ratio(covariance), leading(covariance).shape[1]
    return found[0], found[1]


def _against(
    music: Frames, covariances: Sequence[Array], held: Sequence[Array], frames: Frames | None
) -> tuple[Array, Array, float, float]:
    """Of each piece what it uses of another set's subspace, and what that holds of it; the other's dimensions."""
    undefined = np.full(music.n_pieces, np.nan)
    if frames is None:
        return undefined, undefined, float("nan"), float("nan")
    covariance = frames.covariance(np.ones(1))
    basis = frames.axes @ leading(covariance)
    used = np.array([np.sum((p.T @ basis) ** 2) / basis.shape[1] for p in held])
    onto = music.axes.T @ basis
    energy = np.array([np.trace(c) for c in covariances])
    inside = np.array([np.sum(onto * (c @ onto)) for c in covariances])
    holds = np.divide(inside, energy, out=np.full(len(energy), np.nan), where=energy > 0)
    return used, holds, participation_ratio(covariance), float(basis.shape[1])


def _common(held: Sequence[Array], weights: Array) -> Array:
    """Directions of which the pieces' subspaces hold 95 % on average, ``[resample]``."""
    found = np.full(len(weights), np.nan)
    if not held:
        return found
    stacked = np.concatenate(held, axis=1)
    piece = np.repeat(np.arange(len(held)), [basis.shape[1] for basis in held])
    for k in np.flatnonzero(weights.sum(axis=1) > 0):
        weight = weights[k]
        # The mean of projections has the eigenvalues of the Gram matrix of the weighed bases.
        scaled = stacked * np.sqrt(weight[piece] / weight.sum())
        gram = scaled.T @ scaled if scaled.shape[1] < scaled.shape[0] else scaled @ scaled.T
        found[k] = np.sum(np.linalg.eigvalsh(gram) >= HELD - 1e-9)
    return found
