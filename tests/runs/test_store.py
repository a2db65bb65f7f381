"""A unit is in the store whole or not at all, and reading it runs nothing."""

from __future__ import annotations

import errno
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tonotopy.core.errors import RunError
from tonotopy.runs.store import Store, write_json, write_tables

ADDRESS = "ab" * 32


def arrays() -> xr.Dataset:
    """Something small to write."""
    return xr.Dataset({"core_0": (("trial", "unit"), np.arange(6, dtype=np.float32).reshape(2, 3))})


def write(store: Store, address: str = ADDRESS) -> None:
    """Write a unit with arrays, a table and values."""
    table = pd.DataFrame({"x": [1.0, np.nan, np.inf]})
    store.write(address, {"stage": "test"}, arrays=arrays(), tables={"t": table}, values={"k": [1, "曲"]})


def left_over(store: Store) -> list[Path]:
    """Everything below the store that is not a complete unit in its place."""
    found = [*store.root.glob("*/*"), *store.root.glob("*/.*")]
    return [p for p in set(found) if p.name.startswith(".") or not (p / "unit.json").is_file()]


def test_round_trip(tmp_path: Path) -> None:
    """Arrays, tables with NaN and inf, and values come back as they were; nothing else is left."""
    store = Store(tmp_path)
    assert not store.has(ADDRESS)
    write(store)
    assert store.has(ADDRESS)
    with store.arrays(ADDRESS) as found:
        xr.testing.assert_identical(found.load(), arrays())
    np.testing.assert_array_equal(store.table(ADDRESS, "t")["x"], [1.0, np.nan, np.inf])
    assert store.values(ADDRESS) == {"k": [1, "曲"]}
    assert left_over(store) == []


def test_arrays_are_zarr_of_version_3(tmp_path: Path) -> None:
    """The store holds Zarr v3 metadata and no file of any pickle."""
    store = Store(tmp_path)
    write(store)
    meta = json.loads((store.path(ADDRESS) / "arrays.zarr" / "zarr.json").read_text())
    assert meta["zarr_format"] == 3
    for file in tmp_path.rglob("*"):
        assert file.suffix not in (".pkl", ".npy", ".npz", ".pt")
        assert not (file.is_file() and file.read_bytes().startswith(b"\x80\x04"))


def test_a_kill_before_the_rename_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped at the last moment, the unit is not there; what a kill leaves behind is swept, complete units stay."""
    store = Store(tmp_path)
    write(store, "ab" + "0" * 62)

    class Killed(BaseException):
        pass

    def kill(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", kill)
        patch.setattr("tonotopy.runs.store.shutil.rmtree", lambda *_, **__: None)  # a kill cleans nothing up
        with pytest.raises(Killed):
            write(store)
    assert not store.has(ADDRESS)
    assert len(left_over(store)) == 1
    store.sweep()
    assert left_over(store) == []
    assert store.has("ab" + "0" * 62)
    write(store)
    assert store.has(ADDRESS)


def test_a_unit_half_removed_is_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill while a unit is being forgotten leaves no rest in its place that would block it for ever."""
    store = Store(tmp_path)
    write(store)
    with monkeypatch.context() as patch:
        # Killed after the first file was deleted.
        patch.setattr(
            "tonotopy.runs.store.shutil.rmtree",
            lambda path, **_: (Path(path) / "unit.json").unlink(missing_ok=True),
        )
        store.remove(ADDRESS)
    assert not store.has(ADDRESS)
    store.sweep()
    write(store)
    assert store.has(ADDRESS)
    assert left_over(store) == []


