"""The training of a ceiling: what it writes, that it resumes, what it refuses; small and quick."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from tonotopy.core.errors import InputError, RunError, WeightsError
from tonotopy.encoders import load_encoder
from tonotopy.runs.ceiling import open_ceiling, record_of, weights_path
from tonotopy.sound.sources import open_music
from tonotopy.training.ceiling import train_ceiling
from tonotopy.training.ceiling_record import read_record
from tonotopy.training.ceiling_task import CeilingTask, natural_levels
from tonotopy.training.excerpts import prepare
from tonotopy.training.mixture import MUSIC_SHARE, SYNTHETIC, Mixture
from tonotopy.training.task import generator
from tonotopy.training.unit_variance import unit_variance

RATE = 2000
MODEL = """
from torch import nn


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv1d(1, 16, 32, 8), nn.ELU(), nn.Conv1d(16, 24, 8, 2))

    def forward(self, audio):
        return self.layers(audio)


class Other(Small):
    def __init__(self):
        super().__init__()
        self.layers[2] = nn.Conv1d(16, 24, 9, 2)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model in a file, and six pieces of noise beside it."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "model.py").write_text(MODEL, encoding="utf-8")
    (folder / "music").mkdir()
    rng = np.random.default_rng(0)
    for k in range(6):
        sound = np.cumsum(rng.standard_normal(6 * RATE))
        sound = 0.1 * np.diff(sound, prepend=0) + 0.05 * np.sin(
            2 * np.pi * 100 * k * np.arange(6 * RATE) / RATE
        )
        soundfile.write(folder / "music" / f"{k}.flac", sound, RATE)
    return folder


def words(home: Path, name: str = "Small") -> dict[str, object]:
    """The words of a training of that model on that music."""
    return {
        "like": f"{home / 'model.py'}:{name}",
        "music": f"folder:{home / 'music'}",
        "trust": True,
        "sample_rate": RATE,
        "seed": 3,
    }


@pytest.fixture(scope="module")
def trained(home: Path) -> Path:
    """A ceiling that was trained for a moment."""
    return train_ceiling(out=home / "trained", steps=400, learning_rate=1e-2, **words(home))


def test_it_opens_as_the_encoder_that_it_is_of(home: Path, trained: Path) -> None:
    """The file opens as the encoder's weights, with the content that the record names, and unlike random ones."""
    like = words(home)["like"]
    opened = load_encoder(like, weights=str(trained), trust=True, sample_rate=RATE)
    record = read_record(trained.with_suffix(".json"))
    assert opened.weights_id == record.weights_id
    assert record.encoder == opened.name
    assert (record.steps, record.seed, record.sample_rate_hz) == (400, 3, RATE)
    assert (record.training_pieces, record.held_out_pieces) == (5, 1)
    assert record.frame_rate_hz == RATE / 16
    assert len(record.bands) == 14
    random = load_encoder(like, weights="random:3", trust=True, sample_rate=RATE)
    assert opened.weights_id != random.weights_id


def test_the_record_names_no_place(home: Path, trained: Path) -> None:
    """Neither record nor weights hold a path of this machine."""
    for file in trained.parent.glob("*.*"):
        if file.is_file():
            assert str(home).encode() not in file.read_bytes(), file.name


def test_training_helps(trained: Path) -> None:
    """Level and phase of some bands are reported above chance and above what random weights give."""
    record = read_record(trained.with_suffix(".json"))
    level = np.array([band.level_r2 for band in record.bands], float)
    unasked = np.array([band.random_level_r2 for band in record.bands], float)
    assert np.max(level) > 0.2
    assert np.mean(level > unasked) > 0.5
    assert all(band.level_chance < 0.2 for band in record.bands)


def test_an_interrupted_training_ends_as_the_other(home: Path) -> None:
    """Stopped in the middle and started again with the same words, it gives the same weights."""
    steps = iter(range(1000))

    def stop(done: int, total: int, label: str) -> None:
        if total == 40 and next(steps) == 15:
            raise KeyboardInterrupt

    whole = train_ceiling(out=home / "whole", steps=40, **words(home))
    out = home / "again"
    with pytest.raises(KeyboardInterrupt):
        train_ceiling(out=out, steps=40, progress=stop, **words(home))
    again = train_ceiling(out=out, steps=40, **words(home))
    assert read_record(again.with_suffix(".json")).weights_id == (
        read_record(whole.with_suffix(".json")).weights_id
    )
    with pytest.raises(RunError, match="a training that differs in: steps"):
        train_ceiling(out=out, steps=50, **words(home))


