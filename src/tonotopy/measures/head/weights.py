"""Weight vectors of the last linear layer, as directions of the site that it reads.

How large they are, how far they share directions (participation ratio of their Gram matrix: the number of orthogonal
directions of equal norm that would be as spread out), and how far neighbours are alike: for a head whose classes have
an order, as pitches do, the mean cosine of successive classes against the same of classes in random order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tonotopy.features.sources.classes import _last_linear

Array = NDArray[np.float64]

#: Orders of classes.
PERMUTATIONS: Final = 199


@dataclass(frozen=True)
class HeadWeights:
    """The last linear layer of an encoder."""

    site: str
    weight: Array = field(repr=False)  # [class, unit]
    bias: Array = field(repr=False)  # [class]; zero where the layer has none
    norm: Array = field(repr=False)  # [class]
    dimension: float  # participation ratio of the directions
    neighbour_cosine: float  # NaN with fewer than 3 classes
    neighbour_cosine_null: float
    neighbour_p: float


def head_weights(encoder: Any, *, seed: int = 0) -> HeadWeights:
    """The weight vectors of an encoder's last linear layer.

    Raises
    ------
    InputError
        The encoder does not end in a linear layer.
    """
    layer = _last_linear(encoder, None)
    weight = layer.weight.detach().cpu().numpy().astype(np.float64)
    told: Any = layer.bias
    bias = np.zeros(len(weight)) if told is None else told.detach().cpu().numpy().astype(np.float64)
    norm = np.linalg.norm(weight, axis=1)
    unit = weight / np.maximum(norm, 1e-300)[:, None]
    energy = np.linalg.svd(unit, compute_uv=False) ** 2
    dimension = float(energy.sum() ** 2 / max(np.sum(energy**2), 1e-300))
    own, null, p = (float("nan"),) * 3
    if len(weight) >= 3:
        cosine = unit @ unit.T
        rng = np.random.default_rng([seed, 113])
        own = float(np.diagonal(cosine, 1).mean())
        orders = [rng.permutation(len(unit)) for _ in range(PERMUTATIONS)]
        draws = np.array([cosine[order[:-1], order[1:]].mean() for order in orders])
        null, p = float(draws.mean()), float((1 + np.sum(draws >= own - 1e-12)) / (1 + PERMUTATIONS))
    site = next(place.name for place in encoder.sites[::-1] if place.role == "head")
    return HeadWeights(site, weight, bias, norm, dimension, own, null, p)
