"""Information between the code of a stage and whether a band carries a partial, less what moved codes have.

Counts ``[stage, code, band]`` of frames with the code and a partial in the band, and of frames with the code, are
those of a table of two by codes, whose plug-in information is biased upwards. The null is the same table with the
codes of each piece moved against its sound: whole segments in another order, or a circular shift of at least a tenth
of the piece where there are no segments or fewer than four. (Shuffled frames credit codes that merely persist, with
.10 of the entropy.)
The null keeps how often codes come, how long they last and which piece they come in, and its mean over
:data:`MOVES` moves is taken off. What is left is 0 on average for codes that hear nothing, and too small where a
code has few frames.

Intervals resample groups of pieces; since a resample has fewer distinct frames and so more bias, they are the spread
of the resamples about their own mean, laid about the value.

Memory: for 32 stages of 1,024 codes and 40 bands 140 MiB (8 groups of pieces and 19 moves), however many frames.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.measures.codes._information import Array, information_bits, p_value
from tonotopy.measures.codes._natural import GROUPS, checked, moved, refuse_again
from tonotopy.statistics.bootstrap import interval, piece_weights

#: Moves of the codes of each piece.
MOVES: Final = 19
#: Fewer pieces than this give no number.
LEAST_PIECES: Final = 3


@dataclass(frozen=True)
class PeakInformation:
    """Information between codes and partials of natural sound; ``[stage, band]``, bits."""

    information_bits: Array = field(repr=False)
    null_bits: Array = field(repr=False)  # mean over moved codes
    excess_bits: Array = field(repr=False)
    excess_low_bits: Array = field(repr=False)  # NaN with fewer than 8 pieces
    excess_high_bits: Array = field(repr=False)
    p: Array = field(repr=False)
    entropy_bits: Array = field(repr=False)  # [band] of carrying a partial: no code can tell more
    mean_excess_bits: Array = field(repr=False)  # [stage], over bands
    mean_excess_low_bits: Array = field(repr=False)
    mean_excess_high_bits: Array = field(repr=False)
    mean_p: Array = field(repr=False)
    n_frames: int
    n_pieces: int


class PeakCounts:
    """Counts of codes and partials: `update` with one piece at a time, `merge` parts, `result`."""

    def __init__(
        self, n_stages: int, n_codes: int, n_bands: int, *, seed: int = 0, moves: int = MOVES
    ) -> None:
        self.shape, self.seed = (n_stages, n_codes, n_bands), seed
        self.counts = np.zeros((GROUPS, n_stages, n_codes), np.uint32)
        self.peaks = np.zeros((GROUPS, n_stages, n_codes, n_bands), np.uint32)
        self.null = np.zeros((moves, n_stages, n_codes, n_bands), np.uint32)
        self.pieces: set[int] = set()

    @property
    def nbytes(self) -> int:
        """Memory of the counts."""
        return self.counts.nbytes + self.peaks.nbytes + self.null.nbytes

    def update(
        self,
        codes: NDArray[np.integer],
        peaks: NDArray[np.bool_],
        *,
        piece: int,
        segment: NDArray[np.integer] | None = None,
    ) -> None:
        """Count one piece, frames in the order of time; each piece comes once.

        Parameters
        ----------
        codes : ``[frame, stage]``
        peaks : ``[frame, band]``, whether a partial lies in the band
        piece : its number; groups and moves follow from it, not from the order of pieces
        segment : ``[frame]``, numbers of segments that move as wholes; None, or fewer than four, shifts the piece

        Raises
        ------
        InputError
            Codes that the quantiser does not have, other shapes, or a piece that was counted before.
        """
        n_stages, n_codes, n_bands = self.shape
        rows, carried = checked(codes, n_stages, n_codes), np.asarray(peaks, np.bool_)
        if carried.shape != (len(rows), n_bands):
            raise InputError(f"peaks [{len(rows)}, {n_bands}]", str(carried.shape), "frames of another site")
        refuse_again(self.pieces, {piece})
        self.pieces.add(piece)
        group = piece % GROUPS
        stage = np.arange(n_stages)
        np.add.at(self.counts[group], (stage, rows), 1)
        frame, band = np.nonzero(carried)
        _add(self.peaks[group], rows, frame, band)
        rng = np.random.default_rng([self.seed, piece, 79])
        for table in self.null:
            _add(table, moved(rows, segment, rng), frame, band)

    def merge(self, other: PeakCounts) -> None:
        """Add what another one counted, of other pieces.

        Raises
        ------
        InputError
            Counts of another quantiser, other moves, or of the same pieces.
        """
        if self.shape != other.shape or len(self.null) != len(other.null) or self.seed != other.seed:
            raise InputError(f"counts {self.shape}, seed {self.seed}", f"{other.shape}, seed {other.seed}")
        refuse_again(self.pieces, other.pieces)
        self.counts += other.counts
        self.peaks += other.peaks
        self.null += other.null
        self.pieces |= other.pieces

    def result(self, *, resamples: int = 200) -> PeakInformation:
        """Information of what was counted; NaN with fewer than 3 pieces."""
        n_stages, _, n_bands = self.shape
        total = self.counts.sum(axis=0, dtype=np.int64)
        value = np.full((n_stages, n_bands), np.nan)
        null = np.full((len(self.null), n_stages, n_bands), np.nan)
        draws = np.full((resamples, n_stages, n_bands), np.nan)
        groups = sorted({piece % GROUPS for piece in self.pieces})
        weights = piece_weights(len(groups), resamples, seed=self.seed)[1:] if groups else np.zeros((0, 0))
        known = len(self.pieces) >= LEAST_PIECES
        for stage in range(n_stages if known else 0):
            value[stage] = _bits(total[stage], self.peaks[:, stage].sum(axis=0, dtype=np.int64))
            for move, table in enumerate(self.null):
                null[move, stage] = _bits(total[stage], table[stage])
            if len(self.pieces) >= GROUPS and len(groups) == GROUPS:
                for row, weight in enumerate(weights):
                    counts = np.tensordot(weight, self.counts[groups, stage].astype(np.float64), 1)
                    peaks = np.tensordot(weight, self.peaks[groups, stage].astype(np.float64), 1)
                    draws[row, stage] = _bits(counts, peaks)
        excess = value - null.mean(axis=0)
        low, high = _about(excess, draws)
        mean, mean_null = excess.mean(axis=1), null.mean(axis=2)
        mean_low, mean_high = _about(mean, draws.mean(axis=2))
        carried = self.peaks[:, 0].sum(axis=(0, 1), dtype=np.int64) if n_stages else np.zeros(n_bands)
        n = int(total[0].sum()) if n_stages else 0
        share = carried / n if n else np.full(n_bands, np.nan)
        return PeakInformation(
            value,
            null.mean(axis=0),
            excess,
            low,
            high,
            p_value(value, null),
            _binary_bits(share),
            mean,
            mean_low,
            mean_high,
            p_value(value.mean(axis=1), mean_null),
            n,
            len(self.pieces),
        )


def _add(
    table: NDArray[np.uint32], rows: NDArray[np.int64], frame: NDArray[np.int64], band: NDArray[np.int64]
) -> None:
    """Count the code of every stage in every frame and band that carries a partial."""
    n_stages, n_codes, n_bands = table.shape
    for stage in range(n_stages):
        cell = rows[frame, stage] * n_bands + band
        found = np.bincount(cell, minlength=n_codes * n_bands).astype(np.uint32)
        table[stage] += found.reshape(n_codes, n_bands)


def _bits(counts: NDArray[np.generic], peaks: NDArray[np.generic]) -> Array:
    """Information ``[band]`` from frames with a code ``[code]`` and those with a partial, too ``[code, band]``."""
    with_, whole = np.asarray(peaks, np.float64).T, np.asarray(counts, np.float64)
    return information_bits(np.stack([with_, whole - with_], axis=-1))


def _binary_bits(share: Array) -> Array:
    """Entropy of something with this chance."""
    with np.errstate(invalid="ignore", divide="ignore"):
        bits = -(share * np.log2(share) + (1 - share) * np.log2(1 - share))
    return np.where(np.isfinite(share), np.nan_to_num(bits), np.nan)


def _about(value: Array, draws: Array) -> tuple[Array, Array]:
    """The spread of draws ``[draw, ...]`` about their own mean, laid about the value."""
    flat, moved_ = value.reshape(-1), draws.reshape(len(draws), -1)
    ends = np.full((2, len(flat)), np.nan)
    for k in range(len(flat)):
        found = interval(moved_[:, k] - moved_[:, k].mean() + flat[k], n_pieces=GROUPS)
        ends[:, k] = found or (np.nan, np.nan)
    return ends[0].reshape(value.shape), ends[1].reshape(value.shape)
