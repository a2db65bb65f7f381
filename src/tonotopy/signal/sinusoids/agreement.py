"""How well tracks agree with partials that are known, point by point of the time-frequency plane.

Both sides are points (frame, frequency, amplitude). Two points *meet* when they are of one frame and differ by
at most ``cents`` or ``hz``, whichever is more. Then

- *precision* is the share of the tracks' points that meet any true partial that sounds in that frame;
- *recall* is the share of the audible true points that are matched one to one: each is the nearest to the other
  among those that meet;
- *coverage* is the share of the audible true points that meet a point of a track, whoever else meets it: two
  partials nearer to each other than any window can tell apart are one sinusoid that beats;
- *energy* is the share of the power of all true points that is covered;
- errors of frequency and amplitude are those of the matched points of which no other true partial within 40 dB
  lies nearer than ``apart_hz``.

A true point is *audible* if it lies within ``range_db`` of the strongest of its frame and above the threshold
that each other partial of its frame spreads around itself: 10 dB below it at its own frequency, falling by 12 dB
per ERB towards higher frequencies and by 27 towards lower ones (triangles in the manner of E. Terhardt, Hearing
Research 1, 155-182 (1979), whose upper slope depends on level; here it is fixed, and ERB stand for Bark).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tonotopy.signal import erb
from tonotopy.signal.additive import Partials
from tonotopy.signal.sinusoids.tracks import Tracks

MASK_DB = 10.0
MASK_UP_DB = 12.0
MASK_DOWN_DB = 27.0
_ISOLATED_DB = 40.0
_STRIDE = 1e6  # Hz between frames on the common axis

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Points:
    """True partials at the frames of an analysis: columns ``[point]``, sorted by (frame, frequency)."""

    frame: Ints
    frequency_hz: Floats
    amplitude: Floats
    partial: Ints
    """Row of the table of partials."""

    def __len__(self) -> int:
        return len(self.frame)

    def take(self, rows: Bools) -> Points:
        """Chosen rows."""
        return Points(self.frame[rows], self.frequency_hz[rows], self.amplitude[rows], self.partial[rows])


@dataclass(frozen=True)
class Agreement:
    """See the module's docstring. Shares are NaN where there is nothing to share."""

    points: int
    true_points: int
    """Audible ones."""
    precision: float
    recall: float
    coverage: float
    energy: float
    cents: float
    """Median size of the error of frequency."""
    level_db: float
    """Median size of the error of amplitude."""
    level_bias_db: float
    """Median error of amplitude."""


def sample_partials(partials: Partials, sample_rate_hz: int, hop: int, n_frames: int) -> Points:
    """What the partials that a rate can carry do in each frame in which they sound."""
    table = partials.rendered_at(sample_rate_hz)
    frame_s = hop / sample_rate_hz
    first = np.clip(np.ceil(table.onset_s / frame_s).astype(np.int64), 0, n_frames)
    last = np.clip(np.ceil(table.end_s / frame_s).astype(np.int64), first, n_frames)
    found = []
    for number, one in enumerate(table):
        frame = np.arange(first[number], last[number])
        found.append((frame, one.frequency_at(frame * frame_s), one.amplitude_at(frame * frame_s)))
    if not found:
        return Points(np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0, np.int64))
    frames, frequencies, amplitudes = (np.concatenate(column) for column in zip(*found, strict=True))
    row = np.repeat(np.arange(len(table)), last - first)
    order = np.lexsort((frequencies, frames))
    points = Points(frames[order], frequencies[order], amplitudes[order], row[order])
    return points.take(points.amplitude > 0)


def audible(points: Points, *, range_db: float = 60.0) -> Bools:
    """Which points lie within ``range_db`` of the strongest of their frame, and are not masked."""
    level, place = 20 * np.log10(points.amplitude), erb.rate(points.frequency_hz)
    heard = np.zeros(len(points), np.bool_)
    edges = np.flatnonzero(np.diff(points.frame, prepend=-1, append=-1))
    for begin, end in pairwise(edges.tolist()):
        own, z = level[begin:end], place[begin:end]
        # The highest triangle over a place is a running maximum, once from either side.
        below = np.maximum.accumulate(own + MASK_UP_DB * z) - MASK_UP_DB * z
        above = np.maximum.accumulate((own - MASK_DOWN_DB * z)[::-1])[::-1] + MASK_DOWN_DB * z
        threshold = np.maximum(np.maximum(below, above) - MASK_DB, own.max() - range_db)
        heard[begin:end] = own >= threshold
    return heard


