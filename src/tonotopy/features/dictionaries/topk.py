"""TopK (Gao 2024): the k largest pre-activations of each frame, rectified; nothing else penalises.

Loss: mean squared norm of the residual, plus AuxK. Deviations: frames are centred and scaled by one number for all
(Gao normalises every frame); the decoder bias therefore starts at 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from tonotopy.features.dictionaries import sparse
from tonotopy.features.dictionaries.auxiliary import auxiliary_loss
from tonotopy.features.dictionaries.parameters import Parameters
from tonotopy.features.dictionaries.variant import Revival, Rule, Step


@dataclass(frozen=True)
class TopK:
    """TopK with ``k`` active latents a frame."""

    k: int = 32
    name: ClassVar[str] = "topk"
    rule: ClassVar[Rule] = "topk"
    revival: ClassVar[Revival] = "auxiliary"

    def step(self, p: Parameters, x: torch.Tensor, dead: torch.Tensor, progress: float) -> Step:
        """As :meth:`Variant.step`."""
        bias = p.bias()
        best, latent = sparse.select(x, p.encoder.detach(), bias.detach(), self.k)
        offsets = torch.arange(0, self.k * len(x), self.k)
        pattern = sparse.Pattern(latent.flatten(), offsets, p.features)
        values = sparse.encode(x, p.encoder, bias, pattern, best.flatten()).relu()
        residual = x - p.decoder_bias - sparse.decode(values, p.decoder, pattern)
        error = residual.square().sum(dim=1).mean()
        extra = auxiliary_loss(p, x, residual.detach(), dead)
        active = torch.bincount(pattern.feature[values.detach() > 0], minlength=p.features)
        measured = {"auxiliary": float(extra.detach())}
        return Step(error + extra, float(error.detach()), active, measured)

    def threshold(self, p: Parameters, before: torch.Tensor, step: Step) -> torch.Tensor:
        """As :meth:`Variant.threshold`: none."""
        return before
