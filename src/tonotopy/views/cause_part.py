"""What a page tells of interventions, but its figures: sentences, tables, sounds, and what can be taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from tonotopy.views.causes import (
    DOSE,
    MEANS,
    REUSE_MEANS,
    beyond_random,
    percent_of,
    reuse_rows,
    reuse_sentences,
    steering_sentences,
)
from tonotopy.views.feature_part import Download
from tonotopy.views.grids import Column, Grid
from tonotopy.views.steered import SteeredListening, steered_listening
from tonotopy.views.tables import RunTables
from tonotopy.views.words import decimal, missing, number

#: Figures of what directions do, in reading order: short name, and the table without which a figure is left out.
FIGURES: Final = {"steering": ("Steering", "steering"), "reuse": ("Reuse", "reuse")}
#: Tables that can be taken from the page, with their words.
DOWNLOADS: Final = {"steering": "All doses and controls (CSV)", "reuse": "Reuse at every frequency (CSV)"}


@dataclass(frozen=True)
class CausePart:
    """What the page tells of interventions; nothing of it is on the page of a run whose study did not ask."""

    steering: tuple[str, ...]
    reuse: tuple[str, ...]
    steering_grid: Grid
    reuse_grid: Grid
    listening: SteeredListening
    downloads: tuple[Download, ...]
    figures: dict[str, str]  # name: short name
    means: str = MEANS
    reuse_means: str = REUSE_MEANS


def cause_part(run: RunTables, *, audio: bool = True) -> CausePart | None:
    """What there is to tell of interventions; None where a study did not ask.

    Raises
    ------
    RunError
        The sounds are too large, or no FLAC.
    """
    if not run.has_causes:
        return None
    there = {name for name in DOWNLOADS if len(getattr(run, name))}
    return CausePart(
        steering=tuple(steering_sentences(run)),
        reuse=tuple(reuse_sentences(run)),
        steering_grid=steering_grid(run),
        reuse_grid=reuse_grid(run),
        listening=steered_listening(run) if audio else SteeredListening((), ""),
        downloads=tuple(
            Download(words, f"data/all-{name}.csv", getattr(run, name))
            for name, words in DOWNLOADS.items()
            if name in there
        ),
        figures={name: short for name, (short, table) in FIGURES.items() if table in there},
    )


def steering_grid(run: RunTables) -> Grid:
    """One row a site and frequency at dose 1, beside random directions and the partial itself; why where undefined."""
    heads: tuple[str, ...] = (
        "site",
        "read of",
        "Hz",
        "specificity",
        "random",
        "partial itself",
        "of levels",
        "random",
    )
    heads += ("partial itself", "p", "gain", "random", "partial itself", "leakage", "necessity", "note")
    at_dose = run.steering[run.steering["strength"] == DOSE]
    keys = ["site", "heard", "frequency_hz"]
    of_random = at_dose[at_dose["kind"] == "random"].groupby(keys)[_NUMBERS].mean()
    random: dict[Any, dict[str, float]] = {key: dict(row) for key, row in of_random.iterrows()}
    rows = []
    for _, row in at_dose[at_dose["kind"] == "own"].iterrows():
        key = (row["site"], row["heard"], row["frequency_hz"])
        rows.append(_steered(row, random.get(key, {})))
    return Grid(tuple(Column(head, 1 < at < len(heads) - 1) for at, head in enumerate(heads)), tuple(rows))


_NUMBERS = ["specificity", "specificity_level", "gain_db", "gain"]


def _steered(row: pd.Series, null: dict[str, float]) -> tuple[str, ...]:
    sound = row["heard"] == "sound"
    gain, unit = ("gain_db", " dB") if sound else ("gain", "")
    added = row["present_gain_db"] if sound else 1.0
    p = row["p_level"] if sound else row["p"]
    return (
        str(row["site"]),
        str(row["heard"]),
        number(row["frequency_hz"]),
        _with_ends(row, "specificity"),
        decimal(null.get("specificity")),
        decimal(row["present_specificity"]) if sound else decimal(1.0),
        _with_ends(row, "specificity_level") if sound else "–",
        decimal(null.get("specificity_level")) if sound else "–",
        decimal(row["present_specificity_level"]) if sound else "–",
        decimal(p),
        _with_ends(row, gain) + ("" if missing(row[gain]) else unit),
        decimal(null.get(gain)),
        decimal(added),
        decimal(row["leakage"]) if sound else "–",
        _with_ends(row, "necessity"),
        str(row["reason"] or ""),
    )


def reuse_grid(run: RunTables) -> Grid:
    """One row a site and later site: medians over frequencies; untrained copies beside."""
    heads: tuple[str, ...] = ("site", "later site", "lost", "random", "other targets", "own less random")
    heads += ("untrained", "surely read", "of")
    untrained = beyond_random(run, "floor")
    rows = tuple(
        (
            str(row["site"]),
            str(row["later_site"]),
            *(percent_of(row[name]) for name in ("lost", "lost_random", "lost_other", "beyond")),
            percent_of(untrained.get((str(row["site"]), str(row["later_site"])), float("nan"))),
            "undefined" if missing(row["n_read"]) else f"{row['n_read']:.0f}",
            f"{row['n_defined']}",
        )
        for _, row in reuse_rows(run).iterrows()
    )
    return Grid(tuple(Column(head, at > 1) for at, head in enumerate(heads)), rows)


def _with_ends(row: pd.Series, name: str) -> str:
    value, low, high = (row[name + end] for end in ("", "_low", "_high"))
    if missing(low) or missing(high):
        return decimal(value)
    return f"{decimal(value)} [{decimal(low)}, {decimal(high)}]"
