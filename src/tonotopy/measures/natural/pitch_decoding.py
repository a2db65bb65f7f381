"""How well pitch is decoded from the features of a site, beside everything that needs no trained feature.

Tasks, of each frame of natural sound (`tonotopy.recording.pitches` says where the truth is from):

- ``class``: which of the 12 pitch classes sound;
- ``note``: which notes sound;
- ``height``: the MIDI number of the lowest note, where one sounds.

The score of the first two is an AUC within each held-out piece, since pieces differ in key and register as they do in
everything: the mean over the labels with at least `LEAST_FRAMES` frames on both sides in that piece, then over
pieces. The score of the third is R², the share of its variance about the training mean that is explained, over all
held-out pieces. Nothing is 0.5 and 0.

Probes: ``all`` is ridge regression from all features on labels of 0 and 1; ``best`` is the one feature that explains
most on the training pieces, with its sign. Ridge in place of logistic regression, since AUC asks for the order of
answers only. Pieces are dealt to `FOLDS` folds. For each held-out fold everything is made from the others: the
features themselves (a dictionary is trained without the held-out pieces), the best one, the penalty and the moment of
a frame within its span, these two by trying each training fold on the others.

Read from: ``features``; ``random``, as many random directions of the same site, as sparse as the features (where those
are sparse, of each frame as many values are kept as the features have on average: the largest, if above zero);
``levels``, the log levels of the sound in 1-ERB bands, without any model. Each from single frames, and from means
over windows of time.

Labels: ``real``; ``control``, a control task; ``shifted`` (`tonotopy.measures.natural.pitch_targets`). Selectivity is
the score of the real labels less that of the control task.

Undefined (NaN): under `LEAST_GROUPS` pieces; intervals, a bootstrap over pieces, under 8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.features.sources import ArrayActivations, Features, find_features
from tonotopy.measures.natural.held_out import LEAST_GROUPS
from tonotopy.measures.natural.moments import Array, deal, thinned
from tonotopy.measures.natural.pitch_probe import PitchProbe, PitchTask
from tonotopy.measures.natural.pitch_scores import Score
from tonotopy.recording.lanes import Lanes
from tonotopy.recording.natural import NaturalFrames
from tonotopy.recording.pitches import Pitches

Values = NDArray[np.floating]

TASKS: Final = ("class", "note", "height")
#: Lengths of the windows over which features are averaged; 0 is one frame.
WINDOWS_S: Final = (0.0, 0.2)
FOLDS: Final = 4
#: Frames of a piece that are probed, evenly spread among those that features are found on; chords last longer.
FRAMES_A_PIECE: Final = 600
#: Features whose values are zero in more than this share of frames and features are sparse.
SPARSE: Final = 0.1


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
    kept = np.concatenate(
        [thinned(np.flatnonzero(natural.piece == piece), FRAMES_A_PIECE) for piece in range(n_pieces)]
    )
    few = replace(natural, frames=natural.frames[kept], piece=natural.piece[kept], start=natural.start[kept])
    task = PitchTask.of(few, pitches, seed=seed)
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
                fit = PitchProbe(averaged(x, natural, window_s, kept), task, fold_of, int(fold))
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


def averaged(
    x: Values, natural: NaturalFrames, window_s: float, rows: NDArray[np.int64] | None = None
) -> Values:
    """Means of values over the frames of the same piece within half a window of some frames, ``[row, feature]``.

    Parameters
    ----------
    x : ``[frame, feature]``
    natural : where each frame lies
    window_s : length of the window; one that reaches no neighbour leaves values as they are
    rows : the frames that means are wanted of, all where absent; memory grows with these, and one piece at a time
    """
    reach = 0.5 * window_s * natural.sample_rate_hz
    if reach < 1:
        return x if rows is None else x[rows]
    wanted = np.arange(len(x)) if rows is None else rows
    found = np.empty((len(wanted), x.shape[1]))
    for piece in np.unique(natural.piece[wanted]):
        own = np.flatnonzero(natural.piece == piece)
        own = own[np.argsort(natural.start[own], kind="stable")]
        at, here = natural.start[own], np.flatnonzero(natural.piece[wanted] == piece)
        sums = np.zeros((len(own) + 1, x.shape[1]))
        np.cumsum(x[own], axis=0, dtype=np.float64, out=sums[1:])
        middle = natural.start[wanted[here]]
        first = np.searchsorted(at, middle - reach)
        last = np.searchsorted(at, middle + reach, side="right")
        found[here] = (sums[last] - sums[first]) / (last - first)[:, None]
    return found


def _levels(natural: NaturalFrames, lanes: Sequence[Lanes]) -> NDArray[np.float32]:
    """Log levels of the sound at the middle of each frame's span, ``[frame, band]``."""
    found = np.empty((len(natural.frames), len(lanes[0].band_hz)), np.float32)
    for piece, lane in enumerate(lanes):
        rows = natural.piece == piece
        middle = natural.end[rows] - natural.site.span // 2
        found[rows] = lane.erb_db[lane.rows(middle, natural.sample_rate_hz)]
    return found
