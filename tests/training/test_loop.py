"""The loop: exact resume after a kill at any moment, a stop at NaN, a full disk, a folder of another training."""

from __future__ import annotations

import csv
import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tonotopy.core.errors import InputError, RunError
from tonotopy.encoders import _checkpoint
from tonotopy.encoders._checkpoint import Header
from tonotopy.training import loop
from tonotopy.training.loop import Training
from tonotopy.training.schedule import Length, rate_at, snapshot_steps
from tonotopy.training.task import Batch, generator


class Line:
    """A small regression with dropout: everything that a resume must carry on."""

    name, learning_rate, largest_gradient, seed = "line", 1e-2, 5.0, 3

    def __init__(self, *, poison: int | None = None) -> None:
        torch.manual_seed(0)
        self.module = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.Dropout(0.3), nn.Linear(16, 1))
        self.poison = poison
        self.seen = 0

    def header(self, step: int) -> Header:
        return Header("samplecnn-3-7", {"tags": 1}, step, self.seed)

    def snapshot(self) -> dict[str, torch.Tensor]:
        return dict(self.module.state_dict())

    def batch(self, step: int) -> Batch:
        rng = generator(self.seed, step, 1)
        audio = rng.standard_normal((32, 8)).astype(np.float32)
        if step == self.poison:
            audio[0, 0] = np.nan
        return Batch(torch.from_numpy(audio), (f"clip {step}",))

    def loss(self, batch: Batch, step: int) -> tuple[torch.Tensor, dict[str, float]]:
        self.seen += 1
        wanted = batch.audio.sum(dim=1, keepdim=True)
        return (self.module(batch.audio) - wanted).square().mean(), {"rows": 32.0}

    def validate(self) -> dict[str, float]:
        return {"right": 1.0}


def weights(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder / "checkpoint" / "weights.safetensors")


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def trained(folder: Path, steps: int = 200, **words: object) -> Path:
    return Training(Line(), folder, told={}, length=Length(steps=steps), **words).run()  # type: ignore[arg-type]


def test_it_learns_and_says_so(tmp_path: Path) -> None:
    last = trained(tmp_path / "run")
    table = rows(tmp_path / "run")
    assert last.name == "step-0000200.safetensors"
    assert float(table[3]["loss"]) < 0.6 * float(table[0]["loss"])
    assert float(table[-1]["held_out_right"]) == 1.0
    assert _checkpoint.read_header(last).step == 200


@pytest.mark.parametrize("at", [2, 50, 51, 137])
def test_an_interrupted_training_ends_bit_for_bit_like_one_that_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    trained(tmp_path / "whole")
    monkeypatch.setattr(loop, "SAVE_S", 0.0)  # save after every step

    class Cut(Exception):
        pass

    def cut(done: int, total: int, label: str) -> None:
        if done == at:
            raise Cut

    first = Training(Line(), tmp_path / "cut", told={}, length=Length(steps=200))
    with pytest.raises(Cut):
        first.run(cut)
    torch.manual_seed(99)  # whatever else the process drew
    second = Training(Line(), tmp_path / "cut", told={}, length=Length(steps=200))
    second.run()
    assert 0 < second.task.seen < 200, "the second session went on, and did not start again"
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "cut"))
    assert rows(tmp_path / "whole") == rows(tmp_path / "cut")
    assert sorted(p.name for p in (tmp_path / "whole").glob("*.safetensors")) == sorted(
        p.name for p in (tmp_path / "cut").glob("*.safetensors")
    )


SCRIPT = """
import sys; sys.path.insert(0, {here!r})
import torch; torch.set_num_threads(1)
from pathlib import Path
from tonotopy.training import loop
loop.SAVE_S = 0.05
from test_loop import Line
from tonotopy.training.loop import Training
from tonotopy.training.schedule import Length
Training(Line(), Path({folder!r}), told={{}}, length=Length(steps={steps})).run()
"""


def test_a_kill_loses_no_more_than_the_time_between_two_saves(tmp_path: Path) -> None:
    steps = 3000
    script = SCRIPT.format(here=str(Path(__file__).parent), folder=str(tmp_path / "cut"), steps=steps)
    kills = 0
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL) as process:
            mark = tmp_path / "cut" / "checkpoint" / "state.json"
            before = json.loads(mark.read_text())["step"] if mark.is_file() else 0
            for _ in range(600):
                time.sleep(0.05)
                try:
                    if json.loads(mark.read_text())["step"] > before:
                        break
                except (OSError, ValueError):
                    continue
            process.send_signal(signal.SIGKILL)
            kills += process.wait() == -signal.SIGKILL
    assert kills >= 1, "the training ended before it could be killed"
    before = json.loads((tmp_path / "cut" / "checkpoint" / "state.json").read_text())["step"]
    assert 0 < before < steps
    trained(tmp_path / "cut", steps)
    trained(tmp_path / "whole", steps)
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "cut"))


