"""Random directions are a null where they differ from the own one; p says how small it can be."""

from __future__ import annotations

import numpy as np
import pytest

from tonotopy.interventions.controls import cosines
from tonotopy.interventions.direction import Direction, cosine, covariance, random_like
from tonotopy.interventions.null import ALIKE, null_of

NAMES = ("own", "other 300 Hz", *(f"random {k}" for k in range(39)))


def along(step: np.ndarray, name: str = "own") -> Direction:
    step = step.reshape(len(step), -1)
    return Direction(name, step @ np.linalg.pinv(step.T @ step), step, np.zeros(len(step)))


def test_p_and_the_most_are_counted_over_random_directions_alone() -> None:
    """By hand; 39 directions let p be 1/40; others' directions take no part."""
    values = np.zeros((41, 2))
    values[2:] = np.arange(39.0)[:, None]
    values[0], values[1] = (50.0, 36.5), 1000.0
    found = null_of(values, NAMES, np.full(41, 0.1))
    assert found.p.tolist() == [1 / 40, 3 / 40]
    assert found.p_least.tolist() == [1 / 40, 1 / 40]
    assert found.high.tolist() == [38.0, 38.0]
    assert found.mean.tolist() == [19.0, 19.0]


def test_an_ordinary_random_direction_passes_the_mean_often_and_the_most_rarely() -> None:
    """Why the mean is no null: half of all directions that mean nothing are above it, 1 in 40 above the most."""
    rng = np.random.default_rng(0)
    found = [(v, null_of(v, NAMES, np.zeros(41))) for v in rng.standard_normal((400, 41, 1))]
    assert np.mean([v[0, 0] > null.mean[0] for v, null in found]) > 0.4
    assert np.mean([v[0, 0] > null.high[0] for v, null in found]) < 0.06
    assert all((v[0, 0] > null.high[0]) == (null.p[0] <= null.p_least[0]) for v, null in found)


def test_what_was_not_tried_takes_no_part() -> None:
    """Each column has the random directions that were tried in it; without any, all is undefined."""
    values, asked = np.zeros((41, 3)), np.ones((41, 3), dtype=bool)
    asked[4:, 0], asked[2:, 2] = False, False
    values[~asked] = np.nan
    found = null_of(values, NAMES, np.zeros(41), asked)
    assert found.p_least[:2].tolist() == [1 / 3, 1 / 40]
    assert found.p[:2].tolist() == [1.0, 1.0]
    assert all(np.isnan(v[2]) for v in vars(found).values())


def test_a_random_direction_that_is_the_own_one_is_no_null() -> None:
    """Along the largest variance every random direction is the own one: seen, and p and the most are undefined."""
    rng = np.random.default_rng(1)
    spread = covariance(rng.standard_normal((500, 12)) * np.array([30.0, *np.ones(11)]))
    top = np.linalg.eigh(spread)[1][:, -1]
    for step, is_own in ((top, True), (rng.standard_normal(12), False)):
        own = along(step)
        made = {"own": own} | {f"random {k}": random_like(own, spread, rng=rng) for k in range(9)}
        close = cosines(made)
        assert close[0] == pytest.approx(1)
        assert (np.median(close[1:]) > ALIKE) == is_own
        found = null_of(np.arange(10.0)[::-1, None], list(made), close)
        assert np.isnan([found.p[0], found.high[0], found.p_least[0]]).all() == is_own
        assert np.isfinite(found.mean).all()
        assert found.cosine[0] == pytest.approx(np.median(close[1:]))


def test_cosines() -> None:
    """Whatever sign, length and mixture; half of a plane in common; nothing of nothing."""
    x, y, z = np.eye(3)
    assert cosine(along(x), along(-3 * x)) == pytest.approx(1)
    assert cosine(along(np.stack([x, y], 1)), along(np.stack([x + y, x - 2 * y], 1))) == pytest.approx(1)
    assert cosine(along(np.stack([x, y], 1)), along(np.stack([y, z], 1))) == pytest.approx(np.sqrt(0.5))
    assert np.isnan(cosine(along(x), along(0 * x)))
    assert np.isnan(cosines({"random 0": along(x)})).all()
