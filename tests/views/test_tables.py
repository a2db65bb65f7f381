"""A run folder is read as it is, or refused with the reason."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tonotopy.core.errors import InputError, RunError
from tonotopy.views import RunTables, _reading
from tonotopy.views.tables import as_run

MakeRun = Callable[..., Path]


def test_reads_what_is_there(run_folders: dict[str, Path]) -> None:
    """Names, counts and depth order come from the folder; view is also in seconds."""
    run = RunTables.read(run_folders["plain"])
    assert (run.encoder, run.weights, run.music, run.preset) == (
        "synthetic",
        "trained",
        "folder:music12",
        "standard",
    )
    assert (run.n_pieces, run.has_intervals, run.floor_seeds, len(run.frequencies_hz)) == (12, True, 2, 48)
    assert run.site_names[0] == "first_conv"
    assert run.site_names[-1] == "codes"
    assert run.sites["view_s"].tolist()[0] == pytest.approx(64 / 16_000)


def test_undefined_stays_undefined(run_folders: dict[str, Path]) -> None:
    """Not-a-number and infinity survive the reading; a column of nothing but gaps is undefined numbers."""
    run = RunTables.read(run_folders["plain"])
    cells = run.verdicts[run.verdicts["verdict"] == "undefined"]
    assert cells["line_detection"].isna().all()
    assert np.isposinf(run.verdicts["raw_audiogram_db"]).any()
    assert run.sites["rank"].dtype == "float64"
    assert run.sites["rank"].isna().all()


def test_a_minimal_run_has_empty_tables(run_folders: dict[str, Path]) -> None:
    """What was not measured is an empty table with its columns, and too few pieces have no intervals."""
    run = RunTables.read(run_folders["minimal"])
    assert run.floor.empty
    assert "line_audiogram_db" in run.floor
    assert run.anatomy == {}
    assert not run.has_intervals


def test_an_unmeasured_number_reads_as_undefined(make_run: MakeRun) -> None:
    """A brief run leaves columns out: they are undefined, not an error and not zero."""
    folder = make_run()
    path = folder / "tables" / "verdicts.parquet"
    pd.read_parquet(path).drop(columns=["pooled_detection", "ev1"]).to_parquet(path, index=False)
    assert RunTables.read(folder).verdicts["ev1"].isna().all()


def test_anything_with_a_path_is_a_run(run_folders: dict[str, Path]) -> None:
    """An opened run, a path and tables are the same to every view."""

    class Opened:
        path = run_folders["plain"]

    run = as_run(Opened())
    assert as_run(run) is run
    assert as_run(str(run_folders["plain"])).encoder == run.encoder


def test_an_unknown_site_names_the_known(run_folders: dict[str, Path]) -> None:
    """Asking for a site that is not there lists those that are."""
    run = RunTables.read(run_folders["plain"])
    with pytest.raises(
        InputError, match=r"expected a site of this run; got 'conv99'.*first_conv, block1.conv"
    ):
        run.chosen("conv99")


@pytest.mark.parametrize(
    "name", ["plan.toml", "manifest.json", "verdict.json", "tables/verdicts.parquet", "tables/sites.parquet"]
)
def test_a_missing_file_is_named(make_run: MakeRun, name: str) -> None:
    """A folder without a file that everything rests on is refused by that file's name."""
    folder = make_run()
    (folder / name).unlink()
    with pytest.raises(RunError, match=f"expected {name} in the run folder; got no such file"):
        RunTables.read(folder)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    """A path that is no folder is refused without its whole path in the message."""
    with pytest.raises(RunError, match=r"expected a run folder; got 'nowhere'"):
        RunTables.read(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["tables/verdicts.parquet", "tables/sparsity.parquet"])
@pytest.mark.parametrize("keep", [0.0, 0.5, 0.99])
def test_a_truncated_table_is_refused(make_run: MakeRun, name: str, keep: float) -> None:
    """A table that was cut short anywhere is damaged, never half a table."""
    path = make_run() / name
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole))])
    with pytest.raises(RunError, match=f"expected a Parquet table in {name}; got something else"):
        RunTables.read(path.parents[1])


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("verdict.json", '{"encoder": ', "JSON"),
        ("manifest.json", "\xff\xfe", "JSON"),
        ("anatomy.json", "[" * 100_000, "JSON"),
        ("plan.toml", "preset = ", "TOML"),
    ],
)
def test_a_damaged_record_is_refused(make_run: MakeRun, name: str, text: str, what: str) -> None:
    """Records that do not parse, however deep they nest, are refused by name."""
    folder = make_run()
    (folder / name).write_text(text, encoding="latin-1")
    with pytest.raises(RunError, match=f"expected {what} in {name}"):
        RunTables.read(folder)


