"""Checkpoints in the format of dictionary_learning: a folder with ``ae.pt`` and ``config.json``.

``ae.pt`` is a state dict; ``config.json`` names the class under ``trainer`` → ``dict_class``. Read and written:

- ``AutoEncoder``: ``encoder.weight`` ``[feature, unit]``, ``encoder.bias``, ``decoder.weight`` ``[unit, feature]`` and
  ``bias``
- ``AutoEncoderTopK``, ``BatchTopKSAE``: the same with ``b_dec`` for ``bias``, and ``k`` and ``threshold``
- ``MatryoshkaBatchTopKSAE``: ``W_enc`` ``[unit, feature]``, ``b_enc``, ``W_dec`` ``[feature, unit]``, ``b_dec``, ``k``,
  ``threshold`` and ``group_sizes``
- ``JumpReluAutoEncoder``: ``W_enc``, ``b_enc``, ``W_dec``, ``b_dec`` and ``threshold``; frames are encoded as they
  are, without taking ``b_dec`` off

``ae.pt`` is opened with ``weights_only=True`` and nothing else: a file that holds code is refused.

Source: dictionary_learning 0.1.0, ``dictionary.py``, ``trainers``, ``utils.load_dictionary``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from tonotopy.core.errors import InputError
from tonotopy.encoders._weights import read_weights
from tonotopy.features.dictionaries.exchange import assembled, folded, named, read_config, shaped
from tonotopy.features.dictionaries.matryoshka import Matryoshka
from tonotopy.features.dictionaries.trained import Dictionary
from tonotopy.features.dictionaries.variant import Rule
from tonotopy.training.room import write_text

CONFIG, WEIGHTS = "config.json", "ae.pt"

# class, variant here, rule
_CLASSES: dict[str, tuple[str, Rule]] = {
    "AutoEncoder": ("relu-l1", "relu"),
    "AutoEncoderTopK": ("topk", "topk"),
    "BatchTopKSAE": ("batch-topk", "threshold"),
    "MatryoshkaBatchTopKSAE": ("matryoshka", "threshold"),
    "JumpReluAutoEncoder": ("jumprelu", "threshold"),
}
_LINEAR = ("encoder.weight", "encoder.bias", "decoder.weight")
_PLAIN = ("W_enc", "b_enc", "W_dec", "b_dec")
_TENSORS = {
    "AutoEncoder": (*_LINEAR, "bias"),
    "AutoEncoderTopK": (*_LINEAR, "b_dec", "k", "threshold"),
    "BatchTopKSAE": (*_LINEAR, "b_dec", "k", "threshold"),
    "MatryoshkaBatchTopKSAE": (*_PLAIN, "k", "threshold", "group_sizes"),
    "JumpReluAutoEncoder": (*_PLAIN, "threshold"),
}
#: Files from before thresholds were kept lack them; only a TopK can do without.
_OPTIONAL = {"AutoEncoderTopK": ("threshold", "k")}


def read(folder: str | Path) -> Dictionary:
    """The dictionary of a checkpoint, on raw frames.

    Raises
    ------
    InputError
        The files are missing, damaged, do not fit, or hold a class that is not read.
    """
    folder = Path(folder)
    told = read_config(folder / CONFIG).get("trainer")
    told = told if isinstance(told, dict) else {}
    kind = told.get("dict_class")
    if not isinstance(kind, str) or kind not in _CLASSES:
        raise InputError("a class that is read", repr(kind)[:60], "another architecture", list(_CLASSES))
    tensors = read_weights(folder / WEIGHTS)
    optional = _OPTIONAL.get(kind, ())
    named(tensors, [name for name in _TENSORS[kind] if name not in optional], ignored=optional)
    linear = "encoder.weight" in tensors
    encoder, decoder = (
        tensors[name] for name in ((_LINEAR[0], _LINEAR[2]) if linear else (_PLAIN[0], _PLAIN[2]))
    )
    bias = tensors["encoder.bias" if linear else "b_enc"]
    centre = tensors["bias" if kind == "AutoEncoder" else "b_dec"]
    sizes = told.get("dict_size"), told.get("activation_dim")
    encoder = shaped(encoder, *sizes, name="the encoder", turned=not linear)
    decoder = shaped(decoder, *encoder.shape, name="the decoder", turned=linear)
    if bias.shape != encoder.shape[:1] or centre.shape != encoder.shape[1:]:
        raise InputError(
            "biases that fit the encoder", f"{tuple(bias.shape)} and {tuple(centre.shape)}", "damage"
        )
    if kind == "JumpReluAutoEncoder":
        bias = bias + encoder @ centre
    variant, rule = _CLASSES[kind]
    return assembled(
        variant,
        rule,
        _k(told, tensors) if rule == "topk" else None,
        encoder=encoder,
        encoder_bias=bias,
        decoder=decoder,
        decoder_bias=centre,
        threshold=tensors["threshold"] if rule == "threshold" else None,
    )


def write(dictionary: Dictionary, folder: str | Path, *, k: int | None = None) -> None:
    """Write a checkpoint that ``dictionary_learning.utils.load_dictionary`` opens; conditioning is folded in.

    ``k`` is what a BatchTopK or Matryoshka says of itself; it does not change what it encodes once trained.
    """
    folder, raw = Path(folder), folded(dictionary)
    kind = _class(raw)
    config: dict[str, Any] = {
        "dict_class": kind,
        "activation_dim": raw.units,
        "dict_size": raw.features,
    }
    number = raw.k or k or 1
    if "k" in _TENSORS[kind]:
        config["k"] = number
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(
        {name: value.contiguous().clone() for name, value in _state(raw, kind, number).items()},
        folder / WEIGHTS,
    )
    write_text(folder / CONFIG, json.dumps({"trainer": config, "buffer": {}}, indent=4) + "\n")


def _class(raw: Dictionary) -> str:
    """The class that encodes as this dictionary does; thresholds of their own need the one that has them."""
    for kind, (variant, rule) in _CLASSES.items():
        if (variant, rule) == (raw.variant, raw.rule):
            return kind
    return {"relu": "AutoEncoder", "topk": "AutoEncoderTopK", "threshold": "JumpReluAutoEncoder"}[raw.rule]


def _state(raw: Dictionary, kind: str, k: int) -> dict[str, torch.Tensor]:
    p = raw.parameters
    if kind == "JumpReluAutoEncoder":
        return dict(
            zip(
                _TENSORS[kind], (p.encoder.T, p.bias(), p.decoder, p.decoder_bias, raw.threshold), strict=True
            )
        )
    scalar = {"k": torch.tensor(k, dtype=torch.int)}
    scalar["threshold"] = raw.threshold[0] if raw.rule == "threshold" else torch.tensor(-1.0)
    if kind == "MatryoshkaBatchTopKSAE":
        ends = [0, *Matryoshka(k).ends(raw.features)]
        groups = torch.tensor([after - before for before, after in pairwise(ends)])
        plain = dict(zip(_PLAIN, (p.encoder.T, p.encoder_bias, p.decoder, p.decoder_bias), strict=True))
        return {**plain, **scalar, "group_sizes": groups}
    linear = dict(zip(_LINEAR, (p.encoder, p.encoder_bias, p.decoder.T), strict=True))
    return (
        {**linear, "bias": p.decoder_bias}
        if kind == "AutoEncoder"
        else {**linear, "b_dec": p.decoder_bias, **scalar}
    )


def _k(told: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> int | None:
    """Active latents a frame, of the configuration and of the weights, which must agree.

    Raises
    ------
    InputError
        They differ.
    """
    k = told.get("k")
    if "k" not in tensors:
        return k
    kept = tensors["k"]
    if kept.dim() or not torch.isfinite(kept.float()) or (k is not None and k != int(kept)):
        raise InputError(
            f"k {k!r}, as the configuration says",
            f"{kept.tolist()!r}"[:60],
            "files that do not belong together",
        )
    return int(kept)
