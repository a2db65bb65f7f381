"""Values against their neighbours: level kept wherever they lie and however they spread, what stands out found."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import kstest

from tonotopy.features.matched import MATCHED, against


def drawn(count: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places, and values whose mean and spread both depend on the place."""
    place = rng.standard_normal((count, 3)) * [5.0, 1.0, 0.2]
    value = place[:, 0] + np.sin(place[:, 1]) + np.exp(0.06 * place[:, 0]) * rng.standard_normal(count)
    return place, value


def test_what_is_drawn_alike_has_uniform_p_values_everywhere() -> None:
    rng = np.random.default_rng(0)
    place, value = drawn(1500, rng)
    null = drawn(1500, rng)
    found = against(place, value, *null)
    assert kstest(found.p, "uniform").statistic < 0.05
    for third in np.array_split(np.argsort(place[:, 0]), 3):
        assert 0.02 <= (found.p[third] <= 0.05).mean() <= 0.09


def test_p_reaches_as_far_as_there_are_directions() -> None:
    """Beyond 1 in 100, which a rank among the neighbours could not pass."""
    rng = np.random.default_rng(1)
    null = drawn(1000, rng)
    place, value = drawn(20, rng)
    found = against(place, value + 40 * np.exp(0.06 * place[:, 0]), *null)
    assert found.p == pytest.approx(1 / 1001)
    assert (found.residual > 5).all()


def test_expected_is_the_value_at_the_place() -> None:
    rng = np.random.default_rng(2)
    place = rng.uniform(-1, 1, (800, 2))
    found = against(np.array([[0.3, -0.2]]), np.array([9.0]), place, 2 + place @ [3.0, 1.0])
    assert found.expected[0] == pytest.approx(2 + 0.9 - 0.2, abs=1e-3)


def test_a_line_does_not_reach_beyond_its_points() -> None:
    rng = np.random.default_rng(3)
    place = rng.uniform(-1, 1, (800, 1))
    found = against(np.array([[50.0]]), np.array([3.0]), place, 3 * place[:, 0])
    assert found.expected[0] == pytest.approx(3, abs=0.1)


def test_directions_that_are_all_one_are_no_discovery() -> None:
    same = against(np.ones((4, 2)), np.full(4, 0.3), np.ones((300, 2)), np.full(300, 0.3))
    assert same.p == pytest.approx(1)


def test_undefined_stays_undefined() -> None:
    rng = np.random.default_rng(4)
    place, value = drawn(3, rng)
    place[0, 1], value[1] = np.nan, np.nan
    null_place, null_value = drawn(400, rng)
    null_value[::2] = np.nan
    found = against(place, value, null_place, null_value)
    assert np.isnan(found.p).tolist() == [True, True, False]
    few = against(place, value, null_place[: 2 * MATCHED], null_value[: 2 * MATCHED])
    assert np.isnan(few.p).all()
