"""Real music: a stretch of a piece, at a place drawn for each trial."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tonotopy.sound.contexts._contract import ContextRequest

NAMES = ("music",)
CITATION = ""
LICENCE = "MIT"


def render(request: ContextRequest) -> NDArray[np.float64]:
    """A stretch of the piece that ``request.index`` chooses, ``[time]``."""
    assert request.music is not None, "the music family needs a pool of music"
    return request.music.stretch(request.index, request.n_samples, rng=request.rng)
