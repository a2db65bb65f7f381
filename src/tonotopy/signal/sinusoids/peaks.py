"""Peaks of short-time spectra: where, how strong, in which phase, and how far above the local noise.

Every frame of a sound is transformed with one window per band of frequencies (`settings.Band`), and each local
maximum that passes four tests becomes a point:

1. it stands ``peak_db`` above the *local noise*: the lower quartile of the power in blocks of 24 bins, which
   for noise is 0.288 of its mean, and which partials do not reach while they fill less than three quarters of
   a block; interpolated between the middles of blocks;
2. it is no side lobe: no stronger peak within 12 bins exceeds it by as much as side lobes are down, less 6 dB;
3. it is within ``range_db`` of the strongest peak of its frame and above ``faintest_db``;
4. its partial sounds at the middle of the frame: the delay of its energy (`window.delay`) stays below that of
   a sine that begins there. This keeps a long window from reporting a note before its onset ("cropping":
   K. Fitz and L. Haken, JAES 50, 879-893 (2002)).

Frequency, amplitude and phase are read as `tonotopy.signal.sinusoids.window` describes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from tonotopy.signal.sinusoids.settings import Band, Plan
from tonotopy.signal.sinusoids.window import (
    LARGEST_OFFSET,
    MAIN_LOBE,
    SIDE_LOBE_DB,
    delay,
    parabola,
    reading,
    window,
)

_CHUNK = 1 << 18  # samples windowed at a time: they fit the processor's cache
_BLOCK = 24
_STRIDE_HZ = 2.0**24  # between frames on the common axis: more than any frequency has
_QUARTILE_OF_NOISE = -np.log(
    0.75
)  # of an exponential variable, as the power of noise is, relative to its mean
_GUARD_BINS = 4 * MAIN_LOBE
_GUARD = 10 ** ((SIDE_LOBE_DB - 6.0) / 10)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Peaks:
    """Columns ``[peak]``, sorted by (frame, frequency)."""

    frame: NDArray[np.int64]
    frequency_hz: Floats
    amplitude: Floats
    phase_rad: Floats
    """Of the sine, at the middle of the frame."""
    excess_db: Floats
    """Power above the local noise."""
    window_s: Floats
    """Length of the window that saw it."""
    offset: Floats
    """From its highest bin, in bins."""

    def __len__(self) -> int:
        return len(self.frame)

    def take(self, rows: NDArray[np.generic]) -> Peaks:
        """Chosen rows, in that order."""
        return Peaks(*(getattr(self, field.name)[rows] for field in fields(self)))


def find_peaks(sound: NDArray[np.float32], plan: Plan, faintest: float) -> Peaks:
    """Peaks of a sound ``[time]``: frame k is centred on sample k times the hop, outside the sound is silence."""
    found = [
        _band_peaks(part, plan, band, faintest) for band in plan.bands for part in _chunks(sound, plan, band)
    ]
    joined = _join(found)
    joined = joined.take(np.argsort(joined.frame * _STRIDE_HZ + joined.frequency_hz, kind="stable"))
    return joined.take(~_doubles(joined) & _within_range(joined, plan))


def _join(tables: list[Peaks]) -> Peaks:
    return Peaks(*(np.concatenate([getattr(t, field.name) for t in tables]) for field in fields(Peaks)))


@dataclass(frozen=True)
class _Chunk:
    """Spectra ``[frame, bin]`` of consecutive frames, from bin ``low`` on, with what the edges cut off."""

    first_frame: int
    low: int
    spectra: NDArray[np.complex64]
    share: Floats
    """Part of the window ``[frame]`` that lies on the sound."""
    delay: Floats
    """Delay that this alone causes, in windows."""


def _chunks(sound: NDArray[np.float32], plan: Plan, band: Band) -> Iterator[_Chunk]:
    """Spectra of a band, a few frames at a time."""
    size, hop = band.size, plan.hop
    n_frames = -(-len(sound) // hop)
    shape = (window(size) * (2.0 / window(size).sum())).astype(np.float32)
    padded = np.pad(sound, size // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop][:n_frames]
    spacing = plan.sample_rate_hz / size
    # A bin more than the band on either side, for peaks on its edge, and one more for their neighbours.
    low = max(0, int(band.low_hz / spacing) - 2)
    high = min(size // 2, int(np.ceil(band.high_hz / spacing)) + 2)
    share, late = _edges(size, hop, len(sound), n_frames)
    step = max(1, _CHUNK // size)
    for first in range(0, n_frames, step):
        part = slice(first, first + step)
        spectra = scipy.fft.rfft(frames[part] * shape, axis=-1)
        yield _Chunk(first, low, np.ascontiguousarray(spectra[:, low : high + 1]), share[part], late[part])


def _edges(size: int, hop: int, n_samples: int, n_frames: int) -> tuple[Floats, Floats]:
    """What silence outside the sound does to a sine that lasts throughout: share of window, and delay."""
    sums = _sums(size)
    begin = size // 2 - hop * np.arange(n_frames)
    inside = sums[:, np.clip(begin + n_samples, 0, size)] - sums[:, np.clip(begin, 0, size)]
    return inside[1].real, delay(*inside)


@lru_cache(maxsize=16)
def _sums(size: int) -> NDArray[np.complex128]:
    """Transform of the first samples of the window, ``[bin -1 0 1, number of samples]``."""
    turn = 2 * np.pi * (np.arange(size) - size // 2) / size
    turning = np.exp(-1j * np.outer([-1, 0, 1], turn))
    return np.pad(np.cumsum(turning * (window(size) / window(size).sum()), axis=1), ((0, 0), (1, 0)))


def _band_peaks(chunk: _Chunk, plan: Plan, band: Band, faintest: float) -> Peaks:
    """Tests 1, 2 and 4 on the peaks of a chunk, and their readings."""
    known = reading()
    spectra = chunk.spectra
    power = spectra.real**2 + spectra.imag**2
    noise = _noise(power)
    least = np.maximum(noise * np.float32(10 ** (plan.settings.peak_db / 10)), np.float32(faintest**2))
    middle = power[:, 1:-1]
    top_of_three = (middle > power[:, :-2]) & (middle >= power[:, 2:]) & (middle >= least[:, 1:-1])
    # Flat places are found and read twice as fast as pairs of (frame, bin).
    width = power.shape[1]
    place = np.flatnonzero(np.pad(top_of_three, ((0, 0), (1, 1))))
    flat, heights = spectra.ravel(), power.ravel()
    frame, column = np.divmod(place, width)
    kept = ~_side_lobes(place, frame, heights[place])
    # Counted from the window's first sample, phases alternate from bin to bin: one sign turns them all.
    turned = delay(flat[place - 1], -flat[place], flat[place + 1]) - chunk.delay[frame]
    kept &= np.abs(turned) <= known.step_delay
    place, frame, column = place[kept], frame[kept], column[kept]
    logs = [np.log(np.maximum(heights[place + j], np.float32(1e-37))) for j in (-1, 0, 1)]
    offset = _offset(parabola(*logs).astype(np.float64), known.offset)
    level = np.polynomial.polynomial.polyval(offset**2, known.level)
    number = column + chunk.low
    frequency_hz = (number + offset) * (plan.sample_rate_hz / band.size)
    # The transform starts counting at the window's first sample: half a turn a bin brings it to the middle.
    # A cosine's phase is a quarter turn short of a sine's. Energy off the middle turns the phase off the peak.
    phase = np.angle(flat[place]).astype(np.float64) + np.pi * (number % 2 + 0.5)
    phase -= 2 * np.pi * offset * chunk.delay[frame]
    found = Peaks(
        frame + chunk.first_frame,
        frequency_hz,
        np.sqrt(heights[place].astype(np.float64)) / (level * chunk.share[frame]),
        np.remainder(phase, 2 * np.pi),
        10
        * np.log10(heights[place] / np.maximum(noise.ravel()[place], np.float32(1e-37))).astype(np.float64),
        np.full(len(frame), band.size / plan.sample_rate_hz),
        offset,
    )
    margin = 0.5 * plan.sample_rate_hz / band.size
    within = (frequency_hz >= band.low_hz - margin) & (frequency_hz <= band.high_hz + margin)
    return found.take(within)


def _offset(vertex: Floats, odd: Floats) -> Floats:
    """The true offset from the parabola's."""
    vertex = np.clip(vertex, -LARGEST_OFFSET, LARGEST_OFFSET)
    return np.asarray(vertex * np.polynomial.polynomial.polyval(vertex**2, odd))


