"""A run's verdict on a terminal: one row a site, nothing read as markup.

Words come from files. They are shown as `rich.text.Text`, never parsed, and what does not print is spelled
out.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tonotopy.views.tables import LEAST_PIECES_FOR_INTERVALS, InFolder, RunTables, as_run
from tonotopy.views.words import DASH, count, missing, percent, printable, share_with_interval

COLUMNS = (
    "site",
    "stable",
    "κ .75–.85",
    "phase-locked",
    "coincidental",
    "entangled",
    "absent",
    "undefined",
    "floor",
    "shuffled",
)


def render_show(run: RunTables | InFolder | Path | str, console: Console) -> None:
    """Print a run's verdict: what was asked, one row a site, and how to read it.

    Parameters
    ----------
    run : RunTables, opened run or path
        The run, or its folder.
    console : rich.console.Console
        Where to.
    """
    tables = as_run(run)
    pieces = count(tables.n_pieces, "piece")
    words = (tables.encoder, tables.weights, tables.music, tables.preset, pieces)
    console.print(plain_text(" · ".join(words), style="bold"))
    console.print(table_of(COLUMNS, (site_cells(row) for _, row in tables.sites.iterrows())))
    console.print()
    sentence = tables.verdict.get("sentence")
    if sentence:
        console.print(plain_text(sentence))
    for line in notes(tables):
        console.print(plain_text(line, style="dim"))


def plain_text(words: object, *, style: str = "") -> Text:
    """Any words as text that a terminal shows as they are.

    Examples
    --------
    >>> plain_text("[red]").plain
    '[red]'
    """
    return Text(printable(words), style=style)


def table_of(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Table:
    """A table without lines: the first column at the left, numbers at the right."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for index, name in enumerate(columns):
        table.add_column(plain_text(name), justify="right" if index else "left", overflow="fold")
    for row in rows:
        table.add_row(*(plain_text(cell) for cell in row))
    return table


def site_cells(row: pd.Series) -> list[str]:
    """One cell for each of `COLUMNS`."""
    shares = ("phase_locked", "coincidental", "entangled", "absent", "undefined")
    return [
        str(row["site"]),
        share_with_interval(row["share_stable"], row["low_stable"], row["high_stable"]),
        thresholds(row["stable_kappa_75"], row["stable_kappa_85"]),
        *(short(row[f"share_{name}"]) for name in shares),
        short(row["floor_stable_mean"]),
        short(row["shuffled_stable"]),
    ]


def thresholds(at_75: float, at_85: float) -> str:
    """The shares at thresholds of specificity of .75 and .85.

    Examples
    --------
    >>> thresholds(0.8, 0.5)
    '80–50 %'
    """
    if missing(at_75) or missing(at_85):
        return DASH
    return f"{100.0 * at_75:.0f}{DASH}{100.0 * at_85:.0f} %"


def short(value: float) -> str:
    """A share, or a dash where it is undefined."""
    return DASH if missing(value) else percent(value)


def notes(run: RunTables) -> list[str]:
    """What a reader of the table has to know about this run."""
    lines = []
    if not run.has_intervals:
        lines.append(f"intervals are undefined under {LEAST_PIECES_FOR_INTERVALS} pieces")
    if not run.floor_seeds:
        lines.append("no untrained copy was measured: what comes unasked is unknown")
    short_views = run.verdicts.groupby("site", sort=False)["resolvable"].apply(
        lambda cells: int((~cells).sum())
    )
    unresolvable = [f"{site} {many}" for site, many in short_views.items() if many]
    if unresolvable:
        words = ", ".join(unresolvable)
        lines.append(f"unresolvable frequencies, where absent is anatomy and not finding: {words}")
    return lines
