"""From a sound to its tracks: peaks, continuation, gaps, corrections for frequencies that move."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonotopy.core.errors import InputError
from tonotopy.signal.sinusoids.continuation import chains
from tonotopy.signal.sinusoids.peaks import Peaks, find_peaks
from tonotopy.signal.sinusoids.settings import Plan, Settings, plan
from tonotopy.signal.sinusoids.synthesis import cubic
from tonotopy.signal.sinusoids.tracks import Tracks
from tonotopy.signal.sinusoids.window import sweep

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


_LEAST_POWER = -60  # of two: less is as good as silence, and its inverse would not be finite


def analyse(audio: ArrayLike, sample_rate_hz: int, settings: Settings | None = None) -> Tracks:
    """Partials of a sound.

    Parameters
    ----------
    audio
        Samples ``[time]``, floating point, full scale 1.
    sample_rate_hz
        A whole number of Hz.
    settings
        See `Settings`; None for the defaults.

    Returns
    -------
    Tracks
        None at all for silence, and for a sound without samples.

    Raises
    ------
    InputError
        For anything but one channel of finite floating-point samples, or a rate at which nothing can be seen.

    Examples
    --------
    >>> time = np.arange(24000) / 24000
    >>> tracks = analyse(0.5 * np.sin(2 * np.pi * 440.0 * time + 1.0), 24000)
    >>> tracks.n_tracks, tracks.n_frames
    (1, 100)
    >>> middle = tracks.frame == 50
    >>> tracks.frequency_hz[middle].round(3).tolist(), tracks.amplitude[middle].round(4).tolist()
    ([440.0], [0.5])
    """
    todo = plan(settings or Settings(), sample_rate_hz)
    samples = _checked(audio)
    n_frames = -(-len(samples) // todo.hop)
    scale = float(np.max(np.abs(samples), initial=0.0))
    if scale == 0.0:
        rows, values = np.empty(0, np.int64), np.empty(0)
        return Tracks(
            todo.sample_rate_hz, todo.hop, len(samples), n_frames, rows, rows, values, values, values
        )
    # Single precision spans what hearing does, but not every number: scaling by a power of two loses nothing.
    power = max(int(np.frexp(scale)[1]), _LEAST_POWER)
    faintest = 10 ** (todo.settings.faintest_db / 20) * 2.0**-power
    peaks = find_peaks(np.ldexp(samples, -power).astype(np.float32, copy=False), todo, faintest)
    label = chains(
        peaks.frame,
        peaks.frequency_hz,
        peaks.amplitude,
        jump_erb=todo.settings.jump_erb,
        gap_frames=todo.settings.gap_frames,
    )
    peaks, track = _chosen(peaks, label, todo)
    amplitude, phase = _unswept(peaks, track, todo)
    columns = _filled(peaks, track, amplitude * 2.0**power, phase, todo)
    return Tracks(todo.sample_rate_hz, todo.hop, len(samples), n_frames, *columns)


def analyse_many(
    clips: Sequence[ArrayLike], sample_rate_hz: int, settings: Settings | None = None
) -> list[Tracks]:
    """`analyse` of each clip."""
    return [analyse(clip, sample_rate_hz, settings) for clip in clips]


def _checked(audio: ArrayLike) -> Floats:
    """One channel of finite floating-point samples."""
    samples = np.asarray(audio)
    if samples.ndim != 1:
        cause = "several channels: take their mean, or one of them"
        raise InputError("samples [time]", f"shape {samples.shape}", cause)
    if not np.issubdtype(samples.dtype, np.floating):
        cause = "samples as stored: divide by full scale"
        raise InputError("floating-point samples, full scale 1", str(samples.dtype), cause)
    if not np.all(np.isfinite(samples)):
        bad = np.flatnonzero(~np.isfinite(samples))
        raise InputError("finite samples", f"{len(bad)} that are not, the first at {bad[0]}")
    return samples.astype(np.float32 if samples.dtype == np.float16 else samples.dtype, copy=False)


def _chosen(peaks: Peaks, label: Ints, todo: Plan) -> tuple[Peaks, Ints]:
    """Peaks of the tracks that last and stand out, sorted by (track, frame), and their track's number."""
    order = np.argsort(label, kind="stable")  # peaks come sorted by frame
    peaks, label = peaks.take(order), label[order]
    first = np.flatnonzero(np.diff(label, prepend=-1))
    counts = np.diff(first, append=len(label))
    excess = np.maximum.reduceat(peaks.excess_db, first) if len(first) else np.empty(0)
    frames = peaks.frame[first + counts - 1] - peaks.frame[first]
    lasting = frames * todo.hop >= todo.settings.shortest_s * todo.sample_rate_hz - 0.5 * todo.hop
    kept = lasting & (excess >= todo.settings.track_db)
    track = np.repeat(np.cumsum(kept) - 1, counts)
    rows = np.repeat(kept, counts)
    return peaks.take(rows), track[rows]


def _unswept(peaks: Peaks, track: Ints, todo: Plan) -> tuple[Floats, Floats]:
    """Amplitude and phase with what a moving frequency does to a peak taken away again.

    The slope is the difference in frequency over half a window around the point, as far as the track goes.
    """
    frame_s = todo.hop / todo.sample_rate_hz
    row = np.arange(len(track))
    edges = np.flatnonzero(np.diff(track, prepend=-1, append=-2))
    first, last = (np.repeat(edge, np.diff(edges)) for edge in (edges[:-1], edges[1:] - 1))
    reach = np.maximum(1, np.rint(peaks.window_s / (4 * frame_s)).astype(np.int64))
    one, other = np.maximum(row - reach, first), np.minimum(row + reach, last)
    span_s = np.maximum(peaks.frame[other] - peaks.frame[one], 1) * frame_s
    bins = (peaks.frequency_hz[other] - peaks.frequency_hz[one]) / span_s * peaks.window_s**2
    gain, turn = sweep(bins, peaks.offset)
    return peaks.amplitude / gain, np.remainder(peaks.phase_rad - turn, 2 * np.pi)


def _filled(
    peaks: Peaks, track: Ints, amplitude: Floats, phase: Floats, todo: Plan
) -> tuple[Ints, Ints, Floats, Floats, Floats]:
    """Columns of `Tracks`, with points in the gaps: all that lies between is interpolated as in synthesis."""
    turn = 2 * np.pi / todo.sample_rate_hz
    same = np.diff(track, append=-1) == 0
    step = np.where(same, np.diff(peaks.frame, append=0), 1)
    row = np.repeat(np.arange(len(track)), step)
    late = np.arange(len(row)) - np.repeat(np.cumsum(step) - step, step)
    after, part = np.where(same[row], row + 1, row), late / step[row]
    frequency = peaks.frequency_hz[row] * (1 - part) + peaks.frequency_hz[after] * part
    level = amplitude[row] * (1 - part) + amplitude[after] * part
    angle = phase[row]
    gap = np.flatnonzero(late)
    one, other, span = row[gap], after[gap], step[row[gap]] * float(todo.hop)
    start, end = turn * peaks.frequency_hz[one], turn * peaks.frequency_hz[other]
    curve = cubic(phase[one], phase[other], start, end, span)
    time = (late[gap] * todo.hop)[:, None] ** np.arange(4.0)
    angle[gap] = np.remainder(np.sum(curve * time, axis=-1), 2 * np.pi)
    return track[row], peaks.frame[row] + late, frequency, level, angle