def agreement(
    tracks: Tracks,
    partials: Partials,
    *,
    cents: float = 10.0,
    hz: float = 3.0,
    range_db: float = 60.0,
    apart_hz: float = 50.0,
) -> Agreement:
    """Compare tracks with the partials that the sound was made of; times count from the sound's first sample.

    Examples
    --------
    >>> from tonotopy.signal.additive import render_partials
    >>> from tonotopy.signal.instruments import INSTRUMENTS
    >>> from tonotopy.signal.sinusoids import analyse
    >>> note = INSTRUMENTS["flute"].note(440.0, 0.1, 0.9, level=0.1, rng=np.random.default_rng(0))
    >>> found = agreement(analyse(render_partials(note, 16000, 16000), 16000), note)
    >>> found.precision > 0.95, found.energy > 0.95, found.cents < 0.1
    (True, True, True)
    """
    truth = sample_partials(partials, tracks.sample_rate_hz, tracks.hop, tracks.n_frames)
    order = np.lexsort((tracks.frequency_hz, tracks.frame))
    frame, frequency = tracks.frame[order], tracks.frequency_hz[order]
    amplitude = tracks.amplitude[order]
    heard = audible(truth, range_db=range_db)
    allowed = np.maximum(hz, truth.frequency_hz * (2 ** (cents / 1200) - 1))
    to_truth = _nearest(truth.frame, truth.frequency_hz, frame, frequency)
    to_track = _nearest(frame, frequency, truth.frame, truth.frequency_hz)
    near = allowed[to_truth] if len(truth) else np.zeros(len(frame))
    right = _meets(to_truth, truth.frame, truth.frequency_hz, frame, frequency, near)
    covered = _meets(to_track, frame, frequency, truth.frame, truth.frequency_hz, allowed)
    # The nearest of the nearest is oneself: one to one.
    matched = covered & (to_truth[to_track] == np.arange(len(truth))) if len(frame) else covered
    power = truth.amplitude**2
    alone = matched & heard & _isolated(truth, apart_hz)
    twin = to_track[alone]
    error_db = 20 * np.log10(amplitude[twin] / truth.amplitude[alone])
    error_cents = 1200 * np.log2(frequency[twin] / truth.frequency_hz[alone])
    return Agreement(
        points=len(frame),
        true_points=int(heard.sum()),
        precision=_share(right, np.ones(len(frame))),
        recall=_share(matched[heard], np.ones(heard.sum())),
        coverage=_share(covered[heard], np.ones(heard.sum())),
        energy=_share(covered, power),
        cents=_median(np.abs(error_cents)),
        level_db=_median(np.abs(error_db)),
        level_bias_db=_median(error_db),
    )


def _nearest(frames: Ints, frequencies: Floats, frame: Ints, frequency: Floats) -> Ints:
    """For each point of the second set the row of the first that is nearest on the common axis; 0 of none."""
    if not len(frames):
        return np.zeros(len(frame), np.int64)
    axis, place = frames * _STRIDE + frequencies, frame * _STRIDE + frequency
    above = np.clip(np.searchsorted(axis, place), 0, len(axis) - 1)
    below = np.maximum(above - 1, 0)
    return np.where(np.abs(axis[below] - place) < np.abs(axis[above] - place), below, above)


def _meets(
    rows: Ints, frames: Ints, frequencies: Floats, frame: Ints, frequency: Floats, allowed_hz: Floats
) -> Bools:
    """Whether those rows are of the same frame and near enough."""
    if not len(frames):
        return np.zeros(len(frame), np.bool_)
    return (frames[rows] == frame) & (np.abs(frequencies[rows] - frequency) <= allowed_hz)


def _isolated(truth: Points, apart_hz: float) -> Bools:
    """Whether no other partial of at least a hundredth of the amplitude lies within ``apart_hz``."""
    alone = np.ones(len(truth), np.bool_)
    least = 10 ** (-_ISOLATED_DB / 20)
    for step in range(1, len(truth)):
        near = truth.frame[step:] == truth.frame[:-step]
        near &= truth.frequency_hz[step:] - truth.frequency_hz[:-step] < apart_hz
        if not near.any():
            break
        alone[step:] &= ~(near & (truth.amplitude[:-step] > least * truth.amplitude[step:]))
        alone[:-step] &= ~(near & (truth.amplitude[step:] > least * truth.amplitude[:-step]))
    return alone


def _share(which: Bools, weight: Floats) -> float:
    total = float(np.sum(weight))
    return float(np.sum(weight[which]) / total) if total > 0 else float("nan")


def _median(values: Floats) -> float:
    return float(np.median(values)) if len(values) else float("nan")
