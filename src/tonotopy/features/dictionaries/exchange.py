"""What the exchange with other libraries' checkpoints shares: raw frames, bounded configurations, named tensors.

Other libraries know no conditioning, so it is folded into biases on the way out: with centre c and scale s, values on
raw frames are s times ours, and reconstructions are the same. On the way in, centre is 0 and scale 1; rows of
decoders keep the norm that they come with.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from tonotopy.core.errors import InputError
from tonotopy.features.dictionaries.parameters import Parameters
from tonotopy.features.dictionaries.trained import Dictionary, checked
from tonotopy.features.dictionaries.variant import Rule

#: Bytes of a configuration; one that is longer is none.
LARGEST_CONFIG = 2**20


def folded(dictionary: Dictionary) -> Dictionary:
    """The same dictionary on raw frames: its values are ``scale`` times those of the one given."""
    p, scale = dictionary.parameters, dictionary.scale
    raw = replace(
        p, encoder_bias=p.encoder_bias * scale, decoder_bias=dictionary.centre + p.decoder_bias * scale
    )
    return replace(
        dictionary,
        parameters=raw,
        threshold=dictionary.threshold * scale,
        centre=torch.zeros_like(dictionary.centre),
        scale=1.0,
    )


def assembled(
    variant: str,
    rule: Rule,
    k: int | None,
    *,
    encoder: torch.Tensor,
    encoder_bias: torch.Tensor,
    decoder: torch.Tensor,
    decoder_bias: torch.Tensor,
    threshold: torch.Tensor | None = None,
) -> Dictionary:
    """A dictionary on raw frames from tensors of a file, ``encoder`` and ``decoder`` both ``[feature, unit]``."""
    encoder, encoder_bias, decoder, decoder_bias = (
        tensor.float().contiguous() for tensor in (encoder, encoder_bias, decoder, decoder_bias)
    )
    features = len(encoder) if encoder.dim() else 0
    theta = torch.zeros(features) if threshold is None else threshold.float()
    if theta.dim() == 0:
        theta = theta.expand(features).contiguous()
    log = theta.clamp_min(1e-12).nan_to_num(1.0, posinf=1.0).log()
    p = Parameters(encoder, encoder_bias, decoder, decoder_bias, log)
    units = encoder.shape[1] if encoder.dim() == 2 else 0
    return checked(Dictionary(variant, rule, k, p, theta, torch.zeros(units), 1.0))


def read_config(path: Path) -> dict[str, Any]:
    """A JSON object of bounded size.

    Raises
    ------
    InputError
        No such file, too large, or no JSON object.
    """
    if not path.is_file():
        raise InputError(f"a folder that holds {path.name}", repr(path.parent.name), "another folder")
    if path.stat().st_size > LARGEST_CONFIG:
        raise InputError(
            f"a configuration of at most {LARGEST_CONFIG} bytes", f"{path.name} is larger", "damage"
        )
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise InputError("a configuration in JSON", path.name, "a damaged file") from None
    if not isinstance(config, dict):
        raise InputError(
            "a configuration with names", f"{path.name} holds a {type(config).__name__}", "damage"
        )
    return config


def named(tensors: Mapping[str, torch.Tensor], names: Iterable[str], *, ignored: Iterable[str] = ()) -> None:
    """Check that exactly these tensors are there.

    Raises
    ------
    InputError
        One is missing, or there is one that the architecture does not have.
    """
    wanted = set(names)
    missing, unknown = sorted(wanted - set(tensors)), sorted(set(tensors) - wanted - set(ignored))
    if missing or unknown:
        came = "; ".join(
            f"{word} {', '.join(which[:5])}"
            for word, which in (("missing", missing), ("unknown", unknown))
            if which
        )
        raise InputError(
            f"the tensors {', '.join(sorted(wanted))}", came, "a checkpoint of another architecture"
        )


def shaped(
    matrix: torch.Tensor, features: Any, units: Any, *, name: str, turned: bool = False
) -> torch.Tensor:
    """A matrix as ``[feature, unit]``, of the sizes that its configuration tells, where it tells them.

    ``turned`` says that the file keeps it as ``[unit, feature]``.

    Raises
    ------
    InputError
        It has another shape.
    """
    found = matrix.T if turned and matrix.dim() == 2 else matrix
    if found.dim() != 2 or any(
        told is not None and told != size for told, size in zip((features, units), found.shape, strict=True)
    ):
        came = f"shape {tuple(matrix.shape)}"
        raise InputError(f"{name} of {features} × {units}", came, "files that do not belong together")
    return found
