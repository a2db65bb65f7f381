"""Whether patterns at a site follow each other in few, repeatable ways (SPEC § 5, end; claim 15).

Directions of consecutive frames, a view apart (`consecutive`), are clustered on the sphere, on all pieces but those
of the fold that is read. Which cluster follows which, repeats dropped, is a matrix; of each held-out piece:

- ``entropy_ratio``: H(next | present) over what it would be without order; low where transitions are sparse;
- ``gain_bits``: bits a transition that the matrix of the *other* pieces saves on this piece over their model without
  order; high where transitions repeat across pieces.

Neither means anything alone: any sound with a spectrum has an order. Each is set against the same numbers, from
clusters fitted in the same way and as many transitions of each piece, of

- ``shuffled``: the same states, their order drawn anew within each stretch;
- ``phase-scrambled``: the piece with every phase drawn anew, through the same encoder;
- ``floor``: the piece through untrained copies of the encoder, the mean over them.

Differences are paired by piece, with intervals over pieces. ``sparser_by`` and ``repeats_more_by`` are positive
where music has more of what claim 15 says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.encoders._contract import Encoder
from tonotopy.measures.natural import _chain as chain
from tonotopy.measures.natural.consecutive import FRAMES, STRETCHES, consecutive_directions, steps_of
from tonotopy.signal.phase_scramble import phase_scrambled
from tonotopy.sound.music import MusicPool
from tonotopy.statistics.bootstrap import LEAST_PIECES, interval, piece_weights
from tonotopy.statistics.clusters import fit_clusters

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

#: Numbers of clusters.
COUNTS = (8, 32, 128)
SOUNDS = ("music", "shuffled", "phase-scrambled", "floor")
#: Groups of pieces that are held out together, at most.
FOLDS = 4
#: Rows that clusters are fitted on, at most.
FITTED = 24_000
#: A piece with fewer transitions than this in any sound is undefined.
LEAST_TRANSITIONS = 50


@dataclass(frozen=True)
class Transitions:
    """One row for each cluster count and kind of sound; every field is ``[row]``.

    The two differences and their intervals are of ``music`` against the sound of the row, NaN in rows of ``music``.
    ``staying`` is the share of steps that stay in their cluster, before repeats are dropped.
    """

    site: NDArray[np.str_]
    clusters: NDArray[np.int64]
    sound: NDArray[np.str_]
    step_samples: NDArray[np.int64]
    staying: Array
    entropy_ratio: Array
    entropy_ratio_low: Array
    entropy_ratio_high: Array
    gain_bits: Array
    gain_bits_low: Array
    gain_bits_high: Array
    sparser_by: Array
    sparser_by_low: Array
    sparser_by_high: Array
    repeats_more_by: Array
    repeats_more_by_low: Array
    repeats_more_by_high: Array
    n_transitions: Array  # of a piece, on average
    n_pieces: NDArray[np.int64]  # that are defined


def transitions(
    encoder: Encoder,
    music: MusicPool,
    *,
    site: str | None = None,
    floors: Sequence[Encoder] = (),
    counts: Sequence[int] = COUNTS,
    step_samples: int | None = None,
    jump: bool = True,
    stretches: int = STRETCHES,
    frames: int = FRAMES,
    resamples: int = 1000,
    seed: int = 0,
) -> Transitions:
    """Transitions between patterns at a site, in music and in what it must be set against.

    Parameters
    ----------
    site : the first convolution by default
    floors : the encoder with random weights; without any, rows of ``floor`` are undefined
    step_samples : between frames; a view by default, rounded up to hops
    jump : whether repeats are dropped
    stretches, frames : of each piece, and of each stretch

    Raises
    ------
    InputError
        The pool has another rate than the encoder, a piece is too short, the encoder has no first convolution,
        or there are more clusters than frames.
    """
    name = site or _first_conv(encoder)
    weights = piece_weights(len(music.pieces), resamples, seed=seed)
    if len(music.pieces) < LEAST_PIECES:
        nothing = {kind: np.full((4, len(music.pieces)), np.nan) for kind in SOUNDS}
        rows = [_rows(nothing, weights) for _ in counts]
    else:

        def of(model: Encoder, pool: MusicPool) -> list[NDArray[np.float32]]:
            return consecutive_directions(
                model, name, pool, step_samples=step_samples, stretches=stretches, frames=frames, seed=seed
            )

        moves = {
            "music": [of(encoder, music)],
            "phase-scrambled": [of(encoder, scrambled(music, seed=seed))],
            "floor": [of(model, music) for model in floors],
        }
        rows = [_rows(_read(moves, count, jump=jump, seed=seed), weights) for count in counts]
    columns = [np.concatenate([block[k] for block in rows]) for k in range(len(rows[0]))]
    n = len(counts) * len(SOUNDS)
    return Transitions(
        np.full(n, name),
        np.repeat(np.asarray(counts, np.int64), len(SOUNDS)),
        np.tile(SOUNDS, len(counts)),
        np.full(n, steps_of(encoder.site(name), step_samples)),
        *columns,
    )


def scrambled(music: MusicPool, *, seed: int = 0) -> MusicPool:
    """The pool with each piece's phases drawn anew."""
    pieces = [
        replace(piece, audio=phase_scrambled(piece.audio, seed=seed * 10_007 + number))
        for number, piece in enumerate(music.pieces)
    ]
    return MusicPool(music.sample_rate_hz, tuple(pieces))


