"""Stabilised features: coherent as waveforms, and found again (SPEC § 5, both conditions).

(i) *Coherent*: `stability`, at a false discovery rate of 5 % among the features. (ii) *Recurs*: trained again from
other seeds, a dictionary has the feature again. Features of the first seed are matched to those of each other seed,
one to one (`dictionaries.consistency`); recurrence is the mean cosine with the partners. Its null are dictionaries of
random directions of the same size, matched to the other seeds in the same way. They are drawn as activations vary
(a Gaussian with the frames' covariance): two dictionaries that merely both follow the loud axes agree as well as
those do, and isotropic directions would credit them for it.

Channels, codebook entries and classes have no seeds. They recur by being the model's own, and condition (ii) is met
where (i) is; principal components recur by being the recording's. What can be asked of them is whether the same
architecture untrained has as many (`beside_floor`). Between trainings of a model, whose units are not the same,
recurrence is asked of values on the same frames (`recurring_values`): correlations take the place of cosines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.features.dictionaries.consistency import recurrence
from tonotopy.features.sources import ArrayActivations, Features, find_features
from tonotopy.features.sources._contract import unit_rows
from tonotopy.features.stability import SiteNull, Stability, discovered, site_null, stability
from tonotopy.recording.natural import NaturalFrames

#: Sources whose features do not depend on a seed, and why they recur.
RECUR_BY_BEING = {
    "channels": "the model",
    "codebook": "the model",
    "classes": "the model",
    "pca": "the recording",
}
SEEDS = (0, 1, 2)
#: Values of the null of recurrence, at least.
NULL_VALUES = 2000
#: Frames on which values are correlated.
FRAMES = 20_000


@dataclass(frozen=True)
class Recurrence:
    """How well features come back, ``[feature]``; NaN is undefined."""

    recurrence: NDArray[np.float64] = field(repr=False)  # mean cosine with the partners in the other sets
    null_recurrence: float  # mean of random sets
    p_recurrence: NDArray[np.float64] = field(repr=False)

    @property
    def recurs(self) -> NDArray[np.bool_]:
        """Beyond random sets at the false discovery rate of `stability`, ``[feature]``."""
        return discovered(self.p_recurrence)


@dataclass(frozen=True)
class Stabilised:
    """Both conditions for the features of one source at one site."""

    features: Features  # of the first seed
    stability: Stability
    recurrence: Recurrence | None  # None: the source has no seeds
    recurs_by: str  # "seeds", or what the features are part of: "the model", "the recording"

    @property
    def stabilised(self) -> NDArray[np.str_]:
        """``[feature]``: "yes", "no", or "undefined" where either condition is."""
        coherent = self.stability.stabilised
        defined = np.isfinite(self.stability.p_waveform)
        if self.recurrence is not None:
            coherent = coherent & self.recurrence.recurs
            defined = defined & np.isfinite(self.recurrence.p_recurrence)
        return np.where(defined, np.where(coherent, "yes", "no"), "undefined")

    @property
    def share(self) -> float:
        """Share of the defined features that are stabilised; NaN where none is defined."""
        answers = self.stabilised
        defined = answers != "undefined"
        return float((answers[defined] == "yes").mean()) if defined.any() else float("nan")


def stabilised(
    source: str,
    natural: NaturalFrames,
    *,
    seeds: Sequence[int] = SEEDS,
    count: int | None = None,
    null: SiteNull | None = None,
    encoder: Any = None,
    **options: Any,
) -> Stabilised:
    """Which features of a source at a site are coherent and come back.

    Parameters
    ----------
    source : a name of :func:`~tonotopy.features.sources.list_sources`
    seeds : the first one's features are described, the others say what recurs; where the source has no seeds only
        the first is used
    null : of the site; drawn with the first seed where absent
    count, encoder, options : of :func:`~tonotopy.features.sources.find_features`

    Raises
    ------
    InputError
        One seed alone for a source that has them, or what :func:`~tonotopy.features.sources.find_features` refuses.
    """
    fixed = RECUR_BY_BEING.get(source)
    if len(set(seeds)) < (1 if fixed else 2):
        raise InputError(
            f"at least two seeds for {source}", str(list(seeds)), "what recurs cannot be known of one"
        )
    heard = ArrayActivations(natural.frames, natural.piece)
    found = [
        find_features(
            source, heard, count=count, seed=seed, encoder=encoder, site=natural.site.name, **options
        )
        for seed in (seeds[:1] if fixed else seeds)
    ]
    null = null or site_null(natural, seed=seeds[0])
    return Stabilised(
        found[0],
        stability(found[0], natural, null=null),
        None if fixed else recurring(found, natural.frames, seed=seeds[0]),
        fixed or "seeds",
    )


def recurring(sets: Sequence[Features], frames: NDArray[np.floating], *, seed: int = 0) -> Recurrence:
    """How well the features of the first set come back in the others, of one site.

    Parameters
    ----------
    frames : ``[frame, unit]`` of the site; the null varies as they do
    """
    first, others = sets[0].directions, [found.directions for found in sets[1:]]
    x = np.asarray(frames, dtype=np.float64) - frames.mean(axis=0, dtype=np.float64)
    variance, axes = np.linalg.eigh(x.T @ x / len(x))
    root = np.sqrt(np.maximum(variance, 0.0))[:, None] * axes.T
    rng = np.random.default_rng([seed, 47])
    draws = -(-NULL_VALUES // len(first))
    return _against_random(
        first, others, [unit_rows(rng.standard_normal((len(first), len(root))) @ root) for _ in range(draws)]
    )


def recurring_values(
    values: Sequence[NDArray[np.floating]], random: NDArray[np.floating], *, seed: int = 0
) -> Recurrence:
    """The same between trainings or snapshots, by correlation of values on the same frames.

    Parameters
    ----------
    values : ``[frame, feature]`` of each training, the one that is asked about first
    random : ``[frame, direction]``, values of random directions of the first training, at least as many as features
    seed : of the frames, where there are more than :data:`FRAMES`

    Raises
    ------
    InputError
        Other numbers of frames, or too few random directions.
    """
    lengths = {len(part) for part in [*values, random]}
    if len(lengths) != 1:
        raise InputError(
            "values of the same frames", f"{sorted(lengths)} frames", "recordings of other sound"
        )
    features = values[0].shape[1]
    if random.shape[1] < features:
        raise InputError(f"at least {features} random directions", str(random.shape[1]))
    length = lengths.pop()
    rng = np.random.default_rng([seed, 53])
    rows = np.sort(rng.choice(length, FRAMES, replace=False)) if length > FRAMES else np.arange(length)
    first, *others = (_centred(part[rows]) for part in values)
    drawn = _centred(random[rows])
    whole = len(drawn) // features * features
    return _against_random(first, others, np.split(drawn[:whole], whole // features))


def _centred(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Unit rows ``[feature, frame]`` whose products are correlations; constant ones are zeros."""
    x = np.asarray(values, dtype=np.float64)
    return unit_rows((x - x.mean(axis=0)).T)


