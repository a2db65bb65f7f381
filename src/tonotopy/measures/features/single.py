"""Every feature judged as § 4 judges a line: the feature's value at its best target in place of the line's answer.

A line is fitted so that it answers 1 to the mean change by its target; a feature is taken as it is, with the sign
that it has on training trials. Everything else is the same: the sums are a :class:`Tally` whose axis of targets
holds features, each at its own best target, so that the measures, their thresholds and the bootstrap over pieces
are those of lines. (A feature that *is* a line reads exactly what the line reads; the tests hold this.)
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from tonotopy.measures.features.responses import Floats, Function, Responses, evaluate
from tonotopy.measures.measures import Measures, measure
from tonotopy.measures.tally import Tally, lobe_sums, masked_sums, sums_by_piece
from tonotopy.recording.recording import Recording, TrialTable
from tonotopy.sound.structures import LADDER_DB, REFERENCE_DB, Structure
from tonotopy.sound.trials import CORE, EXTRA

#: Features of which sums over pairs of pieces are made at a time.
CHUNK = 256


@dataclass(frozen=True)
class Single:
    """Measures of single features."""

    measures: Measures = field(repr=False)  # [resample, feature]
    detection: Floats = field(repr=False)  # [feature, target] AUC present against absent, in music, unsigned


def single(
    of: Function,
    music: Recording,
    found: Responses,
    *,
    best: NDArray[np.int64],
    sign: Floats,
    targets: Floats,
    sample_rate_hz: int,
    structure: Structure,
    weights: Floats,
) -> Single:
    """Measures of every feature at its best target, in music.

    Parameters
    ----------
    music : with its extra sounds
    found : the features' responses to the same trials
    best, sign : of each feature, ``[feature]``
    weights : of pieces, ``[resample, piece]``, the data themselves first
    """
    pieces, piece = np.unique(music.trials.piece, return_inverse=True)
    turn = sign.astype(np.float32)
    own = _Own(len(best), len(pieces), structure.n_probes)
    detection = np.full((len(best), len(targets)), np.nan)
    for target in np.unique(music.trials.frequency_index):
        rows = np.flatnonzero(music.trials.frequency_index == target)
        core = evaluate(of, music.core[rows])
        detection[:, target] = _auc(core[:, CORE.index("present")], core[:, CORE.index("absent")])
        columns = np.flatnonzero(best == target)
        if not len(columns):
            continue
        held = None if music.extra is None else evaluate(of, music.extra[rows])[..., columns] * turn[columns]
        heard = _sounds(core[..., columns] * turn[columns], held)
        for start in range(0, len(columns), CHUNK):
            part = slice(start, start + CHUNK)
            some = {name: values[..., part] for name, values in heard.items()}
            own.add(columns[part], some, piece[rows])
        if held is not None:
            own.probes(columns, heard, music.trials.take(rows), piece[rows], structure)
    parts = []
    for start in range(0, len(best), CHUNK):
        part = slice(start, start + CHUNK)
        far = _far(
            found,
            piece,
            best=best[part],
            part=part,
            targets=targets,
            sample_rate_hz=sample_rate_hz,
            structure=structure,
            n_pieces=len(pieces),
        )
        parts.append(measure(own.tally(part, far), weights))
    return Single(_joined(parts), np.maximum(detection, 1 - detection))


def _sounds(core: NDArray[Any], extra: NDArray[Any] | None) -> dict[str, NDArray[Any]]:
    """Values by the name of the sound, ``[trial, frame, feature]``; the reference level is *present*."""
    found = {name: core[:, number] for number, name in enumerate(CORE)}
    if extra is not None:
        found |= {name: extra[:, number] for number, name in enumerate(EXTRA)}
        found[f"level{REFERENCE_DB:+d}"] = found["present"]
    return found


class _Own:
    """Sums over the trials of each feature's own target, filled target by target."""

    def __init__(self, n: int, n_pieces: int, n_probes: int) -> None:
        self.n_pieces = n_pieces
        pairs = (n, n_pieces, n_pieces)
        self.won = {name: np.zeros(pairs) for name in ("detection", "identification", "tonality")}
        self.pairs = {name: np.zeros(pairs) for name in self.won}
        self.ladder = np.zeros((2, len(LADDER_DB), *pairs))
        self.own = np.zeros((3, n, n_pieces))  # sums of r, r², frames
        self.graded = np.zeros((2, n, n_pieces))
        self.probe = np.zeros((2, n_probes, n, n_pieces))

    def add(
        self, columns: NDArray[np.int64], heard: dict[str, NDArray[Any]], piece: NDArray[np.int64]
    ) -> None:
        """The trials of one target, for the features whose best it is."""
        against = {"detection": "absent", "identification": "foil"}
        if "noise" in heard:
            against["tonality"] = "noise"
        for name, other in against.items():
            self.won[name][columns], self.pairs[name][columns] = self._wins(
                heard["present"], heard[other], piece
            )
        change = heard["present"] - heard["absent"]
        ok = np.isfinite(change).all(axis=(1, 2))
        for k, values in enumerate((change, np.square(change, dtype=np.float64), np.ones_like(change))):
            self.own[k, columns] = sums_by_piece(
                values[ok].sum(axis=1, dtype=np.float64), piece[ok], self.n_pieces
            )
        if "noise" not in heard:
            return
        levels = [heard[f"level{level:+d}"] for level in LADDER_DB]
        for k, values in enumerate(levels):
            self.ladder[0, k, columns], self.ladder[1, k, columns] = self._wins(
                values, heard["absent"], piece
            )
        rho = _spearman(np.stack([values.mean(axis=1) for values in levels], axis=1))
        fine = np.isfinite(rho)
        self.graded[0, columns] = sums_by_piece(np.where(fine, rho, 0.0), piece, self.n_pieces)
        self.graded[1, columns] = sums_by_piece(fine.astype(np.float64), piece, self.n_pieces)

    def probes(
        self,
        columns: NDArray[np.int64],
        heard: dict[str, NDArray[Any]],
        trials: TrialTable,
        piece: NDArray[np.int64],
        structure: Structure,
    ) -> None:
        """Squared changes by the probes of one target."""
        square = np.square(heard["probe_present"] - heard["probe_absent"], dtype=np.float64)
        rows = np.flatnonzero(np.isfinite(square).all(axis=(1, 2)))
        kind = structure.probe_kind(trials.probe_hz[rows], trials.frequency_hz[rows])
        for k in np.unique(kind):
            mine = rows[kind == k]
            self.probe[0, k][columns] = sums_by_piece(square[mine].sum(axis=1), piece[mine], self.n_pieces)
            self.probe[1, k][columns] = np.bincount(piece[mine], minlength=self.n_pieces) * square.shape[1]

    def _wins(
        self, positive: NDArray[Any], negative: NDArray[Any], piece: NDArray[np.int64]
    ) -> tuple[Floats, Floats]:
        """Wins and pairs between pieces, each ``[feature, piece, piece]``: :func:`statistics.auc.wins` of each."""
        frames = positive.shape[1]
        a, b = positive.reshape(-1, positive.shape[-1]), negative.reshape(-1, negative.shape[-1])
        label = np.repeat(piece, frames)
        in_a, in_b = np.isfinite(a).all(axis=1), np.isfinite(b).all(axis=1)
        belongs_a = np.equal.outer(np.arange(self.n_pieces), label[in_a]).astype(np.float32)
        belongs_b = np.equal.outer(np.arange(self.n_pieces), label[in_b]).astype(np.float32)
        score = np.sign(a[in_a][:, None] - b[in_b][None]).astype(np.float32)  # [positive, negative, feature]
        half = np.tensordot(belongs_a, score, 1)  # sums of -1, 0, 1: exact in single precision
        pairs = np.outer(belongs_a.sum(axis=1), belongs_b.sum(axis=1)).astype(np.float64)
        total = np.einsum("qn,pnf->fpq", belongs_b, half, optimize=True).astype(np.float64)
        return 0.5 * (total + pairs), np.broadcast_to(pairs, total.shape)

    def tally(self, part: slice, far: dict[str, Any]) -> Tally:
        """The sums of some features."""
        both = {name: (self.won[name][part], self.pairs[name][part]) for name in self.won}
        return Tally(
            detection=both["detection"],
            identification=both["identification"],
            ladder=(self.ladder[0][:, part], self.ladder[1][:, part]),
            tonality=both["tonality"],
            own_sum=self.own[0, part],
            own_square=self.own[1, part],
            own_count=self.own[2, part],
            probe_square=self.probe[0][:, part],
            probe_count=self.probe[1][:, part],
            gradedness=self.graded[0, part],
            gradedness_count=self.graded[1, part],
            separability=None,
            valid=np.ones(self.own[0, part].shape[0], dtype=bool),
            **far,
        )


