"""What every variant of a sparse autoencoder trains, and how it starts.

Conventions: ``encoder`` and ``decoder`` are both ``[feature, unit]``; a frame ``x`` (conditioned) has pre-activations
``encoder (x − decoder_bias) + encoder_bias``; a reconstruction is the sum of active decoder rows plus
``decoder_bias``. Decoder rows have norm 1 throughout (Bricken 2023), so that a latent's value is how much of its
direction a frame holds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

import torch
from torch.nn import functional as F


@dataclass(frozen=True)
class Parameters:
    """Tensors of a sparse autoencoder, float32."""

    encoder: torch.Tensor  # [feature, unit]
    encoder_bias: torch.Tensor  # [feature]
    decoder: torch.Tensor  # [feature, unit]
    decoder_bias: torch.Tensor  # [unit]
    log_threshold: torch.Tensor  # [feature]; of JumpReLU, trained by no other variant

    @staticmethod
    def initial(features: int, units: int, *, seed: int, threshold: float = 1e-3) -> Parameters:
        """Random unit decoder rows, the encoder their transpose, biases 0 (Gao 2024, A.1).

        Gao starts ``decoder_bias`` at the geometric median of the data; here frames are centred already.
        """
        rng = torch.Generator().manual_seed(seed)
        rows = F.normalize(torch.randn(features, units, generator=rng), dim=1)
        return Parameters(
            rows.clone(),
            torch.zeros(features),
            rows,
            torch.zeros(units),
            torch.full((features,), float(torch.tensor(threshold).log())),
        )

    @staticmethod
    def of(tensors: Mapping[str, torch.Tensor]) -> Parameters:
        """From tensors by name."""
        return Parameters(**{f.name: tensors[f.name] for f in fields(Parameters)})

    @property
    def tensors(self) -> dict[str, torch.Tensor]:
        """By name, in order."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @property
    def features(self) -> int:
        """Number of latents."""
        return self.encoder.shape[0]

    def bias(self) -> torch.Tensor:
        """What is added to ``encoder x``, ``[feature]``: both biases in one."""
        return self.encoder_bias - self.encoder @ self.decoder_bias

    def pre(self, x: torch.Tensor) -> torch.Tensor:
        """Pre-activations ``[frame, feature]`` of conditioned frames ``[frame, unit]``."""
        return torch.addmm(self.bias(), x, self.encoder.T)


@torch.no_grad()
def calibrate(p: Parameters, x: torch.Tensor, k: int | None) -> float:
    """Scale the encoder, in place, so that the first reconstructions are as long as they should be; gives the factor.

    Many latents that overlap add up to far more than the frame. The factor is the least-squares one on frames ``x``
    ``[frame, unit]``, with the k largest latents active (all positive ones where k is None). A deviation from Gao 2024,
    whose start leaves more than the variance at first.
    """
    values = p.pre(x).relu()
    if k is not None:
        best, latent = values.topk(k, sorted=False)
        values = torch.zeros_like(values).scatter_(1, latent, best)
    made = values @ p.decoder
    factor = float(
        (made * (x - p.decoder_bias)).sum(dtype=torch.float64) / made.square().sum(dtype=torch.float64)
    )
    if math.isfinite(factor) and factor > 0:
        p.encoder.mul_(factor)
    return factor


def constrain_gradient(decoder: torch.Tensor) -> None:
    """Take from the decoder's gradient what points along its rows: it would only change their norm."""
    if decoder.grad is not None:
        decoder.grad.sub_((decoder.grad * decoder.detach()).sum(dim=1, keepdim=True) * decoder.detach())


def renormalise(decoder: torch.Tensor) -> None:
    """Rows back to norm 1, in place."""
    with torch.no_grad():
        decoder.div_(decoder.norm(dim=1, keepdim=True).clamp_min(1e-12))
