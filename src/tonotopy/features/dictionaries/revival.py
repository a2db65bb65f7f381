"""Resampling of dead latents (Bricken 2023): new directions from frames that are badly reconstructed.

At fixed shares of the training (:data:`AT`), each dead latent is pointed at a frame drawn with a probability that goes
as its squared error squared: its decoder row becomes that frame's unit vector, its encoder row the same times
:data:`GAIN` of the mean norm of live encoder rows, its bias 0, its moments of Adam 0. Deviations: frames come from
the batch at hand (there: 819,200 of them), and the shares, rather than steps 25,000 … 100,000, are fixed.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional as F

from tonotopy.features.dictionaries.parameters import Parameters

#: Shares of the training at which dead latents are resampled.
AT = (0.125, 0.25, 0.375, 0.5)
#: Norm of a new encoder row, re the mean of live ones.
GAIN = 0.2


def due(step: int, steps: int) -> bool:
    """Whether dead latents are resampled after this many steps.

    Examples
    --------
    >>> [step for step in range(1, 101) if due(step, 100)]
    [12, 25, 38, 50]
    """
    return step in {round(share * steps) for share in AT} - {0}


@torch.no_grad()
def resample(
    p: Parameters,
    x: torch.Tensor,
    dead: torch.Tensor,
    reconstruct: Callable[[torch.Tensor], torch.Tensor],
    moments: Callable[[torch.Tensor], list[torch.Tensor]],
    *,
    seed: int,
) -> int:
    """Point dead latents (a mask ``[feature]``) at badly reconstructed frames of ``x`` ``[frame, unit]``, in place.

    ``reconstruct`` gives what the dictionary makes of frames; ``moments`` the optimiser's tensors of a parameter.
    Gives the number of resampled latents.
    """
    latents = dead.nonzero()[:, 0]
    if not len(latents):
        return 0
    weight = (x - reconstruct(x)).double().square().sum(dim=1).square()
    if not float(weight.sum()) > 0:
        return 0
    rng = torch.Generator().manual_seed(seed)
    frames = torch.multinomial(weight, len(latents), replacement=True, generator=rng)
    rows = F.normalize(x[frames] - p.decoder_bias, dim=1)
    alive = p.encoder[~dead]
    norm = alive.norm(dim=1).mean() if len(alive) else torch.ones(())
    p.decoder[latents] = rows
    p.encoder[latents] = GAIN * norm * rows
    p.encoder_bias[latents] = 0
    for tensor in (p.encoder, p.encoder_bias, p.decoder):
        for moment in moments(tensor):
            moment[latents] = 0
    return len(latents)
