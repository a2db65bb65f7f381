"""What tests of the command line share: a way to call it, and one small run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tonotopy.cli import main

Call = Callable[..., Result]

#: Words that make a study small.
SMALL = ("--preset", "quick", "--frequencies", "4", "--pieces", "4", "--workers", "1", "--no-floor")


@pytest.fixture
def call() -> Call:
    """Call the command line; whatever happens, nobody sees a traceback."""

    def run(*words: str | Path) -> Result:
        result = CliRunner().invoke(main, [str(word) for word in words])
        assert "Traceback" not in result.output
        return result

    return run


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of a phantom of low cost."""
    folder = tmp_path_factory.mktemp("cli") / "loudness"
    result = CliRunner().invoke(main, ["study", "phantom:loudness", *SMALL, "--out", str(folder), "--json"])
    assert result.exit_code == 0, result.output
    return folder
