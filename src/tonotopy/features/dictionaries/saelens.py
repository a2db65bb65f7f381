"""Checkpoints in the format of SAELens: a folder with ``cfg.json`` and ``sae_weights.safetensors``.

``W_enc`` ``[unit, feature]``, ``b_enc``, ``W_dec`` ``[feature, unit]``, ``b_dec``, and ``threshold`` for ``jumprelu``.
Read: ``standard``, ``topk`` and ``jumprelu`` (as which SAELens saves a trained BatchTopK or Matryoshka),
of version 6 and, where ``activation_fn_str`` names them, of earlier ones. Not read: activations normalised or reshaped
at run time, scaling factors of finetuning, transcoders. Written as SAELens 6 saves an inference model.

Source: SAELens 6.54.12, ``sae_lens/saes`` and ``sae_lens/loading``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tonotopy.core.errors import InputError
from tonotopy.encoders._weights import read_weights
from tonotopy.features.dictionaries.exchange import assembled, folded, named, read_config, shaped
from tonotopy.features.dictionaries.trained import Dictionary
from tonotopy.features.dictionaries.variant import Rule
from tonotopy.training.room import write_text

CONFIG, WEIGHTS = "cfg.json", "sae_weights.safetensors"
#: Version in whose format checkpoints are written.
VERSION = "6.54.12"
_RULES: dict[str, tuple[str, Rule]] = {
    "standard": ("relu-l1", "relu"),
    "topk": ("topk", "topk"),
    "jumprelu": ("jumprelu", "threshold"),
}
_ARCHITECTURE = {rule: name for name, (_, rule) in _RULES.items()}


def read(folder: str | Path) -> Dictionary:
    """The dictionary of a checkpoint, on raw frames.

    Raises
    ------
    InputError
        The files are missing, damaged, do not fit, or hold an architecture that is not read.
    """
    folder = Path(folder)
    config = read_config(folder / CONFIG)
    architecture, k = _architecture(config)
    variant, rule = _RULES[architecture]
    tensors = read_weights(folder / WEIGHTS)
    threshold = ("threshold",) if rule == "threshold" else ()
    named(tensors, ("W_enc", "b_enc", "W_dec", "b_dec", *threshold))
    encoder = shaped(tensors["W_enc"], config.get("d_sae"), config.get("d_in"), name="W_enc", turned=True)
    decoder = shaped(tensors["W_dec"], *encoder.shape, name="W_dec")
    bias = tensors["b_enc"]
    if bias.shape != encoder.shape[:1] or tensors["b_dec"].shape != encoder.shape[1:]:
        raise InputError(
            "biases that fit W_enc", f"{tuple(bias.shape)} and {tuple(tensors['b_dec'].shape)}", "damage"
        )
    if config.get("rescale_acts_by_decoder_norm"):
        norm = decoder.norm(dim=1, keepdim=True)
        encoder, bias, decoder = encoder * norm, bias * norm[:, 0], decoder / norm
    if not config.get("apply_b_dec_to_input", True):
        bias = bias + encoder @ tensors["b_dec"]
    return assembled(
        variant,
        rule,
        k,
        encoder=encoder,
        encoder_bias=bias,
        decoder=decoder,
        decoder_bias=tensors["b_dec"],
        threshold=tensors.get("threshold"),
    )


def write(dictionary: Dictionary, folder: str | Path) -> None:
    """Write a checkpoint that SAELens opens with ``SAE.load_from_disk``; conditioning is folded in."""
    from safetensors.torch import save_file

    folder, raw = Path(folder), folded(dictionary)
    p = raw.parameters
    tensors = {"W_enc": p.encoder.T, "b_enc": p.encoder_bias, "W_dec": p.decoder, "b_dec": p.decoder_bias}
    if raw.rule == "threshold":
        tensors["threshold"] = raw.threshold
    config: dict[str, Any] = {
        "architecture": _ARCHITECTURE[raw.rule],
        "d_in": raw.units,
        "d_sae": raw.features,
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": True,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "metadata": {"sae_lens_version": VERSION, "sae_lens_training_version": None},
    }
    if raw.rule == "topk":
        config |= {"k": raw.k, "rescale_acts_by_decoder_norm": False}
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous().clone() for name, value in tensors.items()}, folder / WEIGHTS)
    write_text(folder / CONFIG, json.dumps(config, indent=2) + "\n")


def _architecture(config: dict[str, Any]) -> tuple[str, int | None]:
    """Name of the architecture, and k; refuses what changes frames before or after the weights."""
    plain = {
        "normalize_activations": "none",
        "reshape_activations": "none",
        "finetuning_scaling_factor": False,
    }
    for key, value in plain.items():
        if config.get(key, value) not in (value, None):
            cause = "it is applied at run time: fold it into the weights first"
            raise InputError(f"{key} {value!r}", repr(config[key])[:60], cause)
    name, k = config.get("architecture", "standard"), config.get("k")
    earlier = config.get("activation_fn_kwargs")
    if "topk" in (config.get("activation_fn_str"), config.get("activation_fn")) and isinstance(earlier, dict):
        name, k = "topk", earlier.get("k")
    if not isinstance(name, str) or name not in _RULES:
        cause = "gated, temporal and transcoding ones have no single encoder and decoder here"
        raise InputError("an architecture that is read", repr(name)[:60], cause, list(_RULES))
    return name, k if name == "topk" else None
