"""Sparse autoencoder: TopK.

Its mathematics is in ``tonotopy.features.dictionaries.topk``.
"""

from __future__ import annotations

from typing import Any

from tonotopy.features.dictionaries.topk import TopK
from tonotopy.features.sources._contract import Activations, Features
from tonotopy.features.sources._dictionary import dictionary_features

NAMES = ("topk",)
CITATION = "L. Gao et al.: Scaling and evaluating sparse autoencoders, 2024, arXiv 2406.04093"
LICENCE = "MIT"


def find(
    activations: Activations,
    *,
    count: int | None = None,
    seed: int = 0,
    encoder: Any = None,  # noqa: ARG001
    site: str | None = None,  # noqa: ARG001
    **options: Any,
) -> Features:
    """Latents of one dictionary; for options see :func:`~tonotopy.features.sources._dictionary.dictionary_features`."""
    return dictionary_features("topk", TopK, activations, count=count, seed=seed, **options)