def _far(
    found: Responses,
    piece: NDArray[np.int64],
    *,
    best: NDArray[np.int64],
    part: slice,
    targets: Floats,
    sample_rate_hz: int,
    structure: Structure,
    n_pieces: int,
) -> dict[str, Any]:
    """Sums of responses near each feature's best target, far from it, and in bins of what is far."""
    trials = found.trials
    items = np.concatenate([trials.frequency_hz, trials.foil_hz])
    square = found.square[..., part].astype(np.float64).reshape(len(items), -1) * found.frames
    ok = np.isfinite(square).all(axis=1)
    lie = structure.relation(items[ok], targets, sample_rate_hz)
    square, piece2 = square[ok], np.tile(piece, 2)[ok]
    near, bins = lie.near[:, best], lie.bins[:, best]
    near_sums = masked_sums(square, near, piece2, n_pieces, found.frames)
    far_sums = masked_sums(square, ~near, piece2, n_pieces, found.frames)
    lobes = lobe_sums(square, bins, piece2, n_pieces, found.frames)
    return {
        "near_square": near_sums[0],
        "near_count": near_sums[1],
        "far_square": far_sums[0],
        "far_count": far_sums[1],
        "near_width_erb": lie.near_width[best],
        "far_width_erb": lie.far_width[best],
        "lobe_square": lobes[0],
        "lobe_count": lobes[1],
    }