def test_a_phantom_has_nothing_to_train(tmp_path: Path) -> None:
    """The whole message, before any music is looked for."""
    message = (
        "^expected an encoder whose weights can be trained; got phantom:cochlea; likely cause: a ceiling is its "
        r"architecture fitted anew, and it has nothing to fit \(a phantom is built by hand\)$"
    )
    with pytest.raises(InputError, match=message):
        train_ceiling(like="phantom:cochlea", music="folder:nowhere", out=tmp_path / "run", steps=1)
    assert not (tmp_path / "run").exists()


def test_one_piece_is_too_few(home: Path, tmp_path: Path) -> None:
    """Something has to be held out."""
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "0.flac").write_bytes((home / "music" / "0.flac").read_bytes())
    told = words(home) | {"music": f"folder:{tmp_path / 'music'}"}
    with pytest.raises(InputError, match=r"1 recordings to train on and 0 held out; .*too few pieces"):
        train_ceiling(out=tmp_path / "run", steps=1, **told)


def test_a_ceiling_of_another_architecture_is_refused(home: Path, trained: Path) -> None:
    """Weights that do not fit, and weights that fit another geometry, are told apart from a damaged file."""
    other = load_encoder(f"{home / 'model.py'}:Other", trust=True, sample_rate=RATE)
    options = {"trust": True, "sample_rate": RATE}
    with pytest.raises(WeightsError, match=r"weights of Other; got 1 of another shape \(layers.2.weight"):
        open_ceiling(f"{home / 'model.py'}:Other", trained, seed=0, like=other, options=options)
    small = load_encoder(words(home)["like"], trust=True, sample_rate=RATE)
    message = "^expected the sites of Other in its ceiling; got another layers.2; "
    with pytest.raises(InputError, match=message):
        open_ceiling(other, small, seed=0, like=other, options={})
    with pytest.raises(InputError, match=r"give the encoder by its name, or the ceiling as an Encoder$"):
        open_ceiling(small, trained, seed=0, like=small, options={})


