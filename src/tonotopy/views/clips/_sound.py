"""The stretch of a sound that a figure shows: an audio file, or a chorale that is built in (``scores:NAME``).

A file is opened by the reader of the music sources, which bounds what a hostile one can cost; only the stretch
is decoded. Conventions: mono (the mean of all channels), full scale 1, seconds from the start of the file.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.sound.sources import open_music
from tonotopy.sound.sources._audio import FORMATS, LOUDEST_PEAK, examine, read_part
from tonotopy.sound.sources._text import tidy

LONGEST_S = 30.0
DEFAULT_S = 10.0
LEAST_S = 0.2
HIGHEST_RATE_HZ = 48_000  # of what is shown and played; an encoder reads at its own rate
MOST_CHANNELS = 64

Audio = NDArray[np.float32]


@dataclass(frozen=True)
class Excerpt:
    """A stretch of a sound.

    Attributes
    ----------
    name, title, artist
        Of the file; a title or an artist is None where the file names none. Untrusted text.
    start_s, seconds
        Which stretch.
    total_s
        Length of the whole sound.
    sample_rate_hz, audio
        The stretch itself, ``[time]``.
    """

    name: str
    title: str | None
    artist: str | None
    start_s: float
    seconds: float
    total_s: float
    sample_rate_hz: int
    audio: Audio = field(repr=False)
    read: Callable[[int, int, int], Audio] = field(repr=False)

    def at(self, sample_rate_hz: int, *, lead: int = 0, tail: int = 0) -> tuple[Audio, int]:
        """The stretch at another rate, with up to ``lead`` samples before and ``tail`` samples after it.

        Returns
        -------
        audio : ``[time]``
        before : how many samples of it come before the stretch
        """
        first = round(self.start_s * sample_rate_hz)
        count = round(self.seconds * sample_rate_hz)
        before = min(lead, first)
        after = max(0, min(tail, round(self.total_s * sample_rate_hz) - first - count))
        return self.read(sample_rate_hz, first - before, before + count + after), before

    @property
    def stretch(self) -> str:
        """Which stretch of how much."""
        return f"{self.start_s:.1f} to {self.start_s + self.seconds:.1f} s of {self.total_s:.1f} s"


def open_excerpt(clip: Path | str, *, start_s: float = 0.0, seconds: float = DEFAULT_S) -> Excerpt:
    """Read a stretch of a sound; shorter than asked where the sound ends.

    Parameters
    ----------
    clip : path, or ``scores:NAME``
        An audio file, or a built-in chorale.
    start_s, seconds : float
        Which stretch, in seconds; at most `LONGEST_S` long.

    Raises
    ------
    InputError
        For what is no audio file, a file that is damaged, or a stretch that is not there.

    Examples
    --------
    >>> excerpt = open_excerpt("scores:st-anne", start_s=2.0, seconds=1.0)
    >>> excerpt.audio.shape, excerpt.title
    ((44100,), 'St Anne (attributed to Croft, 1708)')
    """
    if not LEAST_S <= seconds <= LONGEST_S:
        raise InputError(
            f"{LEAST_S:g} to {LONGEST_S:g} seconds", f"{seconds:g}", "a figure shows a short stretch"
        )
    if not (math.isfinite(start_s) and start_s >= 0.0):
        raise InputError("a start from 0 s on", f"{start_s:g} s")
    spelling = str(clip)
    built_in = spelling.startswith("scores:")
    found = _chorale(spelling.removeprefix("scores:")) if built_in else _file(Path(clip))
    name, title, artist, total_s, rate, read = found
    left_s = total_s - start_s
    if left_s < LEAST_S:
        raise InputError(f"a start before the end of {name!r} at {total_s:.1f} s", f"{start_s:g} s")
    length_s = min(seconds, left_s)
    rate = min(rate, HIGHEST_RATE_HZ)
    audio = read(rate, round(start_s * rate), round(length_s * rate))
    peak = float(np.abs(audio).max(initial=0.0))
    if not peak <= LOUDEST_PEAK:
        raise InputError(
            "samples of full scale 1", f"a peak of {peak:.3g}", "a damaged file, or another scale"
        )
    return Excerpt(name, title, artist, start_s, length_s, total_s, rate, audio, read)


_Found = tuple[str, str | None, str | None, float, int, Callable[[int, int, int], Audio]]


def _chorale(name: str) -> _Found:
    source = open_music("scores")
    clips = {clip.name: clip for clip in source.clips()}
    if name not in clips:
        raise InputError("a chorale", repr(name), "a misspelt name", clips)
    clip = clips[name]

    def read(rate: int, first: int, count: int) -> Audio:
        return source.read(clip, rate, start_s=first / rate, duration_s=count / rate)[0]

    return f"scores:{name}", clip.title, None, clip.duration_s, clip.sample_rate_hz, read


def _file(path: Path) -> _Found:
    name = tidy(path.name) or "a sound"
    if path.is_dir():
        marks = ("manifest.json", "plan.toml", "verdict.json", "series.json")
        kind = "a run folder" if any((path / mark).exists() for mark in marks) else "a folder"
        raise InputError(
            "a sound file", f"{kind}, {name!r}", "this figure is drawn from a sound, not from a run"
        )
    if not path.is_file():
        raise InputError("a sound file", repr(name), "no such file", sorted(end[1:] for end in FORMATS))
    # Without decoding: what is decoded is checked once it has been read, and a file may be hours long.
    held = examine(path, decode=False)
    if held.fault is not None:
        raise InputError("a readable audio file", repr(name), held.fault)
    if held.channels > MOST_CHANNELS:
        raise InputError(f"at most {MOST_CHANNELS} channels", f"{held.channels} in {name!r}", "not music")

    def read(rate: int, first: int, count: int) -> Audio:
        return read_part(path, rate, first, count).mean(axis=0, dtype=np.float32)

    return name, held.title, held.artist, held.frames / held.sample_rate_hz, held.sample_rate_hz, read