def _first_conv(encoder: Encoder) -> str:
    for site in encoder.sites:
        if site.role == "first_conv":
            return site.name
    legal = [site.name for site in encoder.sites]
    raise InputError(f"a site of {encoder.name}", "none", "it has no first convolution: name a site", legal)


_Moves = dict[str, list[list[NDArray[np.float32]]]]  # kind -> copies of the encoder -> pieces


def _read(moves: _Moves, count: int, *, jump: bool, seed: int) -> dict[str, Array]:
    """Of each kind, ``[number, piece]``: entropy ratio, gain, share of staying, transitions."""
    n_pieces = len(moves["music"][0])
    fold = np.arange(n_pieces) % min(FOLDS, n_pieces)
    found: dict[str, list[Array]] = {kind: [] for kind in SOUNDS}
    # A floor is one more copy of the encoder; what it is compared with is the same each time.
    for kind, copies in moves.items():
        for _ in copies:
            found[kind].append(np.full((4, n_pieces), np.nan))
    found["shuffled"] = [np.full((4, n_pieces), np.nan)]
    for own in np.unique(fold):
        states = {
            (kind, copy): _states(pieces, fold != own, count, seed)
            for kind, copies in moves.items()
            for copy, pieces in enumerate(copies)
        }
        rng = np.random.default_rng([seed, int(own), count, 53])
        states["shuffled", 0] = [chain.shuffled(s, rng, jump=jump) for s in states["music", 0]]
        pairs = {key: [chain.transitions_of(s, jump=jump) for s in value] for key, value in states.items()}
        for (kind, copy), matrices in _matched(pairs, count, rng).items():
            total = np.sum([m for m, f in zip(matrices, fold, strict=True) if f != own], axis=0)
            for k in np.flatnonzero(fold == own):
                matrix, state = matrices[k], states[kind, copy][k]
                if matrix.sum() >= LEAST_TRANSITIONS:
                    found[kind][copy][:, k] = (
                        chain.entropy_ratio(matrix, jump=jump),
                        chain.gain_bits(matrix, total, prior=count, jump=jump),
                        float(np.mean(state[:, 1:] == state[:, :-1])),
                        matrix.sum(),
                    )
    return {
        kind: np.mean(read, axis=0) if read else np.full((4, n_pieces), np.nan)
        for kind, read in found.items()
    }


def _states(
    pieces: Sequence[NDArray[np.float32]], training: NDArray[np.bool_], count: int, seed: int
) -> list[Labels]:
    """Clusters of each piece's frames, ``[stretch, frame]``, fitted on the training pieces."""
    known = [np.isfinite(piece).all(axis=-1) for piece in pieces]
    rng = np.random.default_rng([seed, 59])
    each = FITTED // int(training.sum())
    parts = []
    for k in np.flatnonzero(training).tolist():
        rows = pieces[k][known[k]]
        parts.append(rows if len(rows) <= each else rows[rng.choice(len(rows), each, replace=False)])
    fitted = fit_clusters(np.concatenate(parts), count, seed=seed)
    found = []
    for piece, finite in zip(pieces, known, strict=True):
        state = np.full(finite.shape, chain.NONE, np.int64)
        if finite.any():
            state[finite] = fitted.predict(piece[finite])
        found.append(state)
    return found


def _matched(
    pairs: dict[tuple[str, int], list[Labels]], count: int, rng: np.random.Generator
) -> dict[tuple[str, int], list[Array]]:
    """Matrices of as many transitions of each piece in every sound: entropies from fewer are lower."""
    least = np.min([[len(p) for p in value] for value in pairs.values()], axis=0)
    return {
        key: [
            chain.counted(p[rng.choice(len(p), n, replace=False)], count)
            for p, n in zip(value, least, strict=True)
        ]
        for key, value in pairs.items()
    }


def _rows(read: dict[str, Array], weights: Array) -> list[Any]:
    """Columns of :class:`Transitions` from ``staying`` on, a row for each kind of sound."""
    ratio, gain, staying, amount = (np.array([read[kind][k] for kind in SOUNDS]) for k in range(4))
    sparser, more = ratio - ratio[0], gain[0] - gain
    sparser[0] = more[0] = np.nan
    columns: list[Any] = [_mean(staying)]
    for values in (ratio, gain, sparser, more):
        columns += list(np.array([_summary(row, weights) for row in values]).T)
    return [*columns, _mean(amount), np.isfinite(gain).sum(axis=1)]


def _mean(values: Array) -> Array:
    return np.array([np.nan if not np.isfinite(row).any() else np.nanmean(row) for row in values])


def _summary(values: Array, weights: Array) -> tuple[float, float, float]:
    """Mean over the pieces that are defined, and its interval."""
    known = np.isfinite(values)
    if known.sum() < LEAST_PIECES:
        return (float("nan"),) * 3
    weight = weights[:, known]
    with np.errstate(invalid="ignore", divide="ignore"):
        means = weight @ values[known] / weight.sum(axis=1)
    low, high = interval(means[1:], n_pieces=int(known.sum())) or (float("nan"), float("nan"))
    return float(means[0]), low, high
