"""Excerpts of music for training: decoded once to the disk, drawn by seed and step, held out by piece.

A source is decoded once, mono, at the model's rate, to one file of 16-bit samples in the folder of the
training (2 bytes a sample: 173 MB an hour at 24 kHz), which is then mapped, not read: memory does not grow
with the music. The file is named by the source's fingerprint and the rate.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError, RunError, TonotopyError
from tonotopy.sound.music import SILENT_DBFS, level_dbfs
from tonotopy.sound.sources._contract import Clip, Skipped, Source

#: Share of the pieces that are held out where the source names no split of its own.
HELD_OUT = 0.15
#: Places tried for an excerpt that is not silent.
TRIES = 16
#: Full scale of the stored samples: peaks of a decoded mp3 may exceed 1.
FULL_SCALE = 2.0

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Track:
    """One clip in the store."""

    piece: str
    name: str
    group: str | None
    split: str  # training, validation, test, or another that is not trained on
    start: int
    samples: int
    artist: str | None = None
    licence: str | None = None


@dataclass(frozen=True)
class Excerpts:
    """Decoded music of one source at one rate."""

    sample_rate_hz: int
    tracks: tuple[Track, ...]
    skipped: tuple[Skipped, ...]
    fingerprint: str
    sound: NDArray[np.int16]
    own_splits: bool = True  # the source names its splits; else they are a draw

    @property
    def hours(self) -> float:
        """Length of all tracks."""
        return sum(track.samples for track in self.tracks) / self.sample_rate_hz / 3600

    def part(self, *splits: str) -> Excerpts:
        """The tracks of some splits."""
        return replace(self, tracks=tuple(track for track in self.tracks if track.split in splits))

    @property
    def training(self) -> Excerpts:
        """What may be trained on."""
        return self.part("training")

    @property
    def validation(self) -> Excerpts:
        """What is looked at during training: the validation split, or where there is none the test split."""
        found = self.part("validation")
        return found if found.tracks else self.part("test")

    def limited(self, hours: float | None, *, seed: int) -> Excerpts:
        """At most so many hours, the same share of every track: fewer hours, not fewer pieces or classes."""
        if hours is None or hours >= self.hours:
            return self
        share = hours / self.hours
        rng = np.random.default_rng([seed, 11])
        cut = []
        for track in self.tracks:
            keep = int(track.samples * share)
            first = int(rng.integers(0, track.samples - keep + 1))
            cut.append(replace(track, start=track.start + first, samples=keep))
        return replace(self, tracks=tuple(cut))

    def read(self, track: Track, start: int, samples: int) -> NDArray[np.float32]:
        """Samples of a track, float32 ``[time]``, full scale 1; beyond its end there are zeros."""
        have = max(0, min(samples, track.samples - start))
        found = np.zeros(samples, np.float32)
        first = track.start + start
        found[:have] = self.sound[first : first + have] * np.float32(FULL_SCALE / 32768)
        return found

    def draw(
        self, rng: np.random.Generator, count: int, samples: int, *, tracks: Sequence[Track] | None = None
    ) -> tuple[NDArray[np.float32], list[Track]]:
        """Excerpts ``[excerpt, time]`` and their tracks, each track as likely as it is long; silence is avoided."""
        among = self.tracks if tracks is None else tracks
        weight = np.array([track.samples for track in among], np.float64)
        found, names = np.empty((count, samples), np.float32), []
        for row in range(count):
            for _ in range(TRIES):
                track = among[int(rng.choice(len(among), p=weight / weight.sum()))]
                start = int(rng.integers(0, max(1, track.samples - samples + 1)))
                found[row] = self.read(track, start, samples)
                if level_dbfs(found[row]) > SILENT_DBFS:
                    break
            names.append(track)
        return found, names


def prepare(
    source: Source, folder: Path, sample_rate_hz: int, *, seed: int, progress: Progress | None = None
) -> Excerpts:
    """Decode a source into ``folder``, or open what is decoded there already.

    Pieces are held out as the source says (the splits of FMA; folders named train and test), else by a draw
    over pieces, class by class, that depends on the seed and the pieces' names alone.

    Raises
    ------
    InputError
        Nothing in the source can be used.
    RunError
        The disk has no room; what there is of it is checked first.
    """
    fingerprint = source.fingerprint()
    key = hashlib.sha256(f"{fingerprint} {sample_rate_hz} {seed}".encode()).hexdigest()[:16]
    index, sound = folder / f"{key}.json", folder / f"{key}.i16"
    if not index.is_file():
        _decode(source, folder, index, sound, sample_rate_hz, seed, progress)
    told = json.loads(index.read_text(encoding="utf-8"))
    tracks = tuple(Track(**row) for row in told["tracks"])
    skipped = tuple(Skipped(**row) for row in told["skipped"])
    return Excerpts(
        sample_rate_hz, tracks, skipped, fingerprint, np.memmap(sound, np.int16, "r"), told["own_splits"]
    )


def _decode(
    source: Source,
    folder: Path,
    index: Path,
    sound: Path,
    sample_rate_hz: int,
    seed: int,
    progress: Progress | None,
) -> None:
    clips = list(source.clips())
    _check_room(folder, clips, sample_rate_hz)
    folder.mkdir(parents=True, exist_ok=True)
    held = held_out(clips, seed)
    tracks, skipped, place = [], list(source.ledger()), 0
    fresh = sound.with_suffix(".new")
    with fresh.open("wb") as out:
        for number, clip in enumerate(clips):
            if progress is not None:
                progress(number, len(clips), f"decoding {clip.name}")
            try:
                audio = source.read(clip, sample_rate_hz)[0]
                if not np.isfinite(audio).all():
                    raise InputError("finite samples", f"NaN or inf in {clip.name!r}", "a damaged recording")
            except TonotopyError as error:
                skipped.append(Skipped(clip.name, str(error)))
                continue
            scaled = np.clip(np.round(audio * (32768 / FULL_SCALE)), -32768, 32767).astype("<i2")
            out.write(scaled.tobytes())
            split = clip.split or ("test" if clip.piece in held else "training")
            tracks.append(
                Track(clip.piece, clip.name, clip.group, split, place, len(scaled), clip.artist, clip.licence)
            )
            place += len(scaled)
    if not tracks:
        reason = skipped[0].reason if skipped else "an empty source"
        raise InputError("music to train on", f"{len(skipped)} clips, none of use", reason)
    fresh.replace(sound)
    rows = {
        "tracks": [asdict(t) for t in tracks],
        "skipped": [asdict(s) for s in skipped],
        "own_splits": any(clip.split for clip in clips),
    }
    text = index.with_suffix(".tmp")
    text.write_text(json.dumps(rows), encoding="utf-8")
    text.replace(index)


def held_out(clips: Sequence[Clip], seed: int) -> set[str]:
    """Pieces that nothing is trained on where the source names no split: a share of each class's pieces."""
    if any(clip.split for clip in clips):
        return {clip.piece for clip in clips if clip.split is None}  # a clip of no split is not trained on
    by_group: dict[str, set[str]] = {}
    for clip in clips:
        by_group.setdefault(clip.group or "", set()).add(clip.piece)
    found: set[str] = set()
    for group, pieces in sorted(by_group.items()):
        order = sorted(pieces, key=lambda p: hashlib.sha256(f"{seed} {group} {p}".encode()).hexdigest())
        found |= set(order[: math.ceil(HELD_OUT * len(order))] if len(order) > 1 else [])
    return found


def _check_room(folder: Path, clips: Sequence[Clip], sample_rate_hz: int) -> None:
    need = sum(2 * round(clip.duration_s * sample_rate_hz) for clip in clips)
    place = folder
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if need > 0.95 * free:
        raise RunError(
            f"{need / 1e9:.1f} GB of room for decoded sound",
            f"{free / 1e9:.1f} GB free",
            "choose another --out, or less music (--hours limits what is trained on, not what is decoded)",
        )