def test_a_signal_to_end_saves_the_step_under_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SAVE_S", 1e9)
    training = Training(Line(), tmp_path / "run", told={}, length=Length(steps=100_000))

    def end(done: int, total: int, label: str) -> None:
        if done == 37:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        training.run(end)
    assert json.loads((tmp_path / "run" / "checkpoint" / "state.json").read_text())["step"] >= 37


def test_nan_stops_with_step_and_clip_and_keeps_the_checkpoint_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SAVE_S", 0.0)
    with pytest.raises(RunError, match=r"finite loss; got nan at step 60 on clip 60"):
        Training(Line(poison=60), tmp_path / "run", told={}, length=Length(steps=100)).run()
    assert json.loads((tmp_path / "run" / "checkpoint" / "state.json").read_text())["step"] == 60
    assert all(torch.isfinite(value).all() for value in weights(tmp_path / "run").values())
    trained(tmp_path / "run", 100)  # mended, it goes on


def test_a_full_disk_is_named_and_what_was_saved_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SAVE_S", 0.0)
    real, count = _checkpoint.write, [0]

    def full(path: Path, *rest: object) -> None:
        count[0] += 1
        if count[0] > 40:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(loop._checkpoint, "write", full)
    with pytest.raises(RunError, match="a full disk"):
        trained(tmp_path / "run")
    monkeypatch.setattr(loop._checkpoint, "write", real)
    assert json.loads((tmp_path / "run" / "checkpoint" / "state.json").read_text())["step"] > 5
    trained(tmp_path / "run")
    trained(tmp_path / "whole")
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "run"))


def test_a_folder_of_another_training_or_of_something_else_is_refused(tmp_path: Path) -> None:
    trained(tmp_path / "run", 20)
    with pytest.raises(RunError, match="differs in: steps"):
        trained(tmp_path / "run", 30)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("mine")
    with pytest.raises(RunError, match="a folder with other files"):
        trained(tmp_path / "other")


def test_a_checkpoint_left_between_two_renames_outlives_the_next_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SAVE_S", 0.0)

    class Cut(Exception):
        pass

    def cut(done: int, total: int, label: str) -> None:
        if done == 50:
            raise Cut

    with pytest.raises(Cut):
        Training(Line(), tmp_path / "run", told={}, length=Length(steps=200)).run(cut)
    (tmp_path / "run" / "checkpoint").rename(tmp_path / "run" / ".checkpoint.old")
    monkeypatch.setattr(loop, "moments_of", lambda _: (_ for _ in ()).throw(Cut))  # killed in the next save
    with pytest.raises(Cut):
        trained(tmp_path / "run")
    monkeypatch.undo()
    again = Training(Line(), tmp_path / "run", told={}, length=Length(steps=200))
    again.run()
    assert again.task.seen < 160, "it went on from step 49"


def test_minutes_become_steps_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "PACE_S", 0.2)
    Training(Line(), tmp_path / "run", told={}, length=Length(minutes=0.02)).run()
    state = json.loads((tmp_path / "run" / "checkpoint" / "state.json").read_text())
    assert state["step"] == state["steps"] > 20
    assert (tmp_path / "run" / f"step-{state['steps']:07d}.safetensors").is_file()


@pytest.mark.parametrize("words", [{}, {"steps": 5, "minutes": 1.0}, {"steps": 0}, {"minutes": float("nan")}])
def test_a_length_that_is_none_is_refused(words: dict[str, float]) -> None:
    with pytest.raises(InputError):
        Length(**words)  # type: ignore[arg-type]


@pytest.mark.parametrize("steps", [1, 9, 10, 11, 50, 12_000, 10**7])
def test_snapshots_go_from_the_start_to_the_end(steps: int) -> None:
    found = snapshot_steps(steps)
    assert found[0] == 0
    assert found[-1] == steps
    assert found == sorted(set(found))
    assert len(found) <= 12
    if steps >= 12_000:
        assert len(found) == 12
        ratios = np.diff(np.log(found[1:]))
        assert ratios.max() < 1.2 * ratios.min() + 0.1, "log-spaced"


def test_the_step_size_rises_and_ends_at_nothing() -> None:
    found = [rate_at(step, 1000) for step in range(1000)]
    assert max(found) == pytest.approx(1.0)
    assert found[0] < 0.1
    assert found[-1] < 1e-4


def test_tensorboard_gets_the_rows_too(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    Training(Line(), tmp_path / "run", told={}, length=Length(steps=100), tensorboard=True).run()
    (file,) = (tmp_path / "run" / "tensorboard").iterdir()
    assert b"gradient_norm" in file.read_bytes()
