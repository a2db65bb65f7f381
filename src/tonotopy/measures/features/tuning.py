"""Tuning curves of features: what was chosen on training trials, what was measured on held-out ones.

A feature's *tuning curve* in a family is the rms of its change, over trials and frames, for each target of the grid.
Targets count at their own place and foils at the nearest target (partials: half a step of the grid away at most;
foils farther out than that, and chords that are not on the grid, do not count).

- *best target*: the peak of the mean of squared curves over the training trials of every family but music, each
  curve scaled to unit mean square, so that families weigh alike. Music takes no part: it can then be measured on
  all its pieces, as § 4 does for a line (a deviation from 'training trials' that costs nothing but music's own say).
- *sign*: of the mean change by that target on the same trials, families weighing alike; a feature may answer by
  falling.
- *width*: of the curve at half its peak, in ERB; the end of the axis bounds it where the curve does not fall so far.
- *lobes*: local maxima above half the peak, at least :data:`APART_ERB` apart, with a dip of at least :data:`DIP` of
  the peak between them. The frequencies of the lobes are the *components* of what the feature answers to.

Sources: SPEC of tonotopy, § 5. ``scipy.signal.find_peaks`` finds the maxima; the dip is its prominence, and is
needed because curves of few trials have maxima of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

from tonotopy.measures.features.responses import Floats, Responses
from tonotopy.signal import erb
from tonotopy.sound.structures import Structure

#: The family in which verdicts are given: held out from every choice.
MUSIC = "music"
#: Lobes lie at least so far apart (ERB), and the curve dips between them by this share of its peak.
APART_ERB = 1.5
DIP = 0.25
#: Lobes whose frequencies are kept, the highest first.
COMPONENTS = 4
#: Consistency of the change by a target that counts as movement in one direction: that of a line that passes.
CONSISTENT = 0.5
#: A curve that varies by less than this share of its size is flat.
FLAT = 1e-6


@dataclass(frozen=True)
class Curves:
    """Tuning curves, held-out, and what was chosen before."""

    families: tuple[str, ...]
    curve: NDArray[np.float32] = field(repr=False)  # [feature, family, target] rms change
    best: NDArray[np.int64] = field(repr=False)  # [feature] number of the target
    sign: NDArray[np.float64] = field(repr=False)  # [feature] +1 rises, -1 falls
    correlation: Floats = field(repr=False)  # [feature] mean over pairs of families
    one_way: Floats = field(repr=False)  # [feature] share of targets that move it in one direction, in music

    def of(self, family: str) -> NDArray[np.float32]:
        """Curves of one family, ``[feature, target]``."""
        return self.curve[:, self.families.index(family)]


@dataclass(frozen=True)
class Shape:
    """Shape of curves on the axis of partials, each ``[feature]``."""

    width_erb: Floats = field(repr=False)
    lobes: NDArray[np.int64] = field(repr=False)
    above_half: Floats = field(repr=False)  # share of the axis where the curve is above half its peak
    component_hz: Floats = field(repr=False)  # [feature, lobe] highest lobe first, NaN for none


def place(items: Floats, targets: Floats, structure: Structure) -> NDArray[np.int64]:
    """Number of the target that an item counts for, ``[row]``; -1 for none."""
    if not structure.in_hz:
        return np.where(np.isin(items, targets), np.searchsorted(targets, items), -1)
    low, high = 1.5 * targets[0] - 0.5 * targets[1], 1.5 * targets[-1] - 0.5 * targets[-2]
    number = np.round(np.interp(items, targets, np.arange(len(targets)))).astype(np.int64)
    return np.where((items >= low) & (items <= high), number, -1)


def sums(found: Responses, targets: Floats, structure: Structure) -> tuple[Floats, Floats]:
    """Sums of squares ``[context, target, feature]`` and counts ``[context, target]`` of a family's trials."""
    trials = found.trials
    contexts, context = np.unique(trials.context, return_inverse=True)
    number = np.concatenate([trials.frequency_index, place(trials.foil_hz, targets, structure)])
    square = found.square.reshape(-1, found.square.shape[-1])
    ok = (number >= 0) & np.isfinite(square).all(axis=1)
    cell = (np.tile(context, 2) * len(targets) + number)[ok]
    order = np.argsort(cell, kind="stable")
    cells, first, count = np.unique(cell[order], return_index=True, return_counts=True)
    total = np.zeros((len(contexts) * len(targets), square.shape[1]))
    counts = np.zeros(len(total))
    if len(cells):
        total[cells] = np.add.reduceat(square[ok][order], first, axis=0, dtype=np.float64)
        counts[cells] = count
    return total.reshape(len(contexts), len(targets), -1), counts.reshape(len(contexts), len(targets))


