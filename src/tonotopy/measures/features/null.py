"""What directions that mean nothing read, chosen at the same site in the same way, and p values against them.

Random directions (`features.random_directions`, fitted on the frames of music without target and foil) go through
everything that features go through: their best targets and signs are chosen on training trials, their measures are
taken in music. A p value is one-sided, (1 + directions at least as good) / (1 + directions), for specificity and for
identification; Benjamini and Hochberg (1995) control the false discovery rate among the features of a site.

Random directions are drawn in three ways (raw, half whitened, whitened), and specificity differs between them: against
all at once, isotropic directions of a rotated cochlea pass at .05 in one case of six. A feature is therefore set
against each kind alone and its p is the largest of the three, which holds whichever kind it is of.

Identification is an AUC and saturates: where a site tells frequencies apart at all, some random directions identify as
surely as any feature, and none can stand out. `found` is therefore about specificity.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

from tonotopy.features.random_directions import WHITENINGS, random_directions
from tonotopy.measures.features.responses import Floats, Function
from tonotopy.measures.features.tuned import Tuned
from tonotopy.recording.recording import Recording

#: Random directions: with 1,024 (341 of a kind) a p value may be as low as .003.
DIRECTIONS = 1024
#: False discovery rate among features.
RATE = 0.05
#: Measures that have a p value.
SCORES = ("specificity", "identification")


@dataclass(frozen=True)
class Against:
    """Features against random directions, each ``[feature]``; NaN where undefined."""

    p_specificity: Floats = field(repr=False)
    p_identification: Floats = field(repr=False)
    q_specificity: Floats = field(
        repr=False
    )  # adjusted for the number of features: the rate at which it is found
    q_identification: Floats = field(repr=False)
    null_specificity: float  # medians of the random directions
    null_identification: float

    @property
    def found(self) -> NDArray[np.bool_]:
        """More specific than random directions at a false discovery rate of :data:`RATE`."""
        return np.asarray(self.q_specificity <= RATE)


def meaningless(music: Recording, *, directions: int = DIRECTIONS, seed: int) -> Function:
    """Random directions of a site as features: raw frames ``[..., unit]`` to values ``[..., direction]``."""
    absent = music.absent.reshape(-1, music.absent.shape[-1])
    absent = absent[np.isfinite(absent).all(axis=1)]
    mean = absent.mean(axis=0, dtype=np.float64).astype(np.float32)
    weights = random_directions(absent, directions, seed=seed).T

    def of(frames: NDArray[Any]) -> NDArray[Any]:
        return (np.asarray(frames, dtype=np.float32) - mean) @ weights

    return of


def against(features: Tuned, null: Tuned) -> Against:
    """Set features against the random directions of :func:`meaningless`, tuned on the same recordings."""
    kinds = np.array_split(np.arange(len(null)), len(WHITENINGS))
    found: dict[str, Any] = {}
    for name in SCORES:
        random = np.where(null.defined, getattr(null.measures, name)[0], np.nan)
        own = np.where(features.defined, getattr(features.measures, name)[0], np.nan)
        p = np.max([_p(own, random[kind]) for kind in kinds], axis=0)
        found[f"p_{name}"], found[f"q_{name}"] = p, adjusted(p)
        found[f"null_{name}"] = float(np.nanmedian(random)) if np.isfinite(random).any() else float("nan")
    return Against(**found)


def _p(own: Floats, random: Floats) -> Floats:
    """One-sided p values of ``[feature]`` against ``[direction]``; NaN where either is undefined."""
    random = np.sort(random[np.isfinite(random)])
    beyond = len(random) - np.searchsorted(random, own, side="left")
    return np.where(np.isfinite(own) & (len(random) > 0), (1 + beyond) / (1 + len(random)), np.nan)


def adjusted(p: Floats) -> Floats:
    """Benjamini and Hochberg's adjusted p values among what is defined.

    Examples
    --------
    >>> adjusted(np.array([0.01, 0.04, np.nan])).tolist()
    [0.02, 0.04, nan]
    """
    q = np.full(len(p), np.nan)
    defined = np.isfinite(p)
    if defined.any():
        q[defined] = false_discovery_control(p[defined])
    return q
