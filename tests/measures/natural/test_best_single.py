"""The best single feature: the one planted for each target is found and tried on groups that it was not chosen on."""

from __future__ import annotations

import numpy as np

from tonotopy.measures.natural.best_single import best_single
from tonotopy.measures.natural.held_out import validate
from tonotopy.measures.natural.moments import Moments


def test_the_planted_feature_is_found() -> None:
    """Target 0 is feature 2 and target 1 is feature 0, under noise; noise alone explains nothing."""
    rng = np.random.default_rng(0)
    moments = Moments(np.arange(6), 4, 3)
    for piece in range(6):
        x = rng.standard_normal((100, 4))
        noise = rng.standard_normal((100, 3))
        moments.update(x, np.stack([x[:, 2], x[:, 0], 0 * x[:, 0]], axis=1) + 0.5 * noise, piece)
    known = validate(moments)
    assert known is not None
    every = slice(0, 3)
    held, best, repeats = best_single(moments, known, [every] * (int(known.block.max()) + 1), every)
    assert best[:2].tolist() == [2, 0]
    assert repeats[:2].tolist() == [1.0, 1.0]
    assert np.allclose(held.share()[:2], 0.8, atol=0.05)
    assert held.share()[2] < 0.02
