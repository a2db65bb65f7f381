"""EnCodec's weights in the format of transformers, brought to the layers of ``_seanet`` and back.

A folder holds ``config.json`` and ``model.safetensors``. Names follow the order of layers there; weight norm,
in either of its two spellings, is folded: w = g v / |v|, the norm taken over all axes but the first.

Offers :func:`read_config`, :func:`load_folder`, :func:`save_folder`, :func:`hub_folder`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tonotopy.core.errors import InputError, WeightsError
from tonotopy.encoders._seanet import Config, Conv, DecoderNet, EncoderNet, Lstm, Quantiser, Residual, Up
from tonotopy.encoders._seanet_config import config_of
from tonotopy.encoders._weights import fit_weights, read_weights

REVISIONS = {
    "facebook/encodec_24khz": "c1dbe2ae3f1de713481a3b3e7c47f357092ee040",
    "facebook/encodec_48khz": "c3def8e7185ac8c8efdce6eb8c4a651e487a503e",
}
"""Commits of the hub that hold safetensors; nothing newer is taken unasked."""

_FILES = ("config.json", "model.safetensors")
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.th")
_MAX_CONFIG = 2**20  # bytes of a config.json; saved ones have 2**10
_LEARNT = re.compile(r"(encoder|decoder)\..*\b(weight|bias|parametrizations)")
_WEIGHT_NORM = (
    ("weight_g", "weight_v"),
    ("parametrizations.weight.original0", "parametrizations.weight.original1"),
)


def read_config(folder: Path) -> Config:
    """The configuration in a folder of weights, every entry checked; no weight is read."""
    pickles = sorted(path.name for kind in _PICKLES for path in folder.glob(kind))
    if pickles and not (folder / "model.safetensors").is_file():
        cause = "a pickle can run code and is not opened: save_pretrained of transformers writes safetensors"
        raise WeightsError("model.safetensors", f"only {pickles[0]} in {folder.name!r}", cause)
    values = _read_json(folder / "config.json")
    if not isinstance(values, dict) or values.get("model_type", "encodec") != "encodec":
        came = values.get("model_type") if isinstance(values, dict) else type(values).__name__
        raise WeightsError("the config.json of an EnCodec", repr(came)[:60], "weights of another model")
    return config_of(values)


def _read_json(path: Path) -> Any:
    try:
        size = path.stat().st_size
        if size > _MAX_CONFIG:
            raise WeightsError(f"a config.json of at most {_MAX_CONFIG} bytes", f"{size} bytes")
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        cause = "a folder that is no saved EnCodec: save_pretrained of transformers writes one"
        raise WeightsError("config.json beside the weights", f"none in {path.parent.name!r}", cause) from None
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError("a config.json", f"no JSON: {error}", "a damaged file") from None


def load_folder(folder: Path, name: str, nets: tuple[EncoderNet, DecoderNet, Quantiser]) -> None:
    """Load ``model.safetensors`` of a folder into the three nets; what has no place in them is refused."""
    path = folder / "model.safetensors"
    own = sum(tensor.numel() for net in nets for tensor in net.state_dict().values())
    cause = "a config.json of another model"
    # Twice the numbers, since codebooks come with their running means, at 8 bytes, and names.
    if path.is_file() and path.stat().st_size > 16 * own + _MAX_CONFIG:
        raise WeightsError(f"weights of {name}", f"{path.stat().st_size} bytes for {own} numbers", cause)
    state = read_weights(path)
    theirs = set(encoder_names(nets[0]).values()) | set(decoder_names(nets[1]).values())
    # Buffers that some version of transformers may add do no harm; weights that nothing uses do.
    learnt = [key for key in state if _LEARNT.match(key)]
    strangers = [key for key in learnt if theirs.isdisjoint(_stems(key))]
    if strangers:
        more = f" and {len(strangers) - 1} more" if strangers[1:] else ""
        raise WeightsError(f"weights of {name}", f"no layer for {strangers[0]}{more}", cause)
    for net, names in zip(nets, (encoder_names(nets[0]), decoder_names(nets[1]), None), strict=True):
        books = nets[2].codebooks
        found = _renamed(state, names) if names else _codebooks(state, len(books), tuple(books[0].shape))
        fit_weights(net, found, name=name)


def save_folder(
    folder: Path,
    config: Config,
    nets: tuple[EncoderNet, DecoderNet, Quantiser],
    dtype: torch.dtype = torch.float32,
) -> None:
    """Write ``config.json`` and ``model.safetensors``, as ``EncodecModel.from_pretrained`` takes them.

    Both files appear whole or not at all; files of that name are replaced.

    Parameters
    ----------
    folder
        Made where it is absent.
    config
        What shapes the nets.
    nets
        Encoder, decoder and codebooks; they may lie on any device and be in training.
    dtype
        In which weights are stored: float32, or float16 at half the size. Either loads as float32, since
        ``config.json`` says so; the norms of weight norm stay float32, which makes the folded weights exactly
        the stored ones.

    Raises
    ------
    WeightsError
        A weight is not finite, or beyond the range of float16.
    """
    if dtype not in STORED:
        raise InputError("a dtype to store weights in", str(dtype), legal=[str(legal) for legal in STORED])
    names = encoder_names(nets[0]) | {f"decoder:{k}": v for k, v in decoder_names(nets[1]).items()}
    state: dict[str, torch.Tensor] = {}
    for prefix, net in (("", nets[0]), ("decoder:", nets[1])):
        for key, value in net.state_dict().items():
            module, _, leaf = f"{prefix}{key}".rpartition(".")
            normed = config.norm_type == "weight_norm" and leaf == "weight"  # the LSTM's have a suffix
            state.update(_stored(f"{names[module]}.{leaf}", value, dtype, normed=normed))
    for i, book in enumerate(nets[2].codebooks):
        state.update(_stored_codebook(f"quantizer.layers.{i}.codebook", book, dtype))
    bad = [key for key, value in state.items() if not value.isfinite().all()]
    if bad:
        more = f" and {len(bad) - 1} more" if bad[1:] else ""
        cause = f"training that diverged, or a weight beyond the range of {str(dtype).removeprefix('torch.')}"
        raise WeightsError("finite weights", f"{bad[0]}{more}", cause)
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    # transformers refuses weights that do not say which library's tensors they are.
    _replace(folder / "model.safetensors", save(state, metadata={"format": "pt"}))
    told = {"architectures": ["EncodecModel"], "model_type": "encodec", "dtype": "float32"}
    told |= asdict(config) | {"codebook_dim": config.hidden_size}
    _replace(folder / "config.json", (json.dumps(told, indent=2, sort_keys=True) + "\n").encode())


STORED = (torch.float32, torch.float16)


def _stored(key: str, value: torch.Tensor, dtype: torch.dtype, *, normed: bool) -> dict[str, torch.Tensor]:
    """Entries of one weight: itself, or its norm and its direction."""
    # copy: neighbours in a state dict may share memory, and a safetensors file is laid out contiguously.
    plain = value.detach().to("cpu", dtype, copy=True).contiguous()
    if not normed:
        return {key: plain}
    axes = tuple(range(1, plain.dim()))
    norm = plain.float().norm(dim=axes, keepdim=True)
    # A channel of zeros has no direction, and any will do under a norm of zero: 0 / 0 would be undefined.
    plain = torch.where(norm == 0, torch.ones_like(plain), plain)
    stem = key.removesuffix("weight")
    return {f"{stem}{name}": part for name, part in zip(_WEIGHT_NORM[1], (norm, plain), strict=True)}


def _stored_codebook(key: str, book: torch.Tensor, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Entries of one codebook; its running means are as after one frame an entry."""
    entries = book.detach().to("cpu", dtype, copy=True).contiguous()
    return {
        f"{key}.embed": entries,
        f"{key}.embed_avg": entries.clone(),
        f"{key}.cluster_size": torch.ones(len(entries)),
        f"{key}.inited": torch.ones(1),
    }


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)


