"""Class directions: rows of an encoder's last linear layer, at the site which that layer reads.

A feature's value is the class's logit. Encoders without a linear layer at their end have none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from tonotopy.core.errors import InputError
from tonotopy.features.dictionaries.conditioning import condition
from tonotopy.features.sources._contract import Activations, Features, Projection, unit_rows

NAMES = ("classes",)
CITATION = ""
LICENCE = "MIT"
#: Roles of the sites that have such features; others have none.
ROLES = ("head",)


def find(
    activations: Activations,
    *,
    count: int | None = None,
    seed: int = 0,  # noqa: ARG001
    encoder: Any = None,
    site: str | None = None,
) -> Features:
    """The first ``count`` classes (all where none is given); values are logits."""
    layer = _last_linear(encoder, site)
    weight = layer.weight.detach().cpu().numpy().astype(np.float32)
    if activations.units != weight.shape[1]:
        came = f"activations of {activations.units} units"
        raise InputError(f"frames of {weight.shape[1]} units, which the classes read", came, "another site")
    count = len(weight) if count is None else count
    if count > len(weight):
        raise InputError(f"at most {len(weight)} classes", str(count), "the encoder has no more")
    weight = weight[:count]
    bias: torch.Tensor | None = layer.bias
    offset = None if bias is None else bias.detach().cpu().numpy()[:count].astype(np.float32)
    function = Projection(weight, np.zeros(weight.shape[1], np.float32), offset=offset)
    names = tuple(f"class-{index}" for index in range(count))
    told = {**condition(activations).diagnostics, "norms": np.linalg.norm(weight, axis=1).tolist()}
    return Features("classes", names, weight.shape[1], unit_rows(weight), function, told)


def _last_linear(encoder: Any, site: str | None) -> nn.Linear:
    """The linear layer that reads the site of role ``head``."""
    name = getattr(encoder, "name", "no encoder")
    refusal = InputError(
        "an encoder that ends in a linear layer",
        name,
        "class directions are the rows of that layer; choose a classifier, or another source",
    )
    heads = [found for found in getattr(encoder, "sites", ()) if found.role == "head"]
    if not heads:
        raise refusal
    head = heads[-1]
    if site is not None and site != head.name:
        cause = "the last linear layer reads that site and no other"
        raise InputError(f"the site {head.name!r} of {name}", repr(site), cause)
    copied = encoder.trainable()
    layers = [] if copied is None else [m for m in copied.module.modules() if isinstance(m, nn.Linear)]
    layers = [layer for layer in layers if layer.in_features == head.units]
    if not layers:
        raise refusal
    return layers[-1]
