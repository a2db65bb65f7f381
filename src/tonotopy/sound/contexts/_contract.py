"""What a context family is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tonotopy.sound.music import MusicPool


@dataclass(frozen=True)
class ContextRequest:
    """One context: how long, at what rate, drawn from which generator.

    ``index`` is the number of the context within its family; for music it chooses the piece.
    """

    n_samples: int
    sample_rate_hz: int
    rng: np.random.Generator = field(repr=False)
    index: int = 0
    music: MusicPool | None = None

    @property
    def top_hz(self) -> float:
        """Highest frequency of any synthetic context, as on the grid of targets."""
        return 0.45 * self.sample_rate_hz
