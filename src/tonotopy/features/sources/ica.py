"""Independent components: FastICA on whitened principal components.

Frames are drawn from the stream into a reservoir of bounded size; the components are projected on axes of unit
variance, then rotated by FastICA (parallel, log cosh). The start of the rotation is drawn from the seed. A
component's sign is the one at which its values are skewed upwards: sparse, rectified causes point that way.
A component's direction is its column of the mixing matrix (what it adds to a frame), not the row that reads it
out: filters are not patterns (Haufe et al. 2014).
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tonotopy.core.errors import InputError
from tonotopy.features.dictionaries.conditioning import condition
from tonotopy.features.dictionaries.reservoir import sample
from tonotopy.features.sources._contract import Activations, Features, Projection, numbered, unit_rows
from tonotopy.features.sources._principal import principal

NAMES = ("ica",)
CITATION = "A. Hyvärinen: Fast and robust fixed-point algorithms for independent component analysis, 1999"
LICENCE = "MIT"

#: Frames that are drawn from the stream.
FRAMES = 20_000
#: Further components would be noise blown up: these hold all but this share of the variance.
LEFT_OUT = 1e-6


def find(
    activations: Activations,
    *,
    count: int | None = None,
    seed: int = 0,
    encoder: Any = None,  # noqa: ARG001
    site: str | None = None,  # noqa: ARG001
    frames: int = FRAMES,
    iterations: int = 400,
) -> Features:
    """``count`` components (where none is given, as many as hold all but :data:`LEFT_OUT` of the variance)."""
    from sklearn.decomposition import FastICA
    from sklearn.exceptions import ConvergenceWarning

    conditioning = condition(activations)
    axes, variance = principal(conditioning)
    if count is None:
        left = 1 - np.cumsum(variance) / conditioning.covariance.trace()
        count = min(len(axes), int(np.searchsorted(-left, -LEFT_OUT)) + 1)
    if count > len(axes):
        raise InputError(f"at most {len(axes)} components", str(count), "the frames span no more dimensions")
    drawn = sample(activations, frames, seed=seed).astype(np.float64) - conditioning.centre
    if len(drawn) <= count:
        raise InputError(f"more than {count} frames", str(len(drawn)), "too short a recording")
    whitening = axes[:count] / np.sqrt(variance[:count])[:, None]  # [component, unit]
    whitened = drawn @ whitening.T
    start = np.random.default_rng([seed, 12]).standard_normal((count, count))
    model = FastICA(whiten=False, fun="logcosh", max_iter=iterations, tol=1e-5, w_init=start)
    with warnings.catch_warnings():
        # It is told in the attributes instead: a component that did not settle does not recur either.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(whitened)
    converged = bool(model.n_iter_ < iterations)
    rotation = model.components_  # [component, whitened]
    values = whitened @ rotation.T
    sign = np.where((values**3).mean(axis=0) < 0, -1.0, 1.0)[:, None]
    reads = sign * rotation @ whitening
    mixing = sign * np.linalg.pinv(rotation).T @ (axes[:count] * np.sqrt(variance[:count])[:, None])
    told = {
        **conditioning.diagnostics,
        "converged": converged,
        "iterations": int(model.n_iter_),
        "explained_variance": float(variance[:count].sum() / conditioning.covariance.trace()),
    }
    function = Projection(reads.astype(np.float32), conditioning.centre)
    return Features("ica", numbered("ica", count), activations.units, unit_rows(mixing), function, told)
