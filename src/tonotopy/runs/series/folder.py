"""A series folder: ``series.json``, one ordinary run folder a member, tables, and what was measured across them.

``series.json`` lists the members in order, each with the name of its folder, its step or coordinates and the
label of its weights. It holds no path. Opening a series runs nothing and reads within bounds; the folder of a
member is a plain name, so that a series from elsewhere cannot point out of itself.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict, dataclass, field, fields
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from tonotopy.core.errors import InputError, RunError
from tonotopy.runs.run import LARGEST_TABLE, Run, open_run
from tonotopy.runs.store import write_json

FILE = "series.json"
SCHEMA = 1
KINDS = ("emergence", "scaling")
#: What members stand in order of.
COORDINATES = ("step", "order", "parameters")
#: Tables of a series.
TABLES = ("shares", "anywhere", "dimension", "pieces", "claims")
LARGEST = 4 * 2**20
MOST_MEMBERS = 10_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Member:
    """One member: where it is in the folder, and where it stands in the series."""

    folder: str
    weights: str  # label
    weights_id: str
    step: int | None = None
    parameters: int | None = None  # of the encoder, up to its last site
    hours: float | None = None  # of music that it was trained on


@dataclass(frozen=True)
class Series:
    """A series of studies: ``members`` in order, tables across them."""

    path: Path
    kind: str
    coordinate: str
    told: dict[str, Any] = field(repr=False)  # encoder, music, preset, seed, n_pieces, floor_member
    members: tuple[Member, ...]
    complete: bool

    def run(self, member: Member) -> Run:
        """One member as the ordinary run that it is."""
        return open_run(self.path / member.folder)

    def table(self, name: str) -> pd.DataFrame:
        """A table across members: shares, anywhere, dimension, pieces or claims; one row a member (and site).

        Raises
        ------
        InputError
            No such table.
        RunError
            The series is unfinished or damaged.
        """
        if name not in TABLES:
            raise InputError("a table of a series", repr(name), "a misspelt name", TABLES)
        if not self.complete:
            raise unfinished(self.path)
        file = self.path / "tables" / f"{name}.parquet"
        try:
            if file.stat().st_size > LARGEST_TABLE or file.resolve().parent.parent != self.path.resolve():
                raise ValueError("a table of another size or place")
            return pd.read_parquet(file)
        except Exception as error:
            cause = "a damaged series; give the same command again"
            raise RunError(f"a readable table {name!r}", type(error).__name__, cause) from error

    def figure(self, name: str | None = None, site: str | None = None) -> Any:
        """The figure of the series (``emergence`` or ``scaling``), as a matplotlib Figure."""
        return import_module("tonotopy.views").figure(name or self.kind, self.path, site=site)

    def report(self) -> Path:
        """Write the report of the series and of its members; the path of its first page."""
        return Path(import_module("tonotopy.views").write_series_report(self.path))


def is_series(folder: Path | str) -> bool:
    """Whether a folder is a series."""
    return (Path(folder) / FILE).is_file()


def open_folder(path: Path | str) -> Run | Series:
    """A run or a series, whichever the folder is."""
    return open_series(path) if is_series(path) else open_run(path)


def unfinished(folder: Path) -> RunError:
    """What to say where members are still missing."""
    came = f"an unfinished one in {folder.name!r}"
    return RunError("a finished series", came, "run the same study again: it resumes")


def open_series(path: Path | str) -> Series:
    """Open a series; unfinished ones too, whose members so far are ordinary runs.

    Raises
    ------
    RunError
        The folder is absent or damaged.
    """
    folder = Path(path)
    file = folder / FILE
    if not file.is_file():
        raise RunError("a series folder", f"no {FILE} in {folder.name!r}", "a mistyped path")
    try:
        if file.stat().st_size > LARGEST:
            raise RunError(f"{FILE} under {LARGEST} bytes", str(file.stat().st_size), "a damaged series")
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"a readable {FILE}", type(error).__name__, "a damaged series") from None
    return _checked(folder, told)


def write_series(series: Series) -> None:
    """Write ``series.json``, whole or not at all."""
    head = {"schema": SCHEMA, "kind": series.kind, "coordinate": series.coordinate, **series.told}
    members = [asdict(member) for member in series.members]
    write_json(series.path / FILE, head | {"members": members, "complete": series.complete})


def _checked(folder: Path, told: Any) -> Series:
    """A series from untrusted values: unknown kinds, strange names and mistyped numbers are errors."""
    if not isinstance(told, dict) or not isinstance(told.get("members"), list):
        raise _damaged("members in a list", type(told).__name__)
    if told.get("schema") != SCHEMA:
        cause = "a series of another version of tonotopy"
        raise RunError(f"a series of schema {SCHEMA}", f"schema {str(told.get('schema'))[:80]}", cause)
    kind, coordinate = told.get("kind"), told.get("coordinate")
    if kind not in KINDS or coordinate not in COORDINATES:
        raise _damaged(f"a kind of series ({', '.join(KINDS)})", repr(kind)[:80])
    if len(told["members"]) > MOST_MEMBERS:
        raise _damaged(f"at most {MOST_MEMBERS} members", str(len(told["members"])))
    members = tuple(_member(row) for row in told["members"])
    names = [member.folder for member in members]
    if len(set(names)) != len(names):
        raise _damaged("each member once", "a folder named twice")
    rest = {k: v for k, v in told.items() if k not in {"schema", "kind", "coordinate", "members", "complete"}}
    return Series(folder, kind, coordinate, rest, members, told.get("complete") is True)


def _member(row: Any) -> Member:
    known = {f.name for f in fields(Member)}
    if not isinstance(row, dict) or set(row) != known:
        raise _damaged("members with the keys " + ", ".join(sorted(known)), repr(row)[:80])
    # A name that climbs out or hides would let a series from elsewhere read another folder.
    if not isinstance(row["folder"], str) or not _NAME.fullmatch(row["folder"]) or ".." in row["folder"]:
        raise _damaged("the plain name of a member's folder", repr(row["folder"])[:80])
    for key in ("weights", "weights_id"):
        if not isinstance(row[key], str):
            raise _damaged(f"text for {key}", repr(row[key])[:80])
    for key in ("step", "parameters"):
        if row[key] is not None and (type(row[key]) is not int or row[key] < 0):
            raise _damaged(f"a whole number for {key}", repr(row[key])[:80])
    hours = row["hours"]
    if hours is not None and (
        isinstance(hours, bool)
        or not isinstance(hours, int | float)
        or not (math.isfinite(hours) and hours >= 0)
    ):
        raise _damaged("a number of hours", repr(hours)[:80])
    return Member(**row)


def _damaged(expected: str, came: str) -> RunError:
    return RunError(expected, came, f"a damaged or hand-edited {FILE}")
