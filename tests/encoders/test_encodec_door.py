"""The door of EnCodec: two files of a pinned commit, or a folder; anything else is refused in one line, unread."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tonotopy.core.errors import InputError, WeightsError
from tonotopy.encoders import _encodec_nets, encodec, load_encoder
from tonotopy.encoders._initialise import randomise
from tonotopy.encoders._seanet import DecoderNet, EncoderNet, Quantiser
from tonotopy.encoders._seanet_config import MAX_PARAMETERS, changed, config_of, parameters
from tonotopy.encoders._seanet_weights import REVISIONS, save_folder

SMALL: dict[str, Any] = {
    "num_filters": 4,
    "hidden_size": 16,
    "codebook_size": 64,
    "num_lstm_layers": 1,
    "target_bandwidths": (1.5, 6.0),
}
REPOSITORY = "facebook/encodec_24khz"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of weights of the small causal model."""
    config = changed(encodec.CONFIGS["encodec-24khz"], SMALL)
    nets = EncoderNet(config), DecoderNet(config), Quantiser(config)
    for net in nets:
        randomise(net, 0)
    nets[2].codebooks.copy_(torch.randn(nets[2].codebooks.shape, generator=torch.Generator().manual_seed(0)))
    folder = tmp_path_factory.mktemp("saved")
    save_folder(folder, config, nets)
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A copy of it, to damage."""
    return Path(shutil.copytree(saved, tmp_path / "weights"))


def load(folder: Path) -> encodec.EncodecEncoder:
    """The encoder of a folder."""
    found = load_encoder("encodec-24khz", weights=str(folder))
    assert isinstance(found, encodec.EncodecEncoder)
    return found


def configure(folder: Path, **changes: Any) -> None:
    """Change entries of a folder's config.json."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def restate(folder: Path, change: Any) -> None:
    """Change the entries of a folder's weights."""
    path = folder / "model.safetensors"
    save_file(change(load_file(path)), path, metadata={"format": "pt"})


def refused(folder: Path, message: str) -> None:
    """The folder is refused, in one line that starts as expected."""
    with pytest.raises(InputError, match=message) as caught:
        load(folder)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


# ---- the hub


def served(monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[tuple[str, str, str | None]]:
    """Let the hub's client hand over files of a folder; what was asked for."""
    hub = pytest.importorskip("huggingface_hub", reason="the extra encodec is not installed")
    asked: list[tuple[str, str, str | None]] = []

    def download(repository: str, filename: str, *, revision: str | None = None) -> str:
        asked.append((repository, filename, revision))
        return str(folder / filename)

    def never(*_: object, **__: object) -> None:
        pytest.fail("another way to the hub was taken")

    monkeypatch.setattr(hub, "hf_hub_download", download)
    for other in ("snapshot_download", "list_repo_files", "repo_info", "model_info"):
        monkeypatch.setattr(hub, other, never)
    return asked


@pytest.mark.parametrize("weights", [None, REPOSITORY])
def test_two_files_of_the_pinned_commit(
    saved: Path, monkeypatch: pytest.MonkeyPatch, weights: str | None
) -> None:
    """Only config.json and model.safetensors are asked for, at the commit that the package names."""
    asked = served(monkeypatch, saved)
    encoder = load_encoder("encodec-24khz", weights=weights)
    revision = "c1dbe2ae3f1de713481a3b3e7c47f357092ee040"
    assert asked == [(REPOSITORY, "config.json", revision), (REPOSITORY, "model.safetensors", revision)]
    assert encoder.weights_label == f"{REPOSITORY}@c1dbe2a"
    assert encoder.weights_id == load(saved).weights_id


def test_revisions_are_whole_commits() -> None:
    """A branch or a tag could move under us: a whole commit cannot."""
    assert all(len(sha) == 40 and set(sha) <= set("0123456789abcdef") for sha in REVISIONS.values())


@pytest.mark.parametrize("kind", ["offline", "no network", "denied"])
def test_what_the_hub_cannot_give(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Whatever the client raises, one line names the two ways out."""
    hub = pytest.importorskip("huggingface_hub", reason="the extra encodec is not installed")
    faults = {
        "offline": hub.errors.LocalEntryNotFoundError("several\nlines"),
        "no network": ConnectionError("unreachable"),
        "denied": PermissionError("cache"),
    }

    def download(*_: object, **__: object) -> str:
        raise faults[kind]

    monkeypatch.setattr(hub, "hf_hub_download", download)
    message = (
        r"^expected weights of facebook/encodec_24khz; got none on this machine; likely cause: no network; give a "
        rf"local folder with config\.json and model\.safetensors, or weights random:0 "
        rf"\({type(faults[kind]).__name__}\)$"
    )
    with pytest.raises(InputError, match=message) as caught:
        load_encoder("encodec-24khz")
    assert "\n" not in str(caught.value)


def test_offline_asks_for_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the real client told to stay offline and nothing in its cache, no socket is opened."""
    hub = pytest.importorskip("huggingface_hub", reason="the extra encodec is not installed")
    import socket

    def never(*_: object, **__: object) -> None:
        pytest.fail("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", never)
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=r"random:0 \(LocalEntryNotFoundError\)$"):
        load_encoder("encodec-24khz")


# ---- folders


def test_the_published_spelling(folder: Path) -> None:
    """Weight norm as older PyTorch spelt it, which is how the hub's files are, gives the same encoder."""
    before = load(folder).weights_id
    new, old = (
        ("parametrizations.weight.original0", "parametrizations.weight.original1"),
        ("weight_g", "weight_v"),
    )

    def respelt(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {key.replace(new[0], old[0]).replace(new[1], old[1]): value for key, value in state.items()}

    restate(folder, respelt)
    assert not any("parametrizations" in key for key in load_file(folder / "model.safetensors"))
    assert load(folder).weights_id == before


def test_buffers_of_other_versions_are_passed_over(folder: Path) -> None:
    """What shapes nothing, such as a stride kept as a tensor, does no harm."""
    restate(folder, lambda state: state | {"encoder.layers.0.stride": torch.tensor(1)})
    load(folder)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "checkpoint.th"])
