"""Files of a run folder, read within bounds: JSON, TOML and Parquet, each an error in words where damaged.

A run folder may come from anywhere. Nothing in it is unpickled, imported or followed out of the folder; sizes
are checked before anything is read, and a Parquet file may hold numbers, truth values and strings only.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tonotopy.core.errors import RunError
from tonotopy.views._schema import FLAG, NUMBER, TEXT, WHOLE

TEXT_BYTES = 64 * 2**20  # of one JSON or TOML file: first-layer responses are the largest part
TABLE_BYTES = 256 * 2**20  # of one Parquet file, packed and unpacked
ROWS = 2_000_000
CELL_BYTES = 20_000  # of one string
DTYPES = {NUMBER: "float64", WHOLE: "int64", FLAG: "bool", TEXT: "str"}


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """One JSON object; NaN and infinities read as ``None``, undefined.

    Raises
    ------
    RunError
        Where the file is missing, too large, or not a JSON object.
    """
    path = inside(folder, name, TEXT_BYTES)
    try:
        found = json.loads(path.read_text(encoding="utf-8"), parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise _damaged(name, "JSON", error) from error
    if not isinstance(found, dict):
        raise RunError(f"a JSON object in {name}", f"a {type(found).__name__}", "a file of another kind")
    return found


def read_toml(folder: Path, name: str) -> dict[str, Any]:
    """One TOML file.

    Raises
    ------
    RunError
        Where the file is missing, too large, or not TOML.
    """
    path = inside(folder, name, TEXT_BYTES)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise _damaged(name, "TOML", error) from error


def read_table(folder: Path, name: str, columns: Mapping[str, str], needed: Collection[str]) -> pd.DataFrame:
    """One Parquet table, with exactly these columns of these kinds; others are left unread.

    Numbers that a run did not measure have no column in its file: they read as undefined.

    Raises
    ------
    RunError
        Where the file is missing, damaged, too large, lacks a column, or holds another kind of value.
    """
    path = inside(folder, name, TABLE_BYTES)
    try:
        with pq.ParquetFile(path) as file:
            _bounded(name, file)
            present = set(file.schema_arrow.names)
            missing = [column for column in needed if column not in present]
            if missing:
                raise RunError(f"column {missing[0]!r} in {name}", "none", "a run of another version")
            table = file.read(columns=[column for column in columns if column in present])
    except (pa.ArrowException, OSError) as error:
        raise _damaged(name, "a Parquet table", error) from error
    found = {
        column: _column(name, column, table.column(column), kind)
        if column in present
        else pd.Series(float("nan"), index=range(table.num_rows), dtype=DTYPES[kind])
        for column, kind in columns.items()
    }
    return pd.DataFrame(found)


def inside(folder: Path, name: str, limit: int) -> Path:
    """A file of the folder, if it is there, inside, and not too large.

    Raises
    ------
    RunError
        Where it is not.
    """
    path = folder / name
    if not path.is_file():
        cause = "a run that never finished, or a folder of another kind"
        raise RunError(f"{name} in the run folder", "no such file", cause)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise RunError(f"{name} inside the run folder", "a link out of it", "a folder from an unsafe source")
    size = path.stat().st_size
    if size > limit:
        raise RunError(f"{name} of at most {limit:,} bytes", f"{size:,} bytes", "a file of another kind")
    return path


def _damaged(name: str, what: str, error: Exception) -> RunError:
    came = f"something else ({str(error)[:120]})"
    return RunError(f"{what} in {name}", came, "a copy that was cut short, or a damaged file")


def _bounded(name: str, file: pq.ParquetFile) -> None:
    """Refuse what would unpack to more than memory should hold."""
    meta = file.metadata
    if meta.num_rows > ROWS:
        raise RunError(f"{name} of at most {ROWS:,} rows", f"{meta.num_rows:,} rows")
    size = sum(meta.row_group(index).total_byte_size for index in range(meta.num_row_groups))
    if size > TABLE_BYTES:
        raise RunError(f"{name} of at most {TABLE_BYTES:,} bytes unpacked", f"{size:,} bytes")


def _column(name: str, column: str, values: pa.ChunkedArray, kind: str) -> pd.Series:
    """One column as the kind it should have."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if len(values) == 0:  # an empty column has no kind of its own
        return pd.Series(dtype=DTYPES[kind])
    if not _holds(values.type, kind):
        raise RunError(
            f"{kind}s in column {column!r} of {name}", str(values.type), "a run of another version"
        )
    if kind in (WHOLE, FLAG):
        if values.null_count:
            raise RunError(f"no gaps in column {column!r} of {name}", f"{values.null_count} of them")
        return pd.Series(values.to_numpy(), dtype=DTYPES[kind])
    if kind == NUMBER:
        return pd.Series(values.cast(pa.float64()).to_numpy(), dtype=DTYPES[kind])
    return pd.Series(_strings(name, column, values), dtype=DTYPES[kind])


def _strings(name: str, column: str, values: pa.ChunkedArray) -> list[str | None]:
    texts = values.cast(pa.large_string())
    longest = pc.max(pc.binary_length(texts)).as_py() or 0
    if longest > CELL_BYTES:
        raise RunError(
            f"strings of at most {CELL_BYTES:,} bytes in {column!r} of {name}", f"{longest:,} bytes"
        )
    return texts.to_pylist()


def _holds(kind: pa.DataType, wanted: str) -> bool:
    types = pa.types
    if types.is_null(kind):  # a column of nothing but undefined
        return wanted in (NUMBER, TEXT)
    if wanted == NUMBER:
        return types.is_floating(kind) or types.is_integer(kind)
    if wanted == WHOLE:
        return types.is_integer(kind)
    if wanted == FLAG:
        return types.is_boolean(kind)
    return types.is_string(kind) or types.is_large_string(kind)