def _noise(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Power of the noise under each bin: ``[frame, bin]``."""
    width = power.shape[1]
    block = min(_BLOCK, width)
    count = width // block
    first = (width - count * block) // 2
    blocks = power[:, first : first + count * block].reshape(len(power), count, block)
    rank = (block - 1) // 4
    quartile = np.partition(blocks, rank, axis=-1)[..., rank]
    return np.asarray(quartile @ _between(width, first, block, count))


@lru_cache(maxsize=16)
def _between(width: int, first: int, block: int, count: int) -> NDArray[np.float32]:
    """From quartiles in blocks to the noise under each bin ``[block, bin]``, linear between the middles."""
    middles = first + 0.5 * (block - 1) + block * np.arange(count)
    weights = [np.interp(np.arange(width), middles, unit) for unit in np.eye(count)]
    shares = (np.array(weights) / _QUARTILE_OF_NOISE).astype(np.float32)
    shares.setflags(write=False)
    return shares


def _side_lobes(
    place: NDArray[np.int64], frame: NDArray[np.int64], height: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """Whether a far stronger peak stands so near that this one may be its side lobe."""
    side = np.zeros(len(frame), np.bool_)
    for step in range(1, _GUARD_BINS // 2 + 1):  # maxima are two bins apart at least
        near = place[step:] - place[:-step] <= _GUARD_BINS
        if not near.any():
            break
        near &= frame[step:] == frame[:-step]
        side[step:] |= near & (height[:-step] > _GUARD * height[step:])
        side[:-step] |= near & (height[step:] > _GUARD * height[:-step])
    return side


def _doubles(peaks: Peaks) -> NDArray[np.bool_]:
    """Which to drop: a partial on the edge of two bands counts once, as the longer window sees it."""
    same = peaks.frame[1:] == peaks.frame[:-1]
    spacing = 1.0 / np.minimum(peaks.window_s[1:], peaks.window_s[:-1])
    double = same & (peaks.window_s[1:] != peaks.window_s[:-1])
    double &= np.diff(peaks.frequency_hz) < spacing
    longer_first = peaks.window_s[:-1] > peaks.window_s[1:]
    dropped = np.zeros(len(peaks), np.bool_)
    dropped[1:] |= double & longer_first
    dropped[:-1] |= double & ~longer_first
    return dropped


def _within_range(peaks: Peaks, plan: Plan) -> NDArray[np.bool_]:
    """Test 3: not too far below the strongest peak of the frame."""
    strongest = np.zeros(int(peaks.frame[-1]) + 1 if len(peaks) else 0)
    np.maximum.at(strongest, peaks.frame, peaks.amplitude)
    return np.asarray(peaks.amplitude >= strongest[peaks.frame] * 10 ** (-plan.settings.range_db / 20))
