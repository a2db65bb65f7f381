"""Principal axes of conditioned frames: shared by PCA and by the whitening before ICA."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tonotopy.features.dictionaries.conditioning import Conditioning

#: Axes whose variance is below this share of the largest are rounding, and are left out.
LEAST_VARIANCE = 1e-9


def principal(conditioning: Conditioning) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Axes ``[component, unit]`` and their variances ``[component]``, largest first, float64."""
    variance, axes = np.linalg.eigh(conditioning.covariance)
    variance, axes = variance[::-1], axes[:, ::-1].T
    kept = variance > LEAST_VARIANCE * variance[0]
    axes, variance = axes[kept], variance[kept]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    return axes * np.sign(largest), variance
