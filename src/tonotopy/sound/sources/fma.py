"""FMA, a data set for music analysis: 8,000 to 106,574 tracks with artist, genre, split and licence.

``fma-small:PATH`` (and medium, large, full), where PATH holds ``fma_small/`` and ``fma_metadata/``, or is
``fma_small`` itself. Sizes are nested: a larger set serves a smaller one, except that ``fma_full`` holds
whole tracks and so serves itself alone. The piece is the artist, because tracks of one artist are not
independent; without ``tracks.csv`` (or ``tracks.csv.gz``) it is the track, and the ledger says so.

Headers are checked, samples are not: decoding all of a set first would take from minutes (small) to hours. A
clip that turns out to be damaged when read raises and is entered in the ledger.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.sound.sources._audio import Audio, content_hash, examine, read_part
from tonotopy.sound.sources._contract import Clip, Skipped, Source, sample_span, to_channels
from tonotopy.sound.sources._fma_download import download
from tonotopy.sound.sources._fma_tracks import Track, read_tracks

__all__ = ["FmaSource", "download", "open_source", "write_example"]

NAMES = ("fma-small", "fma-medium", "fma-large", "fma-full")
CITATION = "Defferrard, Benzi, Vandergheynst, Bresson: FMA, a dataset for music analysis, ISMIR 2017"
LICENCE = "each track's own, in tracks.csv (often non-commercial); metadata CC BY 4.0"

SIZES = ("small", "medium", "large", "full")
"""Nested: each holds the ones before it."""

TOO_SHORT = frozenset({98565, 98567, 98569})
NO_AUDIO = frozenset({99134, 108925, 133297})
"""Clips that are known to be bad in the released archives."""

_TABLES = ("tracks.csv", "tracks.csv.gz")
_FILE = re.compile(r"\d{6}\.mp3")


class FmaSource(Source):
    """See the module's docstring."""

    def __init__(self, path: Path, *, name: str) -> None:
        self.spelling, self._size = name, name.removeprefix("fma-")
        self._audio, self._table = _layout(path, self._size)
        self._skipped: dict[str, Skipped] = {}
        self._tracks: dict[int, Track] = {}
        self._seen: dict[int, Audio] = {}
        if self._table is None:
            self._note("fma_metadata", "no tracks.csv: each track counts as a piece of its own")
        else:
            self._tracks, bad = read_tracks(self._table)
            self._skipped |= {entry.name: entry for entry in bad}
        self._members = self._list_members()
        if not self._members:
            raise InputError(f"{name}:PATH with tracks of {name}", repr(str(path)), "no mp3 file is a member")

    def clips(self) -> Iterator[Clip]:
        """Clips in the order of their track numbers."""
        for number in self._members:
            if number not in self._seen:
                self._seen[number] = examine(self._path(number), decode=False)
            audio, bad = self._seen[number], _known_bad(number, self._size)
            if bad or audio.fault:
                self._note(_name(number), bad or str(audio.fault))
            else:
                yield _clip(number, audio, self._tracks.get(number))

    def read(
        self,
        clip: Clip,
        sample_rate_hz: int,
        *,
        start_s: float = 0.0,
        duration_s: float | None = None,
        channels: int = 1,
    ) -> NDArray[np.float32]:
        """Decode and resample a part; a damaged clip raises and is entered in the ledger."""
        number = int(Path(clip.name).stem) if _FILE.fullmatch(Path(clip.name).name) else -1
        if number not in self._members:
            raise InputError(f"a clip of {self.spelling}", repr(clip.name), "a clip of another source")
        first, count = sample_span(clip, sample_rate_hz, start_s=start_s, duration_s=duration_s)
        try:
            sound = read_part(self._path(number), sample_rate_hz, first, count)
        except InputError as error:
            self._note(clip.name, error.cause)
            raise
        return to_channels(sound, channels, name=clip.name)

    def ledger(self) -> tuple[Skipped, ...]:
        """What was left out so far: complete once `clips` has been run through."""
        return tuple(sorted(self._skipped.values(), key=lambda entry: entry.name))

    def fingerprint(self) -> str:
        """Over the table of tracks and every member's file."""
        digest = hashlib.sha256()
        digest.update((content_hash(self._table) if self._table else "no table").encode() + b"\n")
        for number in self._members:
            path = self._path(number)
            digest.update(
                "\0".join((_name(number), str(path.stat().st_size), content_hash(path))).encode() + b"\n"
            )
        return digest.hexdigest()

    def _path(self, number: int) -> Path:
        return self._audio / _name(number)

    def _note(self, name: str, reason: str) -> None:
        self._skipped[name] = Skipped(name, reason)

    def _list_members(self) -> dict[int, None]:
        """Track numbers of this size that have a file, in order; the ledger notes the others."""
        files = self._audio.glob("[0-9][0-9][0-9]/*.mp3")
        there = {int(path.stem) for path in files if _is_own(path, self._audio)}
        if not self._tracks:
            return dict.fromkeys(sorted(there))
        sizes = SIZES[: SIZES.index(self._size) + 1]
        listed = {n for n, track in self._tracks.items() if track.subset in sizes or self._size == "full"}
        for number in listed - there:
            self._note(_name(number), "listed in tracks.csv, but there is no such file")
        for number in there - self._tracks.keys():
            self._note(_name(number), "not listed in tracks.csv")
        return dict.fromkeys(sorted(listed & there))


