"""How well pitch is decoded from the features of a site, beside everything that needs no trained feature.

Tasks, of each frame of natural sound (`tonotopy.recording.pitches` says where the truth is from):

- ``class``: which of the 12 pitch classes sound;
- ``note``: which notes sound;
- ``height``: the MIDI number of the strongest note, where one sounds.

The score of the first two is the AUC of each label within a held-out piece, averaged over the labels that have at
least `LEAST_FRAMES` frames on both sides in that piece, then over pieces: within a piece, since pieces differ in key and
register as they do in everything. The score of the third is R², the share of its variance about the training mean
that is explained, over all held-out pieces. 0.5 and 0 are nothing.

Probes: ``all`` is ridge regression from all features on labels of 0 and 1 (the order of its answers is all that AUC
asks for; deviation from logistic regression, which costs a hundred times as much), ``best`` the one feature that explains
most on the training pieces, with its sign. Pieces are dealt to `FOLDS` folds. For each held-out fold everything is
made from the others: the features themselves (a dictionary is trained without the held-out pieces), the best one, the
penalty and the moment of a frame within its span, the last two by trying each training fold on the others.

Read from: ``features``; ``random``, as many random directions of the same site, and as sparse (of each frame as many
values as the features have on average are kept, the largest above zero, where the features are sparse); ``levels``,
the log levels of the sound in 1-ERB bands, without any model. Each from single frames, and from means over windows of time.

Labels: ``real``; ``control``, a control task; ``shifted`` (`tonotopy.measures.natural.pitch_targets`). Selectivity is
the score of the real labels less that of the control task.

Undefined (NaN): under `LEAST_GROUPS` pieces; intervals, a bootstrap over pieces, under 8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from tonotopy.core.errors import InputError
from tonotopy.features.sources import ArrayActivations, Features, find_features
from tonotopy.measures.natural.held_out import LEAST_GROUPS, PENALTIES
from tonotopy.measures.natural.moments import Array, Sums, deal
from tonotopy.measures.natural.pitch_targets import Labels, control, labels_of, shifted
from tonotopy.recording.lanes import Lanes
from tonotopy.recording.natural import NaturalFrames
from tonotopy.recording.pitches import Pitches
from tonotopy.statistics.bootstrap import LEAST_PIECES_FOR_INTERVALS, piece_weights

Ints = NDArray[np.int64]
Values = NDArray[np.floating]

TASKS: Final = ("class", "note", "height")
#: Lengths of the windows over which features are averaged; 0 is one frame.
WINDOWS_S: Final = (0.0, 0.2)
#: Parts of the span before its end that may be the moment of a frame.
MOMENTS: Final = (0.5, 0.0, 0.25, 0.75, 1.0)
FOLDS: Final = 4
#: Frames with and without a label that a piece has at least, for the label to have an AUC in it.
LEAST_FRAMES: Final = 10
#: Features whose values are zero in more than this share of frames and features are sparse.
SPARSE: Final = 0.1
#: Bootstraps over pieces.
RESAMPLES: Final = 1000


@dataclass(frozen=True)
class Score:
    """One score, as a ratio of sums over pieces: of AUC over ones, or of explained over whole variance."""

    window_s: float
    task: str
    read: str  # "features", "random", "levels"
    labels: str  # "real", "control", "shifted"
    probe: str  # "all", "best"
    top: Array = field(repr=False)  # [piece], 0 where undefined
    bottom: Array = field(repr=False)  # [piece], 0 where undefined

    def under(self, weights: Array) -> Array:
        """The score under weights of pieces ``[resample, piece]``; NaN where it is undefined."""
        top, bottom = weights @ self.top, weights @ self.bottom
        return np.divide(top, bottom, out=np.full(len(weights), np.nan), where=bottom > 0)


def pitch_decoding(
    natural: NaturalFrames,
    lanes: Sequence[Lanes],
    pitches: Sequence[Pitches],
    find: Callable[[ArrayActivations], Features],
    *,
    windows_s: Sequence[float] = WINDOWS_S,
    seed: int = 0,
) -> list[Score]:
    """Scores of one source of features at one site.

    Parameters
    ----------
    natural : frames of the site
    lanes, pitches : of each piece
    find : from frames of the training pieces to features
    windows_s : lengths of the windows over which values are averaged

    Raises
    ------
    InputError
        For lanes or pitches of another number of pieces, or whatever ``find`` refuses.
    """
    n_pieces = len(natural.audio)
    if not len(lanes) == len(pitches) == n_pieces:
        raise InputError(f"lanes and pitches of {n_pieces} pieces", f"of {len(lanes)} and {len(pitches)}")
    if len(np.unique(natural.piece)) < LEAST_GROUPS:
        return []
    task = _Task.of(natural, pitches, seed=seed)
    fold_of = deal(n_pieces, seed=seed, most=FOLDS)
    levels = _levels(natural, lanes)
    sums: dict[tuple[float, str, str, str, str], list[Array]] = {}
    for fold in np.unique(fold_of[np.unique(natural.piece)]):
        training = fold_of[natural.piece] != fold
        heard = ArrayActivations(natural.frames[training], natural.piece[training])
        found = find(heard)
        values = found.of(natural.frames)
        read = {
            "features": values,
            "random": random_like(values, heard, natural.frames, training, seed=seed),
            "levels": levels,
        }
        for window_s in windows_s:
            for name, x in read.items():
                fit = _Fit(averaged(x, natural, window_s), task, fold_of, int(fold))
                for key, (top, bottom) in fit.scores(single=name != "levels").items():
                    whole = sums.setdefault((window_s, key[0], name, *key[1:]), [np.zeros(n_pieces)] * 2)
                    whole[0], whole[1] = whole[0] + top, whole[1] + bottom
    return [Score(*key, top, bottom) for key, (top, bottom) in sums.items()]


def random_like(
    values: Values, heard: ArrayActivations, frames: Values, training: NDArray[np.bool_], *, seed: int
) -> NDArray[np.float32]:
    """Values of as many random directions of the same site, as sparse as some features, ``[frame, direction]``."""
    count = values.shape[1]
    drawn = find_features("random", heard, count=count, seed=seed + 1).of(frames)
    active = float((values[training] != 0).mean())
    if 1 - active <= SPARSE:
        return drawn
    keep = max(1, round(active * count))
    least = np.partition(drawn, count - keep, axis=1)[:, count - keep, None]
    return np.where((drawn >= least) & (drawn > 0), drawn, np.float32(0))


def averaged(x: Values, natural: NaturalFrames, window_s: float) -> Values:
    """Means of values over the frames of the same piece within half a window of each, ``[frame, feature]``."""
    reach = 0.5 * window_s * natural.sample_rate_hz
    if reach < 1:
        return x
    found = np.empty(x.shape)
    for piece in np.unique(natural.piece):
        rows = np.flatnonzero(natural.piece == piece)
        rows = rows[np.argsort(natural.start[rows], kind="stable")]
        at = natural.start[rows]
        sums = np.concatenate([np.zeros((1, x.shape[1])), np.cumsum(x[rows], axis=0, dtype=np.float64)])
        first, last = np.searchsorted(at, at - reach), np.searchsorted(at, at + reach, side="right")
        found[rows] = (sums[last] - sums[first]) / (last - first)[:, None]
    return found


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


def _levels(natural: NaturalFrames, lanes: Sequence[Lanes]) -> NDArray[np.float32]:
    """Log levels of the sound at the middle of each frame's span, ``[frame, band]``."""
    found = np.empty((len(natural.frames), len(lanes[0].band_hz)), np.float32)
    for piece, lane in enumerate(lanes):
        rows = natural.piece == piece
        middle = natural.end[rows] - natural.site.span // 2
        found[rows] = lane.erb_db[lane.rows(middle, natural.sample_rate_hz)]
    return found


