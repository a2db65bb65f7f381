"""Distances from sounds that are kept are the distances that training measures, one a sound."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tonotopy.interventions.quality import Distances
from tonotopy.training.spectral import spectral_distance


def test_each_sound_has_its_own_distance() -> None:
    """As of each pair alone; of other levels and of silence too."""
    rng = np.random.default_rng(0)
    targets = (rng.standard_normal((4, 5000)) * np.array([[1e-3], [0.1], [0.5], [0.0]])).astype(np.float32)
    distance = Distances(targets)
    for seed in (1, 2):
        sounds = (0.1 * np.random.default_rng(seed).standard_normal(targets.shape)).astype(np.float32)
        pairs = zip(torch.from_numpy(sounds), torch.from_numpy(targets), strict=True)
        alone = [float(spectral_distance(a[None], b[None])) for a, b in pairs]
        assert distance(sounds) == pytest.approx(alone, rel=1e-5)
    assert distance(targets).tolist() == [0.0] * 4
