"""Tables as a page shows them: columns with a side to align to, cells as words, and how much was left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from tonotopy.views.tables import RunTables
from tonotopy.views.words import DASH, missing, number, percent, share_with_interval


@dataclass(frozen=True)
class Column:
    """A column's name and whether its cells are numbers, which align at the right."""

    name: str
    numeric: bool


@dataclass(frozen=True)
class Grid:
    """A table in words."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    headed: bool = True  # the first cell names the row
    left_out: str = ""


def grid(table: pd.DataFrame, most: int | None = None) -> Grid:
    """Any table, cell by cell, up to so many rows.

    Examples
    --------
    >>> grid(pd.DataFrame({"site": ["a"], "share": [float("nan")]})).rows
    (('a', 'undefined'),)
    """
    shown = table if most is None else table.iloc[:most]
    numeric = [is_numeric_dtype(table[name]) and not is_bool_dtype(table[name]) for name in table.columns]
    columns = tuple(
        Column(str(name).replace("_", " "), kind) for name, kind in zip(table.columns, numeric, strict=True)
    )
    rows = tuple(
        tuple(_cell(value, kind) for value, kind in zip(row, numeric, strict=True))
        for row in shown.itertuples(index=False)
    )
    more = len(table) - len(shown)
    return Grid(columns, rows, False, f"{more:,} more rows in the CSV." if more else "")


def sites_grid(run: RunTables) -> Grid:
    """The table of sites: what is there, what was found, what the nulls read."""
    heads: tuple[str, ...] = (
        "site",
        "role",
        "units",
        "view (ms)",
        "stable",
        "κ .75",
        "κ .85",
        "phase-locked",
        "coincidental",
    )
    heads += (
        "entangled",
        "absent",
        "undefined",
        "ceiling",
        "floor",
        "shuffled",
        "resolvable",
        "half-point",
        "power",
    )
    columns = tuple(Column(head, index > 1) for index, head in enumerate(heads))
    return Grid(columns, tuple(_site(run, row) for _, row in run.sites.iterrows()))


def pieces_grid(run: RunTables) -> Grid:
    """The pieces, with whom to thank and under which licence."""
    table = run.pieces
    names = ("number", "title", "artist", "licence", "name")
    columns = tuple(Column("file" if name == "name" else name, False) for name in names)
    return Grid(columns, tuple(tuple(_text(row[name]) for name in names) for _, row in table.iterrows()))


def _site(run: RunTables, row: pd.Series) -> tuple[str, ...]:
    floor = percent(row["floor_stable_mean"])
    if not missing(row["floor_stable_min"]) and run.floor_seeds > 1:
        floor += f" ({100 * row['floor_stable_min']:.0f}{DASH}{100 * row['floor_stable_max']:.0f})"
    cells = int((run.verdicts["site"] == row["site"]).sum())
    resolvable = f"{number(row['n_resolvable'])} of {cells}: {percent(row['share_stable_resolvable'])}"
    view = number(1000.0 * row["view_s"]) + ("" if row["bounded"] else "+")
    return (
        str(row["site"]),
        _text(row["role"]),
        number(row["units"]),
        view,
        share_with_interval(row["share_stable"], row["low_stable"], row["high_stable"]),
        percent(row["stable_kappa_75"]),
        percent(row["stable_kappa_85"]),
        *(
            percent(row[f"share_{name}"])
            for name in ("phase_locked", "coincidental", "entangled", "absent", "undefined")
        ),
        _dash(percent(row["ceiling_stable"])),
        _dash(floor),
        _dash(percent(row["shuffled_stable"])),
        resolvable if row["n_resolvable"] else "0",
        _dash(number(row["half_detection"])),
        _dash(number(row["power_stable"])),
    )


def _cell(value: object, numeric: bool) -> str:
    if numeric:
        return number(float(value), 4)  # type: ignore[arg-type]
    return _text(value)


def _text(value: object) -> str:
    if value is pd.NA:
        return "undefined"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return DASH if value is None or value != value or value == "" else str(value)  # noqa: PLR0124


def _dash(words: str) -> str:
    return DASH if words == "undefined" else words
