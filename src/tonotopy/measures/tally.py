"""Sums per piece from which every measure of a readout follows.

Aim: whatever a bootstrap over pieces needs, it must get without touching a frame again. A tally holds, for
each target f and piece p, wins between pieces (for the AUCs) and sums of answers (for consistency,
specificity and lobes).

Conventions: `piece` is the number of the piece in the pool of music, or of the context where a readout is
tried on synthetic families; responses r are answers to changes. Sums are float64.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from tonotopy.readouts.readout import Readout
from tonotopy.recording.recording import Recording
from tonotopy.sound.structures import LADDER_DB, REFERENCE_DB, Structure, partial
from tonotopy.statistics.auc import wins


@dataclass(frozen=True)
class Tally:
    """Sums per target and piece; see the module docstring."""

    # [frequency, piece, piece] wins and pairs of present (or named sound) against another
    detection: tuple[NDArray[Any], NDArray[Any]] = field(repr=False)
    identification: tuple[NDArray[Any], NDArray[Any]] = field(repr=False)
    ladder: tuple[NDArray[Any], NDArray[Any]] | None = field(repr=False)  # [level, frequency, piece, piece]
    tonality: tuple[NDArray[Any], NDArray[Any]] | None = field(repr=False)
    own_sum: NDArray[Any] = field(
        repr=False
    )  # [frequency, piece]: sums of r, r², and frames, over changes by f
    own_square: NDArray[Any] = field(repr=False)
    own_count: NDArray[Any] = field(repr=False)
    near_square: NDArray[Any] = field(repr=False)  # [frequency, piece]: near f, as the structure says
    near_count: NDArray[Any] = field(repr=False)
    far_square: NDArray[Any] = field(repr=False)
    far_count: NDArray[Any] = field(repr=False)
    near_width_erb: NDArray[Any] = field(
        repr=False
    )  # [frequency]: widths of the regions, in the structure's unit
    far_width_erb: NDArray[Any] = field(repr=False)
    lobe_square: NDArray[Any] = field(repr=False)  # [bin, frequency, piece]
    lobe_count: NDArray[Any] = field(repr=False)
    probe_square: NDArray[Any] | None = field(repr=False)  # [kind, frequency, piece]
    probe_count: NDArray[Any] | None = field(repr=False)
    gradedness: NDArray[Any] | None = field(repr=False)  # [frequency, piece] sums of Spearman over contexts
    gradedness_count: NDArray[Any] | None = field(repr=False)
    separability: NDArray[Any] | None = field(repr=False)  # [frequency] median ratio over all pieces
    valid: NDArray[Any] = field(repr=False)  # [frequency]: the readout could be fitted

    @property
    def n_pieces(self) -> int:
        """Number of pieces."""
        return int(self.own_sum.shape[1])


def tally(
    readout: Readout,
    held_out: Recording,
    frequency_hz: NDArray[np.float64],
    sample_rate_hz: int,
    structure: Structure = partial.STRUCTURE,
) -> Tally:
    """Try a readout on held-out trials.

    Parameters
    ----------
    held_out : trials of any family; those of music carry the ladder, the noise, the pairs and the probes
    frequency_hz : the grid as coordinates of the structure, ``[frequency]``
    """
    trials = held_out.trials
    pieces, piece = np.unique(trials.piece, return_inverse=True)
    n_f, n_p = len(frequency_hz), len(pieces)
    sounds = {
        name: readout.own(held_out.sound(name), trials.frequency_index)
        for name in ("absent", "present", "foil")
    }
    if held_out.extra is not None:
        for level in LADDER_DB:
            name = f"level{level:+d}"
            own = "present" if level == REFERENCE_DB else name
            sounds[name] = readout.own(held_out.sound(own), trials.frequency_index)
        sounds["noise"] = readout.own(held_out.sound("noise"), trials.frequency_index)
    compare = _Compare(sounds, trials.frequency_index, piece, n_f, n_p)
    responses = _responses(readout, held_out, piece, frequency_hz, sample_rate_hz, n_p, structure)
    music = held_out.extra is not None
    grades = _gradedness(sounds, trials.frequency_index, piece, n_f, n_p) if music else (None, None)
    probes = _probes(readout, held_out, piece, n_f, n_p, structure) if music else (None, None)
    ladder = [compare(f"level{level:+d}", "absent") for level in LADDER_DB] if music else []
    return Tally(
        detection=compare("present", "absent"),
        identification=compare("present", "foil"),
        ladder=(np.stack([u for u, _ in ladder]), np.stack([n for _, n in ladder])) if music else None,
        tonality=compare("present", "noise") if music else None,
        **responses,
        probe_square=probes[0],
        probe_count=probes[1],
        gradedness=grades[0],
        gradedness_count=grades[1],
        separability=_separability(readout, held_out, n_f) if music else None,
        valid=readout.valid,
    )


class _Compare:
    """Wins of one sound's answers over another's, per target: ``[frequency, piece, piece]``."""

    def __init__(
        self, sounds: dict[str, NDArray[Any]], index: NDArray[Any], piece: NDArray[Any], n_f: int, n_p: int
    ) -> None:
        self.sounds, self.index, self.piece, self.n_f, self.n_p = sounds, index, piece, n_f, n_p

    def __call__(self, positive: str, negative: str) -> tuple[NDArray[Any], NDArray[Any]]:
        won, pairs = np.zeros((self.n_f, self.n_p, self.n_p)), np.zeros((self.n_f, self.n_p, self.n_p))
        for f in np.unique(self.index):
            rows = self.index == f
            frames = self.sounds[positive].shape[1]
            labels = np.repeat(self.piece[rows], frames)
            a, b = self.sounds[positive][rows].ravel(), self.sounds[negative][rows].ravel()
            won[f], pairs[f] = wins(a, b, labels, labels, self.n_p)
        return won, pairs


def sums_by_piece(values: NDArray[Any], piece: NDArray[Any], n_p: int) -> NDArray[np.float64]:
    """Sums over rows of ``[row, frequency]`` by piece, ``[frequency, piece]``.

    A product with the indicator of pieces: numpy's ``add.at`` took a third of the time of a whole study.
    """
    return np.asarray(values.T @ np.equal.outer(piece, np.arange(n_p)).astype(np.float64))


def _responses(
    readout: Readout,
    held_out: Recording,
    piece: NDArray[Any],
    frequency_hz: NDArray[np.float64],
    sample_rate_hz: int,
    n_p: int,
    structure: Structure,
) -> dict[str, NDArray[Any]]:
    """Sums of responses to f itself, near it, far from it, and in bins of what is far."""
    trials = held_out.trials
    r = np.concatenate([readout.change(held_out.delta("present")), readout.change(held_out.delta("foil"))])
    items = np.concatenate([trials.frequency_hz, trials.foil_hz])
    piece2 = np.concatenate([piece, piece])
    ok = np.isfinite(r).all(axis=(1, 2))
    r, items, piece2 = r[ok], items[ok], piece2[ok]
    frames = r.shape[1]
    square = np.sum(r**2, axis=1)  # [row, frequency]
    lie = structure.relation(items, frequency_hz, sample_rate_hz)
    lobe_square, lobe_count = lobe_sums(square, lie.bins, piece2, n_p, frames)
    own = np.concatenate([trials.frequency_index, np.full(len(trials), -1)])[ok]
    rows = np.flatnonzero(own >= 0)
    mine = np.zeros((3, len(frequency_hz), n_p))
    own_r = r[rows, :, own[rows]]  # [row, frame]
    for k, values in enumerate((own_r.sum(axis=1), (own_r**2).sum(axis=1), np.full(len(rows), frames))):
        np.add.at(mine[k], (own[rows], piece2[rows]), values)
    near = masked_sums(square, lie.near, piece2, n_p, frames)
    far = masked_sums(square, ~lie.near, piece2, n_p, frames)
    return {
        "own_sum": mine[0],
        "own_square": mine[1],
        "own_count": mine[2],
        "near_square": near[0],
        "near_count": near[1],
        "far_square": far[0],
        "far_count": far[1],
        "near_width_erb": lie.near_width,
        "far_width_erb": lie.far_width,
        "lobe_square": lobe_square,
        "lobe_count": lobe_count,
    }


def masked_sums(
    square: NDArray[Any], mask: NDArray[np.bool_], piece: NDArray[Any], n_p: int, frames: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sums of squares and frame counts under a mask, each ``[frequency, piece]``.

    Parameters
    ----------
    square, mask : ``[row, frequency]``; squares are summed over the frames of a row
    piece : ``[row]``
    n_p, frames : how many pieces there are, and frames a row
    """
    return sums_by_piece(np.where(mask, square, 0.0), piece, n_p), sums_by_piece(
        mask * float(frames), piece, n_p
    )


