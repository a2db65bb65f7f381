"""Principal components of the frames, from one pass over the stream.

The covariance is summed in float64. A component's sign is the one at which its loading of largest magnitude is
positive (eigenvectors have none of their own; a fixed rule makes runs comparable).
"""

from __future__ import annotations

from typing import Any

from tonotopy.core.errors import InputError
from tonotopy.features.dictionaries.conditioning import condition
from tonotopy.features.sources._contract import Activations, Features, Projection, numbered
from tonotopy.features.sources._principal import principal

NAMES = ("pca",)
CITATION = "H. Hotelling: Analysis of a complex of statistical variables into principal components, 1933"
LICENCE = "MIT"


def find(
    activations: Activations,
    *,
    count: int | None = None,
    seed: int = 0,  # noqa: ARG001
    encoder: Any = None,  # noqa: ARG001
    site: str | None = None,  # noqa: ARG001
) -> Features:
    """The ``count`` leading components; values are projections of centred frames."""
    conditioning = condition(activations)
    components, variance = principal(conditioning)
    count = len(components) if count is None else count
    if count > len(components):
        raise InputError(
            f"at most {len(components)} components", str(count), "the frames span no more dimensions"
        )
    directions = components[:count].astype("float32")
    total = conditioning.covariance.trace()
    told = {
        **conditioning.diagnostics,
        "explained_variance": float(variance[:count].sum() / total),
        "variance": variance[:count].tolist(),
    }
    function = Projection(directions, conditioning.centre)
    return Features("pca", numbered("pca", count), activations.units, directions, function, told)
