"""The last save of a training: a folder that replaces the one before whole, and the optimiser's tensors in it.

A kill at any moment leaves the save before or the one after. Between two renames there is only the one before, under
another name; the next start puts it back.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch

_PLACE, _FRESH, _OLD = "checkpoint", ".checkpoint.new", ".checkpoint.old"


@contextmanager
def replacing_save(folder: Path) -> Iterator[Path]:
    """An empty folder to write a save into; it becomes the last save where the block ends without an error."""
    target, fresh, old = (folder / name for name in (_PLACE, _FRESH, _OLD))
    for stale in (fresh, old):
        shutil.rmtree(stale, ignore_errors=True)
    fresh.mkdir()
    yield fresh
    if target.exists():
        target.replace(old)
    fresh.replace(target)
    shutil.rmtree(old, ignore_errors=True)


def last_save(folder: Path) -> Path | None:
    """The folder of the last save; None before the first."""
    place, old = folder / _PLACE, folder / _OLD
    if not place.exists() and old.exists():
        old.replace(place)
    return place if (place / "state.json").is_file() else None


def moments_of(optimiser: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """The optimiser's tensors, by number of the parameter and name: ``0.exp_avg``."""
    return {
        f"{index}.{key}": value
        for index, entry in optimiser.state_dict()["state"].items()
        for key, value in entry.items()
    }


def load_moments(optimiser: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor]) -> None:
    """Give an optimiser the tensors of `moments_of`."""
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = value
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": groups})