def _spearman(answers: NDArray[Any]) -> Floats:
    """Rank correlation of answers ``[trial, level, feature]`` with level, ``[trial, feature]``; NaN if undefined."""
    ranks = scipy.stats.rankdata(answers, axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    order = np.arange(answers.shape[1]) - (answers.shape[1] - 1) / 2
    norm = np.sqrt(np.sum(ranks**2, axis=1) * np.sum(order**2))
    ok = np.isfinite(answers).all(axis=1) & (norm > 0)
    return np.divide(np.einsum("tlf,l->tf", ranks, order), norm, out=np.full(norm.shape, np.nan), where=ok)


def _auc(positive: NDArray[Any], negative: NDArray[Any]) -> Floats:
    """Pooled AUC of every feature, ``[trial, frame, feature]`` twice to ``[feature]``."""
    n = positive.shape[-1]
    a, b = positive.reshape(-1, n), negative.reshape(-1, n)
    a, b = a[np.isfinite(a).all(axis=1)], b[np.isfinite(b).all(axis=1)]
    if not (len(a) and len(b)):
        return np.full(n, np.nan)
    both = np.concatenate([a, b])
    found = np.empty(n)
    for start in range(0, n, CHUNK):
        ranks = scipy.stats.rankdata(both[:, start : start + CHUNK], axis=0)
        found[start : start + CHUNK] = ranks[: len(a)].sum(axis=0)
    return (found - len(a) * (len(a) + 1) / 2) / (len(a) * len(b))


def _joined(parts: list[Measures]) -> Measures:
    """Measures of all features from those of some at a time: features are the last axis of every field."""
    return Measures(
        **{f.name: np.concatenate([getattr(p, f.name) for p in parts], axis=-1) for f in fields(Measures)}
    )
