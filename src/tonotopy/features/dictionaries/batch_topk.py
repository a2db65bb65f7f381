"""BatchTopK (Bussmann 2024): the k · frames largest rectified pre-activations of a whole batch.

Frames may so take more or fewer latents than k. Once trained, a latent is active where it exceeds one threshold for
all: the mean over batches of the smallest positive value that was chosen (eq. 6 there), here a running mean with
:data:`MEMORY`, so that it follows the weights. Loss: mean squared norm of the residual, plus AuxK.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from tonotopy.features.dictionaries.auxiliary import auxiliary_loss
from tonotopy.features.dictionaries.parameters import Parameters
from tonotopy.features.dictionaries.variant import Revival, Rule, Step

#: Share of the threshold that a step keeps.
MEMORY = 0.99


@dataclass(frozen=True)
class BatchTopK:
    """BatchTopK with ``k`` active latents a frame, on average."""

    k: int = 32
    name: ClassVar[str] = "batch-topk"
    rule: ClassVar[Rule] = "threshold"
    revival: ClassVar[Revival] = "auxiliary"

    def step(self, p: Parameters, x: torch.Tensor, dead: torch.Tensor, progress: float) -> Step:
        """As :meth:`Variant.step`."""
        values, smallest = largest_of_batch(p.pre(x).relu(), self.k)
        residual = x - p.decoder_bias - values @ p.decoder
        error = residual.square().sum(dim=1).mean()
        extra = auxiliary_loss(p, x, residual.detach(), dead)
        active = (values.detach() > 0).sum(dim=0)
        measured = {"auxiliary": float(extra.detach()), "smallest": smallest}
        return Step(error + extra, float(error.detach()), active, measured)

    def threshold(self, p: Parameters, before: torch.Tensor, step: Step) -> torch.Tensor:
        """As :meth:`Variant.threshold`."""
        return followed(before, step.measured["smallest"])


def largest_of_batch(hidden: torch.Tensor, k: int) -> tuple[torch.Tensor, float]:
    """``hidden`` ``[frame, feature]`` with all but its k · frames largest entries 0; the smallest positive one kept."""
    flat = hidden.flatten()
    best, where = flat.detach().topk(min(k * len(hidden), len(flat)), sorted=False)
    keep = torch.zeros_like(flat, dtype=torch.bool)
    keep[where] = True
    positive = best[best > 0]
    smallest = float(positive.min()) if len(positive) else 0.0
    return (flat * keep).view_as(hidden), smallest


def followed(before: torch.Tensor, smallest: float) -> torch.Tensor:
    """The running mean of thresholds, ``[feature]``, the same for all latents."""
    return torch.where(
        before.isnan(), torch.full_like(before, smallest), MEMORY * before + (1 - MEMORY) * smallest
    )
