"""Random weights by the architecture's own initialiser, and statistics from music: the floor.

Every module that knows how to initialise itself (``reset_parameters``) does; parameters of a module that
does not are drawn from U(±1/sqrt(fan-in)), as PyTorch draws its own. Parametrised weights (weight norm) are
reset as plain ones and then decomposed. Running statistics are the cumulative ones of the calibration.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import parametrize

from tonotopy.encoders._geometry import pink_noise


def randomise(model: torch.nn.Module, seed: int) -> None:
    """Give every parameter of ``model`` a new random value, in place; the global generator is left alone.

    Examples
    --------
    >>> a, b = torch.nn.Conv1d(1, 4, 7), torch.nn.Conv1d(1, 4, 7)
    >>> randomise(a, seed=3)
    >>> randomise(b, seed=3)
    >>> bool((a.weight == b.weight).all())
    True
    """
    with undrawn(), torch.no_grad():
        torch.manual_seed(seed)
        for module in model.modules():
            _reset(module)


def undrawn() -> AbstractContextManager[None]:
    """Inside, layers may be built as PyTorch builds them, with draws that the outside never notices."""
    return torch.random.fork_rng(devices=[])


def _reset(module: torch.nn.Module) -> None:
    if isinstance(module, parametrize.ParametrizationList):
        return  # belongs to the module that it parametrises
    if parametrize.is_parametrized(module):
        _reset_parametrised(module)
        return
    reset: Callable[[], Any] | None = getattr(module, "reset_parameters", None)
    if reset is not None:
        reset()
        return
    for parameter in module.parameters(recurse=False):
        parameter.uniform_(-1, 1).mul_(1 / math.sqrt(fan_in(parameter)))


def _reset_parametrised(module: torch.nn.Module) -> None:
    plain = copy.deepcopy(module)
    assert isinstance(plain.parametrizations, torch.nn.ModuleDict)
    names = list(plain.parametrizations)
    for name in names:
        parametrize.remove_parametrizations(plain, name, leave_parametrized=True)
    _reset(plain)
    for name in names:
        setattr(module, name, getattr(plain, name))
    fresh = dict(plain.named_parameters(recurse=False))
    for name, parameter in module.named_parameters(recurse=False):
        parameter.copy_(fresh[name])


def fan_in(parameter: torch.Tensor) -> int:
    """Numbers that one output sums: the product of all axes but the first; the length of a vector."""
    return max(1, parameter[0].numel() if parameter.dim() > 1 else parameter.numel())


def calibrate(model: torch.nn.Module, run: Callable[[], Any]) -> None:
    """Set the running statistics of every batch normalisation from what ``run`` sends through the model.

    They are plain averages over the batches of ``run``, not decaying ones. Other modules stay as they are.
    """
    norms = [m for m in model.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]
    if not norms:
        return
    kept = [(norm.momentum, norm.training) for norm in norms]
    try:
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
            norm.train()
        with torch.no_grad():
            run()
    finally:
        for norm, (momentum, training) in zip(norms, kept, strict=True):
            norm.momentum = momentum
            norm.train(training)


def substitute_music(
    sample_rate_hz: int, *, seconds: float = 2.0, rows: int = 4, seed: int = 0
) -> torch.Tensor:
    """Pink noise, ``[row, time]``, float32: what calibrates where no music was given."""
    generator = torch.Generator().manual_seed(seed)
    return pink_noise(rows, int(seconds * sample_rate_hz), generator).float()
