"""Which codes come and how often, per stage and jointly, and what earlier stages tell of later ones.

Per stage, from counts ``[stage, code]``: codes used, dead codes (beside how many would be missing by chance were all
equally likely), entropy with Miller's correction, perplexity 2^H (beside that of as many frames of equally likely
codes), H(code | code of the stage before).

The joint alphabet of 32 stages of 1,024 codes is beyond any data: neither its entropy nor that of a code given *all*
earlier stages can be estimated. What stands in their place:

- `conditional_entropy_bits`: given the stage before alone, whose codes are put in at most :data:`CONTEXTS` classes
  where there are more. A coarser context tells less: this is an upper bound of H(code | earlier stages).
  `conditional_null_bits` is the same with the earlier stage moved in time within the piece, by whole runs of frames
  that share all codes: where stages change at the same moments, fewer pairs come than by chance. It is below the
  entropy by the bias of the estimate and by what is common to a piece. `told_bits` is the null less the value;
- `joint_entropy_bound_bits`: the sum of these conditional entropies, an upper bound of the joint entropy;
- `joint_distinct`: how many different tuples came, from the smallest hashes of tuples (Bar-Yossef et al. 2002,
  "Counting distinct elements in a data stream", k minimum values; error about 1 / sqrt(k));
- `joint_collision_bits`: Rényi's entropy of order 2, -log2 of the chance that two frames of *different pieces* share
  all codes, from the tuples whose hashes are kept; inf where none do.

Memory: for 32 stages of 1,024 codes 32 MiB, however many frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.measures.codes._information import Array, entropy_bits
from tonotopy.measures.codes._natural import checked, moved, refuse_again

Ints = NDArray[np.int64]

#: Classes of the code of the stage before.
CONTEXTS: Final = 64
#: Smallest hashes that are kept.
KEPT: Final = 2048
#: Draws of equally likely codes.
EVEN_DRAWS: Final = 20
#: Seed of the hash: the same for all, or parts could not be merged.
_KEY: Final = 20_240_229


@dataclass(frozen=True)
class Usage:
    """Usage of codes; ``[stage]`` where not said otherwise."""

    n_frames: int
    n_codes: int
    used: Ints
    usage: Array  # share of the codes that came
    dead: Ints
    dead_expected: Array  # by chance, were all codes equally likely
    entropy_bits: Array
    perplexity: Array
    perplexity_null: Array  # as many frames of equally likely codes
    conditional_entropy_bits: Array  # NaN at the first stage
    conditional_null_bits: Array
    told_bits: Array
    joint_entropy_bound_bits: float
    joint_distinct: float
    joint_distinct_null: float  # as many frames, stages independent and each as it is: bound by frames
    joint_collision_bits: float


class UsageCounts:
    """Counts of codes: `update` with one piece at a time, `merge` parts, `result`.

    Examples
    --------
    >>> counts = UsageCounts(2, 4)
    >>> counts.update(np.array([[0, 1], [1, 2], [0, 1], [1, 2]]), piece=0)
    >>> found = counts.result()
    >>> found.used.tolist(), found.dead.tolist()
    ([2, 2], [2, 2])
    """

    def __init__(self, n_stages: int, n_codes: int, *, seed: int = 0) -> None:
        self.n_stages, self.n_codes, self.seed = n_stages, n_codes, seed
        self.contexts = min(n_codes, CONTEXTS)
        self.counts = np.zeros((n_stages, n_codes), np.int64)
        self.pairs = np.zeros((2, max(0, n_stages - 1), self.contexts, n_codes), np.int64)
        self.hashes = np.zeros(0, np.uint64)  # ascending, each once
        self.seen = np.zeros(
            (0, 2), np.float64
        )  # of each kept tuple: frames, and their squares summed by piece
        self.frames = np.zeros(2)  # and their squares summed by piece
        self.pieces: set[int] = set()
        self._class = np.random.default_rng(_KEY).permutation(n_codes) % self.contexts
        self._factor = np.random.default_rng(_KEY).integers(1, 1 << 62, n_stages, dtype=np.uint64) * 2 + 1

    @property
    def nbytes(self) -> int:
        """Memory of the counts."""
        return self.counts.nbytes + self.pairs.nbytes + self.hashes.nbytes + self.seen.nbytes

    def update(self, codes: NDArray[np.integer], *, piece: int) -> None:
        """Count all frames ``[frame, stage]`` of one piece, in the order of time; each piece comes once.

        Raises
        ------
        InputError
            Codes that the quantiser does not have, or a piece that was counted before.
        """
        rows = checked(codes, self.n_stages, self.n_codes)
        refuse_again(self.pieces, {piece})
        self.pieces.add(piece)
        if not len(rows):
            return
        rng = np.random.default_rng([self.seed, piece, 73])
        other = _run_moved(rows, rng)
        for stage in range(self.n_stages):
            self.counts[stage] += np.bincount(rows[:, stage], minlength=self.n_codes)
            for kind, before in enumerate((rows, other) if stage else ()):
                cell = self._class[before[:, stage - 1]] * self.n_codes + rows[:, stage]
                table = np.bincount(cell, minlength=self.contexts * self.n_codes)
                self.pairs[kind, stage - 1] += table.reshape(self.contexts, self.n_codes)
        with np.errstate(over="ignore"):
            number = (rows.astype(np.uint64) + np.uint64(1)) * self._factor
            number = _mixed(number).sum(axis=1, dtype=np.uint64)
        hashes, times = np.unique(_mixed(number), return_counts=True)
        self._keep(hashes, np.stack([times, times.astype(np.float64) ** 2], axis=1))
        self.frames += (len(rows), float(len(rows)) ** 2)

    def merge(self, other: UsageCounts) -> None:
        """Add what another one counted, of other pieces.

        Raises
        ------
        InputError
            Counts of another quantiser, another seed, or of the same pieces.
        """
        own, others = (
            f"{one.n_stages} stages of {one.n_codes} codes, seed {one.seed}" for one in (self, other)
        )
        if own != others:
            raise InputError(own, others, "another quantiser or another null")
        refuse_again(self.pieces, other.pieces)
        self.counts += other.counts
        self.pairs += other.pairs
        self._keep(other.hashes, other.seen)
        self.frames += other.frames
        self.pieces |= other.pieces

    def _keep(self, hashes: NDArray[np.uint64], seen: NDArray[np.float64]) -> None:
        merged, place = np.unique(np.concatenate([self.hashes, hashes]), return_inverse=True)
        total = np.zeros((len(merged), 2))
        np.add.at(total, place, np.concatenate([self.seen, seen]))
        self.hashes, self.seen = merged[:KEPT], total[:KEPT]

    def result(self) -> Usage:
        """What was counted."""
        n = int(self.frames[0])
        used = np.count_nonzero(self.counts, axis=1)
        entropy = entropy_bits(self.counts, corrected=True)
        own, null = (self._conditional(self.pairs[kind]) for kind in (0, 1))
        first = np.full(min(1, self.n_stages), np.nan)
        value, moved_ = np.concatenate([first, own]), np.concatenate([first, null])
        distinct, collision = self._joint()
        if distinct < 3:  # runs of two tuples alternate: any shift is as good as none
            moved_[:] = np.nan
        missing = self.n_codes * (1 - 1 / self.n_codes) ** n
        return Usage(
            n,
            self.n_codes,
            used,
            used / self.n_codes if n else np.full(self.n_stages, np.nan),
            self.n_codes - used,
            np.full(self.n_stages, missing),
            entropy,
            2.0 ** entropy_bits(self.counts),
            np.full(self.n_stages, _even_perplexity(n, self.n_codes, self.seed)),
            value,
            moved_,
            moved_ - value,
            float(entropy[0] + np.sum(own)) if self.n_stages else float("nan"),
            distinct,
            _distinct_null(self.counts, n),
            collision,
        )

    def _conditional(self, pairs: Ints) -> Array:
        """H(code | context) of counts ``[stage, context, code]``, each context with Miller's correction."""
        weight = pairs.sum(axis=2)
        bits = np.nan_to_num(entropy_bits(pairs, corrected=True))
        total = weight.sum(axis=1)
        with np.errstate(invalid="ignore"):
            return np.asarray((weight * bits).sum(axis=1) / np.where(total > 0, total, np.nan))

    def _joint(self) -> tuple[float, float]:
        """Distinct tuples, and the entropy of order 2 over pairs of frames of different pieces."""
        frames, squares = self.frames
        if not len(self.hashes):
            return float("nan"), float("nan")
        whole = len(self.hashes) < KEPT
        share = 1.0 if whole else float(self.hashes[-1]) / 2.0**64
        distinct = float(len(self.hashes)) if whole else (KEPT - 1) / share
        pairs = frames**2 - squares
        if pairs <= 0:
            return distinct, float("nan")
        shared = float(np.sum(self.seen[:, 0] ** 2 - self.seen[:, 1])) / share
        return distinct, float(-np.log2(shared / pairs)) if shared > 0 else float("inf")


