"""Channels: every unit is a feature, as it is."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonotopy.core.errors import InputError
from tonotopy.features.dictionaries.conditioning import condition
from tonotopy.features.sources._contract import Activations, Features, Projection

NAMES = ("channels",)
CITATION = ""
LICENCE = "MIT"


def find(
    activations: Activations,
    *,
    count: int | None = None,
    seed: int = 0,  # noqa: ARG001
    encoder: Any = None,  # noqa: ARG001
    site: str | None = None,  # noqa: ARG001
) -> Features:
    """The units ``0 … count − 1`` (all where no count is given); values are raw activations."""
    units = activations.units
    count = units if count is None else count
    if count > units:
        raise InputError(f"at most {units} channels", str(count), "the site has no more units")
    directions = np.eye(count, units, dtype=np.float32)
    function = Projection(directions, np.zeros(units, np.float32))
    names = tuple(f"channel-{unit}" for unit in range(count))
    return Features("channels", names, units, directions, function, condition(activations).diagnostics)
