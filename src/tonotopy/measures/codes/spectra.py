"""Code spectra: the mean level in each band over the frames that have a code, and how much of the levels codes explain.

`explained` is the share of a band's variance that lies between codes. With few frames a code anything explains
something: the null is the same with the codes of each piece moved in time within it (`_natural.moved`), which keeps
what is common to a piece, such as its loudness. `explained_excess` is the difference.

Memory: for 32 stages of 1,024 codes and 40 bands 31 MiB, however many frames.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.measures.codes._information import Array
from tonotopy.measures.codes._natural import checked, moved, refuse_again

#: Moves of the codes of each piece.
MOVES: Final = 2
#: A code with fewer frames than this has no spectrum.
LEAST_FRAMES: Final = 10


@dataclass(frozen=True)
class CodeSpectra:
    """Spectra of codes."""

    spectrum_db: Array = field(repr=False)  # [stage, code, band]; NaN under 10 frames
    frames: NDArray[np.int64] = field(repr=False)  # [stage, code]
    explained: Array = field(repr=False)  # [stage, band], share of variance
    explained_null: Array = field(repr=False)
    explained_excess: Array = field(repr=False)
    mean_db: Array = field(repr=False)  # [band], of all frames


class SpectrumSums:
    """Sums of levels by code: `update` with one piece at a time, `merge` parts, `result`."""

    def __init__(self, n_stages: int, n_codes: int, n_bands: int, *, seed: int = 0) -> None:
        self.shape, self.seed = (n_stages, n_codes, n_bands), seed
        self.counts = np.zeros((1 + MOVES, n_stages, n_codes), np.int64)
        self.sums = np.zeros((1 + MOVES, n_stages, n_codes, n_bands))
        self.squares = np.zeros(n_bands)
        self.pieces: set[int] = set()

    @property
    def nbytes(self) -> int:
        """Memory of the sums."""
        return self.counts.nbytes + self.sums.nbytes

    def update(
        self,
        codes: NDArray[np.integer],
        level_db: NDArray[np.floating],
        *,
        piece: int,
        segment: NDArray[np.integer] | None = None,
    ) -> None:
        """Add one piece: codes ``[frame, stage]`` and levels ``[frame, band]``, in the order of time.

        Raises
        ------
        InputError
            Codes that the quantiser does not have, other levels, or a piece that was added before.
        """
        n_stages, n_codes, n_bands = self.shape
        rows, level = checked(codes, n_stages, n_codes), np.asarray(level_db, np.float64)
        if level.shape != (len(rows), n_bands) or not np.isfinite(level).all():
            raise InputError(
                f"finite levels [{len(rows)}, {n_bands}]", str(level.shape), "frames of another site"
            )
        refuse_again(self.pieces, {piece})
        self.pieces.add(piece)
        rng = np.random.default_rng([self.seed, piece, 89])
        self.squares += np.sum(level**2, axis=0)
        for kind in range(1 + MOVES):
            those = rows if kind == 0 else moved(rows, segment, rng)
            for stage in range(n_stages):
                self.counts[kind, stage] += np.bincount(those[:, stage], minlength=n_codes)
                np.add.at(self.sums[kind, stage], those[:, stage], level)

    def merge(self, other: SpectrumSums) -> None:
        """Add what another one summed, of other pieces.

        Raises
        ------
        InputError
            Sums of another quantiser, another seed, or of the same pieces.
        """
        own, others = (f"{one.shape}, seed {one.seed}" for one in (self, other))
        if own != others:
            raise InputError(f"sums {own}", others, "another quantiser or another null")
        refuse_again(self.pieces, other.pieces)
        self.counts += other.counts
        self.sums += other.sums
        self.squares += other.squares
        self.pieces |= other.pieces

    def result(self) -> CodeSpectra:
        """Spectra and what they explain."""
        count = self.counts[..., None]
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = self.sums / count
            n = self.counts[0, :1].sum() or np.nan
            centre = self.sums[0, :1].sum(axis=1)[0] / n if self.shape[0] else np.full(self.shape[2], np.nan)
            total = self.squares - n * centre**2
            between = np.nansum(count * (mean - centre) ** 2, axis=2)  # [kind, stage, band]
            share = np.where(total > 1e-9 * np.maximum(self.squares, 1e-300), between / total, np.nan)
        null = share[1:].mean(axis=0)
        spectra = np.where(self.counts[0][..., None] >= LEAST_FRAMES, mean[0], np.nan)
        return CodeSpectra(spectra, self.counts[0].copy(), share[0], null, share[0] - null, centre)
