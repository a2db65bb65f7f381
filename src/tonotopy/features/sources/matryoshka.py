"""Sparse autoencoder: Matryoshka (nested BatchTopK).

Its mathematics is in ``tonotopy.features.dictionaries.matryoshka``.
"""

from __future__ import annotations

from typing import Any

from tonotopy.features.dictionaries.matryoshka import Matryoshka
from tonotopy.features.sources._contract import Activations, Features
from tonotopy.features.sources._dictionary import dictionary_features

NAMES = ("matryoshka",)
CITATION = "B. Bussmann et al.: Learning Multi-Level Features with Matryoshka SAEs, 2025, arXiv 2503.17547"
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
    return dictionary_features("matryoshka", Matryoshka, activations, count=count, seed=seed, **options)
