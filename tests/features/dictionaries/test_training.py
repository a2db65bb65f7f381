"""Training of dictionaries: exact resume after a cut and after a kill, refusals, revival of dead latents, metrics."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tonotopy.core.errors import InputError, RunError
from tonotopy.features.dictionaries import training
from tonotopy.features.dictionaries.batch_topk import BatchTopK
from tonotopy.features.dictionaries.jumprelu import JumpReLU
from tonotopy.features.dictionaries.matryoshka import Matryoshka
from tonotopy.features.dictionaries.recipe import Recipe
from tonotopy.features.dictionaries.relu_l1 import ReluL1
from tonotopy.features.dictionaries.topk import TopK
from tonotopy.features.dictionaries.trained import Dictionary
from tonotopy.features.dictionaries.training import Trainer, train_dictionary
from tonotopy.features.sources import ArrayActivations

VARIANTS = [TopK(3), BatchTopK(3), Matryoshka(3), ReluL1(0.5), JumpReLU(0.5)]
STEPS = 60


def frames(units: int = 16, count: int = 700) -> ArrayActivations:
    """Sparse sums of a few directions."""
    rng = np.random.default_rng(0)
    causes = rng.exponential(size=(count, 24)) * (rng.random((count, 24)) < 0.1)
    return ArrayActivations(causes @ rng.standard_normal((24, units)) + 1)


def recipe(**changes: Any) -> Recipe:
    words = {"features": 40, "steps": STEPS, "batch": 64, "dead_after": 500, "reservoir_bytes": 16 * 4 * 200}
    return Recipe(**{**words, **changes})


def same(a: Dictionary, b: Dictionary) -> bool:
    pairs = (
        {**a.parameters.tensors, "threshold": a.threshold},
        {**b.parameters.tensors, "threshold": b.threshold},
    )
    return all(torch.equal(pairs[0][name], pairs[1][name]) for name in pairs[0])


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: v.name)
def test_an_interrupted_training_ends_bit_for_bit_like_one_that_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variant: Any
) -> None:
    monkeypatch.setattr(training, "LOG_STEPS", 10)
    monkeypatch.setattr(training, "SAVE_S", 1e9)
    whole = train_dictionary(frames(), variant, recipe(), folder=tmp_path / "whole")
    monkeypatch.setattr(training, "SAVE_S", 0.0)  # save after every step

    class Cut(Exception):
        pass

    def cut(done: int, steps: int, label: str) -> None:
        if done == 37:  # in the fourth pass, between two rows of the metrics
            raise Cut

    with pytest.raises(Cut):
        train_dictionary(frames(), variant, recipe(), folder=tmp_path / "cut", progress=cut)
    assert json.loads((tmp_path / "cut" / "checkpoint" / "state.json").read_text())["step"] == 36
    torch.manual_seed(99)
    monkeypatch.setattr(training, "SAVE_S", 1e9)
    second = Trainer(frames(), variant, recipe(), folder=tmp_path / "cut")
    assert same(whole, second.run())
    assert same(whole, Dictionary.load(tmp_path / "cut" / "dictionary.safetensors"))
    assert rows(tmp_path / "whole") == rows(tmp_path / "cut")
    assert len(rows(tmp_path / "whole")) == 6


SCRIPT = """
import sys; sys.path.insert(0, {here!r})
import torch; torch.set_num_threads(1)
from tonotopy.features.dictionaries import training
training.SAVE_S = 0.05
from test_training import TopK, frames, recipe, train_dictionary
train_dictionary(frames(), TopK(3), recipe(steps={steps}), folder={folder!r})
"""


def test_a_killed_training_goes_on_bit_for_bit(tmp_path: Path) -> None:
    steps, folder = 300, tmp_path / "cut"
    script = SCRIPT.format(here=str(Path(__file__).parent), folder=str(folder), steps=steps)
    mark = folder / "checkpoint" / "state.json"
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL) as process:
        for _ in range(2000):
            time.sleep(0.02)
            if mark.is_file() or process.poll() is not None:
                break
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "it ended before it could be killed"
    cut = train_dictionary(frames(), TopK(3), recipe(steps=steps), folder=folder)
    assert same(cut, train_dictionary(frames(), TopK(3), recipe(steps=steps)))


def test_a_kill_between_two_renames_loses_nothing(tmp_path: Path) -> None:
    whole = train_dictionary(frames(), TopK(3), recipe(), folder=tmp_path / "a")
    (tmp_path / "a" / "checkpoint").rename(tmp_path / "a" / ".checkpoint.old")
    trainer = Trainer(frames(), TopK(3), recipe(), folder=tmp_path / "a")
    assert same(whole, trainer.run())
    assert trainer.state.step == STEPS


def test_a_signal_saves_and_ends(tmp_path: Path) -> None:
    def ask(done: int, steps: int, label: str) -> None:
        if done == 7:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train_dictionary(frames(), TopK(3), recipe(), folder=tmp_path / "a", progress=ask)
    assert json.loads((tmp_path / "a" / "checkpoint" / "state.json").read_text())["step"] == 7


def test_a_folder_of_another_training_is_refused(tmp_path: Path) -> None:
    train_dictionary(frames(), TopK(3), recipe(), folder=tmp_path / "a")
    with pytest.raises(RunError, match="differs in: seed, variant"):
        train_dictionary(frames(), TopK(2), recipe(seed=4), folder=tmp_path / "a")
    with pytest.raises(RunError, match="differs in: stream"):
        train_dictionary(frames(count=699), TopK(3), recipe(), folder=tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "letter.txt").write_text("dear")
    with pytest.raises(RunError, match="an empty folder at 'b'"):
        train_dictionary(frames(), TopK(3), recipe(), folder=tmp_path / "b")


def test_what_cannot_be_trained_is_told() -> None:
    with pytest.raises(InputError, match="k from 1 to 40 latents; got 41"):
        Trainer(frames(), TopK(41), recipe())
    with pytest.raises(InputError, match="steps from 1 to 1000000000; got 0"):
        recipe(steps=0)
    with pytest.raises(InputError, match="a positive step size"):
        recipe(learning_rate=-1.0)
    with pytest.raises(InputError, match="a stream of at least 64 frames"):
        train_dictionary(frames(count=50), TopK(3), recipe())
    broken = frames()
    broken.frames[3, 2] = np.nan
    with pytest.raises(InputError, match="finite activations"):
        train_dictionary(broken, TopK(3), recipe())
    with pytest.raises(RunError, match="a finite loss"):
        train_dictionary(frames(), TopK(3), recipe(learning_rate=1e30))


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: v.name)
def test_decoder_rows_keep_norm_1_and_the_error_falls(variant: Any) -> None:
    trainer = Trainer(frames(), variant, recipe(steps=150, learning_rate=3e-3))
    x = torch.tensor(trainer.conditioning.apply(frames().frames[:64]))
    errors = [trainer.step(x).error for _ in range(100)]
    assert errors[-1] < 0.6 * errors[0]
    torch.testing.assert_close(trainer.parameters.decoder.norm(dim=1), torch.ones(40))


@pytest.mark.parametrize("variant", [TopK(3), ReluL1(0.5)], ids=lambda v: v.name)
def test_dead_latents_come_back(variant: Any) -> None:
    """Half of the latents read nothing but a negative bias; with revival they fire again, without it they do not."""
    alive = {}
    for dead_after in (500, 10**9):
        trainer = Trainer(frames(), variant, recipe(steps=400, dead_after=dead_after, learning_rate=3e-3))
        with torch.no_grad():
            trainer.parameters.encoder[:20] = 0.0
            trainer.parameters.encoder_bias[:20] = -0.5
        result = trainer.run()
        alive[dead_after] = int((result.encode(frames().frames)[:, :20] > 0).any(axis=0).sum())
    assert alive[10**9] == 0
    assert alive[500] >= 8
