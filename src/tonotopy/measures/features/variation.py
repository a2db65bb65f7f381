"""How much what a feature answers to varies with context, beside what estimating it from few trials alone gives.

The contexts of each family are split at random into two halves, and a tuning curve is made of each half. Then

- *across* = mean correlation of a half of one family with the other half of another,
- *within* = mean correlation of the two halves of one family,
- *variation* = 1 - across, *noise* = 1 - within, and the effect, *excess* = within - across.

Both correlations are between curves of equally few contexts that share none, so that the noise of estimation is in
both alike: a feature with one curve in every context has no excess, however noisy it is. What varies from one
context to the next *within* a family counts as noise: excess is what the kind of context changes.

Averaged over :data:`SPLITS` splits. Intervals resample contexts with replacement within each half (music: pieces);
a resample has fewer distinct contexts and so noisier curves, which lowers both correlations: the interval is
therefore the spread of the resamples about their own mean, laid about the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tonotopy.measures.features.responses import Floats, Responses
from tonotopy.measures.features.tuning import standardised, sums
from tonotopy.sound.structures import Structure
from tonotopy.statistics.bootstrap import LEAST_PIECES_FOR_INTERVALS, interval

#: Random splits of the contexts into halves, for the values.
SPLITS = 24
#: Resamples of contexts, for the intervals.
RESAMPLES = 100
#: Features at a time.
CHUNK = 64


@dataclass(frozen=True)
class Variation:
    """Each ``[feature]``; NaN where fewer than two families have a curve."""

    variation: Floats = field(repr=False)
    noise: Floats = field(repr=False)
    excess: Floats = field(repr=False)
    excess_low: Floats = field(repr=False)  # NaN with fewer than 8 contexts in a family
    excess_high: Floats = field(repr=False)
    resamples: NDArray[np.float32] = field(repr=False)  # [resample, feature] excess
    contexts: int = 0  # in the family that has fewest

    def mean(self, of: NDArray[np.bool_]) -> tuple[float, float, float]:
        """Mean excess of some features, with the interval over contexts; NaN where undefined."""
        chosen = of & np.isfinite(self.excess)
        if not chosen.any():
            return (float("nan"),) * 3
        value = float(self.excess[chosen].mean())
        return (value, *_about(value, np.nanmean(self.resamples[:, chosen], axis=1), self.contexts))


def variation(
    families: Mapping[str, Responses],
    targets: Floats,
    structure: Structure,
    *,
    seed: int,
    splits: int = SPLITS,
    resamples: int = RESAMPLES,
) -> Variation:
    """Variation of the tuning curves of all features over families.

    All contexts are used, training and test: nothing is chosen by these numbers.
    """
    rng = np.random.default_rng([seed, 53])
    tables = [sums(found, targets, structure) for found in families.values()]
    drawn = [_halves(len(total), splits, resamples, rng) for total, _ in tables]
    n = tables[0][0].shape[-1]
    across, within = np.empty((splits + resamples, n)), np.empty((splits + resamples, n))
    for start in range(0, n, CHUNK):
        part = slice(start, start + CHUNK)
        curves = [
            _curves(total[..., part], count, weights)
            for (total, count), weights in zip(tables, drawn, strict=True)
        ]
        across[:, part], within[:, part] = _correlations(np.stack(curves))
    excess = (within - across)[splits:]
    value = (within - across)[:splits].mean(axis=0)
    fewest = min(len(total) for total, _ in tables)
    bounds = np.array([_about(v, column, fewest) for v, column in zip(value, excess.T, strict=True)])
    return Variation(
        variation=1 - across[:splits].mean(axis=0),
        noise=1 - within[:splits].mean(axis=0),
        excess=value,
        excess_low=bounds[:, 0],
        excess_high=bounds[:, 1],
        resamples=excess.astype(np.float32),
        contexts=fewest,
    )


def _halves(n: int, splits: int, resamples: int, rng: np.random.Generator) -> Floats:
    """Weights of contexts in two halves that share none, ``[split + resample, half, context]``."""
    weights = np.zeros((splits + resamples, 2, n))
    for row in range(len(weights)):
        order = rng.permutation(n)
        for half, mine in enumerate((order[: n // 2], order[n // 2 :])):
            drawn = mine if row < splits else rng.choice(mine, len(mine))
            weights[row, half] = np.bincount(drawn, minlength=n)
    return weights


def _curves(total: Floats, count: Floats, weights: Floats) -> Floats:
    """Unit-length curves ``[draw, half, feature, target]`` of weighted contexts."""
    top = np.tensordot(weights, total, 1)
    bottom = np.tensordot(weights, count, 1)[..., None]
    squares = np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom > 0)
    return standardised(np.sqrt(np.swapaxes(squares, -1, -2)))


def _correlations(unit: Floats) -> tuple[Floats, Floats]:
    """Mean correlations across and within families, ``[family, draw, half, feature, target]`` to ``[draw, feature]``.

    A family takes part where both halves have a curve.
    """
    whole = np.asarray(np.isfinite(unit).all(axis=(2, 4)))  # [family, draw, feature]
    unit = np.where(whole[:, :, None, :, None], unit, 0.0)
    families = whole.sum(axis=0)
    own = np.sum(unit[:, :, 0] * unit[:, :, 1], axis=(0, -1))
    total = np.sum(unit[:, :, 0].sum(axis=0) * unit[:, :, 1].sum(axis=0), axis=-1)
    pairs = families * (families - 1)
    across = np.divide(total - own, pairs, out=np.full(own.shape, np.nan), where=pairs > 0)
    return across, np.divide(own, families, out=np.full(own.shape, np.nan), where=pairs > 0)


def _about(value: float, resamples: NDArray[np.floating], contexts: int) -> tuple[float, float]:
    """The spread of resamples about their own mean, laid about the value."""
    if contexts < LEAST_PIECES_FOR_INTERVALS or not np.isfinite(value):
        return float("nan"), float("nan")
    moved = np.asarray(resamples - np.nanmean(resamples) + value, dtype=np.float64)
    return interval(moved, n_pieces=contexts) or (float("nan"), float("nan"))
