"""Matryoshka (Bussmann 2025): a BatchTopK whose first latents must do alone, then the first more, then all.

The loss is the mean over nested prefixes of the mean squared norm of what each leaves; latents are chosen once, for
the whole dictionary. So general features settle at the front, and are not split among later ones. Prefixes are fixed
shares (:data:`PREFIXES`); the paper's are powers of two of its dictionaries. AuxK works on what the whole leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from tonotopy.features.dictionaries.auxiliary import auxiliary_loss
from tonotopy.features.dictionaries.batch_topk import followed, largest_of_batch
from tonotopy.features.dictionaries.parameters import Parameters
from tonotopy.features.dictionaries.variant import Revival, Rule, Step

#: Shares of the dictionary that reconstruct alone.
PREFIXES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)


@dataclass(frozen=True)
class Matryoshka:
    """Nested dictionaries with ``k`` active latents a frame, on average, in all."""

    k: int = 32
    prefixes: tuple[float, ...] = PREFIXES
    name: ClassVar[str] = "matryoshka"
    rule: ClassVar[Rule] = "threshold"
    revival: ClassVar[Revival] = "auxiliary"

    def ends(self, features: int) -> list[int]:
        """Where each prefix ends, of so many latents."""
        return sorted({max(1, round(share * features)) for share in self.prefixes} | {features})

    def step(self, p: Parameters, x: torch.Tensor, dead: torch.Tensor, progress: float) -> Step:
        """As :meth:`Variant.step`."""
        values, smallest = largest_of_batch(p.pre(x).relu(), self.k)
        residual, begin, errors = x - p.decoder_bias, 0, []
        for end in self.ends(p.features):
            residual = residual - values[:, begin:end] @ p.decoder[begin:end]
            errors.append(residual.square().sum(dim=1).mean())
            begin = end
        extra = auxiliary_loss(p, x, residual.detach(), dead)
        loss = torch.stack(errors).mean() + extra
        measured = {"auxiliary": float(extra.detach()), "smallest": smallest}
        return Step(loss, float(errors[-1].detach()), (values.detach() > 0).sum(dim=0), measured)

    def threshold(self, p: Parameters, before: torch.Tensor, step: Step) -> torch.Tensor:
        """As :meth:`Variant.threshold`."""
        return followed(before, step.measured["smallest"])