def curve(found: Responses, targets: Floats, structure: Structure) -> Floats:
    """Mean squared change for each target, ``[target, feature]``; NaN for a target that never sounded."""
    total, count = sums(found, targets, structure)
    with np.errstate(invalid="ignore"):
        return np.asarray(total.sum(axis=0) / count.sum(axis=0)[:, None])


def tuning(
    families: Mapping[str, Responses],
    targets: Floats,
    structure: Structure,
    *,
    left_out: NDArray[np.bool_] | None = None,
) -> Curves:
    """Curves of all features in all families.

    Parameters
    ----------
    families : family -> all its trials, music among them
    left_out : targets that are not chosen as the best ``[target]``: out of band
    """
    chosen, rising = [], []
    for name, found in families.items():
        if name != MUSIC:
            training = found.take(~found.trials.test)
            squares = curve(training, targets, structure)
            size = np.nanmean(squares, axis=0)  # [feature]
            scaled = np.divide(squares, size, out=np.zeros_like(squares), where=size > 0)
            chosen.append(np.nan_to_num(scaled))
            rising.append(_mean_change(training, len(targets)) / np.sqrt(np.where(size > 0, size, np.inf)))
    pooled = np.sum(chosen, axis=0)  # [target, feature]
    if left_out is not None:
        pooled[left_out] = -1.0
    best = np.argmax(pooled, axis=0)
    rises = np.take_along_axis(np.sum(rising, axis=0), best[None], axis=0)[0] >= 0
    held_out = [
        curve(found if name == MUSIC else found.take(found.trials.test), targets, structure)
        for name, found in families.items()
    ]
    curves = np.sqrt(np.moveaxis(np.stack(held_out), 2, 0)).astype(np.float32)
    return Curves(
        families=tuple(families),
        curve=curves,
        best=best,
        sign=np.where(rises, 1.0, -1.0),
        correlation=correlation(curves),
        one_way=_one_way(families[MUSIC], len(targets)),
    )


def correlation(curves: NDArray[np.floating]) -> Floats:
    """Mean correlation of a feature's curves over pairs of families, ``[feature, family, target]`` to ``[feature]``.

    A family in which the feature does not move has no curve and takes part in no pair; NaN without a pair.

    Examples
    --------
    >>> float(correlation(np.array([[[1.0, 2.0, 4.0], [2.0, 4.0, 8.0], [0.0, 0.0, 0.0]]]))[0].round(6))
    1.0
    """
    unit = standardised(curves)
    defined = np.isfinite(unit).all(axis=-1).sum(axis=1)
    pairs = defined * (defined - 1)
    total = np.nan_to_num(unit).sum(axis=1)  # [feature, target]
    products = np.sum(total**2, axis=-1) - defined  # a standardised curve has unit length
    return np.divide(products, pairs, out=np.full(len(curves), np.nan), where=pairs > 0)


def standardised(curves: NDArray[np.floating]) -> Floats:
    """Curves ``[..., target]`` less their mean, at unit length; NaN where they are flat or not whole."""
    centred = np.asarray(curves, dtype=np.float64) - np.mean(curves, axis=-1, keepdims=True, dtype=np.float64)
    norm = np.linalg.norm(centred, axis=-1, keepdims=True)
    flat = ~(norm > FLAT * np.linalg.norm(curves, axis=-1, keepdims=True))
    return np.asarray(np.where(flat, np.nan, centred / np.where(flat, 1.0, norm)))


