"""Files are the same each time, and a spreadsheet cannot run them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd
import pytest

from tonotopy.core.errors import InputError
from tonotopy.views import save_figure
from tonotopy.views.export import csv_text


@pytest.mark.parametrize(
    ("ending", "start"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG"), ("csv", b"site,")]
)
def test_the_ending_says_the_format(
    ending: str, start: bytes, run_folders: dict[str, Path], tmp_path: Path
) -> None:
    """One call writes SVG, PDF, PNG or the data, and twice the same bytes."""
    paths = [
        save_figure("depth-profile", run_folders["plain"], tmp_path / name / f"x.{ending}") for name in "ab"
    ]
    first, second = (path.read_bytes() for path in paths)
    assert first == second
    assert first.startswith(start)
    assert b"Matplotlib v" not in first
    assert b"CreationDate" not in first


def test_an_unknown_ending_is_refused(run_folders: dict[str, Path], tmp_path: Path) -> None:
    """Other endings are refused with those that are known."""
    with pytest.raises(InputError, match=r"known ending; got 'x.bmp'; legal values: .svg, .pdf, .png, .csv"):
        save_figure("depth-profile", run_folders["plain"], tmp_path / "x.bmp")


def test_a_path_that_cannot_be_written_is_refused(run_folders: dict[str, Path], tmp_path: Path) -> None:
    """A file where a folder should be is an error in words."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"expected a file that can be written; got 'x.csv'"):
        save_figure("depth-profile", run_folders["plain"], tmp_path / "file" / "x.csv")


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1", "\n=1"])
def test_text_that_a_spreadsheet_would_run_is_disarmed(cell: str) -> None:
    """Words from files that start like a formula come out with an apostrophe in front."""
    table = pd.DataFrame({"title": [cell], "level_db": [-3.0]})
    rows = list(csv.reader(io.StringIO(csv_text(table), newline="")))
    assert len(rows) == 2
    assert rows[1][0].startswith("'")
    assert rows[1][0].endswith(cell[-1])
    assert rows[1][1] == "-3.0"


def test_undefined_is_empty_and_never_is_inf() -> None:
    """A CSV tells undefined, never and zero apart."""
    table = pd.DataFrame({"a": [float("nan"), float("inf"), 0.0], "b": ["x", None, "y"]})
    assert csv_text(table) == "a,b\n,x\ninf,\n0.0,y\n"


def test_hostile_names_are_disarmed_in_columns_too() -> None:
    """The names of columns are guarded like cells."""
    assert csv_text(pd.DataFrame({"=cmd": [1]})) == "'=cmd\n1\n"
