"""Sparse autoencoder: JumpReLU.

Its mathematics is in ``tonotopy.features.dictionaries.jumprelu``.
"""

from __future__ import annotations

from typing import Any

from tonotopy.features.dictionaries.jumprelu import JumpReLU
from tonotopy.features.sources._contract import Activations, Features
from tonotopy.features.sources._dictionary import dictionary_features

NAMES = ("jumprelu",)
CITATION = "S. Rajamanoharan et al.: Jumping Ahead, 2024, arXiv 2407.14435"
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
    return dictionary_features("jumprelu", JumpReLU, activations, count=count, seed=seed, **options)