def test_a_pickle_is_not_opened(folder: Path, name: str) -> None:
    """A folder with a pickle only is refused for what it is; beside safetensors it is not looked at."""
    (folder / name).write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    load(folder)
    (folder / "model.safetensors").unlink()
    refused(
        folder,
        rf"^expected model\.safetensors; got only {name} in 'weights'; likely cause: a pickle can run code and is not "
        "opened: save_pretrained of transformers writes safetensors$",
    )
    (folder / "config.json").unlink()
    refused(folder, r"^expected model\.safetensors; got only ")


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_half_a_file(folder: Path, share: float) -> None:
    """Weights that were cut off are refused, wherever the cut is."""
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    refused(folder, r"^expected (a safetensors file|weights of 1 to \d+ bytes); got .*model\.safetensors")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda _: {}, r"^expected a state dict; got no tensor in model\.safetensors; "),
        (lambda s: {k: v for k, v in s.items() if "lstm" not in k}, r"^expected weights of encodec-24khz; got 4 miss"),
        (lambda s: {k: v for k, v in s.items() if "original0" not in k}, r"got 18 missing .*; 18 unexpected"),
        (lambda s: {k: v for k, v in s.items() if "original1" not in k}, r"got 18 missing .*; 18 unexpected"),
        (lambda s: {k: v for k, v in s.items() if "quantizer" not in k}, r"^expected codebooks; got none in the weig"),
        (lambda s: {k: v for k, v in s.items() if "layers.12.codebook" not in k}, r"^expected 13 codebooks of \(64, 1"),
        (lambda s: s | {"quantizer.layers.13.codebook.embed": torch.ones(64, 16)}, r"\(64, 16\); got 14 of \(64, 16\)"),
        (lambda s: s | {"quantizer.layers.3.codebook.embed": torch.ones(32, 16)}, r"got 13 of \(32, 16\) and \(64, 16"),
        (lambda s: s | {"encoder.layers.16.conv.weight": torch.ones(1)}, r"no layer for encoder\.layers\.16\.conv\.w"),
        (lambda s: s | {"encoder.layers.0.conv.bias": torch.ones(5)}, r"got 1 of another shape \(first_conv\.conv\.b"),
        (
            lambda s: s | {"encoder.layers.0.conv.parametrizations.weight.original0": torch.ones(1, 1, 1)},
            r"^expected a norm \(4, 1, 1\); got \(1, 1, 1\) for first_conv\.conv\.par",
        ),
        (
            lambda s: s | {"encoder.layers.0.conv.parametrizations.weight.original1": torch.zeros(4, 1, 7)},
            r"^expected finite weights of encodec-24khz; got 1 not finite \(first_conv\.conv\.weight\); ",
        ),
        (lambda s: s | {"decoder.layers.0.conv.bias": torch.full((64,), torch.nan)}, r"got 1 not finite \(layers\.0\."),
        (lambda s: s | {"padding": torch.ones(2_000_000)}, r"^expected weights of encodec-24khz; got \d+ bytes for"),
    ],
)  # fmt: skip
def test_weights_that_do_not_fit(folder: Path, damage: Any, message: str) -> None:
    """Missing, surplus, misshapen or unusable entries are named, all in one line."""
    restate(folder, damage)
    refused(folder, message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"^expected a config\.json; got no JSON: Expecting value"),
        ("{", r"^expected a config\.json; got no JSON: Expecting property name"),
        ("[" * 100_000, r"^expected a config\.json; got no JSON: .*recursion"),
        (" " * (2**20 + 1), r"^expected a config\.json of at most 1048576 bytes; got 1048577 bytes$"),
        ("\ud800", r"^expected a config\.json; got no JSON: .*utf-8"),
        ("[1]", r"^expected the config\.json of an EnCodec; got 'list'; likely cause: weights of another model$"),
        ('{"model_type": "mimi"}', r"^expected the config\.json of an EnCodec; got 'mimi'; likely cause: weights of"),
    ],
)  # fmt: skip
def test_a_config_that_is_none(folder: Path, text: str, message: str) -> None:
    """A damaged, bloated or foreign config.json is refused."""
    (folder / "config.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    refused(folder, message)


@pytest.mark.parametrize(
    ("entry", "value", "message"),
    [
        ("num_filters", 10**9, "num_filters of EnCodec, a whole number from 1 to 1024; got 1000000000"),
        ("num_filters", 0, "num_filters of EnCodec, a whole number from 1 to 1024; got 0"),
        ("num_filters", True, "num_filters of EnCodec, a whole number from 1 to 1024; got True"),
        ("num_filters", 4.0, "num_filters of EnCodec, a whole number from 1 to 1024; got 4.0"),
        ("num_filters", None, "num_filters of EnCodec, a whole number from 1 to 1024; got None"),
        ("hidden_size", 10**12, "hidden_size of EnCodec, a whole number from 1 to 4096; got 1000000000000"),
        ("num_residual_layers", 10**9, "num_residual_layers of EnCodec, a whole number from 0 to 16; got 1000000000"),
        ("num_lstm_layers", 0, "num_lstm_layers of EnCodec, a whole number from 1 to 16; got 0"),
        ("kernel_size", -7, "kernel_size of EnCodec, a whole number from 1 to 1024; got -7"),
        ("dilation_growth_rate", 10**6, "dilation_growth_rate of EnCodec, a whole number from 1 to 16; got 1000000"),
        ("audio_channels", 3, "audio_channels of EnCodec, a whole number from 1 to 2; got 3"),
        ("sampling_rate", "24000", "sampling_rate of EnCodec, a whole number from 1 to 768000; got '24000'"),
        ("codebook_size", 2**40, "codebook_size of EnCodec, a whole number from 2 to 65536; got 1099511627776"),
        ("codebook_size", 63, "codebook_size of EnCodec, a power of 2; got 63"),
        ("codebook_dim", 8, "codebook_dim of EnCodec to equal hidden_size, 16; got 8"),
        ("compress", 5, "compress of EnCodec of at most num_filters, 4; got 5"),
        ("upsampling_ratios", [8, -5, 4, 2], "upsampling_ratios of EnCodec, 1 to 8 whole numbers from 1 to 64; got"),
        ("upsampling_ratios", [], "upsampling_ratios of EnCodec, 1 to 8 whole numbers from 1 to 64; got"),
        ("upsampling_ratios", [2] * 1000, "upsampling_ratios of EnCodec, 1 to 8 whole numbers from 1 to 64; got (2, 2"),
        ("upsampling_ratios", 320, "upsampling_ratios of EnCodec, 1 to 8 whole numbers from 1 to 64; got 320"),
        ("target_bandwidths", [1e300], "target_bandwidths of EnCodec, 1 to 32 ascending bit rates to 10000 kb/s; got"),
        ("target_bandwidths", [6.0, 1.5], "target_bandwidths of EnCodec, 1 to 32 ascending bit rates to 10000 kb/s;"),
        ("target_bandwidths", [float("nan")], "target_bandwidths of EnCodec, 1 to 32 ascending bit rates to 10000 kb"),
        ("trim_right_ratio", -1, "trim_right_ratio of EnCodec, a number from 0 to 1; got -1"),
        ("chunk_length_s", float("inf"), "chunk_length_s of EnCodec, a number from 0.001 to 3600; got inf"),
        ("chunk_length_s", 1.0, "overlap of EnCodec beside chunk_length_s; got none"),
        ("overlap", 1.0, "overlap of EnCodec, a number from 0 to 0.99; got 1.0"),
        ("norm_type", "batch_norm", "norm_type of EnCodec, weight_norm or time_group_norm; got 'batch_norm'"),
        ("pad_mode", "x" * 999, "pad_mode of EnCodec, reflect or constant or replicate; got 'xxx"),
        ("use_causal_conv", "no", "use_causal_conv of EnCodec, true or false; got 'no'"),
        ("use_conv_shortcut", {}, "use_conv_shortcut of EnCodec, true or false; got {}"),
    ],
)  # fmt: skip
def test_a_hostile_config(
    folder: Path, monkeypatch: pytest.MonkeyPatch, entry: str, value: Any, message: str
) -> None:
    """An entry out of its range is refused before a single layer is made."""
    import re

    def never(*_: object) -> None:
        pytest.fail("memory was asked for")

    monkeypatch.setattr(_encodec_nets, "EncoderNet", never)
    monkeypatch.setattr(_encodec_nets, "load_folder", never)
    configure(folder, **{entry: value})
    refused(folder, "^expected " + re.escape(message))


@pytest.mark.parametrize(
    "changes",
    [
        {"num_filters": 1024, "upsampling_ratios": [2] * 8},
        {"num_filters": 256, "num_lstm_layers": 16},
        {"target_bandwidths": [1e4], "codebook_size": 2**16, "hidden_size": 4096, "codebook_dim": None},
        {"kernel_size": 1024, "last_kernel_size": 1024, "num_filters": 512, "residual_kernel_size": 1024},
    ],
)
def test_a_config_that_is_too_large_as_a_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    """Entries that are legal one by one may not ask for terabytes together; counting takes no memory."""

    def never(*_: object) -> None:
        pytest.fail("memory was asked for")

    monkeypatch.setattr(_encodec_nets, "EncoderNet", never)
    configure(folder, **changes)
    refused(
        folder,
        rf"^expected an EnCodec of at most {MAX_PARAMETERS} parameters; got \d{{9,}}; likely cause: a dam",
    )


def test_counting_leaves_the_random_generator_alone() -> None:
    """A reader must not change what is drawn next; the published models are within bounds by a factor."""
    before = torch.random.get_rng_state()
    counts = {name: parameters(config) for name, config in encodec.CONFIGS.items()}
    assert torch.equal(torch.random.get_rng_state(), before)
    assert counts == {"encodec-24khz": 19_041_121, "encodec-48khz": 16_953_446, "encodec-toy": 1_249_401}


def test_the_same_bounds_for_a_user(tmp_path: Path) -> None:
    """A config on the command line or in code meets the same bounds, and a misspelt field is named."""
    with pytest.raises(
        InputError, match=r"^expected num_filters of EnCodec, a whole number from 1 to 1024; got 0;"
    ):
        load_encoder("encodec-24khz", weights="random:0", config={"num_filters": 0})
    message = r"^expected fields of an EnCodec's config; got filters; likely cause: a misspelt name; legal values: sam"
    with pytest.raises(InputError, match=message):
        load_encoder("encodec-24khz", weights="random:0", config={"filters": 4})
    assert (
        config_of({"architectures": ["EncodecModel"], "transformers_version": "5"})
        == encodec.CONFIGS["encodec-24khz"]
    )
    with pytest.raises(WeightsError, match=r"^expected a folder of weights; got "):
        load(tmp_path / "absent")
