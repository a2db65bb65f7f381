"""A template for a source of music: copy this file to ``src/tonotopy/sound/sources/NAME.py`` and edit it.

The first line of this docstring becomes the source's summary in listings. Say here what a piece is (the unit
of statistics), what is left out, and how the data are laid out. Adding the file is all: the registry
finds it, and ``tests/sound/sources/test_contract.py`` runs on what `write_example` makes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.sound.sources._audio import content_hash, examine, read_part
from tonotopy.sound.sources._contract import Clip, Skipped, Source, sample_span, to_channels

# Read without importing this file, so they must be literals. Names are spelled with hyphens.
NAMES = ("my-source",)
CITATION = "whom to cite for these recordings"
LICENCE = "under which terms they may be used"


class MySource(Source):
    """Wav files directly in one folder, each a piece; `tonotopy.sound.sources.folder` is a fuller one."""

    def __init__(self, folder: Path) -> None:
        # Validate once, here; methods below trust what this stores.
        self._files = {path.name: path for path in sorted(folder.glob("*.wav"))}
        if not self._files:
            raise InputError("a folder of wav files", repr(str(folder)), "an empty or misspelt folder")
        # The spelling goes into records that are published: no absolute path in it.
        self.spelling = f"my-source:{folder.name}"
        self._skipped: dict[str, Skipped] = {}

    def clips(self) -> Iterator[Clip]:
        """Always in the same order; one bad file never stops the others."""
        for name, path in self._files.items():
            audio = examine(path)
            if reason := audio.fault or audio.dull:
                self._skipped[name] = Skipped(name, reason)
                continue
            yield Clip(
                piece=name,
                name=name,
                duration_s=audio.frames / audio.sample_rate_hz,
                sample_rate_hz=audio.sample_rate_hz,
                channels=audio.channels,
                title=audio.title,
                artist=audio.artist,
                licence=audio.licence,
            )

    def read(
        self,
        clip: Clip,
        sample_rate_hz: int,
        *,
        start_s: float = 0.0,
        duration_s: float | None = None,
        channels: int = 1,
    ) -> NDArray[np.float32]:
        """Check, then read only the part."""
        if clip.name not in self._files:
            raise InputError(f"a clip of {self.spelling}", repr(clip.name), "a clip of another source")
        # `sample_span` validates the part and rounds it to samples the same way for every source.
        first, count = sample_span(clip, sample_rate_hz, start_s=start_s, duration_s=duration_s)
        sound = read_part(self._files[clip.name], sample_rate_hz, first, count)
        return to_channels(sound, channels, name=clip.name)

    def ledger(self) -> tuple[Skipped, ...]:
        """What `clips` left out."""
        return tuple(sorted(self._skipped.values(), key=lambda entry: entry.name))

    def fingerprint(self) -> str:
        """It must change whenever the sound could: results are stored under it."""
        rows = [
            f"{name}\0{path.stat().st_size}\0{content_hash(path)}\n" for name, path in self._files.items()
        ]
        return hashlib.sha256("".join(rows).encode()).hexdigest()


def open_source(argument: str | None, *, name: str) -> MySource:
    """Open ``my-source:PATH``: what follows the colon comes as ``argument``, None without a colon."""
    if argument is None:
        raise InputError(f"{name}:PATH", repr(name), "the path is missing")
    return MySource(Path(argument).expanduser())


def write_example(folder: Path, *, name: str) -> str | None:
    """Make a small data set of this kind in an empty folder; return the argument that opens it, or None."""
    import soundfile

    del name
    soundfile.write(folder / "noise.wav", 0.1 * np.random.default_rng(0).standard_normal(44100), 22050)
    return str(folder)
