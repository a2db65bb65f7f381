"""Terminal and notebook: the same numbers, nothing read as markup, runs compared fairly."""

from __future__ import annotations

import dataclasses
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
    assert "intervals, and which verdicts are borderline, are undefined under 8 pieces" in text
    assert "no untrained copy was measured" in text
    assert "nan" not in text


@pytest.mark.parametrize("kind", ["plain", "minimal"])
def test_a_row_is_a_line_at_80_columns(kind: str, run_folders: dict[str, Path]) -> None:
    """On the usual terminal no name of a site and no number is broken, and no row is cut."""
    run = RunTables.read(run_folders[kind])
    lines = shown(render_show, run, width=80).splitlines()
    for row, site in enumerate(run.site_names, start=2):
        assert lines[row].startswith(site)
        assert lines[row].rstrip().endswith(" %")
    assert max(len(line) for line in lines) <= 80


def test_a_long_name_has_a_line_of_its_own(run_folders: dict[str, Path]) -> None:
    """A name that leaves no room for numbers is whole, and its numbers stand whole below it."""
    run = RunTables.read(run_folders["plain"])
    long = "encoder.layers.0.conv.block.branch.out.of.a.deep.network"
    run = dataclasses.replace(run, sites=run.sites.replace("stack_end", long))
    lines = shown(render_show, run, width=80).splitlines()
    below = lines[lines.index(long) + 1]
    assert re.search(r"^ +\d+ % \[\d+, \d+\] +\d+–\d+ % .* 3 % +0 %$", below)
    assert len(below) <= 80


def test_what_no_site_has_is_no_column(run_folders: dict[str, Path]) -> None:
    """A verdict that is nowhere is named below the table; a null that was not measured has no column either."""
    text = shown(render_show, run_folders["minimal"])
    assert "coinc." not in text
    assert "floor" not in text
    assert "0 % at every site: coincidental" in text
    assert "coinc." in shown(render_show, run_folders["plain"])


def test_the_best_site_was_picked(run_folders: dict[str, Path]) -> None:
    """The largest share stands beside the largest that a null reads at any site, and says of how many it is one."""
    text = shown(render_show, run_folders["plain"], width=300)
    assert re.search(r"67 % \[59, 75\] at block3\.conv, picked as the best of 6 sites", text)
    assert "the most that a null reads at the best of these sites: an untrained copy 8 % and shuffled" in text


def test_a_site_without_verdicts_is_not_0_percent(undefined_run: Path) -> None:
    """Where every frequency is undefined the table says so, and why, on terminal, in notebooks and in comparisons."""
    text = shown(render_show, undefined_run)
    assert re.search(r"codes +undefined +– +– .*100 % +– ", text)
    assert "codes: 8 frequencies undefined: dead site (8)" in text
    assert "picked as the best of 5 sites" in text
    assert re.search(r"codes +undefined", shown(render_compare, [undefined_run]))
    assert ">undefined</td>" in verdicts_html(undefined_run)


@pytest.mark.parametrize("width", [80, 200])
def test_compare_breaks_no_name(width: int, run_folders: dict[str, Path]) -> None:
    """Names of sites and runs are whole on narrow and wide terminals."""
    runs = [run_folders["plain"], run_folders["minimal"]]
    lines = shown(render_compare, runs, width=width).splitlines()
    for site in RunTables.read(runs[0]).site_names:
        assert sum(line.startswith(site) and "%" in line for line in lines) == 1
    assert any("synthetic · trained · folder:music12 · minimal" in line for line in lines)


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
