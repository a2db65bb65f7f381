"""What each feature answers to: one label a feature, the first rule that applies.

===========  ==========================================================================================
undefined    dead, or too few pieces or frames
chord        passes § 4's six conditions for a line on chords, at its best chord
pitch        the same on pitches
partial      the same on partials
broad        answers to a region: in music its curve has one lobe wider than :data:`BROAD_ERB` or is above
             half its peak on more than half of the axis; and it detects some partial, or moves in one
             direction, consistently, at :data:`ONE_WAY` of all targets (so a loudness that music drowns)
mixture      detects some partial in music, and has more than one lobe there, or fails on specificity or on
             its largest lobe
none         none of these; ``failing`` says what it lacks
===========  ==========================================================================================

Why the highest rung first. Each rung's foils hold what the rung below could be mistaken for: half of the foils of a
pitch share its partials, and in half of the trials its fundamental is missing; a foil of a chord keeps two of the
three notes. So a partial cannot pass as a pitch, nor a pitch as a chord. The other way round nothing is excluded: a
sine *has* a pitch, and a feature of that pitch may pass on partials at f0 too. What passes on two rungs is therefore
what the higher one says. (A template without octave errors passes on pitches and answers to no single harmonic; one
that adds harmonics up has a lobe at each, and is a mixture unless it passes on pitches.)

Thresholds are those of the verdict on lines, given by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tonotopy.measures.features.tuned import Tuned
from tonotopy.measures.measures import JUDGED
from tonotopy.statistics.bootstrap import LEAST_PIECES_FOR_INTERVALS

if TYPE_CHECKING:
    from tonotopy.judgement.verdict import Thresholds

#: All labels, in the order in which they are asked for.
LABELS = ("undefined", "chord", "pitch", "partial", "broad", "mixture", "none")
#: A single lobe wider than this is a region: the near region of a partial.
BROAD_ERB = 3.0
#: Or a curve above half its peak on more than this share of the axis.
BROAD_SHARE = 0.5
#: Share of targets at which a broad feature that detects none of them moves in one direction.
ONE_WAY = 0.75


@dataclass(frozen=True)
class Answers:
    """What features answer to; arrays are ``[feature]``."""

    label: NDArray[np.str_] = field(repr=False)
    passes: dict[str, NDArray[np.bool_]] = field(repr=False)  # structure -> passes the six conditions
    probability: dict[str, NDArray[np.float64]] = field(repr=False)  # share of resamples that agree, or NaN
    failing: tuple[str, ...] = field(repr=False)  # conditions failed on partials, comma-separated

    @property
    def counts(self) -> dict[str, int]:
        """Number of features with each label."""
        return {label: int(np.sum(self.label == label)) for label in LABELS}


def answers(
    partial: Tuned, *, limits: Thresholds, pitch: Tuned | None = None, chord: Tuned | None = None
) -> Answers:
    """Labels of features from what was measured on partials and, where recorded, on pitches and chords.

    Parameters
    ----------
    limits : the thresholds of the verdict, ``Thresholds()``
    """
    assert partial.shape is not None
    rungs = {name: rung for name, rung in (("chord", chord), ("pitch", pitch), ("partial", partial)) if rung}
    every = {name: _passes(rung, limits) for name, rung in rungs.items()}
    point = {name: found[0] for name, found in every.items()}
    lacks = {name: ~(limits.margin(partial.measures, name)[0] >= 0) for name in JUDGED}
    detects = partial.best_detection >= limits.detection
    one_lobe_wide = (partial.shape.lobes == 1) & (partial.shape.width_erb > BROAD_ERB)
    region = one_lobe_wide | (partial.shape.above_half > BROAD_SHARE)
    several = (partial.shape.lobes > 1) | lacks["specificity"] | lacks["largest_lobe"]
    rules = [
        ~partial.defined,
        *point.values(),
        region & (detects | (partial.curves.one_way >= ONE_WAY)),
        detects & several,
    ]
    names = ["undefined", *point, "broad", "mixture"]
    return Answers(
        label=np.select(rules, names, default="none"),
        passes=point,
        probability={name: _agree(found, rungs[name].n_pieces) for name, found in every.items()},
        failing=tuple(
            ", ".join(name for name in JUDGED if lacks[name][f]) if partial.defined[f] else ""
            for f in range(len(partial))
        ),
    )


def _passes(tuned: Tuned, limits: Thresholds) -> NDArray[np.bool_]:
    """Whether a feature meets every condition, ``[resample, feature]``; undefined does not pass."""
    met = np.all([limits.margin(tuned.measures, name) >= 0 for name in JUDGED], axis=0)
    return np.asarray(met & tuned.defined)


def _agree(found: NDArray[np.bool_], n_pieces: int) -> NDArray[np.float64]:
    if len(found) < 2 or n_pieces < LEAST_PIECES_FOR_INTERVALS:
        return np.full(found.shape[1], np.nan)
    return np.asarray(np.mean(found[1:] == found[0], axis=0))
