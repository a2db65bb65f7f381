"""What a piece of music uses of what a model could show (SPEC § 5, instantiation).

Per site and piece, with subspaces, energy and effective dimension as in `tonotopy.measures.dimension`:

- ``effective_dimension``, ``held_dimension``: of the piece by itself, about its own mean;
- ``noise_used``: of the subspace that noise holds in the same model, the share that the piece's subspace covers,
  tr(P_piece P_noise) / rank P_noise; ``stimuli_used``: the same of the stimulus set, the sounds of the trials;
- ``noise_holds``, ``stimuli_holds``: the share of the piece's energy that lies within those subspaces;
- ``shared``: the share of its energy, about the mean over music, in the subspace that the other pieces hold;
  ``own``: the rest; ``own_dimension``: dimensions of its subspace beyond that of the others,
  rank P_piece - tr(P_piece P_others).

Few frames span few dimensions, so that every set is cut down to as many frames, drawn with the seed, as the smallest
has; the nulls know the number. Chance: a random subspace of dimension k holds k / units of anything; the effective
dimension of white frames, as many, is :func:`tonotopy.measures.dimension.white_dimension`, an upper bound. The floor is
the same measures in untrained copies of the encoder, the mean over them, paired by piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.measures.natural._used import MEASURES, OF_SITE, Heard, Measured, measured
from tonotopy.recording.recording import Recording
from tonotopy.sound.music import CONTEXT_DBFS, MusicPool, level_dbfs
from tonotopy.statistics.bootstrap import LEAST_PIECES, interval, piece_weights

__all__ = ["Heard", "Instantiation", "InstantiationSummary", "instantiation", "noise_like", "stimulus_frames"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Instantiation:
    """One row a piece: every field is ``[piece]``. Of the floor the mean over its copies, NaN without any."""

    site: NDArray[np.str_]
    piece: NDArray[np.int64]
    n_frames: NDArray[np.int64]
    effective_dimension: Array
    held_dimension: Array
    noise_used: Array
    noise_holds: Array
    stimuli_used: Array
    stimuli_holds: Array
    shared: Array
    own: Array
    own_dimension: Array
    floor_effective_dimension: Array
    floor_held_dimension: Array
    floor_noise_used: Array
    floor_noise_holds: Array
    floor_stimuli_used: Array
    floor_stimuli_holds: Array
    floor_shared: Array
    floor_own: Array
    floor_own_dimension: Array


@dataclass(frozen=True)
class InstantiationSummary:
    """One row a measure: every field is ``[measure]``; means over pieces, and of the site as a whole.

    ``null`` is what chance, or for effective dimensions white frames, would read; ``over_floor`` is the value less
    that of the floor, paired by piece. Intervals are over pieces, undefined for what noise and stimuli alone
    decide and for ``common_dimension``, which resamples of pieces only enlarge.
    """

    site: NDArray[np.str_]
    measure: NDArray[np.str_]
    value: Array
    low: Array
    high: Array
    null: Array
    floor: Array
    over_floor: Array
    over_floor_low: Array
    over_floor_high: Array
    units: NDArray[np.int64]
    n_pieces: NDArray[np.int64]


def instantiation(
    site: str, heard: Heard, *, floors: Sequence[Heard] = (), resamples: int = 200, seed: int = 0
) -> tuple[Instantiation, InstantiationSummary]:
    """What each piece uses of a site, and the summary of the site.

    Parameters
    ----------
    heard : frames under the weights in question
    floors : frames of the same sounds in untrained copies

    Raises
    ------
    InputError
        Frames of other numbers of units or pieces.
    """
    names = np.unique(heard.piece)
    _validate(heard, floors)
    least = _least([heard, *floors])
    weights = piece_weights(len(names), resamples, seed=seed)
    found = measured(heard, least, weights, seed)
    below = [measured(floor, least, weights, seed) for floor in floors]
    rows = {name: found.of_pieces[k] for k, name in enumerate(MEASURES)}
    empty = np.full((len(MEASURES), len(names)), np.nan)
    mean = np.mean([read.of_pieces for read in below], axis=0) if below else empty
    table = Instantiation(
        np.full(len(names), site),
        names.astype(np.int64),
        np.full(len(names), least),
        **rows,
        **{f"floor_{name}": mean[k] for k, name in enumerate(MEASURES)},
    )
    return table, _summary(site, found, below, weights, heard.music.shape[1])


def noise_like(music: MusicPool, *, seed: int = 0) -> MusicPool:
    """White and pink noise in turn, as many pieces as the pool and as long, at the level of trials' contexts."""
    pieces = []
    for number, piece in enumerate(music.pieces):
        n = len(piece.audio)
        sound = np.random.default_rng([seed, number, 61]).standard_normal(n)
        if number % 2:
            spectrum = scipy.fft.rfft(sound)
            sound = scipy.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), n)
        sound *= 10 ** ((CONTEXT_DBFS - level_dbfs(sound)) / 20)
        pieces.append(replace(piece, name=f"noise {number}", audio=sound.astype(np.float32)))
    return MusicPool(music.sample_rate_hz, tuple(pieces))