def test_the_first_of_two_writers_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes that finish the same unit leave one, and no error."""
    store = Store(tmp_path)
    write(store)
    before = (store.path(ADDRESS) / "unit.json").stat().st_mtime_ns
    monkeypatch.setattr(Store, "has", lambda *_: False)  # the second looked before the first had finished
    write(store)
    assert (store.path(ADDRESS) / "unit.json").stat().st_mtime_ns == before
    assert left_over(store) == []


@pytest.mark.parametrize("where", ["to_zarr", "to_parquet", "json"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, code: int
) -> None:
    """Whatever write meets it: a RunError of one line; earlier units stay, the half-written one does not."""
    store = Store(tmp_path / "units")
    write(store, "cd" * 32)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(code, "No space left on device")

    target = {"to_zarr": "xarray.Dataset.to_zarr", "to_parquet": "pandas.DataFrame.to_parquet"}
    monkeypatch.setattr(target.get(where, "tonotopy.runs.store.write_json"), full)
    with pytest.raises(RunError) as caught:
        write(store)
    assert str(caught.value) == (
        "expected room for the results of a work unit; got a full disk at 'units'; likely cause: free some "
        "space and run the same command again: finished work is kept"
    )
    assert not store.has(ADDRESS)
    assert store.has("cd" * 32)
    assert left_over(store) == []


def test_another_failure_is_not_called_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other errors of the system pass as they are."""

    def denied(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("xarray.Dataset.to_zarr", denied)
    with pytest.raises(PermissionError):
        write(Store(tmp_path))


class Bomb:
    """Unpickled, it would leave a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str, str]]:
        return (_touch, (str(self.path), "boom"))


def _touch(path: str, text: str) -> None:
    Path(path).write_text(text)


def test_planted_pickles_are_not_read(tmp_path: Path) -> None:
    """A pickle beside the tables, and an object array where numbers belong, run nothing when a unit is read."""
    store, mark = Store(tmp_path / "units"), tmp_path / "boom"
    write(store)
    bomb = pickle.dumps(Bomb(mark))
    pickle.loads(bomb)
    assert mark.read_text() == "boom"  # the bomb works
    mark.unlink()
    home = store.path(ADDRESS)
    for name in ("unit.pkl", "t.pkl", "arrays.pkl"):
        (home / name).write_bytes(bomb)
    chunk = next(p for p in (home / "arrays.zarr" / "core_0" / "c").rglob("*") if p.is_file())
    chunk.write_bytes(bomb)
    meta = home / "arrays.zarr" / "core_0" / "zarr.json"
    changed = json.loads(meta.read_text())
    changed["codecs"] = [{"name": "numcodecs.pickle", "configuration": {}}]
    changed["data_type"] = {"name": "object"}
    meta.write_text(json.dumps(changed))
    store.values(ADDRESS)
    store.table(ADDRESS, "t")
    with (
        pytest.raises(RunError, match=r"^expected an intact work unit; got unit abababababab: "),
        store.arrays(ADDRESS) as found,
    ):
        found.load()
    assert not mark.exists()


def test_tables_of_an_earlier_plan_do_not_stay(tmp_path: Path) -> None:
    """A run whose plan asks for less holds no table of what was asked before; what is not a table stays."""
    one, two = pd.DataFrame({"x": [1.0]}), pd.DataFrame({"x": [2.0]})
    write_tables(tmp_path / "tables", {"verdicts": one, "features": one})
    (tmp_path / "tables" / "notes.txt").write_text("mine")
    write_tables(tmp_path / "tables", {"verdicts": two})
    assert sorted(p.name for p in (tmp_path / "tables").iterdir()) == ["notes.txt", "verdicts.parquet"]
    assert pd.read_parquet(tmp_path / "tables" / "verdicts.parquet")["x"].item() == 2.0


def test_json_is_written_whole_with_undefined_as_null(tmp_path: Path) -> None:
    """NaN and inf become null, numpy numbers become numbers, keys strings; a failure leaves the old file."""
    path = tmp_path / "verdict.json"
    write_json(
        path, {"a": np.float64(1.5), "b": float("nan"), 3: (np.int64(2), float("inf")), "c": np.bool_(True)}
    )
    assert json.loads(path.read_text()) == {"a": 1.5, "b": None, "3": [2, None], "c": True}
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert json.loads(path.read_text())["a"] == 1.5
    assert [p.name for p in tmp_path.iterdir()] == ["verdict.json"]


@pytest.mark.parametrize(
    "damage", ["a chunk cut short", "a chunk changed", "a table changed", "no unit.json"]
)
def test_damage_is_said_and_mended(tmp_path: Path, damage: str) -> None:
    """A unit with a byte less or another byte is an error where it is read, and forgotten where it can be mended."""
    store = Store(tmp_path)
    write(store)
    home = store.path(ADDRESS)
    chunk = next(p for p in (home / "arrays.zarr" / "core_0" / "c").rglob("*") if p.is_file())
    file = {"a table changed": home / "t.parquet", "no unit.json": home / "unit.json"}.get(damage, chunk)
    data = bytearray(file.read_bytes())
    if damage == "a chunk cut short":
        file.write_bytes(data[:-1])
    elif damage == "no unit.json":
        file.unlink()
    else:
        data[8] ^= 0xFF
        file.write_bytes(data)

    def read(reader: Store) -> None:
        with reader.arrays(ADDRESS) as found:
            found.load()
        reader.table(ADDRESS, "t")
        reader.values(ADDRESS)

    with pytest.raises(
        RunError, match=r"^expected an intact work unit; got unit abababababab: \w+; likely cause: "
    ):
        read(store)
    if damage in ("a chunk cut short", "no unit.json"):
        assert store.forget_damaged() == 1
    else:  # only its checksum tells
        assert store.forget_damaged() == 0
        with pytest.raises(RunError):
            read(Store(tmp_path, mends=True))
    assert not store.has(ADDRESS)
    write(store)
    read(store)
    assert store.forget_damaged() == 0


@pytest.mark.parametrize("address", ["../../etc", "/etc/passwd", "AB" * 32, "ab" * 31, ""])
def test_an_address_is_a_hash_and_no_path(tmp_path: Path, address: str) -> None:
    """A hostile manifest cannot name files outside the store."""
    with pytest.raises(RunError, match=r"^expected the address of a work unit; got "):
        Store(tmp_path).path(address)
