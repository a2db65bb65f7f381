"""Trainings from music to a checkpoint that opens: what they learn, what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from tonotopy import load_encoder
from tonotopy.core.errors import InputError, RunError, TonotopyError, WeightsError
from tonotopy.encoders import _checkpoint
from tonotopy.encoders._weights import read_weights
from tonotopy.sound.sources import open_music
from tonotopy.training import train
from tonotopy.training.evaluate import evaluate
from tonotopy.training.excerpts import prepare
from tonotopy.training.export import export_codec

RATE = 22_050
SMALL = {
    "num_filters": 2,
    "hidden_size": 8,
    "num_lstm_layers": 1,
    "codebook_size": 16,
    "target_bandwidths": [0.6, 1.2],
}


def tone(rng: np.random.Generator, low: float, high: float, seconds: float = 1.5) -> np.ndarray:
    """Noise in a band: a class that anything can learn."""
    n = round(seconds * RATE)
    spectrum = np.fft.rfft(rng.standard_normal(n))
    frequency = np.fft.rfftfreq(n, 1 / RATE)
    spectrum[(frequency < low) | (frequency > high)] = 0
    sound = np.fft.irfft(spectrum, n)
    return 0.1 * sound / sound.std()


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes, four pieces each, no splits of their own."""
    folder = tmp_path_factory.mktemp("music")
    rng = np.random.default_rng(0)
    for name, band in {"low": (100, 400), "high": (3000, 6000)}.items():
        (folder / name).mkdir()
        for k in range(4):
            soundfile.write(folder / name / f"{k}.flac", tone(rng, *band), RATE)
    return folder


