"""The README is true: its code runs, its commands exist, its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest

import tonotopy
from tonotopy.cli import main

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FEW = {"pieces": 3, "frequencies": 3, "floor": False, "workers": 1}


def blocks(language: str) -> list[str]:
    """Code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_python_block_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """A module is studied by the words of the README; only the study is made smaller."""
    monkeypatch.chdir(tmp_path)
    real = tonotopy.study
    monkeypatch.setattr(tonotopy, "study", lambda *args, **words: real(*args, **words | FEW), raising=False)
    (block,) = blocks("python")
    exec(compile(block, "README.md", "exec"), {"__name__": "readme"})
    said = capsys.readouterr().out
    assert "of partials are stable" in said
    assert Path(said.split()[-1]).is_file()


def test_the_model_is_as_short_as_promised() -> None:
    """Twenty lines of model, five lines of study."""
    (block,) = blocks("python")
    model, study = block.split("import tonotopy\n")
    assert len(model.strip().splitlines()) <= 20
    assert len(["import tonotopy", *study.strip().splitlines()]) <= 6  # five, and a blank line


def commands() -> list[list[str]]:
    """Every call of tonotopy in a shell block, as words."""
    lines = [line.split("#")[0].split() for block in blocks("sh") for line in block.splitlines()]
    return [words[1:] for words in lines if words[:1] == ["tonotopy"]]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_commands_are_understood(words: list[str]) -> None:
    """Verbs and options of the README exist."""
    context = click.Context(main)
    command = main.get_command(context, words[0])
    assert command is not None
    command.make_context(words[0], words[1:], parent=context)


def test_links_lead_somewhere() -> None:
    """Every link and every picture is a file of the repository."""
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
    assert (ROOT / "templates" / "encoder.py").exists()


def test_targets_of_make_exist() -> None:
    """`make demo` and `make test` are targets."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", "".join(blocks("sh")), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
