"""What a variant of a sparse autoencoder offers to the training loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import torch

from tonotopy.features.dictionaries.parameters import Parameters

#: How latents are chosen once training is over: all positive ones, the k largest, or those over a threshold.
Rule = Literal["relu", "topk", "threshold"]
#: What brings dead latents back: an auxiliary loss at every step, or new directions now and then.
Revival = Literal["auxiliary", "resampling"]


@dataclass(frozen=True)
class Step:
    """What one step computed."""

    loss: torch.Tensor  # what is minimised
    error: float  # mean squared norm of what is left of a frame
    active: torch.Tensor  # [feature], in how many frames of the batch each latent was active
    measured: dict[str, float]


class Variant(Protocol):
    """One kind of sparse autoencoder; frozen."""

    @property
    def name(self) -> str:
        """As its feature source is called."""
        ...

    @property
    def rule(self) -> Rule:
        """How latents are chosen once training is over."""
        ...

    @property
    def revival(self) -> Revival:
        """What brings dead latents back."""
        ...

    @property
    def k(self) -> int | None:
        """Active latents a frame, where the variant fixes them."""
        ...

    def step(self, p: Parameters, x: torch.Tensor, dead: torch.Tensor, progress: float) -> Step:
        """Loss on conditioned frames ``[frame, unit]``.

        ``dead`` is a mask ``[feature]``; ``progress`` the share of the training that is done.
        """
        ...

    def threshold(self, p: Parameters, before: torch.Tensor, step: Step) -> torch.Tensor:
        """The inference threshold ``[feature]`` after a step, from the one before it (NaN at first)."""
        ...
