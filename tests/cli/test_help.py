"""Help: every verb says what question it answers and shows an example, and asking costs nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tonotopy.cli import VERBS, main

HEAVY = ("torch", "numpy", "pandas", "matplotlib", "scipy", "xarray", "zarr", "rich")
ROOT = Path(__file__).resolve().parents[2]


def verbs() -> Iterator[tuple[str, ...]]:
    """Every command that does something, as the words that call it."""
    for name in VERBS:
        command = main.get_command(click.Context(main), name)
        if isinstance(command, click.Group):
            yield from ((name, part) for part in command.commands)
        yield (name,)


@pytest.mark.parametrize("words", list(verbs()), ids=" ".join)
def test_help_has_an_example(words: tuple[str, ...], call) -> None:
    """Help ends with a line that can be copied, and it calls this verb."""
    result = call(*words, "--help")
    assert result.exit_code == 0
    assert f"  tonotopy {' '.join(words)}" in result.output.split("Examples:")[1]


@pytest.mark.parametrize("words", list(verbs()), ids=" ".join)
def test_examples_are_understood(words: tuple[str, ...], call) -> None:
    """No example has an option or a verb that does not exist."""
    for line in call(*words, "--help").output.split("Examples:")[1].strip().splitlines():
        group: click.Command = main
        rest = line.split()[1:]
        while isinstance(group, click.Group):
            command = group.get_command(click.Context(group), rest[0])
            assert command is not None, line
            group, rest = command, rest[1:]
            if not rest:
                break
        if not isinstance(group, click.Group):
            group.make_context("example", rest)


def test_every_verb_is_a_question(call) -> None:
    """The list of verbs is a list of questions, none of them cut short."""
    listed = call("--help").output.split("Commands:")[1].split("Examples:")[0].strip().splitlines()
    assert [line.split()[0] for line in listed] == list(VERBS)
    assert all(line.endswith("?") for line in listed)


def test_the_page_names_every_verb() -> None:
    """The documentation and the command line have the same verbs."""
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `(\w+)[^|]*\|[^|]*\?", page, re.MULTILINE)
    assert named == list(VERBS)


def test_help_is_light() -> None:
    """`tonotopy --help` loads none of the heavy packages."""
    code = (
        "import sys\nfrom tonotopy.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as stop:\n    assert stop.code == 0\n"
        f"print('heavy:', *(name for name in {HEAVY!r} if name in sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.rstrip().endswith("heavy:")


def test_version(call) -> None:
    """The version is the package's."""
    import tonotopy

    assert call("--version").output.strip() == f"tonotopy {tonotopy.__version__}"


def test_figures_in_the_help_exist(call) -> None:
    """The names of figures in examples and documentation are names of figures."""
    from tonotopy.views import figure_names
    from tonotopy.views.clips._contract import clip_figure_names

    pages = [path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md")]
    text = "\n".join(
        [call("figure", "--help").output, (ROOT / "README.md").read_text(encoding="utf-8"), *pages]
    )
    named = re.findall(r"tonotopy figure ([a-z-]+) |[Ff]igure `([a-z-]+)`|\.figure\(\"([a-z-]+)\"", text)
    assert {"".join(one) for one in named} <= {*figure_names(), *clip_figure_names()}
    assert len(named) > 3
