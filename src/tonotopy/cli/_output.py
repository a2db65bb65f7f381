"""Where output goes: consoles for results and remarks, tables, one JSON document."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from tonotopy.cli._text import one_line, plain

if TYPE_CHECKING:
    from rich.console import Console

#: Columns of a table that goes to a file or a pipe: there is no screen that it must fit.
FILE_WIDTH = 200


def results() -> Console:
    """Stdout. Markup is off: a name in brackets is a name."""
    return _console(stderr=False)


def remarks() -> Console:
    """Stderr, likewise."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # for the door: rich itself would leave with another exit code

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else FILE_WIDTH
    return Plain(stderr=stderr, markup=False, highlight=False, emoji=False, width=width)


def say(text: object) -> None:
    """One line on stdout."""
    results().print(one_line(text), soft_wrap=True)


def remark(text: object) -> None:
    """One line on stderr."""
    remarks().print(one_line(text), soft_wrap=True)


def write_json(document: Any) -> None:
    """The one JSON document of a command that was asked for it."""
    sys.stdout.write(json.dumps(plain(document), ensure_ascii=False, allow_nan=False, indent=2) + "\n")


def write_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
    """A plain table on stdout: text to the left, numbers and shares to the right."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, title=Text(title) if title else None, title_justify="left")
    lines = [[one_line(cell) for cell in row] for row in rows]
    for index, name in enumerate(columns):
        cells = [line[index] for line in lines]
        table.add_column(Text(name), justify="right" if _numeric(cells) else "left", overflow="fold")
    for line in lines:
        table.add_row(*(Text(cell) for cell in line))
    results().print(table)


def _numeric(cells: list[str]) -> bool:
    """Whether a column holds numbers (dashes stand for what is undefined)."""
    bare = [cell.strip("%× −-–[]").replace(",", "").replace(" ", "") for cell in cells]
    return any(bare) and all(not cell or cell.replace(".", "", 1).isdigit() for cell in bare)
