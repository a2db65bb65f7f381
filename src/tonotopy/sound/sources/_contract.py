"""What every source of music offers: clips with an identity, read at any rate, and a ledger of the rest.

Conventions: times in seconds from the start of the clip, sound as float32 ``[channel, time]`` with full scale
at 1.0 (a decoded mp3 may exceed it), and the sample at index ``n`` of rate ``r`` stands at ``n / r`` seconds.
A clip of ``d`` seconds has ``round(d * r)`` samples at rate ``r``.

A plug-in file declares ``NAMES``, ``CITATION`` and ``LICENCE`` and two functions: ``open_source`` and, so
that the contract tests need no central list, ``write_example``, which makes a small data set of its kind and
returns the argument that opens it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError


@dataclass(frozen=True)
class Clip:
    """One readable stretch of music.

    ``piece`` is the unit of statistics: clips that share it are not independent of each other.
    ``name`` is unique within the source and never an absolute path.
    """

    piece: str
    name: str
    duration_s: float
    sample_rate_hz: int
    channels: int
    title: str | None = None
    artist: str | None = None
    licence: str | None = None
    group: str | None = None
    split: str | None = None


@dataclass(frozen=True)
class Skipped:
    """A ledger entry: one thing among many that was left out, or read with a reservation, and why."""

    name: str
    reason: str


class Source(ABC):
    """A restartable collection of clips."""

    spelling: str
    """How to name this source in a record, with no absolute path in it."""

    @abstractmethod
    def clips(self) -> Iterator[Clip]:
        """Every usable clip, always in the same order; what is unusable goes to the ledger."""

    @abstractmethod
    def read(
        self,
        clip: Clip,
        sample_rate_hz: int,
        *,
        start_s: float = 0.0,
        duration_s: float | None = None,
        channels: int = 1,
    ) -> NDArray[np.float32]:
        """Sound ``[channel, time]`` of a part of a clip; one channel is the mean of all."""

    @abstractmethod
    def ledger(self) -> tuple[Skipped, ...]:
        """What was left out, sorted by name."""

    @abstractmethod
    def fingerprint(self) -> str:
        """SHA-256 over relative names, sizes and contents: equal on any machine that holds the same data."""


def sample_span(
    clip: Clip, sample_rate_hz: int, *, start_s: float, duration_s: float | None
) -> tuple[int, int]:
    """First sample and number of samples of a part of a clip; the one place where parts are validated.

    Examples
    --------
    >>> sample_span(Clip("p", "c", 2.0, 44100, 2), 16000, start_s=0.5, duration_s=1.0)
    (8000, 16000)
    """
    if not 1 <= sample_rate_hz <= 1_000_000:
        raise InputError("a sample rate between 1 and 1000000 Hz", f"{sample_rate_hz} Hz")
    total = round(clip.duration_s * sample_rate_hz)
    rest = clip.duration_s - start_s
    length_s = rest if duration_s is None else duration_s
    # A caller who adds up times in floating point may miss the end by less than one sample.
    slack = 1.0 / sample_rate_hz
    if not (start_s >= 0.0 and length_s >= 0.0 and length_s <= rest + slack):
        wanted = f"{start_s:g} s to {start_s + length_s:g} s"
        raise InputError(f"a part of {clip.name!r} within 0 s to {clip.duration_s:g} s", wanted)
    first = min(round(start_s * sample_rate_hz), total)
    count = total - first if duration_s is None else min(round(length_s * sample_rate_hz), total - first)
    return first, count


def to_channels(sound: NDArray[np.float32], channels: int, *, name: str) -> NDArray[np.float32]:
    """Sound ``[channel, time]`` with the wanted number of channels: as it is, the mean, or copies of mono."""
    have = sound.shape[0]
    if channels == have:
        return sound
    if channels == 1:
        return sound.mean(axis=0, keepdims=True, dtype=np.float32)
    if have == 1 and channels > 1:
        copies: NDArray[np.float32] = np.repeat(sound, channels, axis=0)
        return copies
    legal = ["any number from 1"] if have == 1 else ["1", str(have)]
    raise InputError(f"a number of channels that {name!r} can give", str(channels), legal=legal)
