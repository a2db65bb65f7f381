"""Spectral distance of many sounds from a few that stay the same, of which the magnitudes are kept.

The distance is `training.spectral.spectral_distance`, one value a sound.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from tonotopy.training.spectral import FLOOR, RESOLUTIONS, magnitudes

Floats = NDArray[np.float64]


class Distances:
    """Distances from sounds ``[trial, time]``.

    Examples
    --------
    >>> sounds = np.random.default_rng(0).standard_normal((2, 4096)).astype(np.float32)
    >>> Distances(sounds)(sounds).tolist()
    [0.0, 0.0]
    """

    def __init__(self, targets: NDArray[np.float32]) -> None:
        self._theirs = [magnitudes(torch.from_numpy(targets), window) for window in RESOLUTIONS]
        self._logs = [(theirs + FLOOR).log() for theirs in self._theirs]

    def __call__(self, sounds: NDArray[np.float32]) -> Floats:
        """Distance of each sound ``[trial, time]`` from its own target, ``[trial]``."""
        total = np.zeros(len(sounds))
        for window, theirs, logs in zip(RESOLUTIONS, self._theirs, self._logs, strict=True):
            ours = magnitudes(torch.from_numpy(sounds), window)
            linear = (ours - theirs).abs().mean(dim=(1, 2)) / (theirs.mean(dim=(1, 2)) + FLOOR)
            log = ((ours + FLOOR).log() - logs).abs().mean(dim=(1, 2))
            total += (linear + log).double().numpy()
        return total / len(RESOLUTIONS)
