"""Sparse autoencoder: ReLU with an L1 penalty.

Its mathematics is in ``tonotopy.features.dictionaries.relu_l1``.
"""

from __future__ import annotations

from typing import Any

from tonotopy.features.dictionaries.relu_l1 import ReluL1
from tonotopy.features.sources._contract import Activations, Features
from tonotopy.features.sources._dictionary import dictionary_features

NAMES = ("relu-l1",)
CITATION = "T. Bricken et al.: Towards Monosemanticity, Transformer Circuits Thread, 2023"
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
    return dictionary_features("relu-l1", ReluL1, activations, count=count, seed=seed, **options)
