"""Claim 9: fragments and partial mixtures map many-to-many, less so as the view grows. Of sound, not of a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tonotopy.judgement.claims._contract import (
    NO_SITE,
    NOT_SUPPORTED,
    SUPPORTED,
    UNDETERMINED,
    Answer,
    Claim,
    Found,
    Study,
    Unanswerable,
    defined,
    largest,
)

NAMES = ("many-to-many",)
CITATION = "Cosme 2026, posts 0 and 1"
LICENCE = "MIT"

#: Share of the entropy that must stay open in both directions at the shortest view.
OPEN = 0.5
#: A fall of less than this is none.
MARGIN = 0.05
DIRECTIONS = ("spectrum given fragment", "fragment given spectrum")
COLUMNS = ("view", "clusters", "direction", "ratio", "ratio_low", "ratio_high", "null")

CLAIM = Claim(
    number=9,
    sentence="fragments and partial mixtures map many-to-many, less so as the view grows",
    source=CITATION,
    measure=(
        "What stays open of a fragment's spectrum given its fragment cluster, and of the fragment given the spectrum "
        "cluster: conditional entropy over entropy, over the same under shuffled pairings, at the shortest and at the "
        "longest view; at the middle one of the cluster counts that were measured."
    ),
    tables={"ambiguity": COLUMNS},
    effect=(
        "effect: how much less stays open at the longest view than at the shortest, in the direction that falls less, "
        "between the ends of both intervals; null: 0, where shuffled pairings are at every view; no power is measured"
    ),
    rule=(
        "Many-to-many where the low end at the shortest view is above `open` in both directions. Supported where it is "
        "many-to-many and the intervals of the two views do not overlap in either direction, the longer below. Not "
        "supported where in a direction less than `open` stays open at the shortest view (high end), or the fall is "
        "at most `margin` (its high end). Else undetermined."
    ),
    nulls=("shuffled pairings of fragments and spectra",),
    supported_by="music: at 4 samples nearly everything stays open",
    refuted_by="sounds of a few fixed waveforms: each fragment has one spectrum",
    thresholds={"open": OPEN, "margin": MARGIN},
)


def answer(study: Study) -> list[Answer]:
    """Once: it is about the music of the study."""
    table = study.table("ambiguity", COLUMNS)
    study.need_pieces(largest(table["n_pieces"].min()) if "n_pieces" in table else None)
    counts = np.sort(table["clusters"].unique())
    clusters = int(counts[(len(counts) - 1) // 2])
    table = table[table["clusters"] == clusters]
    parts = {name: _direction(table[table["direction"] == name]) for name in DIRECTIONS}
    return [_found(parts, clusters).at(study, NO_SITE)]


@dataclass(frozen=True)
class Fall:
    """What stays open in one direction, each as (value, low, high), and how much less it becomes."""

    short: tuple[float, float, float]
    long: tuple[float, float, float]
    views: tuple[int, int]

    @property
    def fall(self) -> tuple[float, float, float]:
        """Short less long, between the ends of both intervals."""
        return self.short[0] - self.long[0], self.short[1] - self.long[2], self.short[2] - self.long[1]


def _direction(rows: pd.DataFrame) -> Fall:
    rows = rows[rows["null"] > 0].sort_values("view")
    if len(rows) < 2:
        raise Unanswerable("fewer than two views of sound were measured")
    first, last = rows.iloc[0], rows.iloc[-1]
    return Fall(_open(first), _open(last), (int(first["view"]), int(last["view"])))


def _open(row: pd.Series) -> tuple[float, float, float]:
    value, low, high = (
        float(row[name]) / float(row["null"]) for name in ("ratio", "ratio_low", "ratio_high")
    )
    return value, low, high


def _found(parts: dict[str, Fall], clusters: int) -> Found:
    falls = [part.fall for part in parts.values()]
    effect, low, high = min(falls)
    views = next(iter(parts.values())).views
    told = [
        f"{name}: {part.short[0]:.2f} [{part.short[1]:.2f}, {part.short[2]:.2f}] stays open, then "
        f"{part.long[0]:.2f} [{part.long[1]:.2f}, {part.long[2]:.2f}]"
        for name, part in parts.items()
    ]
    words = f"{clusters} clusters, {views[0]:,} to {views[1]:,} samples; {'; '.join(told)}"
    if not all(defined(*part.short, *part.long) for part in parts.values()):
        return Found(UNDETERMINED, f"{words}; undefined", effect, low, high, 0.0)
    shortest = [part.short for part in parts.values()]
    if any(short[2] <= OPEN for short in shortest):
        return Found(
            NOT_SUPPORTED, f"{words}; one says the other at the shortest view", effect, low, high, 0.0
        )
    if any(fall[2] <= MARGIN for fall in falls):
        return Found(NOT_SUPPORTED, f"{words}; it does not fall", effect, low, high, 0.0)
    if all(short[1] > OPEN for short in shortest) and all(fall[1] > 0 for fall in falls):
        return Found(SUPPORTED, words, effect, low, high, 0.0)
    return Found(UNDETERMINED, f"{words}; intervals overlap", effect, low, high, 0.0)
