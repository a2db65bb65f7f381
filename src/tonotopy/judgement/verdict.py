"""The ordered verdict of SPEC § 4: stable, phase-locked, coincidental, entangled, absent, or undefined.

Conventions: arrays are ``[resample, frequency]``, where resample 0 is the data itself and the others are a
bootstrap over pieces, the *same* resamples for every readout. A verdict is the first rule that applies.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonotopy.measures.measures import JUDGED, Measures
from tonotopy.statistics.bootstrap import LEAST_PIECES_FOR_INTERVALS

#: In the order of the axis; undefined comes first because it is asked first.
VERDICTS = ("undefined", "stable", "phase-locked", "coincidental", "entangled", "absent")
#: Share of bootstraps in which a plane must beat the raw window to be phase-locked.
BEATS_RAW_WINDOW = 0.9
#: A verdict less probable than this is borderline.
BORDERLINE = 0.9
#: Fewer frames a side leave everything undefined; so do fewer than `LEAST_PIECES` pieces.
LEAST_FRAMES = 12


@dataclass(frozen=True)
class Thresholds:
    """What a readout must reach to pass; `largest_lobe` must not be exceeded."""

    detection: float = 0.9
    identification: float = 0.9
    consistency: float = 0.5
    specificity: float = 0.8
    largest_lobe: float = 0.5
    gradedness: float = 0.9

    def margin(self, measures: Measures, name: str) -> NDArray[np.float64]:
        """How far a measure is on the passing side of its threshold; NaN where undefined."""
        value, limit = getattr(measures, name), getattr(self, name)
        return np.asarray(limit - value if name == "largest_lobe" else value - limit)


@dataclass(frozen=True)
class Evidence:
    """Everything a verdict at one site rests on."""

    line: Measures = field(repr=False)
    plane: Measures = field(repr=False)
    raw_plane: Measures = field(repr=False)
    sparse_line: Measures | None = field(repr=False)  # fitted and tried on silence and tone; None: not asked
    undefined: tuple[str, ...] = field(repr=False)  # [frequency] reason, "" where defined
    n_pieces: int  # under 8, the probability of a verdict is undefined


@dataclass(frozen=True)
class Judgement:
    """Verdicts at one site."""

    verdict: NDArray[np.int64] = field(repr=False)  # [resample, frequency], index into VERDICTS
    probability: NDArray[np.float64] = field(repr=False)  # [frequency] share of bootstraps that agree, or NaN
    line: NDArray[np.str_] = field(
        repr=False
    )  # [frequency] passes, coincidental, entangled, absent, undefined
    plane: NDArray[np.str_] = field(repr=False)  # [frequency] passes, entangled, absent, undefined
    inherited: NDArray[np.bool_] = field(repr=False)  # [frequency] plane passes, but so does the raw window
    beats_raw: NDArray[np.float64] = field(repr=False)  # [frequency] share of bootstraps
    failing: tuple[str, ...] = field(repr=False)  # [frequency] conditions that the line fails
    reason: tuple[str, ...] = field(repr=False)  # [frequency] why undefined, or ""

    @property
    def names(self) -> list[str]:
        """The verdict of each frequency on the data itself."""
        return [VERDICTS[k] for k in self.verdict[0]]

    @property
    def borderline(self) -> NDArray[np.bool_]:
        """Verdicts that a bootstrap over pieces often overturns, ``[frequency]``."""
        return np.asarray(self.probability < BORDERLINE)


def passes(
    measures: Measures, thresholds: Thresholds, *, plane: bool = False, skip: tuple[str, ...] = ()
) -> NDArray[np.bool_]:
    """Whether a readout meets every condition, ``[resample, frequency]``; undefined does not pass.

    Consistency is judged for the line only: a plane answers with a length, which is never negative.
    """
    judged = [name for name in JUDGED if name not in skip and not (plane and name == "consistency")]
    return np.asarray(np.all([thresholds.margin(measures, name) >= 0 for name in judged], axis=0))


def judge(evidence: Evidence, thresholds: Thresholds | None = None) -> Judgement:
    """Verdicts from the evidence at one site, combined and per readout."""
    limits = thresholds or Thresholds()
    line_ok = passes(evidence.line, limits)
    plane_ok = passes(evidence.plane, limits, plane=True)
    raw_ok = passes(evidence.raw_plane, limits, plane=True)
    beats = np.mean((plane_ok & ~raw_ok)[1:], axis=0) if len(plane_ok) > 1 else (plane_ok & ~raw_ok)[0] * 1.0
    locked = plane_ok & ~raw_ok & (beats >= BEATS_RAW_WINDOW)
    coincidental = _coincidental(evidence, limits)
    detected_line = evidence.line.detection >= limits.detection
    detected = detected_line | (evidence.plane.detection >= limits.detection)
    undefined = np.array([bool(reason) for reason in evidence.undefined])
    rules = [np.broadcast_to(undefined, line_ok.shape), line_ok, locked, coincidental, detected]
    verdict = np.select(rules, range(len(rules)), default=VERDICTS.index("absent"))
    enough = len(verdict) > 1 and evidence.n_pieces >= LEAST_PIECES_FOR_INTERVALS
    agree = np.mean(verdict[1:] == verdict[0], axis=0) if enough else np.full(verdict.shape[1], np.nan)
    return Judgement(
        verdict=verdict,
        probability=np.where(undefined, np.nan, agree),
        line=_per_readout(undefined, line_ok[0], detected_line[0], coincidental[0]),
        plane=_per_readout(undefined, plane_ok[0], (evidence.plane.detection >= limits.detection)[0], None),
        inherited=plane_ok[0] & ~locked[0] & ~undefined,
        beats_raw=beats,
        failing=_failing(evidence.line, limits),
        reason=evidence.undefined,
    )


def _coincidental(evidence: Evidence, limits: Thresholds) -> NDArray[np.bool_]:
    """A line of sparse contexts that holds there, and a default line that breaks in music."""
    line = evidence.line
    broken = (line.detection < 0.75) | (line.consistency < 0.25) | (line.specificity < 0.5)
    if evidence.sparse_line is None:
        return np.zeros_like(broken)
    holds = passes(evidence.sparse_line, limits, skip=("gradedness",))[0]
    return np.asarray(broken & holds[None, :])


def _per_readout(
    undefined: NDArray[Any], ok: NDArray[Any], detected: NDArray[Any], coincidental: NDArray[Any] | None
) -> NDArray[np.str_]:
    """Passes / coincidental (line only) / entangled / absent, per readout."""
    rules, names = [undefined, ok], ["undefined", "passes"]
    if coincidental is not None:
        rules.append(coincidental)
        names.append("coincidental")
    return np.select([*rules, detected], [*names, "entangled"], default="absent")


def _failing(line: Measures, limits: Thresholds) -> tuple[str, ...]:
    """The conditions that the line fails on the data, comma-separated, for each frequency."""
    margins = {name: limits.margin(line, name)[0] for name in JUDGED}
    n = len(next(iter(margins.values())))
    return tuple(", ".join(name for name in JUDGED if not margins[name][f] >= 0) for f in range(n))
