"""A run's verdict on a terminal: one row a site, nothing read as markup, nothing broken within a word.

A column that says the same of every site (a verdict that none has, a null that was not measured) is named
below the table and not in it; where a row is still too long, names of sites have a line of their own.
Words come from files. They are shown as `rich.text.Text`, never parsed, and what does not print is spelled
out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tonotopy.views.causes import causes_lines
from tonotopy.views.claims import print_claims
from tonotopy.views.code_grids import HEAD_TERMINAL as HEAD
from tonotopy.views.code_grids import TERMINAL as CODES
from tonotopy.views.code_grids import code_notes, head_notes, terminal_codes, terminal_heads
from tonotopy.views.feature_grids import TERMINAL, feature_notes, terminal_rows
from tonotopy.views.findings import best, positive_control, undefined
from tonotopy.views.ladder import ladder_grid
from tonotopy.views.tables import LEAST_PIECES_FOR_INTERVALS, InFolder, RunTables, as_run
from tonotopy.views.words import DASH, count, listed, missing, percent, printable, share_with_interval

#: `κ ± .05` holds the shares of stable frequencies at thresholds of specificity of .75 and .85.
COLUMNS = (
    "site",
    "stable",
    "κ ± .05",
    "phase",
    "coinc.",
    "entan.",
    "absent",
    "undef.",
    "floor",
    "shuf.",
)
GAP = 2  # blanks between columns, where there is room
#: What the columns of verdicts and nulls are called in a sentence, and where they come from.
SHARES = {
    "phase": ("phase-locked", "share_phase_locked"),
    "coinc.": ("coincidental", "share_coincidental"),
    "entan.": ("entangled", "share_entangled"),
    "absent": ("absent", "share_absent"),
    "undef.": ("undefined", "share_undefined"),
}
NULLS = {
    "floor": ("floor", "floor_stable_mean"),
    "shuf.": ("shuffled labels", "shuffled_stable"),
}


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
    print_sites(tables, console)
    console.print()
    sentence = tables.verdict.get("sentence")
    if sentence:
        console.print(plain_text(sentence))
    for line in notes(tables):
        console.print(plain_text(line, style="dim"))
    print_ladder(tables, console)
    print_features(tables, console)
    print_codes(tables, console)
    print_causes(tables, console)
    print_claims(tables, console)


def print_causes(run: RunTables, console: Console) -> None:
    """A line a site of what directions do there, and one of what later sites lose, where a run asked."""
    lines = causes_lines(run)
    if lines:
        console.print()
    for line in lines:
        console.print(plain_text(line))


def print_features(run: RunTables, console: Console) -> None:
    """One row a site and source of features, where a run asked which there are."""
    rows = terminal_rows(run)
    if not rows:
        return
    console.print()
    print_rows(TERMINAL, rows, console)
    for line in feature_notes(run):
        console.print(plain_text(line, style="dim"))


def print_codes(run: RunTables, console: Console) -> None:
    """One row a set of weights of codes, and of a head, where a run asked what they know."""
    blocks = (
        (run.codes, CODES, terminal_codes, code_notes),
        (run.head_sites, HEAD, terminal_heads, head_notes),
    )
    for table, heads, rows_of, notes_of in blocks:
        if table.empty:
            continue
        console.print()
        print_rows(heads, rows_of(run), console)
        for line in notes_of(run):
            console.print(plain_text(line, style="dim"))


def print_ladder(run: RunTables, console: Console) -> None:
    """One row a structure and site, where a run asked about more than partials."""
    ladder = ladder_grid(run)
    if ladder is None:
        return
    console.print()
    heads = [column.name for column in ladder.columns]
    # As above: a verdict that none has needs no column.
    kept = [
        at for at in range(len(heads)) if at < 3 or any(row[at] not in ("0 %", DASH) for row in ladder.rows)
    ]
    rows = [[row[at] for at in kept] for row in ladder.rows]
    print_whole(table_of([heads[at] for at in kept], rows), console)


def plain_text(words: object, *, style: str = "") -> Text:
    """Any words as text that a terminal shows as they are.

    Examples
    --------
    >>> plain_text("[red]").plain
    '[red]'
    """
    return Text(printable(words), style=style)


def print_sites(run: RunTables, console: Console) -> None:
    """One row a site; closer, or on two lines, where the terminal is narrow."""
    columns = shown_columns(run)
    print_rows(columns, [site_cells(row, columns) for _, row in run.sites.iterrows()], console)


def print_rows(columns: Sequence[str], rows: Sequence[Sequence[str]], console: Console) -> None:
    """A table of rows that a name heads; closer, or on two lines, where the terminal is narrow."""
    for gap in (GAP, 1):
        if width_of(columns, rows, gap) <= console.width:
            print_whole(table_of(columns, rows, gap), console)
            return
    numbers = [columns[1:], *(row[1:] for row in rows)]
    widths = [max(cell_len(row[at]) for row in numbers) for at in range(len(columns) - 1)]
    lines = [
        "  " + "  ".join(" " * (w - cell_len(c)) + c for w, c in zip(widths, row, strict=True))
        for row in numbers
    ]
    print_whole(plain_text(lines[0], style="dim"), console)
    for row, line in zip(rows, lines[1:], strict=True):
        print_whole(plain_text(row[0]), console)
        print_whole(plain_text(line), console)


def print_whole(renderable: Table | Text, console: Console) -> None:
    """Print without breaking lines: a terminal that is too narrow does it as it likes."""
    console.print(renderable, no_wrap=True, overflow="ignore", crop=False)


def table_of(columns: Sequence[str], rows: Sequence[Sequence[object]], gap: int = GAP) -> Table:
    """A table without lines, as wide as its cells: the first column at the left, numbers at the right."""
    width = width_of(columns, rows, gap)
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="dim", width=width)
    for index, name in enumerate(columns):
        table.add_column(plain_text(name), justify="right" if index else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(plain_text(cell) for cell in row))
    return table


def width_of(columns: Sequence[str], rows: Sequence[Sequence[object]], gap: int = GAP) -> int:
    """Cells of a terminal that a table needs so that nothing is broken."""
    lines = [columns, *rows]
    widths = [max(cell_len(printable(line[at])) for line in lines) for at in range(len(columns))]
    return sum(widths) + gap * (len(widths) - 1)


def shown_columns(run: RunTables) -> tuple[str, ...]:
    """`COLUMNS` without verdicts that no site has and nulls that were not measured."""
    zero = {name for name, (_, column) in SHARES.items() if not bool((run.sites[column] > 0).any())}
    unmeasured = {name for name, (_, column) in NULLS.items() if not bool(run.sites[column].notna().any())}
    return tuple(name for name in COLUMNS if name not in zero | unmeasured)


def site_cells(row: pd.Series, columns: Sequence[str] = COLUMNS) -> list[str]:
    """One cell for each of the columns."""
    cells = {
        "site": printable(row["site"]),
        "stable": share_with_interval(row["share_stable"], row["low_stable"], row["high_stable"]),
        "κ ± .05": thresholds(row["stable_kappa_75"], row["stable_kappa_85"]),
        **{name: short(row[column]) for name, (_, column) in (SHARES | NULLS).items()},
    }
    return [cells[name] for name in columns]


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
    lines = [best(run)]
    columns = shown_columns(run)
    nowhere = [words for name, (words, _) in SHARES.items() if name not in columns]
    if nowhere:
        lines.append(f"0 % at every site: {listed(nowhere)}")
    if not run.has_intervals:
        lines.append(
            f"intervals, and which verdicts are borderline, are undefined under {LEAST_PIECES_FOR_INTERVALS} pieces"
        )
    if not run.floor_seeds:
        lines.append("no untrained copy was measured: what comes unasked is unknown")
    if "shuf." not in columns:
        lines.append("shuffled labels were not tried")
    if run.has_ceiling:
        # Not a column: the table is as wide as a terminal already.
        shares = [f"{row['site']} {short(row['ceiling_stable'])}" for _, row in run.sites.iterrows()]
        lines.append(f"stable where the architecture was fitted for it (ceiling): {', '.join(shares)}")
    lines += positive_control(run)
    lines += undefined(run)
    short_views = run.verdicts.groupby("site", sort=False)["resolvable"].apply(
        lambda cells: int((~cells).sum())
    )
    unresolvable = [f"{site} {many}" for site, many in short_views.items() if many]
    if unresolvable:
        words = ", ".join(unresolvable)
        lines.append(f"unresolvable frequencies, where absent is anatomy and not finding: {words}")
    return lines
