"""A folder of recordings, searched to the bottom: mp3, ogg, opus, flac, wav, aiff of any rate and channels.

Pieces
    A file is a piece. A subfolder of *stems* is one piece whose sound is the sum of its files. A subfolder
    holds stems when it has two or more audio files and either its name is ``stems`` or ends in ``stems``, or
    every audio file in it is named as a stem (`STEMS`). Where one of them is named as a full mix (`MIXES`),
    that file alone is read. Stems must agree in length within 0.1 s. Equal lengths alone never make stems: a
    folder of 30-second excerpts is not one piece.

Splits
    Where the folder has a subfolder ``train`` (or ``training``), its subfolders are splits: ``train``, ``valid``
    (``validation``), ``test``; a subfolder of another name is a split of that name. The group of a piece is the
    folder that it lies in, without its split.

What is left out, with the reason in the ledger
    Files that cannot be decoded, lie about their format or length, hold no sound, or repeat another file byte
    for byte (the same recording twice is not two pieces); links; files of music formats that are not read.
    Hidden files and folders, and files that are not music, are passed over without an entry.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.sound.sources._audio import FORMATS, UNREAD, Audio, content_hash, examine, read_part
from tonotopy.sound.sources._contract import Clip, Skipped, Source, sample_span, to_channels
from tonotopy.sound.sources._text import printable

NAMES = ("folder",)
CITATION = "the recordings' own authors, as their tags name them"
LICENCE = "each recording's own"

STEMS = frozenset(
    {"song", "guitar", "rhythm", "lead", "bass", "drums", "drum", "percussion", "vocals", "vocal", "voice"}
    | {"choir", "other", "accompaniment", "keys", "piano", "organ", "strings", "brass", "winds", "synth"}
    | {"crowd", "backing", "soprano", "alto", "tenor", "violin", "viola", "cello", "mixture", "mix"}
)
"""File names, without extension and in lower case, that mark a stem."""

MIXES = ("mixture", "mix")
"""Names among `STEMS` of the sum of the others."""

STEM_LENGTH_TOLERANCE_S = 0.1

SPLITS = {"train": "training", "valid": "validation"}
"""Names of folders that stand for a split of another name."""


class FolderSource(Source):
    """See the module's docstring."""

    def __init__(self, folder: Path) -> None:
        self._root = folder.resolve()
        if not self._root.is_dir():
            raise InputError("a folder of audio files", repr(str(folder)), "no such folder")
        self.spelling = f"folder:{printable(self._root.name)}"
        self._pieces, self._links = _listing(self._root)
        tops = {name.partition("/")[0] for name in self._pieces if "/" in name}
        self._has_splits = bool(tops & {"train", "training"})
        if not self._pieces:
            legal, cause = sorted(suffix[1:] for suffix in FORMATS), "no file of a format that is read"
            raise InputError("a folder of audio files", repr(str(folder)), cause, legal)
        self._seen: dict[Path, tuple[Audio, str]] = {}
        self._skipped: dict[str, Skipped] = {}

    def clips(self) -> Iterator[Clip]:
        """Clips in the order of their names."""
        owners: dict[tuple[str, ...], str] = {}
        for name, paths in self._pieces.items():
            found = self._examine(paths)
            reason = _fault(paths, [audio for audio, _ in found])
            owner = owners.setdefault(tuple(digest for _, digest in found), name)
            if reason is None and owner != name:
                reason = f"the same content as {owner}"
            if reason is not None:
                self._skipped[name] = Skipped(name, reason)
            else:
                clip = _clip(name, [audio for audio, _ in found])
                yield _with_split(clip) if self._has_splits else clip

    def read(
        self,
        clip: Clip,
        sample_rate_hz: int,
        *,
        start_s: float = 0.0,
        duration_s: float | None = None,
        channels: int = 1,
    ) -> NDArray[np.float32]:
        """Decode, mix and resample; stems are summed as they are, with no gain."""
        if clip.name not in self._pieces:
            raise InputError(f"a clip of {self.spelling}", repr(clip.name), "a clip of another source")
        first, count = sample_span(clip, sample_rate_hz, start_s=start_s, duration_s=duration_s)
        total = np.zeros((clip.channels, count), np.float32)
        for path in self._pieces[clip.name]:
            total += to_channels(read_part(path, sample_rate_hz, first, count), clip.channels, name=clip.name)
        return to_channels(total, channels, name=clip.name)

    def ledger(self) -> tuple[Skipped, ...]:
        """What was left out so far: complete once `clips` has been run through."""
        return tuple(sorted([*self._links, *self._skipped.values()], key=lambda entry: entry.name))

    def fingerprint(self) -> str:
        """Over every listed audio file, usable or not, so that it needs no decoding."""
        digest = hashlib.sha256()
        for name, paths in self._pieces.items():
            for path in paths:
                row = (name, printable(path.name), str(path.stat().st_size), content_hash(path))
                digest.update("\0".join(row).encode() + b"\n")
        return digest.hexdigest()

    def _examine(self, paths: tuple[Path, ...]) -> list[tuple[Audio, str]]:
        """What the files hold and their hashes; each file is decoded once in the life of the source."""
        for path in paths:
            if path not in self._seen:
                audio = examine(path)
                self._seen[path] = audio, "" if audio.fault else content_hash(path)
        return [self._seen[path] for path in paths]


