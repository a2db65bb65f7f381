"""FMA's ``tracks.csv``: three header lines, 52 columns; seven of them are read, as text and within bounds."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pandas as pd

from tonotopy.core.errors import InputError
from tonotopy.sound.sources._contract import Skipped
from tonotopy.sound.sources._text import tidy

LONGEST_BYTES = 1 << 30
"""The released table has 260 MB; a compressed one may not unpack to more than this."""

MOST_ROWS = 1_000_000

COLUMNS = {
    "artist_id": ("artist", "id"),
    "artist": ("artist", "name"),
    "split": ("set", "split"),
    "subset": ("set", "subset"),
    "genre": ("track", "genre_top"),
    "licence": ("track", "license"),
    "title": ("track", "title"),
}
"""Field of `Track` by the two header lines of its column; a column that is absent gives None."""


@dataclass(frozen=True)
class Track:
    """One row, tidied."""

    artist_id: str | None = None
    artist: str | None = None
    split: str | None = None
    subset: str | None = None
    genre: str | None = None
    licence: str | None = None
    title: str | None = None


def read_tracks(path: Path) -> tuple[dict[int, Track], list[Skipped]]:
    """Tracks by number, and the rows that have none."""
    try:
        table = _read_table(path)
    except (OSError, EOFError, ValueError, csv.Error) as error:
        cause = f"damaged, or another file of that name ({type(error).__name__})"
        raise InputError("FMA's table of tracks", repr(path.name), cause) from error
    numbers = pd.to_numeric(table.pop("track_id"), errors="coerce")
    usable = numbers.notna() & (numbers % 1 == 0) & numbers.between(0, 999_999) & ~numbers.duplicated()
    bad = [Skipped(f"tracks.csv row {row + 4}", "no track number of its own") for row in table.index[~usable]]
    records = table[usable].to_dict("records")
    tracks = {
        int(number): Track(**{str(field): tidy(text) for field, text in record.items()})
        for number, record in zip(numbers[usable], records, strict=True)
    }
    return dict(sorted(tracks.items())), bad


def _read_table(path: Path) -> pd.DataFrame:
    """The wanted columns under the names of `Track`'s fields, all text."""
    with _open_text(path) as file:
        top, below, _ = (next(csv.reader([file.readline(1 << 16)])) for _ in range(3))
        header = list(zip(top, below, strict=True))
        places = {0: "track_id"} | {header.index(c): field for field, c in COLUMNS.items() if c in header}
        if len(places) == 1:
            raise ValueError("none of the columns is there")
        table = pd.read_csv(
            file,
            header=None,
            usecols=sorted(places),
            dtype=str,
            keep_default_na=False,
            nrows=MOST_ROWS,
        )
    return table.rename(columns=places)


def _open_text(path: Path) -> IO[str]:
    """The table as text, plain or gzipped, never more than `LONGEST_BYTES` of it."""
    raw: Any = gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # noqa: SIM115 - closed by its owner
    return io.TextIOWrapper(io.BufferedReader(_Bounded(raw)), encoding="utf-8", errors="replace", newline="")


if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class _Bounded(io.RawIOBase):
    """A stream that refuses to give more than `LONGEST_BYTES`."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw, self._given = raw, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        block = self._raw.read(len(view))
        self._given += len(block)
        if self._given > LONGEST_BYTES:
            raise ValueError(f"more than {LONGEST_BYTES} bytes")
        view[: len(block)] = block
        return len(block)

    def close(self) -> None:
        self._raw.close()
        super().close()