def lobe_sums(
    square: NDArray[Any], bins: NDArray[np.int64], piece: NDArray[Any], n_p: int, frames: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sums of squares and frame counts in every bin, each ``[bin, frequency, piece]``.

    Parameters
    ----------
    square, bins : ``[row, frequency]``; squares are summed over the frames of a row, bin -1 is none
    piece : ``[row]``
    n_p, frames : how many pieces there are, and frames a row
    """
    n_f, n_bins = bins.shape[1], max(int(bins.max(initial=0)) + 1, 1)
    far = bins >= 0
    flat = ((bins * n_f + np.arange(n_f)) * n_p + piece[:, None])[far]
    shape = (n_bins, n_f, n_p)
    total = np.bincount(flat, weights=square[far], minlength=int(np.prod(shape))).reshape(shape)
    count = np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape) * float(frames)
    return np.asarray(total, dtype=np.float64), np.asarray(count, dtype=np.float64)


def _probes(
    readout: Readout, held_out: Recording, piece: NDArray[Any], n_f: int, n_p: int, structure: Structure
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sums of squared responses to probes, ``[kind, frequency, piece]``, and frame counts."""
    trials = held_out.trials
    change = held_out.sound("probe_present") - held_out.sound("probe_absent")
    shape = (structure.n_probes, n_f, n_p)
    square, count = np.zeros(shape), np.zeros(shape)
    rows = np.flatnonzero(np.isfinite(change).all(axis=(1, 2)))
    if not len(rows):
        return square, count
    zero_centre = Readout(readout.kind, readout.weights, np.zeros_like(readout.centre), readout.valid)
    r = zero_centre.own(change[rows], trials.frequency_index[rows])
    kind = structure.probe_kind(trials.probe_hz[rows], trials.frequency_hz[rows])
    where = (kind, trials.frequency_index[rows], piece[rows])
    np.add.at(square, where, np.sum(r**2, axis=1))
    np.add.at(count, where, r.shape[1])
    return square, count


def _gradedness(
    sounds: dict[str, NDArray[Any]], index: NDArray[Any], piece: NDArray[Any], n_f: int, n_p: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sums over contexts of the Spearman correlation of frame-mean answer with level, and their counts."""
    answers = np.stack(
        [sounds[f"level{level:+d}"].mean(axis=1) for level in LADDER_DB], axis=1
    )  # [trial, level]
    ranks = scipy.stats.rankdata(answers, axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    order = np.arange(len(LADDER_DB)) - (len(LADDER_DB) - 1) / 2
    norm = np.sqrt(np.sum(ranks**2, axis=1) * np.sum(order**2))
    ok = np.isfinite(answers).all(axis=1) & (norm > 0)  # an answer that never moves has no correlation
    total, count = np.zeros((n_f, n_p)), np.zeros((n_f, n_p))
    np.add.at(total, (index[ok], piece[ok]), (ranks @ order)[ok] / norm[ok])
    np.add.at(count, (index[ok], piece[ok]), 1.0)
    return np.asarray(total, dtype=np.float64), np.asarray(count, dtype=np.float64)


def _separability(readout: Readout, held_out: Recording, n_f: int) -> NDArray[np.float64]:
    """Median over frames of r(f beside a neighbour) / r(f alone), ``[frequency]``; NaN where undefined."""
    index = held_out.trials.frequency_index
    names = ("neighbour_present", "neighbour", "present", "absent")
    both, neighbour, present, absent = (readout.own(held_out.sound(name), index) for name in names)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (both - neighbour) / (present - absent)
    out = np.full(n_f, np.nan)
    for f in np.unique(index):
        values = ratio[index == f]
        values = values[np.isfinite(values)]
        if len(values):
            out[f] = np.median(values)
    return out
