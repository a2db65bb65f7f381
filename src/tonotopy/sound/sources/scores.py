"""Four-part chorales with exactly known partials: embedded, so that a study runs with nothing installed.

Melodies are public-domain hymn tunes set down from memory; harmony and sound are made here, by rule
(``tools/chorales``) and by additive synthesis (`tonotopy.signal.additive`). Each chorale is a piece of 30 to
60 seconds. About half are played by one instrument, the others by another one for each voice. Instruments,
tuning (within half a semitone of A = 440 Hz: no common grid of partials) and phases follow from the chorale's
name and nothing else. The sound is mono; `ScoresSource.truth` gives the table of every partial.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.signal import additive, instruments
from tonotopy.signal.additive import Partials, render_partials
from tonotopy.signal.instruments import INSTRUMENTS
from tonotopy.sound.sources._contract import Clip, Skipped, Source, sample_span, to_channels

NAMES = ("scores",)
CITATION = "tonotopy: chorale tunes of the 15th to 18th century, harmonised and synthesised by rule"
LICENCE = "MIT (harmony and sound); the melodies are in the public domain"

RATE_HZ = 44100
"""The rate that clips declare; the sound can be rendered at any rate, without resampling."""

LEVEL = 0.06
"""RMS of a note at its start: four voices come to about -18 dB of full scale and never clip."""

TAIL_S = 0.75
"""Kept after the last note, longer than any release."""

VOICES = ("soprano", "alto", "tenor", "bass")


@dataclass(frozen=True)
class Chorale:
    """Note data of one chorale: for each voice, (MIDI number, beats) in order."""

    name: str
    title: str
    tempo_bpm: float
    voices: tuple[tuple[tuple[int, float], ...], ...]

    @property
    def duration_s(self) -> float:
        """Length with the tail of the last note."""
        return sum(beats for _, beats in self.voices[0]) * 60.0 / self.tempo_bpm + TAIL_S


@dataclass(frozen=True)
class Setting:
    """How a chorale is played: an instrument for each voice, and the tuning in semitones above A = 440 Hz."""

    instruments: tuple[str, ...]
    tuning: float


class ScoresSource(Source):
    """See the module's docstring."""

    spelling = "scores"

    def clips(self) -> Iterator[Clip]:
        """One clip for each chorale, in the order of their names."""
        for chorale in _chorales().values():
            setting = _setting(chorale.name)
            yield Clip(
                piece=chorale.name,
                name=chorale.name,
                duration_s=chorale.duration_s,
                sample_rate_hz=RATE_HZ,
                channels=1,
                title=chorale.title,
                artist=None,
                licence=LICENCE,
                group="+".join(dict.fromkeys(setting.instruments)),
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
        """Render a part: bit for bit the same samples, however the clip is divided."""
        truth = self.truth(clip)
        first, count = sample_span(clip, sample_rate_hz, start_s=start_s, duration_s=duration_s)
        sound = render_partials(truth, sample_rate_hz, count, start_sample=first)
        return to_channels(sound[None], channels, name=clip.name)

    def truth(self, clip: Clip) -> Partials:
        """Every partial of a clip; `Partials.rendered_at` gives those that a rate can carry."""
        if clip.name not in _chorales():
            raise InputError("a chorale", repr(clip.name), "a clip of another source", _chorales())
        return _partials(clip.name)

    def ledger(self) -> tuple[Skipped, ...]:
        """Empty: nothing is left out."""
        return ()

    def fingerprint(self) -> str:
        """Over the note data and over the code that turns it into sound."""
        digest = hashlib.sha256()
        code = (additive.__file__, instruments.__file__, __file__)
        for path in (*_note_files(), *map(Path, code)):
            digest.update(f"{path.name}\0".encode() + path.read_bytes().replace(b"\r\n", b"\n"))
        return digest.hexdigest()


def _note_files() -> list[Path]:
    """The JSON files, sorted by name."""
    with resources.as_file(resources.files("tonotopy.signal") / "chorales") as folder:
        return sorted(folder.glob("*.json"))


@lru_cache(maxsize=1)
def _chorales() -> dict[str, Chorale]:
    """All chorales by name."""
    return {path.stem: _chorale(path) for path in _note_files()}


def _chorale(path: Path) -> Chorale:
    data = json.loads(path.read_text(encoding="utf-8"))
    voices = tuple(tuple((int(midi), float(beats)) for midi, beats in data["voices"][v]) for v in VOICES)
    return Chorale(path.stem, data["title"], float(data["tempo_bpm"]), voices)


def _generator(name: str) -> np.random.Generator:
    """A generator that depends on the chorale's name alone: adding a tune changes no other."""
    return np.random.default_rng(list(hashlib.sha256(name.encode()).digest()))


def _setting(name: str) -> Setting:
    """Instruments and tuning."""
    rng = _generator(name)
    choices = list(INSTRUMENTS)
    if rng.random() < 0.5:
        chosen = (choices[int(rng.integers(len(choices)))],) * len(VOICES)
    else:
        chosen = tuple(choices[int(i)] for i in rng.permutation(len(choices))[: len(VOICES)])
    return Setting(chosen, float(rng.uniform(-0.5, 0.5)))


# About 5,000 partials of 14 numbers: half a megabyte a chorale, so that all of them can stay.
@lru_cache(maxsize=64)
def _partials(name: str) -> Partials:
    """The table of a chorale's partials, voice by voice and note by note."""
    chorale, setting, rng = _chorales()[name], _setting(name), _generator(name + " phases")
    beat_s = 60.0 / chorale.tempo_bpm
    notes: list[Partials] = []
    for voice, line in enumerate(chorale.voices):
        instrument, onset_s = INSTRUMENTS[setting.instruments[voice]], 0.0
        for midi, beats in line:
            frequency_hz = 440.0 * 2.0 ** ((midi + setting.tuning - 69) / 12)
            offset_s = onset_s + beats * beat_s
            notes.append(
                instrument.note(
                    frequency_hz, onset_s, offset_s, level=LEVEL, rng=rng, voice=voice, index=len(notes)
                )
            )
            onset_s = offset_s
    return additive.join(notes)


def open_source(argument: str | None, *, name: str) -> ScoresSource:
    """Open ``scores``, which takes no argument."""
    if argument is not None:
        raise InputError(f"{name!r} alone", f"{name}:{argument}", "this source is built in and has no path")
    return ScoresSource()


def write_example(folder: Path, *, name: str) -> None:
    """Nothing to write: the data are built in."""
    del folder, name
