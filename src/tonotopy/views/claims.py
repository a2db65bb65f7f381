"""The ledger of claims, as a terminal and a page show it: each claim, and what the study says of it at which sites.

Names of claims come from a run folder. One that no file declares is shown by its name; nothing is loaded for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from tonotopy.judgement.claims import ANSWERS, NO_SITE, UNDETERMINED, Claim, claim, list_claims
from tonotopy.views.grids import Column, Grid
from tonotopy.views.tables import RunTables
from tonotopy.views.words import missing, number, printable

#: What the words of the ledger mean.
MEANS: Final = (
    "Claims were stated before the study ran, each with its rule. A claim is undetermined where the study did not "
    "measure what it is about, where there are fewer than eight pieces, where an interval lies on both sides of its "
    "threshold, or where what was planted would not have been found. What effect, null and power are is said with "
    "each claim; brackets are 95 % intervals."
)


@dataclass(frozen=True)
class Entry:
    """One claim of the ledger and all answers to it."""

    number: int
    sentence: str
    rule: str
    effect: str
    rows: pd.DataFrame


def entries(run: RunTables) -> tuple[Entry, ...]:
    """The ledger of a run, claim by claim; empty where the run has none."""
    known = {name: claim(name) for name in list_claims()}
    found = []
    for (many, name), rows in run.claims.groupby(["number", "claim"], sort=True):
        told: Claim | None = known.get(str(name))
        words = (told.sentence, told.rule, told.effect) if told else (str(name), "", "")
        found.append(Entry(int(str(many)), *words, rows))
    return tuple(found)


def print_claims(run: RunTables, console: Console) -> None:
    """Each claim in a line, and below it what is said at which sites; nothing where the run has no ledger."""
    ledger = entries(run)
    if not ledger:
        return
    console.print()
    console.print(_plain("The ledger of claims: effect [interval] (null)", style="bold"))
    for entry in ledger:
        console.print(_plain(f"{entry.number:2d} {entry.sentence}"))
        for answer in ANSWERS:
            for words in _answers(entry.rows[entry.rows["answer"] == answer]):
                console.print(Padding(_plain(f"{answer}: {words}", style="dim"), (0, 0, 0, 5), expand=False))


def claims_part(run: RunTables) -> tuple[tuple[Entry, Grid], ...]:
    """The ledger for a page: every answer in a table of its claim, with the reason."""
    return tuple((entry, _grid(entry.rows)) for entry in entries(run))


def _answers(rows: pd.DataFrame) -> list[str]:
    """Sites with their effect, or without one where there is none; one line for each reason of being undetermined."""
    undetermined = rows["answer"] == UNDETERMINED
    reasons = rows["why"].fillna("").str.rsplit("; ", n=1).str[-1].where(undetermined, "")
    found = []
    for why, own in rows.groupby(reasons, sort=False):
        sites = ", ".join(one for _, row in own.iterrows() if (one := f"{_site(row)}{_effect(row)}".strip()))
        found.append(": ".join(part for part in (sites, str(why)) if part))
    return found


def _site(row: pd.Series) -> str:
    return "" if row["site"] == NO_SITE else f"{row['site']} "


def _effect(row: pd.Series) -> str:
    """A number, its interval and null, where there are any."""
    if missing(row["effect"]):
        return ""
    words = number(row["effect"], 2)
    if not missing(row["low"]) and not missing(row["high"]):
        words += f" [{number(row['low'], 2)}, {number(row['high'], 2)}]"
    return words if missing(row["null"]) else f"{words} ({number(row['null'], 2)})"


def _grid(rows: pd.DataFrame) -> Grid:
    names = ("effect", "low", "high", "null", "power")
    columns = [Column(name, name in names) for name in ("site", "answer", *names, "why")]
    cells = tuple(
        (
            str(row["site"]),
            str(row["answer"]),
            *("" if missing(row[name]) else number(row[name]) for name in names),
            str(row["why"]),
        )
        for _, row in rows.iterrows()
    )
    return Grid(tuple(columns), cells)


def _plain(words: str, *, style: str = "") -> Text:
    """Words from files, never read as markup."""
    return Text(printable(words), style=style)
