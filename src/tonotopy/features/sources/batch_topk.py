"""Sparse autoencoder: BatchTopK.

Its mathematics is in ``tonotopy.features.dictionaries.batch_topk``.
"""

from __future__ import annotations

from typing import Any

from tonotopy.features.dictionaries.batch_topk import BatchTopK
from tonotopy.features.sources._contract import Activations, Features
from tonotopy.features.sources._dictionary import dictionary_features

NAMES = ("batch-topk",)
CITATION = "B. Bussmann, P. Leask, N. Nanda: BatchTopK Sparse Autoencoders, 2024, arXiv 2412.06410"
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
    return dictionary_features("batch-topk", BatchTopK, activations, count=count, seed=seed, **options)