@pytest.fixture(scope="module")
def classifier(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SampleCNN that was trained for a moment."""
    out = tmp_path_factory.mktemp("classifier") / "run"
    return train("samplecnn", music=f"folder:{music}", out=out, steps=150, depth=7, narrow=16, batch=8)


@pytest.fixture(scope="module")
def codec(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A codec that was trained for a moment, with an adversary from the start."""
    out = tmp_path_factory.mktemp("codec") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tonotopy.training.codec.ADVERSARY_FROM", 12)
        patch.setattr("tonotopy.training.codec.UNQUANTISED", 10)
        return train(
            "encodec",
            music=f"folder:{music}",
            out=out,
            steps=24,
            batch=4,
            frames=16,
            adversarial=True,
            **SMALL,
        )


def test_a_classifier_learns_its_classes_and_opens_by_itself(
    classifier: Path, music: Path, tmp_path: Path
) -> None:
    encoder = load_encoder(str(classifier))
    assert (encoder.name, encoder.sample_rate_hz) == ("samplecnn-3-7", RATE)
    figures = evaluate(str(classifier), music=f"folder:{music}", folder=tmp_path, baseline_steps=100)
    assert figures["classes"] == ["high", "low"]
    assert figures["chance"] == 0.5
    assert figures["model"]["accuracy"]["mean"] == 1.0
    assert figures["log_mel_baseline"]["accuracy"]["mean"] == 1.0
    told = json.loads((classifier.parent / "training.json").read_text())
    assert str(music.parent) not in json.dumps(told), "no path of this machine"


def test_labels_that_say_nothing_teach_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for name in ("one", "two"):
        (tmp_path / "music" / name).mkdir(parents=True)
        for k in range(8):
            soundfile.write(tmp_path / "music" / name / f"{k}.flac", tone(rng, 100, 6000), RATE)
    file = train(
        "samplecnn",
        music=f"folder:{tmp_path / 'music'}",
        out=tmp_path / "run",
        steps=40,
        depth=7,
        narrow=16,
        batch=8,
    )
    figures = evaluate(
        str(file), music=f"folder:{tmp_path / 'music'}", folder=tmp_path / "sound", baseline_steps=20
    )
    assert figures["model"]["balanced_accuracy"] <= 0.75


def test_a_codec_learns_and_opens_and_goes_to_transformers(codec: Path, music: Path, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    import csv

    with (codec.parent / "metrics.csv").open(newline="") as table:
        assert "held_out_si_sdr_db" in next(csv.DictReader(table))
    encoder = load_encoder(str(codec))
    assert encoder.name == "encodec-24khz"
    audio = torch.randn(2, 3200, generator=torch.Generator().manual_seed(0)) * 0.1
    ours = encoder.decode_codes(encoder.encode(audio, 1.2), 3200)[:, 0]
    folder = export_codec(codec, tmp_path / "model")
    theirs = transformers.EncodecModel.from_pretrained(folder).eval()
    with torch.no_grad():
        coded = theirs.encode(audio[:, None], bandwidth=1.2)
        decoded = theirs.decode(coded.audio_codes, coded.audio_scales)[0][:, 0]
    assert torch.allclose(ours, decoded[:, :3200], atol=1e-5)


def test_a_codec_is_measured_by_piece_and_rate(codec: Path, music: Path, tmp_path: Path) -> None:
    figures = evaluate(str(codec), music=f"folder:{music}", folder=tmp_path)
    assert set(figures["splits"]) == {"test"}, "it has met the rest"
    found = figures["splits"]["test"]
    assert found["si_sdr_db@1.2"]["pieces"] == 2
    assert found["si_sdr_db@1.2"]["low"] is None, "no interval under 8 pieces"
    assert len(figures["perplexity_by_stage"]) == 4
    assert all(1 <= p <= 16 for p in figures["perplexity_by_stage"])
    assert set(found["packages"]) == {"high", "low"}


def test_interrupted_codec_ends_like_one_that_was_not(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tonotopy.training.codec.UNQUANTISED", 3)
    monkeypatch.setattr("tonotopy.training.loop.SAVE_S", 0.0)
    words = {"music": f"folder:{music}", "steps": 12, "batch": 2, "frames": 8, **SMALL}
    whole = train("encodec", out=tmp_path / "whole", **words)

    class Cut(Exception):
        pass

    def cut(done: int, total: int, label: str) -> None:
        if label.startswith("loss") and done == 7:
            raise Cut

    with pytest.raises(Cut):
        train("encodec", out=tmp_path / "cut", progress=cut, **words)
    again = train("encodec", out=tmp_path / "cut", **words)
    ends = [read_weights(file) for file in (whole, again)]
    assert all(torch.equal(ends[0][key], ends[1][key]) for key in ends[0])


# ---- what cannot be trained on


def test_hours_limit_every_piece_alike(music: Path, tmp_path: Path) -> None:
    excerpts = prepare(open_music(f"folder:{music}"), tmp_path, RATE, seed=0)
    some = excerpts.training.limited(excerpts.training.hours / 2, seed=0)
    assert some.hours == pytest.approx(excerpts.training.hours / 2, rel=1e-3)
    assert {t.piece for t in some.tracks} == {t.piece for t in excerpts.training.tracks}


def test_pieces_are_held_out_alike_in_every_process(music: Path, tmp_path: Path) -> None:
    source = open_music(f"folder:{music}")
    one = prepare(source, tmp_path / "a", RATE, seed=0)
    two = prepare(open_music(f"folder:{music}"), tmp_path / "b", 16_000, seed=0)
    assert [t.split for t in one.tracks] == [t.split for t in two.tracks]
    assert {t.piece for t in one.training.tracks}.isdisjoint({t.piece for t in one.validation.tracks})
    assert {t.group for t in one.validation.tracks} == {"low", "high"}
    sound = source.read(next(iter(source.clips())), RATE)[0]
    assert np.abs(one.read(one.tracks[0], 0, len(sound)) - sound).max() < 1e-4


def test_folders_named_train_and_test_are_splits(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for split in ("train", "test", "unseen"):
        for name in ("a", "b"):
            (tmp_path / "m" / split / "box" / name).mkdir(parents=True)
            soundfile.write(
                tmp_path / "m" / split / "box" / name / f"{split}.flac", tone(rng, 100, 900), RATE
            )
    clips = list(open_music(f"folder:{tmp_path / 'm'}").clips())
    assert {(c.split, c.group) for c in clips} == {
        (split, f"box/{name}") for split in ("training", "test", "unseen") for name in ("a", "b")
    }


@pytest.mark.parametrize(
    ("make", "words", "said"),
    [
        ("flat", {"depth": 7}, "clips with a class; got no labels"),
        ("one", {"depth": 7}, "two or more classes; got 1 of 1"),
        ("short", {"depth": 9}, r"clips of at least 2.68 s; got none so long"),
        ("one", {"depth": 6}, "a depth of SampleCNN; got 6"),
    ],
)
def test_music_that_cannot_teach_a_classifier(
    tmp_path: Path, make: str, words: dict[str, int], said: str
) -> None:
    rng = np.random.default_rng(0)
    places = {"flat": ["", ""], "one": ["a/", "a/", "a/"], "short": ["a/", "b/", "a/", "b/", "a/", "b/"]}[
        make
    ]
    for k, place in enumerate(places):
        file = tmp_path / "m" / f"{place}{k}.flac"
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, tone(rng, 100, 900, 1.0), RATE)
    with pytest.raises(InputError, match=said):
        train(
            "samplecnn", music=f"folder:{tmp_path / 'm'}", out=tmp_path / "run", steps=2, narrow=16, **words
        )


def test_no_room_is_said_before_decoding(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(1, 1, 1000))
    with pytest.raises(RunError, match="room for decoded sound"):
        train("encodec", music=f"folder:{music}", out=tmp_path / "run", steps=2, **SMALL)


def test_a_folder_of_other_files_stays_as_it_is(music: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(RunError, match="a folder with other files"):
        train("samplecnn", music=f"folder:{music}", out=tmp_path, steps=1, depth=7)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_kind_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="legal values: samplecnn, encodec, ceiling"):
        train("wavenet", music="scores", out=tmp_path, steps=1)


# ---- checkpoints


def test_a_checkpoint_of_another_architecture_or_cut_in_half(
    classifier: Path, codec: Path, tmp_path: Path
) -> None:
    with pytest.raises(WeightsError, match="a checkpoint of another architecture"):
        load_encoder("encodec-24khz", weights=str(classifier))
    with pytest.raises(WeightsError, match="a checkpoint of another architecture"):
        load_encoder("samplecnn-3-9", weights=str(classifier))
    for file in (classifier, codec):
        half = tmp_path / f"half-{file.name}"
        half.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        with pytest.raises(WeightsError, match="damaged"):
            load_encoder(str(half))
    with pytest.raises(InputError, match="a checkpoint of an EnCodec"):
        export_codec(classifier, tmp_path / "model")


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"tonotopy.encoder": "nobody"}, "nobody"),
        ({"tonotopy.encoder": "samplecnn-3-7", "tonotopy.options": "[1]"}, "options that are no table"),
        ({"tonotopy.encoder": "samplecnn-3-7", "tonotopy.options": '{"tags": 1e9}'}, "tags from 1 to 100000"),
        (
            {"tonotopy.encoder": "samplecnn-3-7", "tonotopy.options": '{"trust": true}'},
            "options of a SampleCNN",
        ),
        ({"tonotopy.encoder": "samplecnn-3-7", "tonotopy.step": "-1"}, "out of range"),
        ({"tonotopy.encoder": "samplecnn-3-7", "tonotopy.note": "x" * 5000}, "too long"),
        (
            {
                "tonotopy.encoder": "encodec-24khz",
                "tonotopy.options": '{"config": {"num_filters": 1000000000}}',
            },
            "num_filters",
        ),
        ({"tonotopy.encoder": "my.py:Class"}, "my.py"),
        ({}, "a checkpoint that says what it is"),
    ],
)
def test_what_a_checkpoint_says_of_itself_is_not_believed(
    tmp_path: Path, entries: dict[str, str], said: str
) -> None:
    from safetensors.torch import save_file

    file = tmp_path / "evil.safetensors"
    save_file({"weight": torch.zeros(3)}, file, metadata=entries or {"other": "thing"})
    with pytest.raises(TonotopyError, match=said):
        load_encoder(str(file))


def test_a_header_is_read_without_its_tensors(tmp_path: Path) -> None:
    header = _checkpoint.Header("samplecnn-3-7", {"tags": 3, "narrow": 2}, 12, 5, "abc", "two, words")
    _checkpoint.write(tmp_path / "a.safetensors", {"w": torch.zeros(4)}, header)
    assert _checkpoint.read_header(tmp_path / "a.safetensors") == header
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]


def test_the_toys_open_without_a_network() -> None:
    codec, classifier = load_encoder("encodec-toy"), load_encoder("samplecnn-toy")
    assert [codec.site(name).units for name in ("first_conv", "stack_end", "codes")] == [8, 64, 64]
    assert classifier.site("stack_end").units == 256
    for encoder in (codec, classifier):
        assert "random" not in encoder.weights_label
        floor = encoder.randomised(0, None)
        assert floor is not None
        assert [site.name for site in floor.sites] == [site.name for site in encoder.sites]
