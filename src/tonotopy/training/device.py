"""Where a training computes: named, or the best there is."""

from __future__ import annotations

import torch

from tonotopy.core.errors import InputError


def resolve(name: str) -> str:
    """``auto`` is cuda where there is one, then mps, then cpu; a device that is not here is an error."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return next(device for device, found in there.items() if found)
    if not there.get(name, False):
        raise InputError(
            f"a machine with {name}", "none here", "a build of torch without it", ["auto", "cpu"]
        )
    return name