def test_half_a_file_is_refused(home: Path, trained: Path, tmp_path: Path) -> None:
    """A file that was cut short says so; a folder without one says what makes one."""
    small = load_encoder(words(home)["like"], trust=True, sample_rate=RATE)
    half = tmp_path / "ceiling.safetensors"
    half.write_bytes(trained.read_bytes()[: trained.stat().st_size // 2])
    with pytest.raises(WeightsError, match="damaged"):
        open_ceiling(
            words(home)["like"], tmp_path, seed=0, like=small, options={"trust": True, "sample_rate": RATE}
        )
    (tmp_path / "empty").mkdir()
    with pytest.raises(WeightsError, match=r"got 'empty'; .*`tonotopy train ceiling` makes one"):
        weights_path(tmp_path / "empty")


def test_a_record_of_other_weights_is_refused(home: Path, trained: Path, tmp_path: Path) -> None:
    """A record beside weights that it is not about; none at all is no fault."""
    (tmp_path / trained.name).write_bytes(trained.read_bytes())
    options = {"trust": True, "sample_rate": RATE}
    like = words(home)["like"]
    opened = load_encoder(like, weights=str(trained), **options)
    assert record_of(tmp_path, opened) is None
    assert record_of(opened, opened) is None
    told = json.loads(trained.with_suffix(".json").read_text())
    (tmp_path / "ceiling.json").write_text(json.dumps(told))
    assert record_of(tmp_path, opened) == read_record(trained.with_suffix(".json"))
    (tmp_path / "ceiling.json").write_text(json.dumps(told | {"weights_id": "sha256:0"}))
    with pytest.raises(
        WeightsError, match=r"the weights that ceiling.json is about; got 'ceiling.safetensors'"
    ):
        record_of(tmp_path, opened)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": -1}, "a whole number for steps"),
        ({"encoder": "x\x1b"}, "a text for encoder"),
        ({"schema": 2}, "of schema 1; got 2"),
        ({"extra": 1}, "the entries of ceiling.json; got extra"),
        ({"bands": []}, "1 to 256 bands"),
        ({"seconds": "1"}, "a number for seconds"),
        ({"options": []}, "a table for options"),
    ],
)
def test_a_damaged_record_is_refused(
    trained: Path, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    """Whatever is missing, mistyped or too much is named."""
    told = json.loads(trained.with_suffix(".json").read_text())
    file = tmp_path / "ceiling.json"
    file.write_text(json.dumps(told | change))
    with pytest.raises(RunError, match=message):
        read_record(file)
    bands = told["bands"]
    for wrong in ({"level_r2": "good"}, {"centre_hz": 0}, {"resolvable": 1}, {"other": 0.0}):
        file.write_text(json.dumps(told | {"bands": [bands[0] | wrong, *bands[1:]]}))
        with pytest.raises(RunError):
            read_record(file)
    file.write_text(json.dumps(told)[:-9])
    with pytest.raises(RunError, match=r"a readable ceiling\.json; got JSONDecodeError"):
        read_record(file)


def test_the_mixture_is_of_its_generator_and_its_pieces(home: Path, tmp_path: Path) -> None:
    """Equal generators give equal rows; held-out music is never drawn; all families come."""
    music = prepare(open_music(f"folder:{home / 'music'}"), tmp_path, RATE, seed=0)
    mixture = Mixture(music.training, natural_levels(music.training), 1000)
    first, names = mixture.rows(generator(0, 1, 1), 64)
    again, _ = mixture.rows(generator(0, 1, 1), 64)
    other, _ = mixture.rows(generator(0, 2, 1), 64)
    assert first.shape == (64, 1000)
    assert first.dtype == np.float32
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert set(names) <= {track.name for track in music.training.tracks} | set(SYNTHETIC)
    assert np.mean([name not in SYNTHETIC for name in names]) == pytest.approx(MUSIC_SHARE, abs=0.2)


def test_layers_are_scaled_to_unit_variance() -> None:
    """Also where a convolution is computed by its parent; biases are 0; directions stay."""
    encoder = load_encoder(
        "encodec-24khz",
        weights="random:0",
        config={"num_filters": 4, "hidden_size": 16, "num_lstm_layers": 1},
    )
    copy = encoder.trainable()
    before = {name: p.detach().clone() for name, p in copy.module.named_parameters()}
    audio = 0.05 * torch.randn(4, 6400, generator=torch.Generator().manual_seed(0))
    unit_variance(copy.module, lambda: copy.stack_end(audio))
    assert float(copy.stack_end(audio).detach().std()) == pytest.approx(1.0, rel=1e-4)
    for name, parameter in copy.module.named_parameters():
        if name.endswith("conv.weight"):
            cosine = torch.nn.functional.cosine_similarity(
                parameter.detach().flatten(), before[name].flatten(), dim=0
            )
            assert float(cosine) == pytest.approx(1.0, abs=1e-5)
        if name.endswith("conv.bias"):
            assert not parameter.any()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("samplecnn-3-7", {"narrow": 32}),
        (
            "encodec-24khz",
            {"config": {"num_filters": 2, "hidden_size": 8, "num_lstm_layers": 1, "codebook_size": 16}},
        ),
    ],
)
def test_snapshots_open_by_themselves(
    home: Path, tmp_path: Path, name: str, options: dict[str, object]
) -> None:
    """Of the bundled architectures, at any width: a checkpoint names its encoder and options, and answers alike."""
    from tonotopy.encoders import _checkpoint

    encoder = load_encoder(name, weights="random:1", **options)
    music = prepare(open_music(f"folder:{home / 'music'}"), tmp_path, encoder.sample_rate_hz, seed=0)
    task = CeilingTask(encoder, music)
    loss, told = task.loss(task.batch(0), 0)
    loss.backward()
    assert set(told) == {"level", "phase"}
    file = tmp_path / "step-0000000.safetensors"
    _checkpoint.write(file, task.snapshot(), task.header(0))
    opened = load_encoder(str(file))
    assert opened.name == name
    audio = task.batch(0).audio[:2]
    task.module.eval()
    ours = task.copy.stack_end(audio).detach()
    theirs = opened.activations(audio, ["stack_end"])["stack_end"]
    assert torch.allclose(ours, theirs, atol=1e-4 * float(ours.abs().max()))
