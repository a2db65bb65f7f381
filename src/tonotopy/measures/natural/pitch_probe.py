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

from tonotopy.measures.natural.held_out import PENALTIES, fit_each
from tonotopy.measures.natural.moments import Array, Sums
from tonotopy.measures.natural.pitch_targets import Labels, control, joined, labels_of, shifted
from tonotopy.recording.natural import NaturalFrames
from tonotopy.recording.pitches import Pitches

Ints = NDArray[np.int64]
Values = NDArray[np.floating]

#: Parts of the span before its end that may be the moment of a frame.
MOMENTS: Final = (0.5, 0.0, 0.25, 0.75, 1.0)
#: What is asked for, and the same with its sense taken away.
KINDS: Final = ("real", "control", "shifted")
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
        share = _share_of(_tried(self._sums(every, self.blocks)))  # [penalty, column]
        mean = np.where(np.isfinite(share), share, 0.0).max(axis=0).reshape(len(MOMENTS), -1).mean(axis=1)
        self.moment = int(mean.argmax())

    def scores(self, *, single: bool) -> dict[tuple[str, str, str], tuple[Array, Array]]:
        """Top and bottom of each score ``[piece]``, by task, labels and probe."""
        labels: list[Labels] = [getattr(self.task, name)[self.moment] for name in KINDS]
        binary = np.concatenate([part for own in labels for part in (own.classes, own.notes)], axis=1)
        height = np.stack([own.height for own in labels], axis=1)
        found: dict[tuple[str, str, str], tuple[Array, Array]] = {}
        for probe, answers in self._answers(binary, self.blocks, single=single).items():
            auc = np.split(self._auc(answers, binary[self.test]), len(KINDS), axis=1)
            for name, own in zip(KINDS, auc, strict=True):
                found["class", name, probe] = _means(own[:, :12])
                found["note", name, probe] = _means(own[:, 12:])
        found |= self._height(height, single=single)
        return {key: score for key, score in found.items() if key[1] == "real" or key[2] == "all"}

    def _sums(self, y: NDArray[np.generic], blocks: Sequence[Ints]) -> list[Sums]:
        """Moments of some frames of each training fold."""
        return [Sums.of(self.x[block], y[block]) for block in blocks]

    def _answers(self, y: NDArray[np.generic], blocks: Sequence[Ints], *, single: bool) -> dict[str, Array]:
        """Answers of each probe on the held-out frames, ``[frame, column]``."""
        sums = self._sums(y, blocks)
        training = reduce(Sums.plus, sums)
        x = self.x[self.test] - training.mean_x
        penalty = _share_of(_tried(sums)).argmax(axis=0)
        found = {"all": training.mean_y + x @ fit_each(training, penalty, PENALTIES)}
        if single:
            lines = training.single()
            chosen = (lines * training.xy).argmax(axis=0)  # the squared error that each line saves
            found["best"] = training.mean_y + x[:, chosen] * lines[chosen, np.arange(len(chosen))]
        return found

    def _auc(self, answers: Array, labels: NDArray[np.bool_]) -> Array:
        """AUC within each piece ``[piece, column]``; NaN in those that are not held out."""
        found = np.full((self.task.n_pieces, labels.shape[1]), np.nan)
        piece_of = self.task.piece[self.test]
        for piece in np.unique(piece_of):
            rows = piece_of == piece
            found[piece] = auc_of(answers[rows], labels[rows])
        return found

    def _height(self, height: Array, *, single: bool) -> dict[tuple[str, str, str], tuple[Array, Array]]:
        """Explained and whole variance about the training mean, where a height is known by all kinds of labels."""
        known = np.asarray(np.isfinite(height).all(axis=1))
        blocks = [block[known[block]] for block in self.blocks]
        if not all(len(block) for block in blocks):
            return {}
        mean = height[np.concatenate(blocks)].mean(axis=0)
        own = known[self.test]
        truth, piece_of = height[self.test][own], self.task.piece[self.test][own]
        found = {}
        for probe, answers in self._answers(height, blocks, single=single).items():
            for column, name in enumerate(KINDS):
                errors = [truth[:, column] - told for told in (answers[own, column], mean[column])]
                error, spread = (
                    np.bincount(piece_of, of**2, minlength=self.task.n_pieces).astype(np.float64)
                    for of in errors
                )
                found["height", name, probe] = spread - error, spread
        return found


def _means(auc: Array) -> tuple[Array, Array]:
    """Mean over the labels that are defined ``[piece]``, and whether there is any."""
    defined = np.isfinite(auc)
    count = defined.sum(axis=1)
    return np.where(defined, auc, 0.0).sum(axis=1) / np.maximum(count, 1), (count > 0).astype(np.float64)


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
    enough = np.flatnonzero((with_it >= LEAST_FRAMES) & (without >= LEAST_FRAMES))
    found = np.full(labels.shape[1], np.nan)
    if len(enough):
        positive, negative = with_it[enough], without[enough]
        ranks = np.sum(rankdata(answers[:, enough], axis=0) * labels[:, enough], axis=0)
        found[enough] = (ranks - positive * (positive + 1) / 2) / (positive * negative)
    return found