@dataclass(frozen=True)
class _Task:
    """Labels of every frame, for each moment that it may tell of."""

    piece: Ints  # [frame]
    n_pieces: int
    real: tuple[Labels, ...]  # of each moment
    control: tuple[Labels, ...]
    shifted: tuple[Labels, ...]

    @staticmethod
    def of(natural: NaturalFrames, pitches: Sequence[Pitches], *, seed: int) -> _Task:
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
                moments.append(_joined(parts).at(order))
            found.append(tuple(moments))
        return _Task(natural.piece, len(pitches), *found)


def _joined(parts: Sequence[Labels]) -> Labels:
    return Labels(
        *(np.concatenate([getattr(one, name) for one in parts]) for name in ("classes", "notes", "height"))
    )


class _Fit:
    """Probes of one set of values, for one held-out fold."""

    def __init__(self, x: Values, task: _Task, fold_of: Ints, fold: int) -> None:
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
            error = np.bincount(piece_of, (truth - answers[own, 0]) ** 2, minlength=self.task.n_pieces)
            spread = np.bincount(piece_of, (truth - mean) ** 2, minlength=self.task.n_pieces)
            found[probe] = spread - error, spread
        return found


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


@dataclass(frozen=True)
class Estimate:
    """A number with its interval over pieces; NaN is undefined."""

    value: float
    low: float
    high: float


