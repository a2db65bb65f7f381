"""The measures of SPEC § 4, from a tally, for any weights of pieces.

==================  ==========================================================================  ===========
measure             definition                                                                  range, null
==================  ==========================================================================  ===========
detection           AUC present against absent, pooled over contexts                            0..1, 0.5
identification      AUC present against foil, pooled over contexts                              0..1, 0.5
consistency         mean(r)² / mean(r²) over changes by f; 0 if the mean is negative            0..1, 0
specificity         R_near / (R_near + R_far), R = mean r² x width of its region                0..1, 0.09
largest_lobe        largest rms r over bins of what is far and over probes, over rms r(f)       0.., 1
gradedness          Spearman of frame-mean answer with level in a context, mean over contexts   -1..1, 0
tonality            AUC present against a band of noise of equal power                          0..1, 0.5
audiogram_db        lowest level re L(f) at which detection reaches .9, interpolated; inf never dB
==================  ==========================================================================  ===========

Regions, bins and probes are the structure's: ERB for partials, semitones for pitches, single chords for chords.
All are root mean squares or ranks over single frames, never signed means, which hide crosstalk that cancels
over phase. NaN is *undefined*.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonotopy.measures.tally import Tally
from tonotopy.sound.structures import LADDER_DB
from tonotopy.statistics.auc import auc

#: Measures that a verdict looks at, in the order in which failures are listed.
JUDGED = ("detection", "identification", "consistency", "specificity", "largest_lobe", "gradedness")
#: Detection at which the audiogram reads its level.
AUDIOGRAM_DETECTION = 0.9
#: A lobe needs this many frames to be one.
LEAST_LOBE_FRAMES = 4


@dataclass(frozen=True)
class Measures:
    """Measures of one readout, each ``[resample, frequency]``; the first resample is the data itself."""

    detection: NDArray[Any] = field(repr=False)
    identification: NDArray[Any] = field(repr=False)
    consistency: NDArray[Any] = field(repr=False)
    specificity: NDArray[Any] = field(repr=False)
    largest_lobe: NDArray[Any] = field(repr=False)
    gradedness: NDArray[Any] = field(repr=False)
    tonality: NDArray[Any] = field(repr=False)
    audiogram_db: NDArray[Any] = field(repr=False)
    ladder: NDArray[Any] = field(repr=False)  # [resample, level, frequency] detection at each level
    frames: NDArray[Any] = field(repr=False)  # [frequency] frames a side

    def point(self, name: str) -> NDArray[np.float64]:
        """One measure on the data itself, ``[frequency]``."""
        return np.asarray(getattr(self, name)[0])


def measure(sums: Tally, weights: NDArray[np.float64]) -> Measures:
    """All measures under weights of pieces, ``[resample, piece]``."""
    n = weights.shape[0]
    n_f = sums.own_sum.shape[0]
    ladder = np.full((n, len(LADDER_DB), n_f), np.nan)
    tonality = np.full((n, n_f), np.nan)
    if sums.ladder is not None and sums.tonality is not None:
        ladder, tonality = auc(*sums.ladder, weights), auc(*sums.tonality, weights)
    undefined = np.where(sums.valid, 0.0, np.nan)
    return Measures(
        detection=auc(*sums.detection, weights) + undefined,
        identification=auc(*sums.identification, weights) + undefined,
        consistency=_consistency(sums, weights) + undefined,
        specificity=_specificity(sums, weights) + undefined,
        largest_lobe=_largest_lobe(sums, weights) + undefined,
        gradedness=_gradedness(sums, weights) + undefined,
        tonality=tonality + undefined,
        audiogram_db=audiogram(ladder) + undefined,
        ladder=ladder,
        frames=sums.own_count.sum(axis=1),
    )


def _ratio(top: NDArray[Any], bottom: NDArray[Any]) -> NDArray[np.float64]:
    """Top / bottom, NaN where the bottom is 0."""
    return np.divide(top, bottom, out=np.full(np.broadcast(top, bottom).shape, np.nan), where=bottom > 0)


def _consistency(sums: Tally, w: NDArray[np.float64]) -> NDArray[np.float64]:
    """mean(r)² / mean(r²), 0 if the mean is negative."""
    count = w @ sums.own_count.T
    mean, square = _ratio(w @ sums.own_sum.T, count), _ratio(w @ sums.own_square.T, count)
    return _ratio(np.maximum(mean, 0.0) ** 2, square)


def _specificity(sums: Tally, w: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the response that lies near the target, regions weighed by their width inside the range."""
    near = _ratio(w @ sums.near_square.T, w @ sums.near_count.T) * sums.near_width_erb
    far = _ratio(w @ sums.far_square.T, w @ sums.far_count.T) * sums.far_width_erb
    return _ratio(near, near + far)


def _largest_lobe(sums: Tally, w: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest rms response among far bins and probes, over the rms response to f."""
    own = _ratio(w @ sums.own_square.T, w @ sums.own_count.T)
    squares, counts = [sums.lobe_square], [sums.lobe_count]
    if sums.probe_square is not None and sums.probe_count is not None:
        squares.append(sums.probe_square)
        counts.append(sums.probe_count)
    top = np.einsum("rp,bfp->rbf", w, np.concatenate(squares))
    count = np.einsum("rp,bfp->rbf", w, np.concatenate(counts))
    lobes = np.where(count >= LEAST_LOBE_FRAMES, _ratio(top, count), 0.0)
    return np.sqrt(_ratio(lobes.max(axis=1), own))


def _gradedness(sums: Tally, w: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean Spearman correlation over contexts; NaN outside music."""
    if sums.gradedness is None or sums.gradedness_count is None:
        return np.full((w.shape[0], sums.own_sum.shape[0]), np.nan)
    return _ratio(w @ sums.gradedness.T, w @ sums.gradedness_count.T)


def audiogram(ladder: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lowest level (dB re L(f)) at which detection reaches .9, interpolated between steps of the ladder.

    Parameters
    ----------
    ladder : ``[resample, level, frequency]`` detection

    Returns
    -------
    ``[resample, frequency]``: inf is *never*, NaN undefined. The lowest step is the answer where even that
    is detected: an upper bound.
    """
    above = ladder >= AUDIOGRAM_DETECTION
    steps = np.asarray(LADDER_DB, dtype=np.float64)
    first = np.where(above.any(axis=1), above.argmax(axis=1), len(steps))
    at = np.minimum(first, len(steps) - 1)
    before = np.maximum(at - 1, 0)
    d_at = np.take_along_axis(ladder, at[:, None], axis=1)[:, 0]
    d_before = np.take_along_axis(ladder, before[:, None], axis=1)[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(at > 0, (AUDIOGRAM_DETECTION - d_before) / (d_at - d_before), 1.0)
    level = steps[before] + part * (steps[at] - steps[before])
    level = np.where(first == len(steps), np.inf, level)
    return np.where(np.isnan(ladder).all(axis=1), np.nan, level)
