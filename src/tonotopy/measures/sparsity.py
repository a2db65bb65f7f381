"""The sparsity law: what a music-free line still reads as the spectrum fills (SPEC § 4).

Trials of all families, held-out contexts only, are sorted by *their own* occupancy, not by the name of their
family. In each bin of occupancy the measures are those of the verdict; a value is the mean over frequencies.
The half-point is the occupancy at which a measure has fallen half way from its sparsest bin to its null.
Intervals come from a bootstrap over contexts (in music: pieces).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonotopy.measures.measures import Measures, measure
from tonotopy.measures.tally import tally
from tonotopy.readouts.readout import Readout
from tonotopy.recording.recording import Recording
from tonotopy.sound.structures import Structure, partial
from tonotopy.statistics.bootstrap import interval, piece_weights

#: Edges of the bins of occupancy (effective number of 1-ERB bands).
EDGES = (1.0, 1.3, 2.0, 3.0, 4.5, 6.5, 9.0, 12.0, 16.0, 22.0, 64.0)
#: Measures of the law and what chance gives.
NULLS = {"detection": 0.5, "consistency": 0.0, "specificity": 0.09}
#: A bin counts with at least this many trials, a frequency within it with this many frames a side.
LEAST_TRIALS = 24
LEAST_FRAMES = 6


@dataclass(frozen=True)
class Law:
    """The law: a row a bin, and the half-point of each measure as (value, low, high)."""

    rows: list[dict[str, float]]
    half_points: dict[str, tuple[float, float, float]]


def sparsity_law(
    line: Readout,
    held_out: Recording,
    frequency_hz: NDArray[np.float64],
    sample_rate_hz: int,
    *,
    seed: int,
    n_resamples: int = 100,
    shuffled: Readout | None = None,
    structure: Structure = partial.STRUCTURE,
) -> Law:
    """Measures of a line against the occupancy of the trial.

    Parameters
    ----------
    line : fitted without music
    held_out : held-out trials of all families, core sounds
    shuffled : the same line fitted on shuffled labels: the null of detection
    """
    trials = held_out.trials
    # In music `piece` is the piece, in the other families the context, each drawn afresh.
    keys = np.char.add(np.char.add(trials.family.astype(str), ":"), trials.piece.astype(str))
    n_pieces = len(np.unique(trials.piece[trials.family == "music"]))
    units, number = np.unique(keys, return_inverse=True)
    weights = piece_weights(len(units), n_resamples, seed=seed)
    plain = Recording(replace(trials, piece=number), held_out.core)
    rows: list[dict[str, float]] = []
    curves: dict[str, list[NDArray[np.float64]]] = {name: [] for name in NULLS}
    for low, high in itertools.pairwise(EDGES):
        inside = (trials.occupancy >= low) & (trials.occupancy < high)
        if inside.sum() < LEAST_TRIALS:
            continue
        values = _bin(line, plain.take(inside), weights, frequency_hz, sample_rate_hz, structure)
        row = {"occupancy": float(np.median(trials.occupancy[inside])), "low": low, "high": high}
        row["trials"] = float(inside.sum())
        for name, curve in values.items():
            row[name] = float(curve[0])
            row[f"{name}_low"], row[f"{name}_high"] = _interval(curve[1:], n_pieces)
            curves[name].append(curve)
        if shuffled is not None:
            null = _bin(shuffled, plain.take(inside), weights[:1], frequency_hz, sample_rate_hz, structure)
            row["shuffled_detection"] = float(null["detection"][0])
        rows.append(row)
    x = np.array([row["occupancy"] for row in rows])
    nulls = NULLS | {"specificity": structure.chance_specificity}
    halves = {name: _half(x, np.array(curve), nulls[name], n_pieces) for name, curve in curves.items()}
    return Law(rows, halves)


def _bin(
    line: Readout,
    trials: Recording,
    weights: NDArray[Any],
    frequency_hz: NDArray[Any],
    sample_rate_hz: int,
    structure: Structure,
) -> dict[str, NDArray[np.float64]]:
    """Mean over frequencies of each measure in one bin, ``[resample]``."""
    present = np.unique(trials.trials.piece)
    sums = tally(line, trials, frequency_hz, sample_rate_hz, structure)
    values: Measures = measure(sums, weights[:, present])
    enough = values.frames >= LEAST_FRAMES
    return {name: _mean(getattr(values, name)[:, enough]) for name in NULLS}


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over frequencies, undefined ones left out, ``[resample]``."""
    count = np.isfinite(values).sum(axis=1)
    total = np.nansum(values, axis=1)
    return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)


def _interval(samples: NDArray[np.float64], n_pieces: int) -> tuple[float, float]:
    """Percentile interval, NaN where it is undefined."""
    return interval(samples, n_pieces=n_pieces) or (float("nan"), float("nan"))


def _half(x: NDArray[Any], curves: NDArray[Any], null: float, n_pieces: int) -> tuple[float, float, float]:
    """Occupancy where each curve ``[bin, resample]`` first falls half way to its null, on a log axis."""
    if len(x) < 2:
        return float("nan"), float("nan"), float("nan")
    points = np.array([_crossing(x, curve, null) for curve in curves.T])
    return (float(points[0]), *_interval(points[1:], n_pieces))


def _crossing(x: NDArray[Any], curve: NDArray[Any], null: float) -> float:
    """Inf where the curve never falls half way; NaN where it starts at its null."""
    if not np.isfinite(curve[0]) or curve[0] <= null:
        return float("nan")
    half = (curve[0] + null) / 2
    below = np.flatnonzero(curve < half)
    if not len(below):
        return float("inf")
    k = below[0]
    part = (curve[k - 1] - half) / (curve[k - 1] - curve[k])
    return float(np.exp(np.log(x[k - 1]) + part * (np.log(x[k]) - np.log(x[k - 1]))))