def test_another_schema_is_refused(make_run: MakeRun) -> None:
    """A folder of another version says so instead of drawing something."""
    folder = make_run()
    plan = folder / "plan.toml"
    plan.write_text(plan.read_text(encoding="utf-8").replace("schema = 1", "schema = 2"), encoding="utf-8")
    with pytest.raises(RunError, match=r"known schema; got schema 2; .*legal values: 1"):
        RunTables.read(folder)


def _rewrite(folder: Path, table: str, **columns: object) -> None:
    path = folder / "tables" / f"{table}.parquet"
    pd.read_parquet(path).assign(**columns).to_parquet(path, index=False)


@pytest.mark.parametrize(
    ("table", "columns", "message"),
    [
        (
            "verdicts",
            {"verdict": "marvellous"},
            "known words in column 'verdict' of verdicts; got 'marvellous'",
        ),
        ("verdicts", {"borderline": "yes"}, "flags in column 'borderline' of tables/verdicts.parquet; got"),
        ("verdicts", {"line_detection": "high"}, "numbers in column 'line_detection'"),
        ("verdicts", {"frequency_hz": -1.0}, "frequencies above 0 Hz in verdicts"),
        ("verdicts", {"frequency_hz": 440.0}, "one verdict for each site and frequency"),
        ("verdicts", {"site": "elsewhere"}, "sites of the run in verdicts; got 'elsewhere'"),
        ("sites", {"share_stable": 7.0}, "shares between 0 and 1 in sites; got 7"),
        ("sites", {"site": "same"}, "one row for each of one or more sites"),
        ("pieces", {"title": "x" * 30_000}, "strings of at most 20,000 bytes in 'title'"),
    ],
)
def test_impossible_tables_are_refused(
    make_run: MakeRun, table: str, columns: dict[str, object], message: str
) -> None:
    """Values of another kind, or that cannot be true, are refused with what was found."""
    folder = make_run()
    _rewrite(folder, table, **columns)
    with pytest.raises(RunError, match=message):
        RunTables.read(folder)


def test_sizes_are_bounded(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files, rows and unpacked sizes are checked before they are read."""
    folder = make_run()
    monkeypatch.setattr(_reading, "ROWS", 5)
    with pytest.raises(RunError, match="at most 5 rows; got 288 rows"):
        RunTables.read(folder)
    monkeypatch.setattr(_reading, "TEXT_BYTES", 5)
    with pytest.raises(RunError, match=r"plan.toml of at most 5 bytes; got [\d,]+ bytes"):
        RunTables.read(folder)


def test_a_link_out_of_the_folder_is_refused(make_run: MakeRun, tmp_path: Path) -> None:
    """A run folder cannot point at files elsewhere."""
    folder = make_run()
    secret = tmp_path / "elsewhere.json"
    secret.write_text("{}", encoding="utf-8")
    (folder / "manifest.json").unlink()
    (folder / "manifest.json").symlink_to(secret)
    with pytest.raises(RunError, match=r"expected manifest.json inside the run folder; got a link out of it"):
        RunTables.read(folder)


class Bomb:
    """Runs code when unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("exit 1",)


def test_nothing_is_unpickled(make_run: MakeRun) -> None:
    """A column of pickled objects is bytes, which no column may hold."""
    folder = make_run()
    path = folder / "tables" / "pieces.parquet"
    table = pq.read_table(path)
    bombs = pa.array([pickle.dumps(Bomb())] * table.num_rows, type=pa.binary())
    pq.write_table(table.set_column(table.schema.get_field_index("title"), "title", bombs), path)
    with pytest.raises(RunError, match=r"texts in column 'title' of tables/pieces.parquet; got binary"):
        RunTables.read(folder)


def test_a_constant_that_json_lacks_is_undefined(make_run: MakeRun) -> None:
    """NaN in a record reads as undefined."""
    folder = make_run()
    (folder / "anatomy.json").write_text(json.dumps({"sample_rate_hz": float("nan")}), encoding="utf-8")
    assert RunTables.read(folder).anatomy == {"sample_rate_hz": None}
