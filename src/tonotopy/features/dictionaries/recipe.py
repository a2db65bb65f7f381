"""How a dictionary is trained: sizes, seed and steps, and the course of the step size.

The step size is that of Gao 2024 by default, 2e-4 / √(latents / 16,384), rising over the first steps and falling to 0
over the last fifth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tonotopy.core.errors import InputError
from tonotopy.features.dictionaries.reservoir import RESERVOIR_BYTES

#: A latent that has not been active for this many frames is dead (Gao 2024 waits for 10 million tokens; recordings
#: of an hour have some 300,000 frames).
DEAD_AFTER = 200_000
#: Shares of the steps over which the step size rises and falls; it rises over at most so many steps.
RISE, FALL, LONGEST_RISE = 0.05, 0.2, 1000
#: The full step size of a dictionary of so many latents; it goes with one over the root of their number.
RATE, RATE_LATENTS = 2e-4, 2**14


@dataclass(frozen=True)
class Recipe:
    """How a dictionary is trained; everything that decides its weights beside the stream and the variant."""

    features: int
    steps: int
    seed: int = 0
    batch: int = 4096
    learning_rate: float | None = None
    dead_after: int = DEAD_AFTER
    reservoir_bytes: int = RESERVOIR_BYTES

    def __post_init__(self) -> None:
        limits = {
            "features": (1, 2**20),
            "steps": (1, 10**9),
            "seed": (0, 2**53),
            "batch": (1, 2**20),
            "dead_after": (1, 2**53),
            "reservoir_bytes": (1, 2**40),
        }
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise InputError(f"{name} from {low} to {high}", repr(value)[:60])
        if self.learning_rate is not None and not 0 < self.learning_rate < math.inf:
            raise InputError("a positive step size", repr(self.learning_rate))

    @property
    def rate(self) -> float:
        """The full step size."""
        return self.learning_rate or RATE / math.sqrt(self.features / RATE_LATENTS)


def rate_at(step: int, steps: int) -> float:
    """Step size re full.

    Examples
    --------
    >>> [round(rate_at(step, 100), 2) for step in (0, 4, 50, 90, 99)]
    [0.2, 1.0, 1.0, 0.5, 0.05]
    """
    rise = max(1, min(LONGEST_RISE, round(RISE * steps)))
    return min(1.0, (step + 1) / rise, (steps - step) / max(1.0, FALL * steps))
