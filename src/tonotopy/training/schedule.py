"""When things happen in a training: how long it is, when snapshots are taken, how the step size goes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tonotopy.core.errors import InputError

#: Snapshots from initialisation to the last step, both included.
SNAPSHOTS = 12
#: The first snapshot after initialisation.
FIRST_SNAPSHOT = 10
#: Share of the steps over which the step size rises to its full value.
WARMUP = 0.02
#: The step size rises over at most so many steps; over so many while the number of steps is not known.
LONGEST_WARMUP = 100


@dataclass(frozen=True)
class Length:
    """How long to train: a number of steps, or minutes from which the number of steps is derived at the start."""

    steps: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.minutes is None):
            raise InputError(
                "a number of steps or of minutes",
                "neither" if self.steps is None else "both",
                "give --steps or --minutes",
            )
        value = self.steps if self.steps is not None else self.minutes
        assert value is not None
        if not 0 < value < math.inf:
            raise InputError("a positive length of training", f"{value:g}")


def snapshot_steps(steps: int, count: int = SNAPSHOTS) -> list[int]:
    """Log-spaced steps at which snapshots are taken: 0, then from :data:`FIRST_SNAPSHOT` to the last.

    Examples
    --------
    >>> snapshot_steps(10_000, 5)
    [0, 10, 100, 1000, 10000]
    """
    if steps <= FIRST_SNAPSHOT:
        return sorted({0, steps})
    spaced = np.geomspace(FIRST_SNAPSHOT, steps, count - 1)
    return sorted({0, *(round(s) for s in spaced)})


def rate_at(step: int, steps: int | None) -> float:
    """Step size re full: a linear rise, then half a cosine to nothing."""
    if steps is None:
        return min(1.0, (step + 1) / LONGEST_WARMUP)
    rise = max(1, min(LONGEST_WARMUP, round(WARMUP * steps)))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))
