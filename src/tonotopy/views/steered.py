"""Steered sounds on a page: before, after, the partial really added; equally loud, credited, decoded by the browser.

They are in ``tables/steered_sounds.parquet``, FLAC bytes in its column ``audio``, and are checked as those of features
are (:mod:`tonotopy.views.players`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Final

import pandas as pd

from tonotopy.views._cause_schema import SOUNDS
from tonotopy.views.players import PAGE_BYTES, UNCREDITED, Player, address, sounds_of
from tonotopy.views.tables import RunTables
from tonotopy.views.words import count, missing, number

FILE: Final = "tables/steered_sounds.parquet"
#: Sounds of one page.
PAGE_SOUNDS: Final = 60


@dataclass(frozen=True)
class Steered:
    """The sounds of one frequency at one site."""

    title: str
    credit: str
    players: tuple[Player, ...]


@dataclass(frozen=True)
class SteeredListening:
    """All that can be heard of steering on a page, and how much of a run was left out."""

    sets: tuple[Steered, ...]
    left_out: str


def steered_listening(
    run: RunTables, *, most_bytes: int = PAGE_BYTES, most: int = PAGE_SOUNDS
) -> SteeredListening:
    """Sounds by site and frequency; whole sets, as many as a page should hold.

    Raises
    ------
    RunError
        The table of sounds is too large, or holds something else than FLAC.
    """
    rows = run.steered_sounds
    if rows.empty:
        return SteeredListening((), "")
    sounds = sounds_of(run.folder, FILE, len(rows))
    entries = sorted(
        (int(row["order"]), str(row["site"]), float(row["frequency_hz"]), SOUNDS.index(str(row["sound"])), at)
        for at, (_, row) in enumerate(rows.iterrows())
    )
    found: list[Steered] = []
    size = heard = 0
    for (_, site, hz), of_set in groupby(entries, key=lambda entry: entry[:3]):
        places = [entry[-1] for entry in of_set]
        size += sum(len(sounds[at]) for at in places)
        if heard + len(places) > most or size > most_bytes:
            break
        heard += len(places)
        players = tuple(_player(rows.iloc[at], sounds[at]) for at in places)
        found.append(Steered(f"{site}, {number(hz)} Hz", players[0].credit, players))
    left = len(rows) - heard
    words = f"{count(left, 'more sound')} in the table “steered_sounds” of the run." if left else ""
    return SteeredListening(tuple(found), words)


def _player(row: pd.Series, sound: bytes) -> Player:
    gain = row["near_gain_db"]
    words = "" if missing(gain) or row["sound"] == "before" else f", {gain:+.1f} dB at f"
    return Player(address(sound), f"{row['sound']}{words}", _credit(row))


def _credit(row: pd.Series) -> str:
    title, artist, licence = (
        row[name] if isinstance(row[name], str) and row[name] else ""
        for name in ("title", "artist", "licence")
    )
    named = f"“{title}”" if title else f"piece {row['piece']}"
    return f"{named}, artist {artist or UNCREDITED}, licence {licence or UNCREDITED}"
