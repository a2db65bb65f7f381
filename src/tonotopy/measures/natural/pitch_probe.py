"""Linear probes of pitch: fitted on folds of pieces, their choices made there, tried on the fold that was held out.

What is decoded and how it is scored is in `tonotopy.measures.natural.pitch_decoding`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from tonotopy.measures.natural.held_out import PENALTIES
from tonotopy.measures.natural.moments import Array, Sums
from tonotopy.measures.natural.pitch_targets import Labels, control, joined, labels_of, shifted
from tonotopy.recording.natural import NaturalFrames
from tonotopy.recording.pitches import Pitches

Ints = NDArray[np.int64]
Values = NDArray[np.floating]

#: Parts of the span before its end that may be the moment of a frame.
MOMENTS: Final = (0.5, 0.0, 0.25, 0.75, 1.0)
#: Frames with and without a label that a piece has at least, for the label to have an AUC in it.
LEAST_FRAMES: Final = 10


@dataclass(frozen=True)
class PitchTask:
    """Labels of every frame, for each moment that it may tell of."""

    piece: Ints  # [frame]
    n_pieces: int
    real: tuple[Labels, ...]  # of each moment
    control: tuple[Labels, ...]
    shifted: tuple[Labels, ...]

    @staticmethod
    def of(natural: NaturalFrames, pitches: Sequence[Pitches], *, seed: int) -> PitchTask:
        labels = [labels_of(one) for one in pitches]
        before = np.rint(np.array(MOMENTS) * natural.site.span).astype(np.int64)
        found = []
        for kind in (labels, control(labels, seed=seed), shifted(labels, seed=seed)):
            moments = []
            for delay in before:
                parts = [
                    kind[k].at(one.rows(natural.end[natural.piece == k] - delay, natural.sample_rate_hz))
                    for k, one in enumerate(pitches)
                ]
                order = np.argsort(np.argsort(natural.piece, kind="stable"), kind="stable")
                moments.append(joined(parts).at(order))
            found.append(tuple(moments))
        return PitchTask(natural.piece, len(pitches), *found)


class PitchProbe:
    """Probes of one set of values, for one held-out fold."""

    def __init__(self, x: Values, task: PitchTask, fold_of: Ints, fold: int) -> None:
        self.x, self.task = np.asarray(x, np.float64), task
        of_frame = fold_of[task.piece]
        self.test = np.flatnonzero(of_frame == fold)
        others = [other for other in np.unique(of_frame) if other != fold]
        self.blocks = [np.flatnonzero(of_frame == other) for other in others]
        every = np.concatenate([one.classes for one in task.real], axis=1)  # moments outermost
        share = _share_of(_tried(self._sums(every)))  # [penalty, column]
        mean = np.where(np.isfinite(share), share, 0.0).max(axis=0).reshape(len(MOMENTS), -1).mean(axis=1)
        self.moment = int(mean.argmax())

    def scores(self, *, single: bool) -> dict[tuple[str, str, str], tuple[Array, Array]]:
        """Top and bottom of each score ``[piece]``, by task, labels and probe."""
        found: dict[tuple[str, str, str], tuple[Array, Array]] = {}
        for name in ("real", "control", "shifted"):
            labels: Labels = getattr(self.task, name)[self.moment]
            probes = ("all", "best") if single and name == "real" else ("all",)
            binary = np.concatenate([labels.classes, labels.notes], axis=1)
            columns = {"class": slice(0, 12), "note": slice(12, None)}
            for probe, answers in self._answers(binary, probes).items():
                for task, columns_of in columns.items():
                    of = answers[:, columns_of], binary[self.test][:, columns_of]
                    found[task, name, probe] = self._auc(*of)
            for probe, explained in self._height(labels.height, probes).items():
                found["height", name, probe] = explained
        return found

    def _sums(self, y: NDArray[np.generic], known: NDArray[np.bool_] | None = None) -> list[Sums]:
        """Moments of each training fold that has frames with known labels."""
        blocks = self.blocks if known is None else [block[known[block]] for block in self.blocks]
        return [Sums.of(self.x[block], y[block]) for block in blocks if len(block)]

    def _answers(
        self, y: NDArray[np.generic], probes: Sequence[str], known: NDArray[np.bool_] | None = None
    ) -> dict[str, Array]:
        """Answers of each probe on the held-out frames, ``[frame, column]``."""
        sums = self._sums(y, known)
        training = reduce(Sums.plus, sums)
        x = self.x[self.test] - training.mean_x
        found = {}
        if "all" in probes:
            best = _share_of(_tried(sums)).argmax(axis=0)
            weights = np.zeros(training.xy.shape)
            for choice in np.unique(best):
                these = np.flatnonzero(best == choice)
                weights[:, these] = training.targets(these).ridge(PENALTIES[choice])
            found["all"] = training.mean_y + x @ weights
        if "best" in probes:
            lines = training.single()
            chosen = (lines * training.xy).argmax(axis=0)  # the squared error that each line saves
            found["best"] = training.mean_y + x[:, chosen] * lines[chosen, np.arange(len(chosen))]
        return found

    def _auc(self, answers: Array, labels: NDArray[np.bool_]) -> tuple[Array, Array]:
        top, bottom = np.zeros((2, self.task.n_pieces))
        piece_of = self.task.piece[self.test]
        for piece in np.unique(piece_of):
            rows = piece_of == piece
            auc = auc_of(answers[rows], labels[rows])
            if np.isfinite(auc).any():
                top[piece], bottom[piece] = np.nanmean(auc), 1.0
        return top, bottom

    def _height(self, height: Array, probes: Sequence[str]) -> dict[str, tuple[Array, Array]]:
        """Explained and whole variance about the training mean, ``[piece]``, of each probe."""
        known = np.isfinite(height)
        if sum(bool(known[block].any()) for block in self.blocks) < len(self.blocks):
            return {}
        training = np.concatenate([block[known[block]] for block in self.blocks])
        mean = height[training].mean()
        own = known[self.test]
        truth, piece_of = height[self.test][own], self.task.piece[self.test][own]
        found = {}
        for probe, answers in self._answers(np.where(known, height, 0.0)[:, None], probes, known).items():
            error = _by_piece((truth - answers[own, 0]) ** 2, piece_of, self.task.n_pieces)
            spread = _by_piece((truth - mean) ** 2, piece_of, self.task.n_pieces)
            found[probe] = spread - error, spread
        return found


def _by_piece(values: Array, piece: Ints, n_pieces: int) -> Array:
    return np.bincount(piece, values, minlength=n_pieces).astype(np.float64)


def _tried(sums: Sequence[Sums]) -> tuple[Array, Array]:
    """Squared errors ``[penalty, column]`` and spread ``[column]`` of each training fold, fitted on the others."""
    error = np.zeros((len(PENALTIES), len(sums[0].yy)))
    spread = np.zeros(len(sums[0].yy))
    for held, own in enumerate(sums):
        others = reduce(Sums.plus, (one for k, one in enumerate(sums) if k != held))
        for row, penalty in enumerate(PENALTIES):
            error[row] += own.error_of(others.ridge(penalty), others)
        spread += own.spread_about(others)
    return error, spread


def _share_of(tried: tuple[Array, Array]) -> Array:
    """Share of variance, ``[penalty, column]``; minus infinity where a column does not vary."""
    error, spread = tried
    whole = np.broadcast_to(spread, error.shape)
    ratio = np.divide(error, whole, out=np.full(error.shape, np.inf), where=whole > 0)
    return np.asarray(1.0 - ratio)


def auc_of(answers: Array, labels: NDArray[np.bool_]) -> Array:
    """AUC of each column of answers for its labels, both ``[frame, label]``; NaN with too few frames on a side.

    Examples
    --------
    >>> labels = np.arange(40)[:, None] >= 20
    >>> auc_of(np.arange(40.0)[:, None], labels).tolist(), auc_of(np.zeros((40, 1)), labels).tolist()
    ([1.0], [0.5])
    """
    with_it = labels.sum(axis=0).astype(np.float64)
    without = len(labels) - with_it
    ranks = np.sum(rankdata(answers, axis=0) * labels, axis=0) if len(labels) else with_it
    enough = (with_it >= LEAST_FRAMES) & (without >= LEAST_FRAMES)
    won = ranks - with_it * (with_it + 1) / 2
    return np.divide(won, with_it * without, out=np.full(len(with_it), np.nan), where=enough)
