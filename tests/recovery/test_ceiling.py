"""The ceiling recovers what an architecture can do, and the instrument reads it: the trained positive control.

At 2 kHz, where minutes on one thread are enough: three layers that see 188 samples (94 ms) can report most bands,
and what they report well is read as stable; layers that see 7 samples (3.5 ms) can not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tonotopy.runs import study
from tonotopy.training.ceiling import train_ceiling
from tonotopy.training.ceiling_record import read_record

pytestmark = [pytest.mark.prove, pytest.mark.timeout(1800)]

RATE = 2000
MODEL = """
from torch import nn


class Long(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(1, 32, 16, 4), nn.ELU(), nn.Conv1d(32, 64, 8, 4), nn.ELU(),
            nn.Conv1d(64, 128, 10), nn.ReLU(), nn.Conv1d(128, 64, 1),
        )

    def forward(self, audio):
        return self.layers(audio)


class Short(Long):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(1, 64, 7, 4), nn.ELU(), nn.Conv1d(64, 128, 1), nn.ReLU(), nn.Conv1d(128, 64, 1)
        )
"""


@pytest.fixture(scope="module")
def ceilings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both ceilings, trained alike."""
    home = tmp_path_factory.mktemp("ceilings")
    (home / "model.py").write_text(MODEL, encoding="utf-8")
    words: dict[str, Any] = {"music": "scores", "trust": True, "sample_rate": RATE, "learning_rate": 5e-3}
    return {
        name: train_ceiling(like=f"{home / 'model.py'}:{name}", out=home / name, steps=1500, **words)
        for name in ("Long", "Short")
    }


def r2(file: Path, name: str = "level_r2") -> np.ndarray:
    """Explained variance of every band."""
    return np.array([getattr(band, name) for band in read_record(file.with_suffix(".json")).bands], float)


def test_an_architecture_that_can_learns(ceilings: dict[str, Path]) -> None:
    """Long views report the level of every band, several above .9, and phase; chance and random weights do not."""
    level, phase = r2(ceilings["Long"]), r2(ceilings["Long"], "phase_r2")
    assert np.median(level) > 0.8
    assert np.sum(level > 0.9) >= 3
    assert np.median(phase) > 0.6
    assert r2(ceilings["Long"], "level_chance").max() < 0.2
    assert r2(ceilings["Long"], "random_level_r2").max() < 0.5


def test_what_is_reported_well_is_read_as_stable(ceilings: dict[str, Path], tmp_path: Path) -> None:
    """The trained positive control passes; the untrained network could, and does not."""
    file = ceilings["Long"]
    run = study(
        f"{file.parent.parent / 'model.py'}:Long",
        music="scores",
        preset="quick",
        frequencies=14,
        sample_rate=RATE,
        trust=True,
        brief=True,
        floor=False,
        ceiling=file.parent,
        out=tmp_path / "run",
    )
    control = run.verdict["positive_control"]
    assert control["frequencies"] >= 3
    assert control["passes"] is True
    last = run.verdict["sites"][-1]
    assert last["against_ceiling"]["could_does_not"] > 0.5
    assert last["shares"]["stable"] < 0.2


def test_seven_samples_can_not(ceilings: dict[str, Path]) -> None:
    """A view of 7 samples reports no band well, and hardly any at all below its resolution limit."""
    level = r2(ceilings["Short"])
    assert level.max() < 0.9
    assert np.median(level) < 0.5
    assert np.all(r2(ceilings["Long"]) > level)