def stimulus_frames(recordings: Sequence[Recording]) -> NDArray[np.float32]:
    """Frames of the sounds with their partial present, of all trials of some recordings, ``[frame, unit]``."""
    return np.concatenate([r.sound("present").reshape(-1, r.core.shape[-1]) for r in recordings])


def _validate(heard: Heard, floors: Sequence[Heard]) -> None:
    for each in (heard, *floors):
        units = {each.music.shape[1], each.noise.shape[1], each.stimuli.shape[1]}
        if len(units) > 1 or len(each.piece) != len(each.music):
            raise InputError(
                "music, noise and stimuli at one site, a piece for each frame", f"{sorted(units)} units"
            )
        if not np.array_equal(np.unique(each.piece), np.unique(heard.piece)):
            raise InputError("the same pieces under all weights", "others in a floor")


def _least(sets: Sequence[Heard]) -> int:
    """Frames that every piece, the noise and the stimuli have."""
    sizes = [(np.unique(h.piece, return_counts=True)[1].min(), len(h.noise), len(h.stimuli)) for h in sets]
    return int(np.min(sizes))


# ---- the summary


def _summary(
    site: str, found: Measured, below: Sequence[Measured], weights: Array, units: int
) -> InstantiationSummary:
    of_pieces = [_means(row, weights) for row in found.of_pieces]
    values = np.array([*of_pieces, *found.of_site])  # [measure, resample]
    floors = np.full_like(values, np.nan)
    if below:
        each = [[*(_means(row, weights) for row in read.of_pieces), *read.of_site] for read in below]
        floors = np.mean(each, axis=0)
    n_pieces = weights.shape[1]
    defined = [int(np.isfinite(row).sum()) for row in found.of_pieces] + [n_pieces] * len(OF_SITE)
    over = values - floors
    names = (*MEASURES, *OF_SITE)
    # What noise and the stimulus set reach does not depend on which pieces were drawn; and what all pieces have in
    # common only grows where some are left out, so that resamples do not tell its spread.
    fixed = np.array([name in OF_SITE and not name.startswith("music_") for name in names])
    low, high = _intervals(values, defined, fixed)
    over_low, over_high = _intervals(over, defined, fixed)
    return InstantiationSummary(
        np.full(len(names), site),
        np.array(names),
        values[:, 0],
        low,
        high,
        np.concatenate([found.null, found.of_site_null]),
        floors[:, 0],
        over[:, 0],
        over_low,
        over_high,
        np.full(len(names), units),
        np.array(defined),
    )


def _means(row: Array, weights: Array) -> Array:
    """Mean over the pieces that are defined, ``[resample]``; NaN where they are few."""
    known = np.isfinite(row)
    if known.sum() < LEAST_PIECES:
        return np.full(len(weights), np.nan)
    weight = weights[:, known]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(weight @ row[known] / weight.sum(axis=1))


def _intervals(values: Array, n_pieces: Sequence[int], fixed: NDArray[np.bool_]) -> tuple[Array, Array]:
    nothing = (float("nan"), float("nan"))
    pairs = [
        nothing if still else interval(row[1:], n_pieces=n) or nothing
        for row, n, still in zip(values, n_pieces, fixed, strict=True)
    ]
    low, high = np.array(pairs).T
    return low, high
