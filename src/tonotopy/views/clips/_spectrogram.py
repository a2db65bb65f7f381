"""A spectrogram on the ERB-rate scale, in dB: the picture that listeners' ears suggest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tonotopy.signal import erb
from tonotopy.signal.spectrum import band_power
from tonotopy.views.axes import TICKS_HZ, hz_words
from tonotopy.views.clips._sound import Excerpt

Floats = NDArray[np.float64]

BANDS: Final = 112
WIDTH_ERB: Final = 0.5
WINDOW_S: Final = 0.064
COLUMNS: Final = 900  # at most, and none narrower than `LEAST_HOP_S`
LEAST_HOP_S: Final = 0.005
RANGE_DB: Final = 60.0
SILENT_DB: Final = -140.0
HIGHEST_HZ: Final = 16_000.0
_BLOCK: Final = 64


@dataclass(frozen=True)
class Spectrogram:
    """Level in dB of full scale, ``[frame, band]``; frame k is centred at ``time_s[k]``, from the excerpt's start."""

    time_s: Floats
    frequency_hz: Floats
    level_db: Floats

    @property
    def span_erb(self) -> tuple[float, float]:
        """ERB-rate at the lower edge of the lowest band and at the upper edge of the highest."""
        low, high = (float(erb.rate(self.frequency_hz[k])) for k in (0, -1))
        half = (high - low) / (len(self.frequency_hz) - 1) / 2
        return low - half, high + half

    @property
    def shown(self) -> Floats:
        """Levels between 0 (`RANGE_DB` below the loudest, or softer) and 1 (the loudest)."""
        return np.asarray(np.clip(1.0 + (self.level_db - self.level_db.max()) / RANGE_DB, 0.0, 1.0))

    def height(self, frequency_hz: float | Floats) -> Floats:
        """Where a frequency lies, from 0 (bottom) to 1 (top)."""
        low, high = self.span_erb
        return np.asarray((erb.rate(frequency_hz) - low) / (high - low))

    def ticks(self) -> list[tuple[float, str]]:
        """Round frequencies with their height."""
        heights = {f: float(self.height(f)) for f in TICKS_HZ}
        return [(height, hz_words(f)) for f, height in heights.items() if 0.03 < height < 0.97]

    def table(self) -> pd.DataFrame:
        """One row a frame and band."""
        frames, bands = self.level_db.shape
        return pd.DataFrame(
            {
                "time_s": np.repeat(self.time_s, bands),
                "frequency_hz": np.tile(self.frequency_hz, frames),
                "level_db": self.level_db.ravel(),
            }
        )


def spectrogram(
    audio: NDArray[np.floating], sample_rate_hz: int, *, before: int = 0, after: int = 0
) -> Spectrogram:
    """Power in bands of half an ERB over time.

    Parameters
    ----------
    audio : ``[time]``
        A sound, full scale 1.
    sample_rate_hz : int
        Its sampling rate.
    before, after : int
        Samples at its ends that are heard by windows that reach there, but not shown: a sound that is cut off
        would seem to click. Beyond them there is silence.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(8000) / 16000)
    >>> found = spectrogram(tone, 16000)
    >>> float(found.frequency_hz[found.level_db[50].argmax()].round(-2))
    1000.0
    """
    seconds = (len(audio) - before - after) / sample_rate_hz
    hop_s = max(LEAST_HOP_S, seconds / COLUMNS)
    n = round(WINDOW_S * sample_rate_hz)
    time_s = np.arange(hop_s / 2, seconds, hop_s)
    starts = before + np.round(time_s * sample_rate_hz).astype(np.int64)
    padded = np.pad(np.asarray(audio, np.float64), (n // 2, n))
    centres = erb.grid(BANDS, sample_rate_hz, high_ratio=min(erb.HIGH_RATIO, HIGHEST_HZ / sample_rate_hz))
    power = np.empty((len(starts), BANDS))
    for k in range(0, len(starts), _BLOCK):  # overlapping windows of a whole stretch would be half a gigabyte
        block = padded[starts[k : k + _BLOCK, None] + np.arange(n)]
        power[k : k + _BLOCK] = band_power(block, sample_rate_hz, centres, width_erb=WIDTH_ERB)
    return Spectrogram(time_s, centres, 10 * np.log10(np.maximum(power, 10 ** (SILENT_DB / 10))))


def of_excerpt(excerpt: Excerpt) -> Spectrogram:
    """The spectrogram of an excerpt, which hears what comes before and after it."""
    rate = excerpt.sample_rate_hz
    margin = round(WINDOW_S * rate)
    audio, before = excerpt.at(rate, lead=margin, tail=margin)
    return spectrogram(audio, rate, before=before, after=len(audio) - before - len(excerpt.audio))
