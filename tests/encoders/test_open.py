"""Every way to spell an encoder, and what is said where one is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from tonotopy.core.errors import InputError
from tonotopy.encoders import list_encoders, load_encoder

SOURCE = """
from pathlib import Path
import torch

Path(__file__).with_suffix(".ran").touch()

class Model(torch.nn.Sequential):
    def __init__(self):
        super().__init__(torch.nn.Conv1d(1, 4, 7, stride=2), torch.nn.ReLU(), torch.nn.Conv1d(4, 2, 3))

class Other:
    pass
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with a model, which leaves a mark when it is run."""
    path = tmp_path / "model.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


def refusal(spelling: str, **options: object) -> str:
    """The message with which an encoder is refused."""
    with pytest.raises(InputError) as caught:
        load_encoder(spelling, **options)
    return str(caught.value)


def test_a_file_is_not_run_without_trust(file: Path) -> None:
    """Without trust the error says what trust means and how to give it, and the file has not run."""
    assert refusal(f"{file}:Model") == (
        f"expected leave to run a file; got '{file}:Model'; likely cause: opening it runs the code in that file; "
        "read it, then pass --trust (trust=True in Python)"
    )
    assert not file.with_suffix(".ran").exists()


def test_a_class_in_a_file(file: Path) -> None:
    """With trust and a rate the class becomes an encoder; random weights are drawn by the seed in their name."""
    encoder = load_encoder(f"{file}:Model", trust=True, sample_rate=16_000, weights="random:3")
    assert (encoder.name, encoder.sample_rate_hz, encoder.weights_label) == ("Model", 16_000, "random:3")
    again = load_encoder(f"{file}:Model", trust=True, sample_rate=16_000, weights="random:3")
    assert again.weights_id == encoder.weights_id
    assert [site.name for site in encoder.sites] == ["0", "0.out", "2"]


def test_a_class_with_weights_from_a_file(file: Path, tmp_path: Path) -> None:
    """A state dict beside it is loaded and named by its file."""
    state = nn.Sequential(nn.Conv1d(1, 4, 7, stride=2), nn.ReLU(), nn.Conv1d(4, 2, 3)).state_dict()
    torch.save(state, tmp_path / "trained.pth")
    path = str(tmp_path / "trained.pth")
    encoder = load_encoder(f"{file}:Model", trust=True, sample_rate=16_000, weights=path)
    assert encoder.weights_label == "trained.pth"
    layer = encoder.first_layer()
    assert layer is not None
    assert torch.equal(layer.filters.float(), state["0.weight"][:, 0])


def test_what_is_wrong_with_a_class_is_said(file: Path) -> None:
    """No rate, no such class, a class of another kind, no such file, a file that fails: each says so."""
    assert refusal(f"{file}:Model", trust=True) == (
        "expected a sampling rate in Hz; got none; likely cause: a module does not say what rate it was made for: "
        "pass --sample-rate (sample_rate=… in Python)"
    )
    for name in ("Nothing", "Other"):
        assert "the class is misspelt, or is neither a torch.nn.Module nor an Encoder" in refusal(
            f"{file}:{name}", trust=True
        )
    assert "no such file; check the path" in refusal(f"{file}x.py:Model", trust=True)
    file.write_text("1 / 0", encoding="utf-8")
    assert refusal(f"{file}:Model", trust=True) == (
        "expected a file that can be imported: model.py; got ZeroDivisionError: division by zero; "
        "likely cause: an error in that file"
    )


def test_misspelt_names_and_options_are_refused() -> None:
    """An unknown encoder names its neighbours, an unknown option the legal ones."""
    assert "did you mean 'crepe-tiny'" in refusal("crepe-tny")
    assert refusal("crepe-tiny", weights="random:0", bandwidth_kbps=6) == (
        "expected an option of crepe-tiny; got 'bandwidth_kbps'; likely cause: an option that it does not take; "
        "legal values: none"
    )
    assert refusal("samplecnn-3-7", weights="random:0", nrrow=2) == (
        "expected an option of samplecnn-3-7; got 'nrrow'; likely cause: an option that it does not take; "
        "legal values: sample_rate_hz, tags, narrow"
    )


def test_phantoms_have_no_weights() -> None:
    """A phantom is built by hand: weights are refused, the rate and the seed are passed on."""
    assert refusal("phantom:cochlea", weights="random:0") == (
        "expected no weights for a phantom; got 'random:0'; likely cause: it is built by hand; give a seed instead"
    )
    assert load_encoder("phantom:cochlea", sample_rate=16_000, seed=1).sample_rate_hz == 16_000


def test_the_list_names_every_plug_in_once() -> None:
    """Bundled encoders are listed in order with citation and licence."""
    rows = list_encoders()
    assert [row.name for row in rows] == sorted(row.name for row in rows)
    assert {"crepe-tiny", "encodec-24khz", "samplecnn"} <= {row.name for row in rows}
    assert all(row.citation and row.licence and row.summary for row in rows)


def test_listing_loads_nothing_heavy() -> None:
    """Importing the encoders and listing them does not import transformers."""
    code = (
        "import sys; from tonotopy.encoders import list_encoders, load_encoder; list_encoders(); "
        "small = dict(num_filters=2, hidden_size=4, codebook_size=4); "
        "load_encoder('encodec-24khz', weights='random:0', config=small); "
        "sys.exit('transformers' in sys.modules or 'huggingface_hub' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
