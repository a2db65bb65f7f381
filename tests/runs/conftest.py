"""One small finished study, with a floor and a view curve, for all tests that only read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

SITES = ("0", "2")
SMALL: dict[str, Any] = {"music": "scores", "preset": "quick", "workers": 1}


def small_net() -> Any:
    """Two convolutions with a rectifier between them, of known random weights."""
    import torch

    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv1d(1, 16, 64, 16), torch.nn.ReLU(), torch.nn.Conv1d(16, 24, 16, 4)
    )


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A finished run of a random network at 5 frequencies, 8 pieces and one floor seed; do not change it."""
    from tonotopy.runs import study

    out: Path = tmp_path_factory.mktemp("study") / "run"
    return study(small_net(), sample_rate=16000, sites=SITES, frequencies=5, pieces=8, out=out, **SMALL)


@pytest.fixture
def copied(finished: Any, tmp_path: Path) -> Path:
    """A copy of the finished run's files, its units left out, to be damaged."""
    import shutil

    return Path(shutil.copytree(finished.path, tmp_path / "copy", ignore=shutil.ignore_patterns("units")))
