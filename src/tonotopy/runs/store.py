"""The store of a run: work units by content address, written whole or not at all.

A unit's folder holds ``arrays.zarr`` (xarray in Zarr v3), ``*.parquet`` (tables) and ``unit.json`` (what it
is). It is written under a temporary name and renamed when complete, so that a kill at any moment leaves
either the unit or nothing. Reading imports and unpickles nothing.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import xarray as xr
from zarr.codecs import Crc32cCodec

from tonotopy.core.errors import RunError

#: A content address: lower-case hexadecimal sha256. Addresses come from manifests too, which may be hostile.
ADDRESS = re.compile(r"[0-9a-f]{64}")


class Store:
    """Units below one folder; ``mends`` forgets a unit that cannot be read, so that it is computed anew."""

    def __init__(self, root: Path, *, mends: bool = False) -> None:
        self.root, self.mends = Path(root), mends

    def path(self, address: str) -> Path:
        """Where a unit lives.

        Raises
        ------
        RunError
            ``address`` is no content address.
        """
        if not ADDRESS.fullmatch(str(address)):
            raise RunError(
                "the address of a work unit", repr(address)[:80], "a damaged or hand-edited manifest"
            )
        return self.root / address[:2] / address

    def has(self, address: str) -> bool:
        """Whether a unit is complete."""
        return (self.path(address) / "unit.json").is_file()

    def write(
        self,
        address: str,
        about: Mapping[str, Any],
        *,
        arrays: xr.Dataset | None = None,
        tables: Mapping[str, pd.DataFrame] | None = None,
        values: Any = None,
    ) -> None:
        """Write a unit; a unit that is there already is left as it is."""
        if self.has(address):
            return
        home = self.path(address)
        with full_disk_is_an_error(self.root):
            home.parent.mkdir(parents=True, exist_ok=True)
            temporary = home.parent / f".{address[:12]}-{uuid.uuid4().hex[:8]}"
            try:
                temporary.mkdir()
                if arrays is not None:
                    # A checksum and no compression: activations are noise to a compressor.
                    encoding = {name: {"compressors": (Crc32cCodec(),)} for name in arrays.data_vars}
                    arrays.to_zarr(
                        temporary / "arrays.zarr", zarr_format=3, consolidated=False, encoding=encoding
                    )
                for name, table in (tables or {}).items():
                    table.to_parquet(temporary / f"{name}.parquet", index=False, write_page_checksum=True)
                files = _sizes(temporary)
                write_json(temporary / "unit.json", {**about, "values": values, "files": files})
                # Another process may have finished the same unit meanwhile; both are equal.
                with contextlib.suppress(FileExistsError, NotADirectoryError):
                    try:
                        temporary.rename(home)
                    except OSError as error:
                        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                            raise
            finally:
                shutil.rmtree(temporary, ignore_errors=True)

    @contextmanager
    def arrays(self, address: str, *, chunks: dict[str, int] | None = None) -> Iterator[xr.Dataset]:
        """A unit's arrays, lazily; ``chunks={}`` for dask arrays."""
        with self._intact(address):
            home = self.path(address) / "arrays.zarr"
            # Version 2 of Zarr has a filter that unpickles.
            yield xr.open_dataset(home, engine="zarr", consolidated=False, chunks=chunks, zarr_format=3)

    def table(self, address: str, name: str) -> pd.DataFrame:
        """One of a unit's tables."""
        with self._intact(address):
            return pd.read_parquet(self.path(address) / f"{name}.parquet", page_checksum_verification=True)

    def values(self, address: str) -> Any:
        """A unit's plain values."""
        with self._intact(address):
            return json.loads((self.path(address) / "unit.json").read_text(encoding="utf-8"))["values"]

    @contextmanager
    def _intact(self, address: str) -> Iterator[None]:
        """Say that a unit is damaged where it cannot be read."""
        try:
            yield
        except (ValueError, KeyError, OSError, pa.ArrowException) as error:
            came = f"unit {address[:12]}: {type(error).__name__}"
            cause = (
                "a damaged disk or an edited run; run the same study again: what is damaged is computed anew"
            )
            if self.mends:
                self.remove(address)
            raise RunError("an intact work unit", came, cause) from error

    def forget_damaged(self) -> int:
        """Remove every unit that lacks a file or has one of another size; how many there were."""
        found = 0
        for home in self.root.glob("*/*"):
            if ADDRESS.fullmatch(home.name) and not _complete(home):
                self.remove(home.name)
                found += 1
        return found

    def remove(self, address: str) -> None:
        """Forget a unit."""
        # Renamed first: a kill in the middle must not leave a rest that keeps the unit from being written.
        home = self.path(address)
        temporary = home.parent / f".{address[:12]}-{uuid.uuid4().hex[:8]}"
        with contextlib.suppress(FileNotFoundError):
            home.rename(temporary)
            shutil.rmtree(temporary, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what an interrupted write left behind."""
        for left in self.root.glob("*/.*-*"):
            shutil.rmtree(left, ignore_errors=True)


def _sizes(folder: Path) -> dict[str, int]:
    """Size of every file below a folder, by relative name."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}


def _complete(home: Path) -> bool:
    """Whether a unit has the files it was written with."""
    try:
        told = json.loads((home / "unit.json").read_text(encoding="utf-8"))["files"]
        return all((home / name).stat().st_size == size for name, size in told.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def write_tables(folder: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """The tables of a run, by name, and no others: those of an earlier plan would be read as this one's."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.parquet"):
        if old.stem not in tables:
            old.unlink()
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)


def write_json(path: Path, value: Any) -> None:
    """Write JSON whole or not at all; NaN becomes null."""
    write_text(path, json.dumps(_plain(value), indent=1, allow_nan=False))


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    temporary = path.with_name(f".{path.name}-{uuid.uuid4().hex[:8]}")
    try:
        with temporary.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _plain(value: Any) -> Any:
    """Numbers, strings, lists and dicts; what is not finite becomes None (undefined)."""
    if isinstance(value, Mapping):
        return {str(key): _plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if hasattr(value, "item") and not isinstance(value, str):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


@contextmanager
def full_disk_is_an_error(where: Path) -> Iterator[None]:
    """Turn a full disk into one line; what was finished stays."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RunError(
                "room for the results of a work unit",
                f"a full disk at {where.name!r}",
                "free some space and run the same command again: finished work is kept",
            ) from error
        raise
