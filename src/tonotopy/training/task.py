"""What can be trained: a task gives the loop its batches, their loss, and what a snapshot says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import nn

from tonotopy.encoders._checkpoint import Header


@dataclass(frozen=True)
class Batch:
    """What one step is computed on, and which clips it came from (for the message when something breaks)."""

    audio: torch.Tensor  # [excerpt, time]
    clips: tuple[str, ...]
    target: torch.Tensor | None = None


class Task(Protocol):
    """Something that can be trained."""

    name: str
    learning_rate: float
    largest_gradient: float  # a step's gradient is cut to this norm
    seed: int

    @property
    def module(self) -> nn.Module:
        """Everything that is saved: parameters and buffers."""
        ...

    def header(self, step: int) -> Header:
        """What a snapshot at that step says of itself."""
        ...

    def snapshot(self) -> dict[str, torch.Tensor]:
        """The tensors of a snapshot: those of the encoder that it opens as."""
        ...

    def batch(self, step: int) -> Batch:
        """The excerpts of a step: a function of the seed and the step."""
        ...

    def loss(self, batch: Batch, step: int) -> tuple[torch.Tensor, dict[str, float]]:
        """The loss and what else is worth a column; may update buffers."""
        ...

    def validate(self) -> dict[str, float]:
        """Figures on held-out pieces."""
        ...


def generator(seed: int, step: int, stream: int) -> np.random.Generator:
    """The source of a step's draws; ``stream`` tells apart what is drawn."""
    return np.random.default_rng([seed, stream, step])
