"""Terminal and notebook: the same numbers, nothing read as markup, runs compared fairly."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from tonotopy.core.errors import InputError
from tonotopy.views import RunTables, compare_table, render_compare, render_show, verdicts_html


def shown(render: object, *arguments: object, width: int = 160) -> str:
    """What a renderer prints on a terminal of this width, colours included."""
    buffer = io.StringIO()
    console = Console(file=buffer, width=width, force_terminal=True, color_system=None)
    assert callable(render)
    render(*arguments, console)
    return buffer.getvalue()


def test_show_has_a_row_a_site(run_folders: dict[str, Path]) -> None:
    """Every site stands with its share, its interval, the two thresholds and both nulls."""
    text = shown(render_show, run_folders["plain"])
    assert re.search(r"stack_end +\d+ % \[\d+, \d+\] +\d+–\d+ % .* 3 % +0 %\n", text)
    assert "synthetic · trained · folder:music12 · standard · 12 pieces" in text
    assert "absent is anatomy and not finding: first_conv 15" in text


def test_show_says_what_is_undefined(run_folders: dict[str, Path]) -> None:
    """Few pieces and a missing floor are said below the table."""
    text = shown(render_show, run_folders["minimal"])
    assert "intervals are undefined under 8 pieces" in text
    assert "no untrained copy was measured" in text
    assert "nan" not in text


def test_hostile_words_are_not_obeyed(run_folders: dict[str, Path]) -> None:
    """Markup is shown, escape sequences are spelled out, by every renderer."""
    for text in (
        shown(render_show, run_folders["hostile"]),
        shown(render_compare, [run_folders["hostile"], run_folders["plain"]], width=300),
    ):
        assert "[red]x[/red]" in text
        assert "\\x1b[31m" in text
        assert "\x1b[31m" not in text
        assert "\u202e" not in text


def test_notebook_escapes(run_folders: dict[str, Path]) -> None:
    """The table as HTML holds the numbers, and hostile words as words."""
    page = verdicts_html(run_folders["hostile"])
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert page.count("<tr>") == 7


def test_compare_table_has_a_row_a_run_and_site(run_folders: dict[str, Path]) -> None:
    """Numbers come through as they are, in the order of the runs."""
    table = compare_table([run_folders["plain"], run_folders["minimal"]])
    assert len(table) == 12
    assert table["n_pieces"].tolist() == [12] * 6 + [4] * 6
    run = RunTables.read(run_folders["plain"])
    assert table["share_stable"].tolist()[:6] == run.sites["share_stable"].tolist()
    assert table["low_stable"].isna().tolist()[6:] == [True] * 6


def test_runs_are_told_apart(run_folders: dict[str, Path], tmp_path: Path) -> None:
    """Runs of one encoder and weights are labelled by their folders."""
    again = shutil.copytree(run_folders["plain"], tmp_path / "again")
    labels = compare_table([run_folders["plain"], again])["run"].unique().tolist()
    assert labels == [
        "synthetic · trained · folder:music12 · plain",
        "synthetic · trained · folder:music12 · again",
    ]


def test_compare_names_what_the_plans_do_not_share(run_folders: dict[str, Path]) -> None:
    """A difference that need not be the model's is said; equal plans have none."""
    text = shown(render_compare, [run_folders["plain"], run_folders["minimal"]], width=200)
    assert "the runs differ in n pieces and n frequencies" in text
    assert "differ" not in shown(render_compare, [run_folders["plain"]] * 2, width=200)


def test_comparing_nothing_is_an_error() -> None:
    """At least one run is needed."""
    with pytest.raises(InputError, match="expected one run or more to compare; got none"):
        compare_table([])


def test_a_table_on_a_terminal_loads_no_drawing_library(run_folders: dict[str, Path]) -> None:
    """Showing a verdict does not wait for matplotlib."""
    code = (
        "import sys\nfrom rich.console import Console\nfrom tonotopy.views import render_show\n"
        "render_show(sys.argv[1], Console(quiet=True))\nprint('matplotlib' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(run_folders["minimal"])]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.strip() == "False"
