"""One small series for all tests that only read: four snapshots of a network that turns into another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

CODE = """
import torch

class Net(torch.nn.Sequential):
    def __init__(self):
        super().__init__(torch.nn.Conv1d(1, 12, 64, 16), torch.nn.ReLU(), torch.nn.Conv1d(12, 8, 8, 4))
"""
STEPS = (0, 10, 200)
SMALL: dict[str, Any] = {
    "music": "scores", "preset": "quick", "frequencies": 3, "pieces": 8, "workers": 1, "sample_rate": 8000,
    "sites": ["0", "2"], "trust": True, "device": "cpu",
}  # fmt: skip


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a network's code and its checkpoints, on the straight way from one draw to another."""
    import torch

    folder = tmp_path_factory.mktemp("training")
    (folder / "net.py").write_text(CODE)
    first, last = (_draw(seed) for seed in (1, 2))
    for step in STEPS:
        share = step / STEPS[-1]
        torch.save({k: (1 - share) * first[k] + share * last[k] for k in first}, folder / f"net-{step}.pth")
    return folder


def _draw(seed: int) -> dict[str, Any]:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return torch.nn.Sequential(
            torch.nn.Conv1d(1, 12, 64, 16), torch.nn.ReLU(), torch.nn.Conv1d(12, 8, 8, 4)
        ).state_dict()


@pytest.fixture(scope="session")
def series(checkpoints: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The finished series; do not change it."""
    from tonotopy.runs.series import study_series

    out = tmp_path_factory.mktemp("series") / "emergence"
    return study_series(f"{checkpoints / 'net.py'}:Net", weights=str(checkpoints / "*.pth"), out=out, **SMALL)
