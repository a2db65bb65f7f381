"""A study file from outside: trainings, studies, series and an index; the same call goes on."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tonotopy.core.errors import InputError, RunError
from tonotopy.encoders._checkpoint import Header, write
from tonotopy.encoders._seanet import DecoderNet, EncoderNet, Quantiser
from tonotopy.encoders._seanet_config import changed
from tonotopy.encoders.encodec import CONFIGS
from tonotopy.runs.study_files import execute, is_study, read_record, read_study_file
from tonotopy.runs.study_files.held_out import HeldOut
from tonotopy.sound.sources import Clip, Source, open_music
from tonotopy.training.excerpts import held_out
from tonotopy.views import write_study_report

SMALL: dict[str, Any] = {"workers": 1, "device": "cpu", "brief": True}
TINY: dict[str, Any] = {"codebook_size": 4, "num_lstm_layers": 1, "target_bandwidths": [1.5]}
TEXT = """
title = "Tiny <b>models</b>"
preset = "quick"
pieces = 3
frequencies = 3
floor = false

[[train]]
name = "one"
kind = "encodec"
steps = 20
words = { num_filters = 4, hidden_size = 8 }

[[train]]
name = "grid"
kind = "encodec"
steps = 20
words = { hidden_size = 8 }
grid = { num_filters = [2, 4] }

[[encoder]]
name = "trained"
train = "one"
sites = ["first_conv"]

[[encoder]]
name = "by-hand"
encoder = "phantom:raw-window"
options = { sample_rate = 8000 }

[[series]]
name = "emergence"
train = "one"
kind = "emergence"
sites = ["first_conv"]

[[series]]
name = "scaling"
train = "grid"
kind = "scaling"
sites = ["first_conv"]
"""


def net(shape: dict[str, Any], *, seed: int) -> torch.nn.ModuleDict:
    """An EnCodec of a shape, of known random weights."""
    config = changed(CONFIGS["encodec-24khz"], shape)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        parts = {"encoder": EncoderNet(config), "decoder": DecoderNet(config), "codes": Quantiser(config)}
        return torch.nn.ModuleDict(parts)


class Trainer:
    """Writes snapshots at two steps, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def __call__(self, kind: str, *, out: Path, steps: int, seed: int, **words: Any) -> Path:
        self.asked.append(words | {"kind": kind, "seed": seed})
        out.mkdir(parents=True, exist_ok=True)
        (out / "sound").mkdir(exist_ok=True)
        (out / "sound" / "decoded.i16").touch()
        shape = {"num_filters": words["num_filters"], "hidden_size": words["hidden_size"], **TINY}
        for step in (0, steps):
            nets = net(shape, seed=step + seed)
            header = Header("encodec-24khz", {"config": shape}, step=step, seed=seed)
            write(out / f"step-{step:07d}.safetensors", nets.state_dict(), header)
        return out / f"step-{steps:07d}.safetensors"


@pytest.fixture(scope="module")
def trainer() -> Trainer:
    """One trainer for all."""
    return Trainer()


