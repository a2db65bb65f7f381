"""What a sinusoidal analysis may be told, checked once, and the plan that follows from it at a sample rate."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import scipy.fft

from tonotopy.core.errors import InputError

_LEAST_WINDOW = 16  # samples: a main lobe of six bins on either side of nothing


@dataclass(frozen=True)
class Settings:
    """Choices of an analysis; the defaults are those measured in the documentation.

    A *window* is used up to its *edge*: the first from ``lowest_hz`` to ``edges_hz[0]``, and so on. Long
    windows tell close partials apart, short ones follow fast changes. With the defaults a vibrato of 6 Hz and
    0.7 % sweeps at most eight bins of any window, wherever it lies.
    """

    hop_s: float = 0.01
    """Time between frames; rounded to whole samples."""
    windows_s: tuple[float, ...] = (0.17, 0.085, 0.0425)
    """Lengths of the windows, longest first, for low frequencies first."""
    edges_hz: tuple[float, ...] = (1000.0, 4000.0)
    """Where one window hands over to the next: one fewer than windows."""
    lowest_hz: float = 40.0
    """Lowest frequency that is looked for."""
    highest_ratio: float = 0.47
    """Highest frequency that is looked for, as a part of the sample rate."""
    peak_db: float = 6.0
    """How far a peak stands above the local noise, in dB of power, to be used at all."""
    track_db: float = 13.0
    """How far the best point of a track stands above the local noise, for the track to be kept."""
    range_db: float = 75.0
    """How far below the strongest peak of its frame a peak may lie."""
    faintest_db: float = -100.0
    """Level of a sine, in dB of a full-scale sine, below which nothing is reported."""
    jump_erb: float = 0.2
    """Largest step of a track from frame to frame, in ERB-rate units."""
    gap_frames: int = 2
    """Longest gap that is bridged."""
    shortest_s: float = 0.05
    """Shortest track that is kept, first to last frame."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not all(math.isfinite(v) for v in (value if isinstance(value, tuple) else (value,))):
                raise InputError(f"finite {field.name}", repr(value))
        if not self.windows_s or len(self.edges_hz) != len(self.windows_s) - 1:
            raise InputError("one edge fewer than windows", f"{self.edges_hz} Hz for {self.windows_s} s")
        if min(self.windows_s) <= 0 or list(self.windows_s) != sorted(self.windows_s, reverse=True):
            raise InputError("positive windows, longest first", f"{self.windows_s} s")
        rising = (self.lowest_hz, *self.edges_hz)
        if self.lowest_hz <= 0 or list(rising) != sorted(set(rising)):
            raise InputError("a lowest frequency above 0 Hz and rising edges above it", f"{rising} Hz")
        if not 0 < self.highest_ratio <= 0.5:
            raise InputError("highest_ratio above 0 and at most 0.5", repr(self.highest_ratio))
        for name in ("hop_s", "jump_erb"):
            if getattr(self, name) <= 0:
                raise InputError(f"a positive {name}", repr(getattr(self, name)))
        for name in ("peak_db", "range_db", "gap_frames", "shortest_s"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} of at least 0", repr(getattr(self, name)))


@dataclass(frozen=True)
class Band:
    """A window of ``size`` samples and the frequencies it is used for."""

    size: int
    low_hz: float
    high_hz: float


@dataclass(frozen=True)
class Plan:
    """Settings at a sample rate: nothing is left to decide."""

    sample_rate_hz: int
    hop: int
    bands: tuple[Band, ...]
    settings: Settings


def plan(settings: Settings, sample_rate_hz: int) -> Plan:
    """Whole samples for every duration; bands above the highest frequency are left out.

    Raises
    ------
    InputError
        For a rate that is no positive whole number, or too low for ``lowest_hz``.

    Examples
    --------
    >>> [(band.size, band.high_hz) for band in plan(Settings(), 24000).bands]
    [(4096, 1000.0), (2048, 4000.0), (1024, 11280.0)]
    """
    whole = isinstance(sample_rate_hz, (int, float)) or hasattr(sample_rate_hz, "__index__")
    if not whole or not (0 < sample_rate_hz < 1e7 and sample_rate_hz == int(sample_rate_hz)):
        raise InputError("a sample rate in whole Hz, from 1 to 10 million", repr(sample_rate_hz))
    rate = int(sample_rate_hz)
    highest = settings.highest_ratio * rate
    edges = (settings.lowest_hz, *settings.edges_hz)
    if highest <= settings.lowest_hz:
        raise InputError(
            f"a sample rate above {settings.lowest_hz / settings.highest_ratio:g} Hz",
            f"{rate} Hz",
            f"the lowest frequency to look for is {settings.lowest_hz:g} Hz",
        )
    bands = []
    for window_s, low, high in zip(settings.windows_s, edges, (*edges[1:], math.inf), strict=True):
        if low < highest:
            size = 2 * scipy.fft.next_fast_len(max(_LEAST_WINDOW, round(window_s * rate)) // 2, real=True)
            bands.append(Band(size, low, min(high, highest)))
    return Plan(rate, max(1, round(settings.hop_s * rate)), tuple(bands), settings)