def hub_folder(repository: str) -> Path:
    """The folder of a pinned revision on the hub, downloaded where it is not yet cached."""
    try:
        from huggingface_hub import hf_hub_download
    except ImportError:
        cause = "the extra is not installed: pip install tonotopy[encodec]"
        raise InputError("huggingface_hub, to fetch weights", "no such package", cause) from None
    try:
        # By name: a repository holds pickles too, and a cache that lacks one of the two is not complete.
        paths = [Path(hf_hub_download(repository, file, revision=REVISIONS[repository])) for file in _FILES]
    except Exception as error:  # the hub's client raises what its transport raises
        cause = (
            "no network; give a local folder with config.json and model.safetensors, or weights random:0 "
            f"({type(error).__name__})"
        )
        raise InputError(f"weights of {repository}", "none on this machine", cause) from error
    return paths[0].parent


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
        for stem in _stems(key):
            if stem in back:
                found[f"{back[stem]}.{key[len(stem) + 1 :]}"] = value
    return dict(_folded(found))


def _stems(key: str) -> Iterator[str]:
    """Paths of the modules around an entry, outermost first."""
    return (key[:i] for i, sign in enumerate(key) if sign == ".")


def _folded(state: dict[str, torch.Tensor]) -> Iterator[tuple[str, torch.Tensor]]:
    for key, value in state.items():
        for g, v in _WEIGHT_NORM:
            if key.endswith(f".{g}") and f"{key.removesuffix(g)}{v}" in state:
                break
            stem = key.removesuffix(v)
            if key.endswith(f".{v}") and f"{stem}{g}" in state:
                direction = value.float()  # a norm summed in float16 would be 1e-3 off
                norm = direction.norm(dim=tuple(range(1, value.dim())), keepdim=True)
                told = state[f"{stem}{g}"].float()
                if told.shape != norm.shape:  # it might spread over all channels unnoticed
                    came = f"{tuple(told.shape)} for {key}"
                    raise WeightsError(f"a norm {tuple(norm.shape)}", came, "a damaged file")
                yield f"{stem}weight", direction * (told / norm)
                break
        else:
            yield key, value


def _codebooks(
    state: dict[str, torch.Tensor], wanted: int, shape: tuple[int, ...]
) -> dict[str, torch.Tensor]:
    """All codebooks ``[stage, entry, unit]``; so many are wanted, each ``shape``."""
    books: list[torch.Tensor] = []
    while (key := f"quantizer.layers.{len(books)}.codebook.embed") in state:
        books.append(state[key])
    if not books:
        raise WeightsError("codebooks", "none in the weights", "weights of an encoder alone")
    shapes = sorted({tuple(book.shape) for book in books})
    if len(books) != wanted or shapes != [shape]:
        came = f"{len(books)} of {' and '.join(str(found) for found in shapes)}"
        cause = "codebook_size, hidden_size or target_bandwidths in config.json are another model's"
        raise WeightsError(f"{wanted} codebooks of {shape}", came, cause)
    return {"codebooks": torch.stack(books)}