@pytest.fixture(scope="module")
def made(trainer: Trainer, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the file above makes; do not change it."""
    folder = tmp_path_factory.mktemp("study-file")
    (folder / "tiny.toml").write_text(TEXT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tonotopy.training.train", trainer)
        return execute(read_study_file(folder / "tiny.toml"), out=folder / "out", **SMALL)


def test_everything_is_there(made: Any, trainer: Trainer) -> None:
    """Trainings with their words, a run for each encoder, a series of each kind, a record without paths."""
    assert [words["num_filters"] for words in trainer.asked] == [4, 2, 4]
    assert [run.path.name for run in made.runs] == ["trained", "by-hand"]
    assert [run.path.name for run in made.compared] == ["trained", "by-hand"]
    emergence, scaling = made.series
    assert [member.step for member in emergence.members] == [0, 20]
    assert [member.folder for member in scaling.members] == ["num-filters-2", "num-filters-4"]
    assert scaling.members[0].parameters < scaling.members[1].parameters
    told = read_record(made.path)
    assert (told["runs"], told["series"]) == (["trained", "by-hand"], ["emergence", "scaling"])
    for file in [*made.path.rglob("*.json"), *made.path.rglob("plan.toml")]:
        assert str(made.path) not in file.read_text(encoding="utf-8"), file


def test_decoded_sound_is_shared(made: Any) -> None:
    """A later training finds the music of an earlier one decoded, on the disk once."""
    first, other = (
        made.path / "train" / name / "sound" / "decoded.i16" for name in ("one", "grid/num-filters-2")
    )
    assert first.samefile(other)


def test_studies_hear_what_nothing_was_trained_on(made: Any) -> None:
    """Every piece of every run is held out by the trainings."""
    source = open_music("scores")
    kept = held_out(list(source.clips()), 0)
    for run in made.runs:
        assert run.plan.music == "scores, held out"
        names = {clip.name for clip in source.clips() if clip.piece in kept}
        assert set(run.table("pieces")["name"]) <= names


def test_the_same_call_runs_nothing(made: Any, trainer: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings on record are not opened again, runs not measured again."""
    monkeypatch.setattr("tonotopy.training.train", trainer)
    before, calls = len(trainer.asked), []
    again = execute(made.file, out=made.path, progress=lambda *call: calls.append(call), **SMALL)
    assert (len(trainer.asked), calls) == (before, [])
    assert again.runs == made.runs


def test_index(made: Any, tmp_path: Path) -> None:
    """The index links to every page, which are there; words from the file are words."""
    copy = tmp_path / "out"
    shutil.copytree(made.path, copy, ignore=shutil.ignore_patterns("units", "train"))
    page = write_study_report(copy)
    text = page.read_text(encoding="utf-8")
    assert "Tiny &lt;b&gt;models" in text
    found = re.findall(r'href="([^"#][^"]*)"', text)
    assert {"../trained/report/index.html", "../emergence/report/index.html"} <= set(found)
    for link in found:
        assert (page.parent / link).is_file(), link
    assert "Comparison" in text
    assert "num_filters 4" in text


def test_code_needs_trust(tmp_path: Path) -> None:
    """Nothing is made, and the file of code is not run."""
    (tmp_path / "code.toml").write_text('title = "x"\n[[encoder]]\nname = "a"\nencoder = "net.py:Net"\n')
    file = read_study_file(tmp_path / "code.toml")
    with pytest.raises(InputError, match=r"^expected leave to run a study file; got 'code'; .*--trust"):
        execute(file, out=tmp_path / "out", **SMALL)
    assert not (tmp_path / "out").exists()


def test_a_folder_of_something_else(made: Any, tmp_path: Path) -> None:
    """Left alone."""
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(RunError, match=r"^expected an empty folder at .*; got a folder with other files"):
        execute(made.file, out=tmp_path, **SMALL)
    assert not is_study(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "of schema 1"),
        ({"runs": ["../x"]}, "plain names of folders for runs"),
        ({"series": "x"}, "plain names of folders for series"),
        ({"trained": {"one": {"last": "../../x"}}}, "a table of trainings"),
        ({"trained": []}, "a table of trainings"),
    ],
)
def test_a_hostile_record_is_refused(made: Any, tmp_path: Path, change: dict[str, Any], message: str) -> None:
    """Names that climb out of the folder are damage."""
    told = json.loads((made.path / "study.json").read_text(encoding="utf-8")) | change
    (tmp_path / "study.json").write_text(json.dumps(told))
    with pytest.raises(RunError, match=message):
        read_record(tmp_path)


def test_held_out_by_piece() -> None:
    """Without splits, the pieces that trainings hold out; another draw of pieces is another fingerprint."""
    source = open_music("scores")
    one, two = HeldOut(source, [0]), HeldOut(source, [1])
    assert one.fingerprint() != two.fingerprint() != source.fingerprint()
    clip = next(one.clips())
    assert one.read(clip, 8000, duration_s=0.5).shape == (1, 4000)


def test_held_out_by_split() -> None:
    """Where a source names splits its test split is heard, and nothing else."""

    class Split(Source):
        spelling = "split"

        def clips(self) -> Any:
            return (Clip(f"p{k}", f"c{k}", 5.0, 8000, 1, split=s) for k, s in enumerate(self.splits))

        def __init__(self, *splits: str) -> None:
            self.splits = splits

        def read(self, clip: Clip, *_: Any, **__: Any) -> Any:
            raise NotImplementedError

        def ledger(self) -> tuple[()]:
            return ()

        def fingerprint(self) -> str:
            return "x"

    assert [clip.name for clip in HeldOut(Split("training", "test", "validation"), [0]).clips()] == ["c1"]
    assert [clip.name for clip in HeldOut(Split("training", "validation"), [0]).clips()] == ["c1"]
    with pytest.raises(InputError, match=r"^expected music that nothing is trained on; got none in split; "):
        HeldOut(Split("training"), [0])


def test_a_ceiling_is_trained_once_and_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the encoder under study, on music that the study does not hear; on record it is not trained again."""
    trained: list[dict[str, Any]] = []
    studied: list[dict[str, Any]] = []

    def train(kind: str, *, out: Path, **words: Any) -> Path:
        trained.append(words | {"kind": kind})
        out.mkdir(parents=True)
        (out / "ceiling.safetensors").touch()
        return out / "ceiling.safetensors"

    def study(encoder: str, *, out: Path, **words: Any) -> Any:
        studied.append(words | {"encoder": encoder})
        return SimpleNamespace(path=out)

    monkeypatch.setattr("tonotopy.training.train", train)
    monkeypatch.setattr(sys.modules["tonotopy.runs.study_files.execute"], "study", study)
    text = 'title = "x"\nceiling_minutes = 2\n[[encoder]]\nname = "a"\nencoder = "samplecnn-3-7"\n'
    text += 'weights = "random:0"\n'
    (tmp_path / "c.toml").write_text(text)
    for _ in range(2):
        execute(read_study_file(tmp_path / "c.toml"), out=tmp_path / "out", floor=False, **SMALL)
    assert [(words["kind"], words["like"], words["minutes"]) for words in trained] == [
        ("ceiling", "samplecnn-3-7", 2)
    ]
    assert len(studied) == 2
    assert studied[0]["ceiling"] == tmp_path / "out" / "ceilings" / "a"
    assert (studied[0]["weights"], studied[0]["floor"]) == ("random:0", False)
    assert studied[0]["music"].spelling == "scores, held out"
