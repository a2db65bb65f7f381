"""AuxK (Gao 2024, A.2): dead latents reconstruct what live ones leave.

The k_aux largest dead latents of each frame (k_aux = half the units, B.1; fewer where fewer are dead) decode to the
residual; their squared error over the residual's variance, times :data:`COEFFICIENT`, joins the loss. Only dead
latents get gradients from it. Their values are taken before rectification, so that a latent which is negative on every
frame gets a gradient too.
"""

from __future__ import annotations

import torch

from tonotopy.features.dictionaries import sparse
from tonotopy.features.dictionaries.parameters import Parameters

#: Weight of the auxiliary loss, and its share of the units that k_aux is (Gao 2024).
COEFFICIENT = 1 / 32
SHARE_OF_UNITS = 0.5


def auxiliary_loss(
    p: Parameters, x: torch.Tensor, residual: torch.Tensor, dead: torch.Tensor
) -> torch.Tensor:
    """The weighted auxiliary loss, a scalar; 0 where no latent is dead.

    ``residual`` ``[frame, unit]`` carries no gradient.
    """
    latents = dead.nonzero()[:, 0]
    if not len(latents):
        return torch.zeros(())
    k = min(max(1, int(SHARE_OF_UNITS * x.shape[1])), len(latents))
    bias = p.bias()
    best, among = sparse.select(x, p.encoder.detach()[latents], bias.detach()[latents], k)
    offsets = torch.arange(0, k * len(x), k)
    pattern = sparse.Pattern(latents[among].flatten(), offsets, p.features)
    values = sparse.encode(x, p.encoder, bias, pattern, best.flatten())
    error = (sparse.decode(values, p.decoder, pattern) - residual).square().sum(dim=1).mean()
    spread = (residual - residual.mean(dim=0)).square().sum(dim=1).mean()
    return COEFFICIENT * error / spread if float(spread) > 0 else torch.zeros(())