def _listing(root: Path) -> tuple[dict[str, tuple[Path, ...]], list[Skipped]]:
    """Pieces by name with their files, sorted; and what is not even opened."""
    pieces: dict[str, tuple[Path, ...]] = {}
    passed: list[Skipped] = []
    for folder, subfolders, files in os.walk(root, followlinks=False):
        here = Path(folder)
        visible = [here / name for name in sorted([*subfolders, *files]) if not name.startswith(".")]
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        reasons = {path: _passed_over(path, root) for path in visible}
        passed += [Skipped(_name(path, root), reason) for path, reason in reasons.items() if reason]
        audio = [p for p in visible if p.suffix.lower() in FORMATS and p.is_file() and not reasons[p]]
        if here != root and _are_stems(here, audio):
            pieces[_name(here, root)] = tuple(_mix(audio) or audio)
        else:
            pieces |= {_name(path, root): (path,) for path in audio}
    return dict(sorted(pieces.items())), passed


def _passed_over(path: Path, root: Path) -> str | None:
    """Why a path is not opened at all, or None."""
    if path.is_symlink():
        if path.is_dir():
            return "a link to a folder is not followed"
        if path.suffix.lower() in FORMATS and not path.resolve().is_relative_to(root):
            return "a link out of the folder is not followed"
        if path.suffix.lower() in FORMATS and not path.is_file():
            return "a link to nothing"
    if path.suffix.lower() in UNREAD and path.is_file():
        return f"{path.suffix[1:].lower()} is not decoded here"
    return None


def _name(path: Path, root: Path) -> str:
    return printable(path.relative_to(root).as_posix())


def _are_stems(folder: Path, audio: list[Path]) -> bool:
    """The convention of the module's docstring."""
    marked = folder.name.lower().endswith("stems")
    return len(audio) > 1 and (marked or all(path.stem.lower() in STEMS for path in audio))


def _mix(audio: list[Path]) -> list[Path]:
    """The full mix among stems, if there is one."""
    return [path for path in audio if path.stem.lower() in MIXES][:1]


def _fault(paths: tuple[Path, ...], audio: list[Audio]) -> str | None:
    """Why a piece cannot be used; the file is named where there are several."""
    for path, one in zip(paths, audio, strict=True):
        if one.fault:
            return one.fault if len(paths) == 1 else f"{printable(path.name)}: {one.fault}"
    lengths_s = [one.frames / one.sample_rate_hz for one in audio]
    if max(lengths_s) - min(lengths_s) > STEM_LENGTH_TOLERANCE_S:
        return f"stems of unequal length: {min(lengths_s):.2f} s to {max(lengths_s):.2f} s"
    return audio[0].dull if all(one.dull for one in audio) else None


def _clip(name: str, audio: list[Audio]) -> Clip:
    """The record of a piece; tags come from the first file that has them."""
    longest = max(audio, key=lambda one: one.frames / one.sample_rate_hz)
    return Clip(
        piece=name,
        name=name,
        duration_s=longest.frames / longest.sample_rate_hz,
        sample_rate_hz=longest.sample_rate_hz,
        channels=max(one.channels for one in audio),
        title=next((one.title for one in audio if one.title), None),
        artist=next((one.artist for one in audio if one.artist), None),
        licence=next((one.licence for one in audio if one.licence), None),
        group=name.rpartition("/")[0] or None,
    )


def _with_split(clip: Clip) -> Clip:
    """The split that a clip's first folder names, and the group without it."""
    split, _, rest = clip.name.partition("/")
    return replace(clip, split=SPLITS.get(split, split), group=rest.rpartition("/")[0] or None)


def open_source(argument: str | None, *, name: str) -> FolderSource:
    """Open ``folder:PATH``."""
    if argument is None:
        raise InputError(f"{name}:PATH", repr(name), "the path is missing")
    return FolderSource(Path(argument).expanduser())


def write_example(folder: Path, *, name: str) -> str:
    """A tiny folder of music for the contract tests: two pieces of noise, and one file that is none."""
    import soundfile

    generator = np.random.default_rng(0)
    for rate, file in ((22050, "one.wav"), (44100, "sub/two.flac")):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / file, 0.1 * generator.standard_normal((2 * rate, 2)), rate)
    (folder / "broken.mp3").write_text(f"no {name} at all")
    return str(folder)
