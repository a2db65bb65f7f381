"""Claim 14 (SPEC § 11): larger models or more data improve coverage and reuse but do not remove the entanglement.

Asked of a grid of models, by number of parameters and by hours of data. Per model, over all its sites:
*coverage*, the share of frequencies that any site carries stably or detects; *entangled*, the share that some site
detects and none carries stably. Each with its interval over pieces. The rule, stated before anything is measured:

1. Between the smallest and the largest model on the same data, and between the least and the most data in models
   of the same size, coverage *improves* where the intervals do not overlap and the larger one is above, *worsens*
   where it is below, and is *undetermined* where they overlap or are undefined.
2. Along an axis (parameters, hours) it improves where at least one of these pairs does and none worsens, worsens
   likewise, and is undetermined otherwise.
3. The entanglement *remains* where the low end of its interval, in the largest model on the most data, is above
   :data:`GONE`; it is *removed* where the high end is not; else it is undetermined.
4. The claim is *supported* where coverage improves along an axis, worsens along none, and the entanglement remains;
   *not supported* where the entanglement is removed, or coverage worsens along an axis and improves along none;
   else *undetermined*.

Reuse takes interventions and is not measured here: the answer is about coverage and entanglement alone. Nulls: the
untrained copies of each architecture, whose stable share stands beside it; for coverage, the interval of the smaller
model itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

CLAIM = "larger models or more data improve coverage and reuse but do not remove the entanglement"
#: An entangled share that is no more than this is gone.
GONE = 0.05
SUPPORTED, NOT_SUPPORTED, UNDETERMINED = "supported", "not supported", "undetermined"
IMPROVES, WORSENS, REMAINS, REMOVED = "improves", "worsens", "remains", "removed"


@dataclass(frozen=True)
class Share:
    """A share with its interval over pieces; ends are NaN where undefined."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Model:
    """One model of the grid."""

    parameters: float
    hours: float
    coverage: Share
    entangled: Share


@dataclass(frozen=True)
class Comparison:
    """The two ends of one line of the grid."""

    axis: str  # parameters or hours
    fixed: float  # the other coordinate
    ends: tuple[float, float]
    shares: tuple[Share, Share]
    answer: str  # improves, worsens, undetermined


@dataclass(frozen=True)
class Scaling:
    """What a grid says on claim 14."""

    comparisons: tuple[Comparison, ...]
    axes: dict[str, str]  # axis -> improves, worsens, undetermined; only the axes that the grid has
    largest: Model
    entanglement: str  # remains, removed, undetermined
    answer: str


def scaling(models: Sequence[Model]) -> Scaling:
    """Apply the rule to a grid of models.

    Examples
    --------
    >>> small = Model(1e4, 1.0, Share(0.2, 0.1, 0.3), Share(0.2, 0.1, 0.3))
    >>> large = Model(1e6, 1.0, Share(0.8, 0.7, 0.9), Share(0.5, 0.4, 0.6))
    >>> found = scaling([small, large])
    >>> found.axes, found.entanglement, found.answer
    ({'parameters': 'improves'}, 'remains', 'supported')
    """
    assert models, "a grid has one model at least"
    comparisons = [
        *_along("parameters", models, lambda m: m.parameters, lambda m: m.hours),
        *_along("hours", models, lambda m: m.hours, lambda m: m.parameters),
    ]
    axes = {
        axis: _axis([c.answer for c in comparisons if c.axis == axis])
        for axis in ("parameters", "hours")
        if any(c.axis == axis for c in comparisons)
    }
    largest = max(models, key=lambda m: (_known(m.parameters), _known(m.hours)))
    entanglement = _entanglement(largest.entangled)
    return Scaling(tuple(comparisons), axes, largest, entanglement, _claim(list(axes.values()), entanglement))


def compare(smaller: Share, larger: Share) -> str:
    """Whether the larger model's share is above, below, or neither for certain."""
    if not all(math.isfinite(end) for share in (smaller, larger) for end in (share.low, share.high)):
        return UNDETERMINED
    return IMPROVES if larger.low > smaller.high else WORSENS if larger.high < smaller.low else UNDETERMINED


def _along(
    axis: str, models: Sequence[Model], moving: Callable[[Model], float], fixed: Callable[[Model], float]
) -> list[Comparison]:
    """The ends of each line along an axis; a line with one point on it says nothing."""
    lines: dict[float, list[Model]] = {}
    for model in models:
        if math.isfinite(moving(model)):
            lines.setdefault(_known(fixed(model)), []).append(model)
    found = []
    for at, line in sorted(lines.items()):
        low, high = min(line, key=moving), max(line, key=moving)
        if moving(low) < moving(high):
            shares = (low.coverage, high.coverage)
            found.append(Comparison(axis, at, (moving(low), moving(high)), shares, compare(*shares)))
    return found


def _axis(answers: Sequence[str]) -> str:
    for answer, other in ((IMPROVES, WORSENS), (WORSENS, IMPROVES)):
        if answer in answers and other not in answers:
            return answer
    return UNDETERMINED


def _entanglement(share: Share) -> str:
    if share.low > GONE:
        return REMAINS
    return REMOVED if share.high <= GONE else UNDETERMINED


def _claim(axes: Sequence[str], entanglement: str) -> str:
    if entanglement == REMOVED or (WORSENS in axes and IMPROVES not in axes):
        return NOT_SUPPORTED
    if IMPROVES in axes and WORSENS not in axes and entanglement == REMAINS:
        return SUPPORTED
    return UNDETERMINED


def _known(value: float) -> float:
    """A coordinate that was not told counts as the least."""
    return value if math.isfinite(value) else 0.0