def estimate(
    plus: Sequence[Score], minus: Sequence[Score] = (), *, seed: int = 0, n_resamples: int = RESAMPLES
) -> Estimate:
    """Mean of some scores less the mean of others, with an interval: the same resamples of pieces for all.

    Raises
    ------
    InputError
        For no score, or scores of other numbers of pieces.
    """
    every = [*plus, *minus]
    if not plus or len({len(score.top) for score in every}) != 1:
        raise InputError("scores of the same pieces", f"{len(plus)} and {len(minus)} of different ones")
    counted = np.flatnonzero(np.all([score.bottom > 0 for score in every], axis=0))
    if len(counted) < LEAST_GROUPS:
        return Estimate(*[float("nan")] * 3)
    weights = np.zeros((1 + n_resamples, len(every[0].top)))
    weights[:, counted] = piece_weights(len(counted), n_resamples, seed=seed)
    found = np.mean([score.under(weights) for score in plus], axis=0)
    if minus:
        found = found - np.mean([score.under(weights) for score in minus], axis=0)
    if len(counted) < LEAST_PIECES_FOR_INTERVALS:
        return Estimate(float(found[0]), float("nan"), float("nan"))
    low, high = np.quantile(found[1:], [0.025, 0.975])
    return Estimate(float(found[0]), float(low), float(high))


#: A difference of AUC that is known to be smaller than this is none.
NEGLIGIBLE: Final = 0.02


def answer(above_floor: Estimate, selectivity: Estimate) -> str:
    """Answer to the claim that features decode pitch above random weights and a control task (SPEC § 11, 13).

    *Supported* where both intervals lie above 0; *not supported* where one of them lies below `NEGLIGIBLE`.

    Examples
    --------
    >>> answer(Estimate(0.1, 0.05, 0.2), Estimate(0.2, 0.1, 0.3))
    'supported'
    >>> answer(Estimate(0.0, -0.01, 0.01), Estimate(0.2, 0.1, 0.3))
    'not supported'
    >>> answer(Estimate(0.0, float("nan"), float("nan")), Estimate(0.2, 0.1, 0.3))
    'undetermined'
    """
    both = (above_floor, selectivity)
    if not np.isfinite([end for one in both for end in (one.low, one.high)]).all():
        return "undetermined"
    if all(one.low > 0 for one in both):
        return "supported"
    return "not supported" if any(one.high < NEGLIGIBLE for one in both) else "undetermined"
