"""Checkpoints of SAELens and dictionary_learning: read, written, round trip; hostile files are refused by name."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tonotopy.core.errors import InputError
from tonotopy.features.dictionaries import dictionary_learning, saelens
from tonotopy.features.dictionaries.parameters import Parameters
from tonotopy.features.dictionaries.trained import Dictionary

UNITS, FEATURES = 6, 10
RNG = torch.Generator().manual_seed(0)
W = torch.randn(FEATURES, UNITS, generator=RNG)
D = torch.nn.functional.normalize(torch.randn(FEATURES, UNITS, generator=RNG), dim=1)
B, C = 0.3 * torch.randn(FEATURES, generator=RNG), torch.randn(UNITS, generator=RNG)
THETA = 0.5 * torch.rand(FEATURES, generator=RNG)
X = 2 * torch.randn(40, UNITS, generator=RNG)
VARIANTS = [
    ("relu-l1", "relu", None),
    ("topk", "topk", 3),
    ("batch-topk", "threshold", None),
    ("matryoshka", "threshold", None),
    ("jumprelu", "threshold", None),
]


def made(variant: str, rule: Any, k: int | None) -> Dictionary:
    """A dictionary with conditioning, by hand."""
    theta = THETA if variant == "jumprelu" else torch.full((FEATURES,), 0.4)
    theta = theta if rule == "threshold" else torch.zeros(FEATURES)
    p = Parameters(W.clone(), B.clone(), D.clone(), C.clone() / 4, torch.zeros(FEATURES))
    return Dictionary(variant, rule, k, p, theta, C + 1, 1.7)


def topk(pre: torch.Tensor, k: int) -> torch.Tensor:
    best, where = pre.topk(k, dim=1)
    return torch.zeros_like(pre).scatter_(1, where, best.relu())


# ---- files written by hand, from the formats' sources, against formulas written by hand


def sae_files(folder: Path, config: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cfg.json").write_text(json.dumps({"d_in": UNITS, "d_sae": FEATURES, **config}))
    save_file(
        {key: value.contiguous().clone() for key, value in tensors.items()},
        folder / "sae_weights.safetensors",
    )
    return folder


PLAIN = {"W_enc": W.T, "b_enc": B, "W_dec": D, "b_dec": C}


@pytest.mark.parametrize(
    ("config", "tensors", "expected"),
    [
        ({"architecture": "standard"}, PLAIN, ((X - C) @ W.T + B).relu()),
        ({"architecture": "standard", "apply_b_dec_to_input": False}, PLAIN, (X @ W.T + B).relu()),
        ({"architecture": "topk", "k": 3}, PLAIN, topk((X - C) @ W.T + B, 3)),
        ({"activation_fn_str": "topk", "activation_fn_kwargs": {"k": 2}}, PLAIN, topk((X - C) @ W.T + B, 2)),
        (
            {"architecture": "jumprelu"},
            PLAIN | {"threshold": THETA},
            ((X - C) @ W.T + B) * ((X - C) @ W.T + B > THETA),
        ),
        (
            {"architecture": "topk", "k": 3, "rescale_acts_by_decoder_norm": True},
            PLAIN | {"W_dec": 3 * D},
            topk(3 * ((X - C) @ W.T + B), 3),
        ),
    ],
)
def test_saelens_files_encode_as_their_formula(
    tmp_path: Path, config: dict[str, Any], tensors: dict[str, torch.Tensor], expected: torch.Tensor
) -> None:
    found = saelens.read(sae_files(tmp_path, config, tensors))
    values = found.encode(X.numpy())
    np.testing.assert_allclose(values, expected, atol=1e-5)
    np.testing.assert_allclose(found.decode(values), (expected @ D + C).numpy(), atol=1e-4)


def dl_files(folder: Path, kind: str, tensors: dict[str, torch.Tensor], **config: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    trainer = {"dict_class": kind, "activation_dim": UNITS, "dict_size": FEATURES, **config}
    (folder / "config.json").write_text(json.dumps({"trainer": trainer, "buffer": {"d_submodule": UNITS}}))
    torch.save(tensors, folder / "ae.pt")
    return folder


LINEAR = {"encoder.weight": W, "encoder.bias": B, "decoder.weight": D.T}
KT = {"k": torch.tensor(3, dtype=torch.int), "threshold": torch.tensor(0.4)}
PRE = (X - C) @ W.T + B


@pytest.mark.parametrize(
    ("kind", "tensors", "config", "expected"),
    [
        ("AutoEncoder", LINEAR | {"bias": C}, {}, PRE.relu()),
        ("AutoEncoderTopK", LINEAR | {"b_dec": C} | KT, {"k": 3}, topk(PRE, 3)),
        ("BatchTopKSAE", LINEAR | {"b_dec": C} | KT, {"k": 3}, PRE.relu() * (PRE > 0.4)),
        (
            "MatryoshkaBatchTopKSAE",
            PLAIN | KT | {"group_sizes": torch.tensor([4, 6])},
            {},
            PRE.relu() * (PRE > 0.4),
        ),
        ("JumpReluAutoEncoder", PLAIN | {"threshold": THETA}, {}, (X @ W.T + B) * (X @ W.T + B > THETA)),
    ],
)
def test_dictionary_learning_files_encode_as_their_formula(
    tmp_path: Path,
    kind: str,
    tensors: dict[str, torch.Tensor],
    config: dict[str, Any],
    expected: torch.Tensor,
) -> None:
    found = dictionary_learning.read(dl_files(tmp_path, kind, tensors, **config))
    values = found.encode(X.numpy())
    np.testing.assert_allclose(values, expected, atol=1e-5)
    np.testing.assert_allclose(found.decode(values), (expected @ D + C).numpy(), atol=1e-4)


# ---- round trips


@pytest.mark.parametrize(("variant", "rule", "k"), VARIANTS)
@pytest.mark.parametrize("library", [saelens, dictionary_learning])
def test_a_round_trip_keeps_what_is_encoded_and_decoded(
    tmp_path: Path, library: Any, variant: str, rule: str, k: int | None
) -> None:
    own = made(variant, rule, k)
    library.write(own, tmp_path / "a")
    back = library.read(tmp_path / "a")
    frames = X.numpy()
    # Conditioning is folded into biases: values come in units of raw frames.
    np.testing.assert_allclose(back.encode(frames), own.scale * own.encode(frames), atol=1e-4)
    np.testing.assert_allclose(back.decode(back.encode(frames)), own.decode(own.encode(frames)), atol=1e-4)
    np.testing.assert_allclose(back.directions, own.directions, atol=1e-6)
    library.write(back, tmp_path / "b")
    again = library.read(tmp_path / "b")
    for name, tensor in back.parameters.tensors.items():
        torch.testing.assert_close(again.parameters.tensors[name], tensor, rtol=1e-6, atol=1e-6)
    assert (back.rule, back.k) == (rule, k)


@pytest.mark.parametrize(("variant", "rule", "k"), VARIANTS)
def test_its_own_file_is_exact(tmp_path: Path, variant: str, rule: str, k: int | None) -> None:
    own = made(variant, rule, k)
    own.save(tmp_path / "d.safetensors")
    back = Dictionary.load(tmp_path / "d.safetensors")
    assert (back.variant, back.rule, back.k, back.scale) == (own.variant, own.rule, own.k, own.scale)
    np.testing.assert_array_equal(back.encode(X.numpy()), own.encode(X.numpy()))


# ---- hostile files


def damaged(
    tensors: dict[str, torch.Tensor], name: str, value: torch.Tensor | None
) -> dict[str, torch.Tensor]:
    kept = {key: tensor for key, tensor in tensors.items() if key != name}
    return kept if value is None else {**kept, name: value}


@pytest.mark.parametrize(
    ("config", "name", "value", "message"),
    [
        ({}, "b_enc", None, "missing b_enc"),
        ({}, "extra", torch.zeros(2), "unknown extra"),
        ({}, "b_enc", torch.zeros(3), "biases that fit W_enc"),
        ({}, "b_dec", torch.full((UNITS,), float("nan")), "decoder_bias of finite float32"),
        ({}, "W_dec", torch.zeros(FEATURES, 2), r"W_dec of 10 × 6; got shape \(10, 2\)"),
        ({}, "W_enc", torch.zeros(3), r"W_enc of 10 × 6; got shape \(3,\)"),
        ({"d_sae": 11}, "W_enc", W.T, r"W_enc of 11 × 6; got shape \(6, 10\)"),
        ({"architecture": "gated"}, "b_enc", B, "an architecture that is read; got 'gated'"),
        ({"architecture": ["topk"]}, "b_enc", B, "an architecture that is read"),
        ({"architecture": "topk"}, "b_enc", B, "k from 1 to 10; got None"),
        ({"architecture": "topk", "k": 99}, "b_enc", B, "k from 1 to 10; got 99"),
        (
            {"normalize_activations": "layer_norm"},
            "b_enc",
            B,
            "normalize_activations 'none'; got 'layer_norm'",
        ),
        ({"architecture": "jumprelu"}, "b_enc", B, "missing threshold"),
        ({"architecture": "jumprelu"}, "threshold", THETA - 9, "thresholds that are finite and not negative"),
        ({"architecture": "jumprelu"}, "threshold", THETA[:3], r"threshold of shape \(10,\); got \(3,\)"),
    ],
)
def test_a_damaged_saelens_checkpoint_is_refused(
    tmp_path: Path, config: dict[str, Any], name: str, value: torch.Tensor | None, message: str
) -> None:
    folder = sae_files(tmp_path, {"architecture": "standard", **config}, damaged(PLAIN, name, value))
    with pytest.raises(InputError, match=message):
        saelens.read(folder)


class Code:
    """Something that runs when it is unpickled."""

    def __reduce__(self) -> Any:
        return Path("ran").touch, ()


@pytest.mark.parametrize(
    ("kind", "config", "name", "value", "message"),
    [
        ("AutoEncoder", {}, "bias", None, "missing bias"),
        ("AutoEncoder", {"dict_size": 12}, "bias", C, "the encoder of 12 × 6"),
        ("GatedAutoEncoder", {}, "bias", C, "a class that is read; got 'GatedAutoEncoder'"),
        ("AutoEncoder", {}, "encoder.weight", W * float("inf"), "encoder of finite float32"),
        ("BatchTopKSAE", {}, "b_dec", C, "missing k, threshold"),
        ("AutoEncoderTopK", {}, "b_dec", C, "k from 1 to 10; got None"),
    ],
)
def test_a_damaged_dictionary_learning_checkpoint_is_refused(
    tmp_path: Path, kind: str, config: dict[str, Any], name: str, value: torch.Tensor | None, message: str
) -> None:
    tensors = LINEAR | ({"bias": C} if "TopK" not in kind else {})
    with pytest.raises(InputError, match=message):
        dictionary_learning.read(dl_files(tmp_path, kind, damaged(tensors, name, value), **config))


def test_numbers_that_disagree_thresholds_never_set_and_code_are_refused(tmp_path: Path) -> None:
    tensors = LINEAR | {"b_dec": C} | KT
    with pytest.raises(InputError, match="k 4, as the configuration says; got 3"):
        dictionary_learning.read(dl_files(tmp_path / "a", "AutoEncoderTopK", tensors, k=4))
    unset = tensors | {"threshold": torch.tensor(-1.0)}
    with pytest.raises(InputError, match="thresholds that are finite and not negative"):
        dictionary_learning.read(dl_files(tmp_path / "b", "BatchTopKSAE", unset))
    folder = dl_files(tmp_path / "c", "AutoEncoder", {"encoder.weight": Code()})  # type: ignore[dict-item]
    with pytest.raises(InputError, match="a PyTorch file of tensors only"):
        dictionary_learning.read(folder)
    assert not Path("ran").exists()


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    own = made("topk", "topk", 3)
    with pytest.raises(InputError, match=r"a folder that holds cfg\.json"):
        saelens.read(tmp_path)
    own.save(tmp_path / "d.safetensors")
    (tmp_path / "cfg.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match="a configuration in JSON"):
        saelens.read(tmp_path)
    (tmp_path / "cfg.json").write_text(" " * (2**20 + 1))
    with pytest.raises(InputError, match="a configuration of at most"):
        saelens.read(tmp_path)
    (tmp_path / "cfg.json").write_text("[]")
    with pytest.raises(InputError, match="holds a list"):
        saelens.read(tmp_path)
    tensors = load_file(tmp_path / "d.safetensors")
    save_file(tensors, tmp_path / "e.safetensors")
    with pytest.raises(InputError, match=r"a dictionary; got 'e\.safetensors'"):
        Dictionary.load(tmp_path / "e.safetensors")
    cut = (tmp_path / "d.safetensors").read_bytes()[:-40]
    (tmp_path / "cut.safetensors").write_bytes(cut)
    with pytest.raises(InputError, match="a safetensors file"):
        Dictionary.load(tmp_path / "cut.safetensors")


# ---- the libraries themselves, where they are installed (benchmarks/dictionaries.py says how)


def peers(name: str) -> ModuleType:
    """The benchmark's module, which stands in for what a peer imports and does not use; skips without the peer."""
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    file = Path(__file__).resolve().parents[3] / "benchmarks" / "dictionaries.py"
    spec = importlib.util.spec_from_file_location("benchmark_of_dictionaries", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    module.stand_in()
    return module


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("variant", "rule", "k"), VARIANTS)
def test_saelens_opens_what_is_written_and_the_other_way_round(
    tmp_path: Path, variant: str, rule: str, k: int | None
) -> None:
    peers("sae_lens")
    from sae_lens.saes.sae import SAE

    own = made(variant, rule, k)
    saelens.write(own, tmp_path / "ours")
    theirs = SAE.load_from_disk(tmp_path / "ours")
    with torch.no_grad():
        np.testing.assert_allclose(theirs.encode(X), own.scale * own.encode(X.numpy()), atol=1e-4)
        np.testing.assert_allclose(theirs(X), own.decode(own.encode(X.numpy())), atol=1e-4)
        theirs.save_model(tmp_path / "theirs")
        np.testing.assert_allclose(
            saelens.read(tmp_path / "theirs").encode(X.numpy()), theirs.encode(X), atol=1e-5
        )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("variant", "rule", "k"), VARIANTS)
def test_dictionary_learning_opens_what_is_written(
    tmp_path: Path, variant: str, rule: str, k: int | None
) -> None:
    peers("dictionary_learning")
    from dictionary_learning.utils import load_dictionary

    own = made(variant, rule, k)
    dictionary_learning.write(own, tmp_path)
    theirs, _ = load_dictionary(str(tmp_path), "cpu")
    with torch.no_grad():
        np.testing.assert_allclose(theirs.encode(X), own.scale * own.encode(X.numpy()), atol=1e-4)
        np.testing.assert_allclose(theirs(X), own.decode(own.encode(X.numpy())), atol=1e-4)
