"""ReLU with an L1 penalty (Bricken 2023): f = ReLU(pre), loss = mean ‖x − x̂‖² + λ Σ f.

Decoder rows have norm 1, as there, so that the penalty cannot be dodged by large rows. Dead latents are
resampled (see ``revival``). Deviation: the penalty rises from 0 over the first :data:`RISE` of the training
(Anthropic's update of April 2024), or many latents die at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from tonotopy.features.dictionaries.parameters import Parameters
from tonotopy.features.dictionaries.variant import Revival, Rule, Step

#: Share of the training over which a penalty rises.
RISE = 0.05


@dataclass(frozen=True)
class ReluL1:
    """ReLU with penalty ``l1``, in units of conditioned frames (mean squared norm: the number of units)."""

    l1: float = 1.0
    k: ClassVar[int | None] = None
    name: ClassVar[str] = "relu-l1"
    rule: ClassVar[Rule] = "relu"
    revival: ClassVar[Revival] = "resampling"

    def step(self, p: Parameters, x: torch.Tensor, dead: torch.Tensor, progress: float) -> Step:
        """As :meth:`Variant.step`."""
        values = p.pre(x).relu()
        error = (x - p.decoder_bias - values @ p.decoder).square().sum(dim=1).mean()
        penalty = self.l1 * min(1.0, progress / RISE) * values.sum(dim=1).mean()
        active = (values.detach() > 0).sum(dim=0)
        return Step(error + penalty, float(error.detach()), active, {"penalty": float(penalty.detach())})

    def threshold(self, p: Parameters, before: torch.Tensor, step: Step) -> torch.Tensor:
        """As :meth:`Variant.threshold`: none."""
        return before
