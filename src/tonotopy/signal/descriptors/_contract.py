"""What frames see, as descriptors get it, and what descriptors make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.signal import erb
from tonotopy.signal.spectrum import power_spectrum

Floats = NDArray[np.floating]
#: Values ``[frame, column]`` and the name of each column: what a family gives.
Columns = tuple[Floats, tuple[str, ...]]

#: Longest fragment, samples. Of a longer view so many are kept about the point where frames listen: a stack of
#: convolutions weighs some part of its field most (Luo et al. 2016, "Understanding the effective receptive field in
#: deep convolutional networks").
FRAGMENT_MOST: Final = 1024
#: The sound around a frame is at least so long, so that it can hold a period of what is called bass.
AROUND_LEAST_S: Final = 0.046
#: Levels below this are as good as silence, dB re full scale.
SILENT_DB: Final = -100.0
#: Exponent that compresses amplitudes, about that of loudness (Stevens 1957).
COMPRESSION: Final = 0.4


@dataclass(frozen=True)
class Sounds:
    """What some frames see, about the point of their view where they listen. Levels are mean squares in dB.

    Raises
    ------
    InputError
        The parts are not of the same frames.
    """

    sample_rate_hz: int
    fragment: Floats = field(repr=False)  # [frame, time], as long as the view, `FRAGMENT_MOST` at most
    around: Floats = field(repr=False)  # [frame, time], `AROUND_LEAST_S` or more
    band_hz: NDArray[np.float64] = field(repr=False)  # [band], centres of 1-ERB bands
    band_db: Floats = field(repr=False)  # [frame, band], levels
    partial_db: Floats = field(repr=False)  # [frame, band], levels of the tracked partials
    chroma: Floats = field(repr=False)  # [frame, 12]
    chord: NDArray[np.int64] = field(
        repr=False
    )  # [frame], in `tonotopy.signal.chords.vocabulary` less the first

    def __post_init__(self) -> None:
        per_frame = (self.fragment, self.around, self.band_db, self.partial_db, self.chroma, self.chord)
        if len({len(part) for part in per_frame}) != 1 or not len(self.fragment):
            raise InputError("the same frames, one or more, in each part", str([len(p) for p in per_frame]))
        if self.fragment.shape[1] < 1 or self.around.shape[1] < 64:
            came = f"{self.fragment.shape[1]} and {self.around.shape[1]}"
            raise InputError("fragments of 1 sample and surroundings of 64 samples or more", came)
        if not self.band_db.shape[1] == self.partial_db.shape[1] == len(self.band_hz):
            raise InputError("levels of each band", f"{self.band_db.shape[1]}, {self.partial_db.shape[1]}")

    def __len__(self) -> int:
        return len(self.fragment)

    @cached_property
    def spectrum(self) -> tuple[Floats, Floats]:
        """Of the sound around, Hann window: ``frequency_hz [bin]`` and mean square ``[frame, bin]``."""
        return power_spectrum(self.around, self.sample_rate_hz)

    @cached_property
    def envelope(self) -> Floats:
        """RMS of the sound around in steps of about 3 ms, ``[frame, step]``."""
        step = max(1, round(0.003 * self.sample_rate_hz))
        count = max(1, self.around.shape[1] // step)
        steps = self.around[:, : count * step].reshape(len(self), count, -1)
        return np.sqrt(np.mean(np.square(steps, dtype=np.float64), axis=-1))


@dataclass(frozen=True)
class Descriptors:
    """Columns of all families for some frames."""

    values: NDArray[np.float32] = field(repr=False)  # [frame, column]
    names: tuple[str, ...] = field(repr=False)  # [column]
    family: NDArray[np.int64] = field(repr=False)  # [column], in families
    families: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.values)

    @staticmethod
    def concatenate(parts: Sequence[Descriptors]) -> Descriptors:
        """Frames of all parts, one after the other."""
        first = parts[0]
        if any(part.names != first.names for part in parts):
            raise InputError("parts with the same columns", "different ones")
        values = np.concatenate([part.values for part in parts])
        return Descriptors(values, first.names, first.family, first.families)


def rms(sound: Floats) -> NDArray[np.float64]:
    """Root mean square over the last axis."""
    return np.asarray(np.sqrt(np.mean(np.square(sound, dtype=np.float64), axis=-1)))


def db(power: Floats) -> NDArray[np.float64]:
    """Mean squares in dB, never below `SILENT_DB`."""
    return np.asarray(10 * np.log10(np.maximum(power, 10 ** (SILENT_DB / 10))))


def compressed(level_db: Floats) -> NDArray[np.float64]:
    """Amplitudes to the power of `COMPRESSION` from levels: between amplitude, ruled by peaks, and dB, by rests."""
    return np.asarray(10 ** (np.asarray(level_db, dtype=np.float64) / 20 * COMPRESSION))


def regions(frequency_hz: Floats) -> tuple[tuple[str, NDArray[np.bool_]], ...]:
    """Low, middle and high frequencies, as masks: below 12, to 22 and above 22 on the ERB-rate scale.

    The borders lie at about 600 and 2,200 Hz.
    """
    rates = erb.rate(frequency_hz)
    return ("low", rates < 12), ("middle", (rates >= 12) & (rates < 22)), ("high", rates >= 22)


def central(sound: Floats, samples: int) -> Floats:
    """The middle of a sound ``[..., time]``."""
    start = (sound.shape[-1] - samples) // 2
    return sound[..., start : start + samples]
