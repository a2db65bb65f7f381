"""Figures and their data as files that are the same, byte for byte, each time.

SVG keeps text as text and fixes its identifiers; no format carries a date or a version. In CSV, a text cell
that a spreadsheet would run as a formula (it starts with ``=``, ``+``, ``-``, ``@``, a tab or a carriage
return) is written with an apostrophe in front, what does not print is spelled out, and undefined numbers
are empty.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any, Final

import pandas as pd
from matplotlib.figure import Figure
from pandas.api.types import is_numeric_dtype

from tonotopy.core.errors import InputError
from tonotopy.views.paper import styled
from tonotopy.views.words import printable

#: What each format must be told so that it carries no date and no version.
METADATA: Final[dict[str, dict[str, Any]]] = {
    "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}
FORMATS: Final = (*METADATA, "csv")
PNG_DPI: Final = 200
FORMULA: Final = tuple("=+-@\uff1d\uff0b\uff0d\uff20")  # signs with which a formula starts
_DOCTYPE: Final = re.compile(rb"<!DOCTYPE[^>]*>\s*")


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as SVG, PDF or PNG, by the ending of the path.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    path : pathlib.Path
        Where to.

    Returns
    -------
    pathlib.Path
        The path.

    Raises
    ------
    InputError
        For any other ending, or a folder that cannot be written.
    """
    ending = format_of(path, tuple(METADATA))
    content = rendered(figure, ending)
    _write(path, content)
    return path


def rendered(figure: Figure, ending: str) -> bytes:
    """A figure as bytes of a format."""
    buffer = io.BytesIO()
    with styled():
        figure.savefig(buffer, format=ending, metadata=METADATA[ending], dpi=PNG_DPI)
    content = buffer.getvalue()
    # The document type names an address that some readers would fetch.
    return _DOCTYPE.sub(b"", content, count=1) if ending == "svg" else content


def save_table(table: pd.DataFrame, path: Path) -> Path:
    """Write a table as CSV that a spreadsheet cannot run.

    Parameters
    ----------
    table : pandas.DataFrame
        Any table.
    path : pathlib.Path
        Where to.

    Returns
    -------
    pathlib.Path
        The path.
    """
    _write(path, csv_text(table).encode("utf-8"))
    return path


def csv_text(table: pd.DataFrame) -> str:
    """A table as CSV text; infinity reads ``inf``, undefined is empty.

    Examples
    --------
    >>> csv_text(pd.DataFrame({"site": ["=1+1", "a"], "level_db": [float("nan"), -3.0]})).split()
    ['site,level_db', "'=1+1,", 'a,-3.0']
    """
    safe = table.copy()
    for column in safe.columns:
        if not is_numeric_dtype(safe[column]):
            safe[column] = pd.Series([_cell(value) for value in safe[column]], index=safe.index, dtype="str")
    safe.columns = pd.Index([_cell(name) for name in safe.columns])
    return str(safe.to_csv(index=False, lineterminator="\n"))


def format_of(path: Path, legal: tuple[str, ...] = FORMATS) -> str:
    """The format that the ending of a path asks for.

    Raises
    ------
    InputError
        For an ending that is none of the legal ones.
    """
    ending = path.suffix.lower().removeprefix(".")
    if ending not in legal:
        raise InputError(
            "a file name with a known ending", repr(path.name), "", ["." + name for name in legal]
        )
    return ending


def _cell(value: object) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):  # noqa: PLR0124
        return ""
    text = str(value)
    # Spreadsheets pass over leading blanks, and some read full-width signs as the plain ones.
    armed = text[:1] in tuple("\t\r\n") or text.lstrip()[:1] in FORMULA
    # A bare carriage return would end the row for some readers.
    return "'" + printable(text) if armed else printable(text)


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise InputError(
            "a file that can be written", repr(path.name), error.strerror or str(error)
        ) from error
