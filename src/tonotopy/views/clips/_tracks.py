"""Tracks of partials as lines whose colour is their level, on the page and on paper."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from tonotopy.signal import erb
from tonotopy.signal.chords import PITCH_CLASSES
from tonotopy.signal.sinusoids import Tracks
from tonotopy.views.clips._contract import Curve
from tonotopy.views.clips._page import line_path

COLOURS: Final = ("#9ccbe8", "#58b1e4", "#00639c", "#c1550a", "#8a1c00")  # as the page's sheet, soft to loud
STEP_DB: Final = 10.0  # between two of them, from the loudest point downwards
POINTS: Final = 600  # of a track that lasts all through, at most


def level_db(tracks: Tracks) -> NDArray[np.float64]:
    """Level of each point, dB of a full-scale sine."""
    return np.asarray(20 * np.log10(np.maximum(tracks.amplitude, 1e-10)))


def track_curves(tracks: Tracks, seconds: float, height: Callable[[Any], Any]) -> tuple[Curve, ...]:
    """Tracks on the page: one path a colour, soft ones first; ``height`` maps Hz to a share of the lane."""
    paths: list[list[str]] = [[] for _ in COLOURS]
    for colour, time_s, frequency_hz in pieces_of(tracks):
        paths[colour].append(line_path(time_s / seconds, height(frequency_hz)))
    return tuple(Curve("".join(path), f"l{colour}") for colour, path in enumerate(paths) if path)


def draw_tracks(axes: Axes, tracks: Tracks, start_s: float) -> None:
    """Tracks on paper, over a frequency axis in ERB-rate; ``start_s`` is added to their times."""
    pieces = pieces_of(tracks)
    lines = [np.column_stack([start_s + t, erb.rate(f)]) for _, t, f in pieces]
    colours = [COLOURS[colour] for colour, _, _ in pieces]
    widths = [0.5 + 0.15 * colour for colour, _, _ in pieces]
    axes.add_collection(LineCollection(lines, colors=colours, linewidths=widths), autolim=False)


def pieces_of(tracks: Tracks) -> list[tuple[int, NDArray[np.float64], NDArray[np.float64]]]:
    """Stretches of tracks of one colour: the colour, times in seconds and frequencies in Hz, soft ones first.

    Long tracks are drawn through every so manieth point; a stretch begins at the point where the one before ends.
    """
    if not len(tracks):
        return []
    level = level_db(tracks)
    steps = len(COLOURS) - 1 - np.floor((level.max() - level) / STEP_DB)
    colour = np.maximum(steps, 0).astype(np.int64)
    every = max(1, tracks.n_frames // POINTS)
    edges, time_s = tracks.first_row, tracks.time_s
    pieces = []
    for first, end in pairwise(edges):
        rows = np.unique(np.append(np.arange(first, end, every), end - 1))
        cuts = [0, *(np.flatnonzero(np.diff(colour[rows])) + 1).tolist(), len(rows)]
        for a, b in pairwise(cuts):
            part = rows[a : b + 1]
            pieces.append((int(colour[part[0]]), time_s[part], tracks.frequency_hz[part]))
    return sorted(pieces, key=lambda piece: piece[0])


def pitch_name(frequency_hz: float) -> str:
    """The nearest note at A4 = 440 Hz.

    Examples
    --------
    >>> pitch_name(440.0), pitch_name(61.0), pitch_name(9000.0)
    ('A4', 'B1', 'Db9')
    """
    midi = round(69 + 12 * np.log2(frequency_hz / 440.0))
    return f"{PITCH_CLASSES[midi % 12]}{midi // 12 - 1}"
