"""Chroma and chords of a piece from its tracked partials, where the partials are at hand anyway.

Method: as in `tonotopy.signal.chroma` and `tonotopy.signal.chords`, but the peaks are the points of tracked
partials (`tonotopy.signal.sinusoids`), every `HOP_S` seconds. Their windows are shorter (0.17 s below 1 kHz
against 0.37 s), so that bass notes a semitone apart merge; how far both agree is measured in the documentation.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonotopy.signal.chords import MEAN_CHORD_S, likelihoods, viterbi
from tonotopy.signal.chroma import FAINT_DB, RANGE_HZ, SILENT, NoteLevels, chroma, note_levels, tuning_of
from tonotopy.signal.sinusoids import Tracks

Floats = NDArray[np.float64]

#: Time between points of chroma and chords, seconds.
HOP_S: Final = 0.1


def harmony_of(tracks: Tracks) -> tuple[Floats, NDArray[np.int64]]:
    """Chroma ``[time, pitch class]`` and chord ``[time]``, on the grid of the tracks.

    A chord is numbered as in `tonotopy.signal.chords.vocabulary` less one: -1 where there is none. Between the
    points of the slower grid the nearest holds.
    """
    step = max(1, round(HOP_S * tracks.sample_rate_hz / tracks.hop))
    n_points = -(-tracks.n_frames // step)
    classes = chroma(NoteLevels(_levels(tracks, step, n_points), 0.0))
    if not n_points:
        return classes, np.empty(0, np.int64)
    seconds = step * tracks.hop / tracks.sample_rate_hz
    chord = viterbi(likelihoods(classes), float(np.exp(-seconds / MEAN_CHORD_S))) - 1
    held = np.minimum((np.arange(tracks.n_frames) + step // 2) // step, n_points - 1)
    return classes[held], chord[held]


def _levels(tracks: Tracks, step: int, n_points: int) -> Floats:
    """Levels of the notes that explain every ``step``-th frame, ``[point, note]``."""
    rows = (tracks.frame % step == 0) & (tracks.amplitude >= SILENT)
    rows &= (tracks.frequency_hz >= RANGE_HZ[0]) & (tracks.frequency_hz <= RANGE_HZ[1])
    rows &= tracks.amplitude >= tracks.amplitude.max(initial=0.0) * 10 ** (FAINT_DB / 20)
    amplitude = tracks.amplitude[rows]
    midi = 69.0 + 12.0 * np.log2(tracks.frequency_hz[rows] / 440.0)
    midi -= tuning_of(midi, amplitude)
    return note_levels(tracks.frame[rows] // step, midi, amplitude, n_points)
