"""Random weights scaled layer by layer until music moves every layer by as much.

Each convolution, in order, is divided by the standard deviation of its output over some music, and its bias set
to zero: after Mishkin & Matas 2016 (All you need is a good init, arXiv 1511.06422), with the initialiser's own
directions where they draw orthogonal ones. Sound at -26 dBFS is otherwise too soft to bend a nonlinearity, and
what is nearly linear cannot report a level. Batch normalisation does the same by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn


@torch.no_grad()
def unit_variance(model: nn.Module, run: Callable[[], Any]) -> None:
    """Scale each convolution of a model, in order, until what it gives has unit variance; biases become 0.

    A convolution whose module never runs by itself is watched where its parent's output comes (a layer that
    pads, or lays out, before it convolves). Weights that are computed from others are left as they are.
    """
    modules = dict(model.named_modules())
    for path, conv in modules.items():
        if not isinstance(conv, nn.Conv1d | nn.Conv2d) or "weight" not in dict(conv.named_parameters()):
            continue
        parent = modules[path.rpartition(".")[0]] if path else conv
        if conv.bias is not None:
            conv.bias.zero_()
        spread = _spread(run, conv, parent)
        if spread is not None and 1e-12 < spread < np.inf:
            conv.weight.div_(spread)


def _spread(run: Callable[[], Any], conv: nn.Module, parent: nn.Module) -> float | None:
    """Standard deviation of what a convolution gives, or its parent where it does not run by itself."""
    found: dict[nn.Module, torch.Tensor] = {}

    def note(module: nn.Module, _: Any, output: Any) -> None:
        if isinstance(output, torch.Tensor):
            found.setdefault(module, output)

    handles = [module.register_forward_hook(note) for module in {conv, parent}]
    try:
        run()
    finally:
        for handle in handles:
            handle.remove()
    output = found.get(conv, found.get(parent))
    return None if output is None else float(output.std())
