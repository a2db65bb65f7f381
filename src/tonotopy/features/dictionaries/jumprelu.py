"""JumpReLU (Rajamanoharan 2024): a latent is its pre-activation where that exceeds a threshold of its own, else 0.

Loss = mean ‖x − x̂‖² + λ mean Σ H(pre − θ). The step H and the jump have no useful derivative by θ; their
straight-through estimates are those of the paper (eqs. 11, 12): a rectangle of width ``bandwidth`` around θ. θ is
trained through its logarithm, and is positive. The penalty rises from 0 as in ``relu_l1``. Deviations: dead latents are
resampled (the paper has no revival); thresholds start at :data:`THRESHOLD` (the paper's .001, and its bandwidth .001,
belong to frames of unit mean squared norm and millions of steps: here both are larger, so that few steps move
thresholds at all).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from tonotopy.features.dictionaries.parameters import Parameters
from tonotopy.features.dictionaries.relu_l1 import RISE
from tonotopy.features.dictionaries.variant import Revival, Rule, Step

#: Width of the window in which a threshold feels a pre-activation.
BANDWIDTH = 0.1
#: Threshold at the start.
THRESHOLD = 0.1


@dataclass(frozen=True)
class JumpReLU:
    """JumpReLU with penalty ``l0`` a latent that is active."""

    l0: float = 1.0
    bandwidth: float = BANDWIDTH
    k: ClassVar[int | None] = None
    start_threshold: ClassVar[float] = THRESHOLD
    name: ClassVar[str] = "jumprelu"
    rule: ClassVar[Rule] = "threshold"
    revival: ClassVar[Revival] = "resampling"

    def step(self, p: Parameters, x: torch.Tensor, dead: torch.Tensor, progress: float) -> Step:
        """As :meth:`Variant.step`."""
        pre, threshold = p.pre(x).relu(), p.log_threshold.exp()
        values: torch.Tensor = _Jump.apply(pre, threshold, self.bandwidth)
        number: torch.Tensor = _Heaviside.apply(pre, threshold, self.bandwidth)
        error = (x - p.decoder_bias - values @ p.decoder).square().sum(dim=1).mean()
        penalty = self.l0 * min(1.0, progress / RISE) * number.sum(dim=1).mean()
        active = (values.detach() > 0).sum(dim=0)
        return Step(error + penalty, float(error.detach()), active, {"penalty": float(penalty.detach())})

    def threshold(self, p: Parameters, before: torch.Tensor, step: Step) -> torch.Tensor:
        """As :meth:`Variant.threshold`: the trained one."""
        return p.log_threshold.detach().exp()


def _near(pre: torch.Tensor, threshold: torch.Tensor, width: float) -> torch.Tensor:
    return ((pre - threshold).abs() < width / 2).to(pre.dtype) / width


class _Jump(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pre: torch.Tensor, threshold: torch.Tensor, width: float) -> torch.Tensor:
        ctx.save_for_backward(pre, threshold)
        ctx.width = width
        return pre * (pre > threshold)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        pre, threshold = ctx.saved_tensors
        to_threshold = -(threshold * _near(pre, threshold, ctx.width) * gradients[0]).sum(dim=0)
        return gradients[0] * (pre > threshold), to_threshold, None


class _Heaviside(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pre: torch.Tensor, threshold: torch.Tensor, width: float) -> torch.Tensor:
        ctx.save_for_backward(pre, threshold)
        ctx.width = width
        return (pre > threshold).to(pre.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[None, torch.Tensor, None]:
        pre, threshold = ctx.saved_tensors
        return None, -(_near(pre, threshold, ctx.width) * gradients[0]).sum(dim=0), None
