"""Random directions: the control. Uniform on the sphere of the conditioned space.

Conditioning has one global scale, so uniform there is uniform in raw activations.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tonotopy.features.dictionaries.conditioning import condition
from tonotopy.features.sources._contract import Activations, Features, Projection, numbered, unit_rows

NAMES = ("random",)
CITATION = ""
LICENCE = "MIT"


def find(
    activations: Activations,
    *,
    count: int | None = None,
    seed: int = 0,
    encoder: Any = None,  # noqa: ARG001
    site: str | None = None,  # noqa: ARG001
) -> Features:
    """``count`` directions (as many as units where none is given); values are projections of conditioned frames."""
    units = activations.units
    count = units if count is None else count
    directions = unit_rows(np.random.default_rng([seed, 11]).standard_normal((count, units)))
    conditioning = condition(activations)
    function = Projection(directions, conditioning.centre, conditioning.scale)
    return Features(
        "random", numbered("random", count), units, directions, function, conditioning.diagnostics
    )