def _against_random(
    first: NDArray[np.floating],
    others: Sequence[NDArray[np.floating]],
    random: Sequence[NDArray[np.floating]],
) -> Recurrence:
    own = np.where(np.linalg.norm(first, axis=1) > 0, recurrence([first, *others]), np.nan)
    null = np.concatenate([recurrence([drawn, *others]) for drawn in random])
    null = np.sort(null[np.isfinite(null)])
    p = np.where(np.isfinite(own), (1 + len(null) - np.searchsorted(null, own)) / (1 + len(null)), np.nan)
    return Recurrence(own, float(null.mean()) if len(null) else float("nan"), p)


@dataclass(frozen=True)
class BesideFloor:
    """Share of features that survive condition (i), beside that of untrained copies."""

    share: float
    floor_shares: tuple[float, ...]

    @property
    def above(self) -> bool | None:
        """More than in any untrained copy; None where either is undefined."""
        shares = [self.share, *self.floor_shares]
        return None if len(shares) < 2 or np.isnan(shares).any() else self.share > max(self.floor_shares)


def beside_floor(own: Stability, floors: Sequence[Stability]) -> BesideFloor:
    """Shares of defined features that are coherent as waveforms, of a model and of its untrained copies.

    Each is judged among its own features, against random directions at its own site.
    """
    return BesideFloor(_share(own), tuple(_share(floor) for floor in floors))


def _share(found: Stability) -> float:
    defined = np.isfinite(found.p_waveform)
    return float(found.stabilised[defined].mean()) if defined.any() else float("nan")
