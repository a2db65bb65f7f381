"""The head of a classifier (SPEC § 6): its weight vectors as directions, what a partial does to each logit.

``profile`` is the answer of every logit over frequency and how stable it is across contexts, beside random directions.
"""

from __future__ import annotations

from tonotopy.measures.head.profile import HeadProfile, head_profile
from tonotopy.measures.head.weights import HeadWeights, head_weights

__all__ = ["HeadProfile", "HeadWeights", "head_profile", "head_weights"]