def _layout(path: Path, size: str) -> tuple[Path, Path | None]:
    """The folder of audio and the table of tracks, if there is one."""
    larger = ("full",) if size == "full" else SIZES[SIZES.index(size) : -1]
    wanted = [f"fma_{one}" for one in larger]
    root = path.expanduser().resolve()
    folders = [root] if root.name in wanted else [root / name for name in wanted]
    audio = next((folder for folder in folders if folder.is_dir()), None)
    if audio is None:
        legal = [f"{name}/" for name in wanted]
        raise InputError(f"a folder with FMA's {size} set", repr(str(path)), "no such folder in it", legal)
    places = [place / name for place in (audio.parent / "fma_metadata", audio.parent) for name in _TABLES]
    return audio, next((place for place in places if place.is_file()), None)


def _is_own(path: Path, root: Path) -> bool:
    """A track's file, and not a link that leads out of the data set."""
    return bool(_FILE.fullmatch(path.name)) and path.is_file() and path.resolve().is_relative_to(root)


def _name(number: int) -> str:
    """Where FMA keeps a track.

    Examples
    --------
    >>> _name(2)
    '000/000002.mp3'
    """
    return f"{number // 1000:03d}/{number:06d}.mp3"


def _known_bad(number: int, size: str) -> str | None:
    """Why a clip of the released archives is known to be unusable."""
    if number in NO_AUDIO:
        return "a known bad clip of FMA: no audio"
    if number in TOO_SHORT and size != "full":
        return "a known bad clip of FMA: 1.6 s or less"
    return None


def _clip(number: int, audio: Audio, track: Track | None) -> Clip:
    """The record of a track; the file's own tags stand in for what the table lacks."""
    artist = track.artist_id or track.artist if track else None
    return Clip(
        piece=f"artist {artist}" if artist else f"track {number}",
        name=_name(number),
        duration_s=audio.frames / audio.sample_rate_hz,
        sample_rate_hz=audio.sample_rate_hz,
        channels=audio.channels,
        title=(track.title if track else None) or audio.title,
        artist=(track.artist if track else None) or audio.artist,
        licence=(track.licence if track else None) or audio.licence,
        group=track.genre if track else None,
        split=track.split if track else None,
    )


def open_source(argument: str | None, *, name: str) -> FmaSource:
    """Open ``fma-small:PATH`` and its larger sisters."""
    if argument is None:
        raise InputError(f"{name}:PATH", repr(name), "the path is missing")
    return FmaSource(Path(argument), name=name)


def write_example(folder: Path, *, name: str) -> str:
    """Three tracks by two artists in FMA's layout, and a row without a file."""
    import soundfile

    generator = np.random.default_rng(0)
    audio, table = folder / name.replace("-", "_"), folder / "fma_metadata" / "tracks.csv"
    for number in (2, 5, 1000):
        path = audio / _name(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * generator.standard_normal((44100, 2)), 44100)
    table.parent.mkdir(exist_ok=True)
    rows = ["2,1,AWOL,training,small,Hip-Hop", "5,1,AWOL,test,small,Pop", "1000,7,Nil,training,small,Rock"]
    head = [",artist,artist,set,set,track", ",id,name,split,subset,genre_top", "track_id,,,,,"]
    table.write_text("\n".join([*head, *rows, "1001,8,Gone,training,small,Rock"]) + "\n", encoding="utf-8")
    return str(folder)