def shape(curves: NDArray[np.floating], targets_hz: Floats) -> Shape:
    """Width and lobes of curves ``[feature, target]`` over the grid of partials.

    Examples
    --------
    >>> grid = np.asarray(erb.frequency_hz(np.arange(3.0, 13.0)))
    >>> found = shape(np.array([[0.0, 0, 1, 0, 0, 0, 0, 0.8, 0, 0]]), grid)
    >>> int(found.lobes[0]), found.width_erb.tolist(), erb.rate(found.component_hz[0, :2]).round(6).tolist()
    (2, [1.0], [5.0, 10.0])
    """
    rate = erb.rate(targets_hz)
    step = float(np.mean(np.diff(rate)))
    apart = max(1, int(np.ceil(APART_ERB / step - 1e-9)))
    width, above = np.full(len(curves), np.nan), np.full(len(curves), np.nan)
    lobes = np.zeros(len(curves), np.int64)
    component = np.full((len(curves), COMPONENTS), np.nan)
    for number, own in enumerate(np.asarray(curves, dtype=np.float64)):
        top = own.max()
        if not (np.isfinite(own).all() and top > 0):
            continue
        relative = own / top
        width[number] = _width(relative, rate)
        above[number] = np.mean(relative >= 0.5)
        # Outside the axis there is nothing: a maximum may lie at its end. Of maxima exactly alike, which would all
        # stand out to the bottom, the first is taken for the highest.
        alone = relative * (1 - 1e-9 * np.arange(len(relative)))
        peaks, _ = find_peaks(np.pad(alone, 1), height=0.5 - 1e-6, distance=apart, prominence=DIP)
        lobes[number] = len(peaks)
        highest = sorted(peaks - 1, key=lambda peak: -relative[peak])[:COMPONENTS]
        component[number, : len(highest)] = targets_hz[highest]
    return Shape(width, lobes, above, component)


def _width(relative: Floats, rate: Floats) -> float:
    """Distance between the points beside the peak at which a curve of peak 1 falls to half, interpolated."""
    peak = int(np.argmax(relative))
    edges = []
    for side in (-1, 1):
        at = peak
        while 0 <= at + side < len(relative) and relative[at + side] >= 0.5:
            at += side
        beyond = at + side
        if not 0 <= beyond < len(relative):
            edges.append(rate[at])
            continue
        part = (relative[at] - 0.5) / (relative[at] - relative[beyond])
        edges.append(rate[at] + part * (rate[beyond] - rate[at]))
    return float(edges[1] - edges[0])


def _one_way(music: Responses, n_targets: int) -> Floats:
    """Share of targets that move a feature consistently in the direction in which most of them do, ``[feature]``."""
    ok = np.isfinite(music.mean).all(axis=1)
    belongs = np.equal.outer(np.arange(n_targets), music.trials.frequency_index[ok]).astype(np.float64)
    mean, square = belongs @ music.mean[ok], belongs @ music.square[0][ok]
    many = belongs.sum(axis=1)[:, None]
    consistent = mean**2 >= CONSISTENT * many * square
    rising, falling = (mean > 0) & consistent, (mean < 0) & consistent
    return np.asarray(np.maximum(rising.mean(axis=0), falling.mean(axis=0)))


def _mean_change(found: Responses, n_targets: int) -> Floats:
    """Mean change by each target, ``[target, feature]``; 0 for a target that never sounded."""
    ok = np.isfinite(found.mean).all(axis=1)
    belongs = np.equal.outer(np.arange(n_targets), found.trials.frequency_index[ok]).astype(np.float64)
    return np.asarray(belongs @ found.mean[ok] / np.maximum(belongs.sum(axis=1), 1)[:, None])
