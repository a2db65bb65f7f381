"""A series on a terminal: one row a member, one column a site, and what it says as a whole."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from rich.console import Console

from tonotopy.views.figures import scaling
from tonotopy.views.figures._contract import highlights
from tonotopy.views.series import SeriesTables, as_subject
from tonotopy.views.series_report import floor_sentence
from tonotopy.views.tables import LEAST_PIECES_FOR_INTERVALS, InFolder
from tonotopy.views.terminal import plain_text, print_whole, short, table_of, width_of
from tonotopy.views.words import DASH, count, number, share_with_interval


def render_series(series: SeriesTables | InFolder | Path | str, console: Console) -> None:
    """Print a series: one row a member, then how to read it.

    Parameters
    ----------
    series : SeriesTables, opened series or path
        The series, or its folder.
    console : rich.console.Console
        Where to.
    """
    tables = as_subject(series)
    assert isinstance(tables, SeriesTables), "a run is shown by itself"
    verdict = tables.verdict
    words = [str(verdict[key] or "") for key in ("encoder", "weights", "music", "preset")]
    console.print(plain_text(" · ".join([*words, count(tables.n_pieces, "piece")]), style="bold"))
    console.print(plain_text("stable share [interval] of frequencies", style="dim"))
    sites = highlights(tables, tables.shares, None)
    head, rows = share_rows(tables, sites)
    if width_of(head, rows) > console.width:  # shares alone, where the brackets do not fit
        head, rows = share_rows(tables, sites, brackets=False)
    print_whole(table_of(head, rows), console)
    if not tables.dimension.empty:
        console.print()
        console.print(plain_text("effective dimension, overlap with the final subspace", style="dim"))
        print_whole(table_of(*dimension_rows(tables, sites)), console)
    console.print()
    if tables.series.kind == "scaling":
        for line in scaling.claim_lines(tables):
            console.print(plain_text(line))
    console.print(plain_text(floor_sentence(tables), style="dim"))
    if not tables.has_intervals:
        note = f"intervals are undefined under {LEAST_PIECES_FOR_INTERVALS} pieces"
        console.print(plain_text(note, style="dim"))


def share_rows(
    tables: SeriesTables, sites: tuple[str, ...], *, brackets: bool = True
) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the table of stable shares: a member's place, then its sites and all together."""
    head = [_place_name(tables), *sites, "any site", "coverage"]
    rows = []
    for member, name in _places(tables):
        own = tables.shares[tables.shares["member"] == member]
        by_site = {str(row["site"]): row for _, row in own.iterrows()}
        cells = [_share(by_site[site], brackets) if site in by_site else DASH for site in sites]
        whole = tables.anywhere[tables.anywhere["member"] == member].iloc[0]
        for key in ("stable", "coverage"):
            low, high = (whole[f"{key}_low"], whole[f"{key}_high"]) if brackets else (None, None)
            cells.append(share_with_interval(whole[key], low, high))
        rows.append([name, *cells])
    return head, rows


def dimension_rows(tables: SeriesTables, sites: tuple[str, ...]) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the table of dimensions."""
    rows = []
    for member, name in _places(tables):
        own = tables.dimension[tables.dimension["member"] == member]
        cells = {
            str(row["site"]): f"{number(row['effective_dimension'])}, {number(row['overlap'], 2)}"
            for _, row in own.iterrows()
        }
        rows.append([name, *(cells.get(site, DASH) for site in sites)])
    return [_place_name(tables), *sites], rows


def _places(tables: SeriesTables) -> list[tuple[str, str]]:
    """Each member's folder, and what its row is called."""
    if tables.series.kind == "scaling":
        return [(m.folder, f"{number(m.parameters, 4)} × {number(m.hours)} h") for m in tables.members]
    return [(m.folder, m.folder if m.step is None else f"{m.step:,}") for m in tables.members]


def _place_name(tables: SeriesTables) -> str:
    return {"step": "step", "order": "snapshot", "parameters": "parameters × data"}[tables.series.coordinate]


def _share(row: pd.Series, brackets: bool) -> str:
    if not brackets:
        return short(row["share_stable"])
    return share_with_interval(row["share_stable"], row["low_stable"], row["high_stable"])
