"""Peaks that belong together get one label, and no others do."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from tonotopy.signal import erb
from tonotopy.signal.sinusoids.continuation import chains, match

JUMP = {"jump_erb": 0.2, "gap_frames": 2}


def labels(points: list[tuple[int, float, float]], **settings: float) -> list[int]:
    """Labels of (frame, frequency, amplitude), numbered by first appearance in the order given."""
    order = sorted(range(len(points)), key=lambda k: points[k])
    frame, frequency, amplitude = (np.array(c) for c in zip(*(points[k] for k in order), strict=True))
    found = np.empty(len(points), np.int64)
    found[order] = chains(frame, frequency, amplitude, **(JUMP | settings))  # type: ignore[arg-type]
    names: dict[int, int] = {}
    return [names.setdefault(label, len(names)) for label in found.tolist()]


def test_two_lines() -> None:
    """Two steady partials are two chains."""
    points = [(k, f, 1.0) for f in (300.0, 340.0) for k in range(5)]
    assert labels(points) == [0] * 5 + [1] * 5


@pytest.mark.parametrize(("gap", "one"), [(1, True), (2, True), (3, False)])
def test_gaps(gap: int, one: bool) -> None:
    """Gaps of up to two frames are bridged, longer ones are not."""
    points = [(k, 300.0, 1.0) for k in range(10) if not 4 <= k < 4 + gap]
    assert (len(set(labels(points))) == 1) is one


def test_no_bridge_over_one_that_goes_on() -> None:
    """A chain that has its next point is not linked to a later one as well."""
    points = [(0, 300.0, 1.0), (1, 300.0, 1.0), (2, 300.0, 1.0), (2, 302.0, 1.0)]
    assert labels(points) == [0, 0, 0, 1]


def test_jumps() -> None:
    """A step beyond the largest is a new partial."""
    near, far = erb.frequency_hz(erb.rate(1000.0) + np.array([0.19, 0.21]))
    assert labels([(0, 1000.0, 1.0), (1, float(near), 1.0)]) == [0, 0]
    assert labels([(0, 1000.0, 1.0), (1, float(far), 1.0)]) == [0, 1]


def test_level_decides() -> None:
    """Of two equally near continuations the one of like level is taken."""
    points = [(0, 1000.0, 1.0), (1, 990.0, 0.01), (1, 1010.0, 1.0)]
    assert labels(points) == [0, 1, 0]


def test_empty() -> None:
    """No peaks, no labels."""
    none = np.empty(0)
    assert len(chains(none.astype(np.int64), none, none, jump_erb=0.2, gap_frames=2)) == 0


def test_close_to_the_optimal_assignment() -> None:
    """Partials that all move: the same links as the assignment of least total cost, in nearly every case."""
    rng = np.random.default_rng(0)
    agreed, total = 0, 0
    for _ in range(50):
        left = np.sort(rng.uniform(2, 30, 40))
        right = np.sort(np.concatenate([left + rng.normal(0, 0.05, 40), rng.uniform(2, 30, 10)]))
        cost = np.abs(left[:, None] - right)
        rows, columns = linear_sum_assignment(np.where(cost <= 0.2, cost, 10.0))
        best = {(a, b) for a, b in zip(rows, columns, strict=True) if cost[a, b] <= 0.2}
        zero = np.zeros(50)
        one, other = match((zero[:40].astype(int), left, zero[:40]), (zero.astype(int), right, zero), 0.2)
        found = set(zip(one.tolist(), other.tolist(), strict=True))
        assert len({a for a, _ in found}) == len({b for _, b in found}) == len(found)
        agreed, total = agreed + len(found & best), total + len(best)
    assert agreed / total > 0.9
