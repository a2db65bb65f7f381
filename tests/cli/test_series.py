"""A series on the command line: study, show, figure, report, and mistakes in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tonotopy.cli import main

SMALL = ("--preset", "quick", "--frequencies", "3", "--pieces", "4", "--workers", "1", "--no-floor")
NET = """
import torch

class Net(torch.nn.Conv1d):
    def __init__(self):
        super().__init__(1, 6, 64, 32)
"""


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """A command that studies two checkpoints."""
    import torch

    folder = tmp_path_factory.mktemp("checkpoints")
    (folder / "net.py").write_text(NET)
    for step in (5, 50):
        generator = torch.Generator().manual_seed(step)
        state = {"weight": torch.randn(6, 1, 64, generator=generator), "bias": torch.zeros(6)}
        torch.save(state, folder / f"net-{step}.pth")
    code = ("study", f"{folder / 'net.py'}:Net", "--trust", "--sample-rate", "8000", *SMALL)
    return (*code, "--weights", str(folder / "*.pth"))


@pytest.fixture(scope="module")
def folder(words: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished series."""
    out = tmp_path_factory.mktemp("cli-series") / "series"
    result = CliRunner().invoke(main, [*words, "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "step" in result.stdout
    return out


def test_show(call, folder: Path) -> None:
    """A table for people, all tables for programs."""
    assert "overlap with the final subspace" in call("show", folder).stdout
    found = json.loads(call("show", folder, "--json").stdout)
    assert [member["step"] for member in found["members"]] == [5, 50]
    assert len(found["dimension"]) == len(found["shares"]) == 2


def test_figure_and_report(call, folder: Path, tmp_path: Path) -> None:
    """The figure is a file; the page links to the members' pages."""
    target = tmp_path / "e.svg"
    assert call("figure", "emergence", folder, "--out", target).exit_code == 0
    assert target.stat().st_size > 1000
    page = Path(call("report", folder).stdout.strip())
    assert "../step-00000050/report/index.html" in page.read_text(encoding="utf-8")
    assert (folder / "step-00000050" / "report" / "index.html").is_file()


def test_dry_run(call, words: tuple[str, ...], tmp_path: Path) -> None:
    """What it would cost, and no folder."""
    result = call(*words, "--dry-run", "--out", tmp_path / "none")
    assert "members    2" in result.stdout
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("study", "nowhere/*.safetensors"), "no file for 'nowhere/*.safetensors'"),
        (("study", "samplecnn-3-7", "--weights", "nowhere/*.pth"), "no file for 'nowhere/*.pth'"),
    ],
)
def test_mistakes(call, arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch) -> None:
    """One line, and nothing is made."""
    monkeypatch.chdir(tmp_path)
    result = call(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_figure_of_one_run(call, folder: Path) -> None:
    """Says which figures a series has."""
    result = call("figure", "margins", folder)
    assert result.exit_code == 2
    assert "emergence, scaling" in result.stderr
