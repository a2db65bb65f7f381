"""Strongest fragments of features as sounds on a page: bounded, checked, credited, and decoded by the browser alone.

The sound is in the run: ``tables/players.parquet`` holds FLAC bytes in its column ``audio``, one row a
fragment. They may come from anybody. Nothing here decodes them: they must start as FLAC streams do, may be so
many and so large and no more, and stand on the page as data addresses, which a browser plays, or refuses, by
itself.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from markupsafe import Markup

from tonotopy.core.errors import RunError
from tonotopy.views._feature_rows import place_of, trained
from tonotopy.views._reading import inside
from tonotopy.views.tables import RunTables
from tonotopy.views.words import count

FILE: Final = "tables/players.parquet"
#: Bytes of the file, of one sound, and of all sounds on one page; and how many sounds a page has.
FILE_BYTES: Final = 128 * 2**20
SOUND_BYTES: Final = 4 * 2**20
PAGE_BYTES: Final = 24 * 2**20
PAGE_SOUNDS: Final = 240
#: A FLAC stream starts with its name and a STREAMINFO block of 34 bytes (RFC 9639, § 8), last of its kind or not.
STARTS: Final = (b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22")
LEAST_BYTES: Final = 42
UNCREDITED: Final = "not named"


@dataclass(frozen=True)
class Player:
    """One fragment: its sound as a data address, what it is, and whom to thank."""

    uri: str
    label: str
    credit: str


@dataclass(frozen=True)
class Kind:
    """The fragments of one kind of feature."""

    name: str
    sentence: str
    players: tuple[Player, ...]


@dataclass(frozen=True)
class Place:
    """The kinds of one source of features at one site."""

    title: str
    kinds: tuple[Kind, ...]

    @property
    def sounds(self) -> str:
        """How many there are, in words."""
        return count(sum(len(kind.players) for kind in self.kinds), "sound")


@dataclass(frozen=True)
class Listening:
    """All that can be heard on a page, and how much of a run was left out."""

    places: tuple[Place, ...]
    left_out: str


def listening(run: RunTables, *, most_bytes: int = PAGE_BYTES, most: int = PAGE_SOUNDS) -> Listening:
    """The fragments of a run as players, by site, source and kind.

    Where there are more than a page should hold, every kind of every site gets its first fragment before any gets its
    second.

    Raises
    ------
    RunError
        The table of players is too large, or holds something else than FLAC.
    """
    rows = run.players
    if rows.empty:
        return Listening((), "")
    sounds = sounds_of(run.folder, FILE, len(rows))
    chosen = _chosen(rows, [len(sound) for sound in sounds], most_bytes, most)
    left = len(rows) - len(chosen)
    words = f"{count(left, 'more sound')} in the table “players” of the run." if left else ""
    return Listening(_places(run, rows.iloc[chosen], [sounds[at] for at in chosen]), words)


def sounds_of(folder: Path, name: str, many: int) -> list[bytes]:
    """FLAC bytes of each row of a table with sounds, in its order.

    Raises
    ------
    RunError
        The file is too large, has not so many rows, or holds something else than FLAC.
    """
    inside(folder, name, FILE_BYTES)
    try:
        with pq.ParquetFile(folder / name) as file:
            if "audio" not in file.schema_arrow.names:
                raise RunError(f"column 'audio' in {name}", "none", "a run of another version")
            column = file.read(columns=["audio"]).column("audio")
    except (pa.ArrowException, OSError) as error:
        raise RunError(f"a Parquet table in {name}", type(error).__name__, "a damaged file") from error
    if not (pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
        raise RunError(f"bytes in column 'audio' of {name}", str(column.type), "a run of another version")
    if len(column) != many:
        raise RunError(f"{many:,} sounds in {name}", f"{len(column):,}", "a run that changed")
    longest = pc.max(pc.binary_length(column)).as_py() or 0
    if longest > SOUND_BYTES:
        raise RunError(f"sounds of at most {SOUND_BYTES:,} bytes in {name}", f"{longest:,} bytes")
    found = [sound or b"" for sound in column.to_pylist()]
    for sound in found:
        if len(sound) < LEAST_BYTES or not sound.startswith(STARTS):
            raise RunError(f"FLAC in column 'audio' of {name}", repr(sound[:4]), "a file from elsewhere")
    return found


def address(sound: bytes) -> Markup:
    """A sound as a data address."""
    uri = "data:audio/flac;base64," + base64.b64encode(sound).decode("ascii")
    return Markup(uri)  # noqa: S704 (our own letters)


def _chosen(rows: pd.DataFrame, sizes: Sequence[int], most_bytes: int, most: int) -> list[int]:
    """Positions of the rows that a page holds, ascending: first fragments of every kind first."""
    turn = rows.groupby(["site", "source", "kind"], sort=False).cumcount()
    order = turn.to_numpy().argsort(kind="stable")
    found: list[int] = []
    total = 0
    for at in order:
        if len(found) == most or total + sizes[at] > most_bytes:
            break
        found.append(int(at))
        total += sizes[at]
    return sorted(found)


def _places(run: RunTables, rows: pd.DataFrame, sounds: Sequence[bytes]) -> tuple[Place, ...]:
    sentences = _sentences(run)
    credits_of = {int(row["number"]): credit(row) for _, row in run.pieces.iterrows()}
    many = len(set(rows["source"])) > 1
    entries = sorted(
        (
            (
                int(row["order"]),
                str(row["site"]),
                str(row["source"]),
                place_of(str(row["kind"])),
                str(row["kind"]),
            ),
            at,
        )
        for at, (_, row) in enumerate(rows.iterrows())
    )
    places = []
    for (_, site, source), of_place in groupby(entries, key=lambda entry: entry[0][:3]):
        kinds = []
        for kind, of_kind in groupby(of_place, key=lambda entry: entry[0][4]):
            players = tuple(_player(rows.iloc[at], sounds[at], credits_of) for _, at in of_kind)
            kinds.append(Kind(kind, sentences.get((site, source, kind), ""), players))
        places.append(Place(f"{site} · {source}" if many else site, tuple(kinds)))
    return tuple(places)


def _player(row: pd.Series, sound: bytes, credits_of: dict[int, str]) -> Player:
    label = f"{row['feature']}, from {row['start_s']:.2f} s" if row["start_s"] >= 0 else str(row["feature"])
    return Player(address(sound), label, credits_of[int(row["piece"])])


def credit(row: pd.Series) -> str:
    """Title, artist and licence of a piece; what a file does not say is said to be not named."""
    title, artist, licence = (_word(row[name]) for name in ("title", "artist", "licence"))
    title = title or _word(row["name"])
    named = f"“{title}”" if title else f"piece {row['number']}"
    return f"{named}, artist {artist or UNCREDITED}, licence {licence or UNCREDITED}"


def _sentences(run: RunTables) -> dict[tuple[str, str, str], str]:
    """The sentence of each kind at each site and source."""
    rows = trained(run.kinds).dropna(subset=["sentence"])
    keys: Iterable[tuple[str, str, str]] = zip(rows["site"], rows["source"], rows["kind"], strict=True)
    return dict(zip(keys, map(str, rows["sentence"]), strict=True))


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""
