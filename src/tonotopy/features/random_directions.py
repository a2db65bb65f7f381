"""Directions that mean nothing, wherever on the frequency axis a feature may lie: the null of `stability`.

Isotropic directions choose what is loud, and in music that is bass. A third of the directions is isotropic in raw
activations, a third in whitened ones, a third half-way: together they reach what is quiet too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: How much of the spread of activations directions undo: none, half, all of it.
WHITENINGS = (0.0, 0.5, 1.0)
#: Share of the mean variance below which an axis counts as empty.
FLOOR = 1e-6


def random_directions(frames: NDArray[np.floating], count: int, *, seed: int) -> NDArray[np.float32]:
    """Unit vectors ``[direction, unit]`` for raw frames ``[frame, unit]``, as many of each whitening."""
    rng = np.random.default_rng([seed, 41])
    x = frames - frames.mean(axis=0, dtype=np.float64)
    variance, axes = np.linalg.eigh(x.T @ x / max(1, len(x) - 1))
    variance = np.maximum(variance, max(FLOOR * float(variance.mean()), np.finfo(np.float64).tiny))
    variance /= variance.max()
    parts = np.array_split(np.arange(count), len(WHITENINGS))
    drawn = [
        rng.standard_normal((len(part), len(axes))) * variance ** (-whitening / 2) @ axes.T
        for whitening, part in zip(WHITENINGS, parts, strict=True)
    ]
    found = np.concatenate(drawn)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)