def _run_moved(codes: Ints, rng: np.random.Generator) -> Ints:
    """Codes ``[frame, stage]`` of which each run of equal frames takes those of another run, all by one shift."""
    run = np.cumsum((np.diff(codes, axis=0, prepend=codes[:1]) != 0).any(axis=1))
    first = np.searchsorted(run, np.arange(run[-1] + 1))
    return moved(codes[first], None, rng)[run]


def _even_perplexity(n: int, n_codes: int, seed: int) -> float:
    """Mean perplexity of so many draws of equally likely codes."""
    if not n:
        return float("nan")
    drawn = np.random.default_rng([seed, 83]).multinomial(n, np.full(n_codes, 1 / n_codes), size=EVEN_DRAWS)
    return float(np.mean(2.0 ** entropy_bits(drawn)))


def _distinct_null(counts: Ints, n: int) -> float:
    """Distinct tuples of so many frames with independent stages, by the entropy of order 2 of each stage."""
    if not n:
        return float("nan")
    share = counts / max(n, 1)
    chance = float(np.prod(np.sum(share**2, axis=1)))
    # n draws from as many equally likely tuples as have this chance of coinciding.
    tuples = 1 / max(chance, 1e-300)
    return float(-tuples * np.expm1(-n / tuples)) if tuples < 1e15 else float(n)


def _mixed(number: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Bits mixed (the finisher of splitmix64; Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            number = (number ^ (number >> np.uint64(shift))) * np.uint64(factor)
        return np.asarray(number ^ (number >> np.uint64(31)))
