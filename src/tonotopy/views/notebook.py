"""The verdict table as a piece of HTML, for a notebook cell."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup, escape

from tonotopy.views.tables import InFolder, RunTables, as_run
from tonotopy.views.terminal import notes, shown_columns, site_cells
from tonotopy.views.words import count, printable


def verdicts_html(run: RunTables | InFolder | Path | str) -> str:
    """A run's verdict, one row a site, as HTML in which every word is escaped.

    Parameters
    ----------
    run : RunTables, opened run or path
        The run, or its folder.

    Returns
    -------
    str
        A heading, a table and notes; no script and no style sheet.
    """
    tables = as_run(run)
    pieces = count(tables.n_pieces, "piece")
    title = f"{tables.encoder} · {tables.weights} · {tables.music} · {tables.preset} · {pieces}"
    columns = shown_columns(tables)
    head = Markup("").join(_cell("th", name, index) for index, name in enumerate(columns))
    rows = Markup("").join(
        Markup("<tr>{}</tr>").format(
            Markup("").join(_cell("td", cell, index) for index, cell in enumerate(site_cells(row, columns)))
        )
        for _, row in tables.sites.iterrows()
    )
    lines = Markup("").join(Markup("<p><small>{}</small></p>").format(_word(line)) for line in notes(tables))
    body = Markup("<p><b>{}</b></p><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>{}")
    return str(body.format(_word(title), head, rows, lines))


def _word(words: object) -> Markup:
    return escape(printable(words))


def _cell(tag: str, words: str, index: int) -> Markup:
    side = "right" if index else "left"
    return Markup('<{0} style="text-align: {1}">{2}</{0}>').format(tag, side, _word(words))
