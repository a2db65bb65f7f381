"""Reported, not judged: how many directions the evoked activity needs, and whether they point the same way.

- EV1, EV2: share of raw held-out evoked energy in the one or two leading training directions of a target
  (leading left singular vectors of its training changes, uncentred).
- parallelism (Bernardi et al. 2020): mean cosine, over pairs of training families, of a target's mean change;
  printed beside *far* parallelism, the same between different, far targets. A pure loudness unit scores 1.00
  on both: parallelism alone says nothing.
- rank: participation ratio of the unit-norm lines of the frequencies whose line passes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tonotopy.recording.recording import Recording
from tonotopy.sound.structures import Structure, partial

Array = NDArray[np.float64]


def evoked_shares(training: Recording, held_out: Recording, n_frequencies: int) -> tuple[Array, Array]:
    """EV1 and EV2, each ``[frequency]``; NaN where nothing was evoked."""
    shares = np.full((2, n_frequencies), np.nan)
    for f in range(n_frequencies):
        train = _changes(training, f)
        test = _changes(held_out, f)
        total = float(np.sum(test**2))
        if not len(train) or not total > 0 or not np.any(train):
            continue
        # The Gram matrix of the smaller side has the same leading vectors at a fraction of the cost.
        if train.shape[0] < train.shape[1]:
            values, left = np.linalg.eigh(train @ train.T)
            directions = train.T @ left[:, -2:] / np.sqrt(np.maximum(values[-2:], 1e-300))
        else:
            directions = np.linalg.eigh(train.T @ train)[1][:, -2:]
        energy = np.sum((test @ directions) ** 2, axis=0)[::-1] / total
        shares[0, f], shares[1, f] = energy[0], energy[:2].sum()
    return shares[0], shares[1]


def parallelism(
    training: Recording, frequency_hz: Array, structure: Structure = partial.STRUCTURE
) -> tuple[Array, Array]:
    """Parallelism and its value between far targets, each ``[frequency]``."""
    families = np.unique(training.trials.family)
    means = np.stack(
        [_family_means(training.take(training.trials.family == f), len(frequency_hz)) for f in families]
    )
    norm = np.linalg.norm(means, axis=-1, keepdims=True)
    unit = np.divide(
        means, norm, out=np.full_like(means, np.nan), where=norm > 0
    )  # [family, frequency, unit]
    cosine = np.einsum("afu,bgu->abfg", unit, unit)
    off = ~np.eye(len(families), dtype=bool)
    between = _mean(cosine[off])
    far = np.array([~structure.is_near(frequency_hz, float(f)) for f in frequency_hz])
    far_mean = np.array([_mean(row[mask]) for row, mask in zip(between, far, strict=True)], dtype=np.float64)
    return np.diagonal(between).copy(), far_mean


def _mean(values: Array) -> Array:
    """Mean over the first axis of what is defined; NaN where nothing is."""
    count = np.isfinite(values).sum(axis=0)
    return np.asarray(
        np.divide(np.nansum(values, axis=0), count, out=np.full(count.shape, np.nan), where=count > 0)
    )


def rank(weights: Array, passes: NDArray[np.bool_]) -> float:
    """Participation ratio of unit lines, ``[unit, frequency]``, over the passing frequencies; NaN for none."""
    lines = weights[:, passes]
    if lines.shape[1] == 0:
        return float("nan")
    lines = lines / np.linalg.norm(lines, axis=0, keepdims=True)
    values = np.linalg.eigvalsh(lines.T @ lines)
    return float(values.sum() ** 2 / np.sum(values**2))


def _changes(recording: Recording, f: int) -> Array:
    """Changes evoked by target f, ``[row, unit]`` float64."""
    rows = recording.trials.frequency_index == f
    delta = recording.take(rows).delta("present").astype(np.float64)
    return delta.reshape(-1, delta.shape[-1])


def _family_means(recording: Recording, n_frequencies: int) -> Array:
    """Mean change of each target in one family, ``[frequency, unit]``."""
    delta = recording.delta("present").mean(axis=1, dtype=np.float64)
    means = np.zeros((n_frequencies, delta.shape[-1]))
    np.add.at(means, recording.trials.frequency_index, delta)
    count = np.bincount(recording.trials.frequency_index, minlength=n_frequencies)
    return means / np.maximum(count, 1)[:, None]
