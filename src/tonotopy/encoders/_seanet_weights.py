"""EnCodec's published weights, in the format of transformers, brought to the layers of ``_seanet``.

A folder holds ``config.json`` and ``model.safetensors``. Names follow the order of layers there; weight norm,
in either of its two spellings, is folded: w = g v / |v|, the norm taken over all axes but the first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from tonotopy.core.errors import InputError, WeightsError
from tonotopy.encoders._seanet import Config, Conv, DecoderNet, EncoderNet, Lstm, Quantiser, Residual, Up
from tonotopy.encoders._weights import fit_weights, read_weights

REVISIONS = {
    "facebook/encodec_24khz": "c1dbe2ae3f1de713481a3b3e7c47f357092ee040",
    "facebook/encodec_48khz": "c3def8e7185ac8c8efdce6eb8c4a651e487a503e",
}
"""Commits of the hub that hold safetensors; nothing newer is taken unasked."""

_WEIGHT_NORM = (
    ("weight_g", "weight_v"),
    ("parametrizations.weight.original0", "parametrizations.weight.original1"),
)


def read_config(folder: Path) -> Config:
    """The configuration in a folder of weights."""
    path = folder / "config.json"
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        cause = "a folder that is no saved EnCodec: save_pretrained of transformers writes one"
        raise WeightsError("config.json beside the weights", f"none in {folder.name!r}", cause) from None
    except ValueError as error:
        raise WeightsError("a config.json", f"no JSON: {error}", "a damaged file") from None
    if not isinstance(values, dict) or values.get("model_type", "encodec") != "encodec":
        came = values.get("model_type") if isinstance(values, dict) else type(values).__name__
        raise WeightsError("the config.json of an EnCodec", repr(came), "weights of another model")
    return Config.of(values)


def load_folder(folder: Path, name: str, nets: tuple[EncoderNet, DecoderNet, Quantiser]) -> None:
    """Load ``model.safetensors`` of a folder into the three nets."""
    state = read_weights(folder / "model.safetensors")
    for net, names in zip(nets, (encoder_names(nets[0]), decoder_names(nets[1]), None), strict=True):
        found = _codebooks(state) if names is None else _renamed(state, names)
        fit_weights(net, found, name=name)


def hub_folder(repository: str) -> Path:
    """The folder of a pinned revision on the hub, downloaded where it is not yet cached."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        cause = "the extra is not installed: pip install tonotopy[encodec]"
        raise InputError("huggingface_hub, to fetch weights", "no such package", cause) from None
    try:
        path = snapshot_download(
            repository, revision=REVISIONS[repository], allow_patterns=["config.json", "model.safetensors"]
        )
    except Exception as error:  # the hub's client raises what its transport raises
        cause = (
            "no network; give a local folder with config.json and model.safetensors, or weights random:0 "
            f"({type(error).__name__})"
        )
        raise InputError(f"weights of {repository}", "none on this machine", cause) from error
    return Path(path)


def encoder_names(net: EncoderNet) -> dict[str, str]:
    """Module path in our encoder to its path in transformers; there, activations count as layers."""
    names: dict[str, str] = {}
    place = 0
    for name in [*net.stages, "lstm", "stack_end"]:
        place += name.startswith("down") or name == "stack_end"  # an activation goes before
        names.update(_inside(net.get_submodule(name), name, f"encoder.layers.{place}"))
        place += 1
    return names


def decoder_names(net: DecoderNet) -> dict[str, str]:
    """The same for the decoder, whose layers stand in transformers' own order."""
    names: dict[str, str] = {}
    for i, layer in enumerate(net.layers):
        names.update(_inside(layer, f"layers.{i}", f"decoder.layers.{i}"))
    return names


def _inside(layer: nn.Module, ours: str, theirs: str) -> Iterator[tuple[str, str]]:
    if isinstance(layer, Residual):
        parts = {"conv1": "block.1", "conv2": "block.3", "shortcut": "shortcut"}
        for part, place in parts.items():
            yield from _inside(layer.get_submodule(part), f"{ours}.{part}", f"{theirs}.{place}")
    elif isinstance(layer, Conv | Up):
        yield f"{ours}.conv", f"{theirs}.conv"
        yield f"{ours}.norm", f"{theirs}.norm"
    elif isinstance(layer, Lstm):
        yield f"{ours}.lstm", f"{theirs}.lstm"


def _renamed(state: dict[str, torch.Tensor], names: dict[str, str]) -> dict[str, torch.Tensor]:
    """The entries of a state dict under our names, weight norm folded."""
    back = {theirs: ours for ours, theirs in names.items()}
    found: dict[str, torch.Tensor] = {}
    for key, value in state.items():
        for prefix, ours in ((key[:i], back.get(key[:i])) for i, sign in enumerate(key) if sign == "."):
            if ours is not None:
                found[f"{ours}.{key[len(prefix) + 1 :]}"] = value
    return dict(_folded(found))


def _folded(state: dict[str, torch.Tensor]) -> Iterator[tuple[str, torch.Tensor]]:
    for key, value in state.items():
        for g, v in _WEIGHT_NORM:
            if key.endswith(f".{g}"):
                break
            if key.endswith(f".{v}"):
                stem = key.removesuffix(v)
                norm = value.norm(dim=tuple(range(1, value.dim())), keepdim=True)
                yield f"{stem}weight", value * (state[f"{stem}{g}"] / norm)
                break
        else:
            yield key, value


def _codebooks(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """All codebooks ``[stage, entry, unit]``."""
    books: list[torch.Tensor] = []
    while (key := f"quantizer.layers.{len(books)}.codebook.embed") in state:
        books.append(state[key])
    if not books:
        raise WeightsError("codebooks", "none in the weights", "weights of an encoder alone")
    return {"codebooks": torch.stack(books)}
