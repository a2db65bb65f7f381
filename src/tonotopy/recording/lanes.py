"""Lanes of a piece: what sounds in it, on one time grid, for features to be described by.

A *lane* is a descriptor of the sound over time. All lanes of a piece lie on the grid of its tracked partials,
about 100 a second, and know nothing of any encoder:

- levels in 1-ERB bands, from short-time spectra: Hann windows of `LOW_WINDOW_S` below `SPLIT_HZ` and of
  `HIGH_WINDOW_S` above, since narrow bands need long windows and fast ones short. The same windows at every
  rate; bands are rectangular, an edge between two bins counts them in part;
- levels of the tracked partials in the same bands (`tonotopy.signal.sinusoids`);
- chroma and chord (`tonotopy.recording.harmony`), held from their slower grid.

Conventions: point k lies at ``k / rate_hz`` seconds. Levels are mean squares in dB, full scale 1 (a full-scale
sine is -3 dB), and never below `FLOOR_DB`, which is what silence and bands without partials read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
import scipy.fft
import soxr
from numpy.typing import ArrayLike, NDArray

from tonotopy.core.errors import InputError
from tonotopy.recording.harmony import harmony_of
from tonotopy.signal import erb
from tonotopy.signal.chords import vocabulary
from tonotopy.signal.sinusoids import analyse

Floats = NDArray[np.float64]

#: Level that stands for nothing, dB.
FLOOR_DB: Final = -100.0
#: Centre of the lowest band, and the end of the highest as a share of the sampling rate.
LOWEST_HZ: Final = 40.0
HIGHEST_RATIO: Final = 0.49
#: Where the long window hands over to the short one, Hz, and both in seconds.
SPLIT_HZ: Final = 800.0
LOW_WINDOW_S: Final = 0.1
HIGH_WINDOW_S: Final = 0.04
#: Chords, as numbered in `Lanes.chord`.
CHORDS: Final = vocabulary()[1:]
#: Sampling rate that is enough for the low bands, Hz.
_LOW_RATE: Final = 4000
#: Lowest sampling rate that there are lanes for, Hz.
_LEAST_RATE: Final = 2000


@dataclass(frozen=True)
class Lanes:
    """What sounds in a piece, on a common time grid."""

    rate_hz: float
    band_hz: Floats = field(repr=False)  # [band], centres, 1 ERB apart
    erb_db: NDArray[np.float32] = field(repr=False)  # [time, band], levels
    partial_db: NDArray[np.float32] = field(repr=False)  # [time, band], levels of the tracked partials
    chroma: NDArray[np.float32] = field(repr=False)  # [time, pitch class]
    chord: NDArray[np.int64] = field(repr=False)  # [time], index in CHORDS, -1 none

    def __len__(self) -> int:
        return len(self.erb_db)

    def rows(self, sample: ArrayLike, sample_rate_hz: int) -> NDArray[np.int64]:
        """Points of the grid that are nearest to samples, of any shape; ends held."""
        nearest = np.rint(np.asarray(sample) * (self.rate_hz / sample_rate_hz)).astype(np.int64)
        return np.clip(nearest, 0, len(self) - 1)


def bands_hz(sample_rate_hz: int) -> Floats:
    """Centres of the bands at a sampling rate, ``[band]``: 1 ERB apart from `LOWEST_HZ`.

    Examples
    --------
    >>> bands_hz(16_000).round(1)[:3].tolist(), len(bands_hz(16_000))
    ([40.0, 70.5, 104.5], 32)
    """
    low, high = float(erb.rate(LOWEST_HZ)), float(erb.rate(HIGHEST_RATIO * sample_rate_hz))
    return erb.frequency_hz(np.arange(low, high, 1.0))


def lanes_of(audio: ArrayLike, sample_rate_hz: int) -> Lanes:
    """Lanes of one piece.

    Parameters
    ----------
    audio : array-like of float, [time]
        Mono, full scale 1.
    sample_rate_hz : int
        Its sampling rate in Hz, at least 2000.

    Raises
    ------
    InputError
        For anything but one channel of finite floating-point samples, for none, or for a rate too low.

    Examples
    --------
    >>> time = np.arange(16_000) / 16_000
    >>> lanes = lanes_of(0.1 * np.sin(2 * np.pi * 440 * time), 16_000)
    >>> band = int(np.argmin(np.abs(lanes.band_hz - 440)))
    >>> len(lanes), float(lanes.partial_db[50, band].round(1)), float(lanes.partial_db[50, band + 3])
    (100, -23.0, -100.0)
    """
    sound = np.asarray(audio)
    if sample_rate_hz < _LEAST_RATE:
        raise InputError(f"a sampling rate of at least {_LEAST_RATE} Hz", f"{sample_rate_hz} Hz")
    tracks = analyse(sound, sample_rate_hz)  # checks the sound
    if not len(sound):
        raise InputError("a piece with samples", "none")
    band_hz = bands_hz(sample_rate_hz)
    rate_hz, n_points = sample_rate_hz / tracks.hop, tracks.n_frames
    classes, chord = harmony_of(tracks)
    return Lanes(
        rate_hz,
        band_hz,
        _level_db(band_levels(sound, sample_rate_hz, band_hz, rate_hz, n_points)),
        _level_db(tracks.band_power(band_hz)),
        classes.astype(np.float32),
        chord,
    )


def band_levels(
    sound: NDArray[np.floating], sample_rate_hz: int, band_hz: Floats, rate_hz: float, n_points: int
) -> Floats:
    """Mean square in 1-ERB bands around points of a grid, ``[time, band]``."""
    low = band_hz < min(SPLIT_HZ, 0.45 * _LOW_RATE)
    slow_rate = min(sample_rate_hz, _LOW_RATE)
    slow = _slowed(sound, sample_rate_hz)
    parts = [
        _short_time(slow, slow_rate, LOW_WINDOW_S, tuple(band_hz[low]), rate_hz, n_points),
        _short_time(sound, sample_rate_hz, HIGH_WINDOW_S, tuple(band_hz[~low]), rate_hz, n_points),
    ]
    return np.concatenate(parts, axis=1)


def _slowed(sound: NDArray[np.floating], sample_rate_hz: int) -> NDArray[np.floating]:
    """A sound at the low rate, where its own is higher."""
    if sample_rate_hz <= _LOW_RATE:
        return sound
    return np.asarray(soxr.resample(sound.astype(np.float32), sample_rate_hz, _LOW_RATE, quality="HQ"))


def _short_time(
    sound: NDArray[np.floating],
    sample_rate_hz: int,
    window_s: float,
    band_hz: tuple[float, ...],
    rate_hz: float,
    n_points: int,
) -> Floats:
    """Band powers with one window, ``[time, band]``."""
    size = round(window_s * sample_rate_hz)
    window, weights = _bands(size, sample_rate_hz, band_hz)
    padded = np.pad(sound.astype(np.float32, copy=False), (size // 2, size))
    starts = np.rint(np.arange(n_points) * (sample_rate_hz / rate_hz)).astype(np.int64)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)
    found = np.empty((n_points, len(band_hz)))
    step = max(1, (1 << 17) // size)  # a chunk stays in the processor's cache
    n_fft = scipy.fft.next_fast_len(size, real=True)
    for i in range(0, n_points, step):
        rows = frames[np.minimum(starts[i : i + step], len(frames) - 1)] * window
        spectra = scipy.fft.rfft(rows, n_fft, axis=-1)
        found[i : i + step] = (spectra.real**2 + spectra.imag**2) @ weights
    return found


@lru_cache(maxsize=16)
def _bands(
    size: int, sample_rate_hz: int, band_hz: tuple[float, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The window ``[time]``, and the weight of each bin's power in each band, ``[bin, band]``."""
    n_fft = scipy.fft.next_fast_len(size, real=True)
    window = np.hanning(size + 1)[:size]
    n_bins = n_fft // 2 + 1
    edges = np.array(erb.band_edges_hz(np.array(band_hz))) * (n_fft / sample_rate_hz)
    bins = np.arange(n_bins)[:, None]
    share = np.clip(np.minimum(edges[1], bins + 0.5) - np.maximum(edges[0], bins - 0.5), 0.0, 1.0)
    both_sides = np.where((bins == 0) | (bins == n_fft / 2), 1.0, 2.0)
    weights = share * both_sides / (n_fft * np.sum(window**2))
    return window.astype(np.float32), weights.astype(np.float32)


def _level_db(power: Floats) -> NDArray[np.float32]:
    return (10 * np.log10(np.maximum(power, 10 ** (FLOOR_DB / 10)))).astype(np.float32)
