"""Tonotopic order and coverage: an axis is found, a shuffled one is not, a crowd does not cover."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from tonotopy.core.errors import InputError
from tonotopy.measures.features.order import coverage, tonotopic_order
from tonotopy.signal import erb

GRID = erb.grid(24, 16_000)
ALL = np.ones(24, bool)


def test_an_axis_is_ordered_and_covers() -> None:
    """Best frequencies that rise with the number of the feature: order 1, all covered, both beyond their nulls."""
    found = tonotopic_order(GRID, GRID, ordered=ALL, partials=ALL, null_hz=GRID)
    assert (found.order, found.coverage, found.ordered, found.partials) == (1.0, 1.0, 24, 24)
    assert found.order_p == 0.001
    assert found.coverage_p == 0.001
    assert 0.5 < found.coverage_null < 0.8  # 24 draws of 24 leave about a third out


def test_a_shuffled_axis_is_not_ordered_and_still_covers() -> None:
    """Order is lost with the numbering; coverage does not know of it."""
    rng = np.random.default_rng(0)
    p = []
    for _ in range(40):
        mixed = rng.permutation(GRID)
        found = tonotopic_order(mixed, GRID, ordered=ALL, partials=ALL, null_hz=GRID, draws=49)
        assert found.order == pytest.approx(spearmanr(np.arange(24), mixed).statistic)
        assert found.coverage == 1.0
        p.append(found.order_p)
    assert np.mean(np.array(p) <= 0.05) < 0.2  # .05, and room for 40 draws


def test_an_ordering_of_ones_own() -> None:
    """Features listed from high to low, with a place along the axis that runs upwards."""
    down = GRID[::-1]
    found = tonotopic_order(down, GRID, ordered=ALL, partials=ALL, null_hz=GRID, place=np.arange(24)[::-1])
    assert found.order == 1.0
    assert tonotopic_order(down, GRID, ordered=ALL, partials=ALL, null_hz=GRID).order == -1.0


def test_a_crowd_does_not_cover() -> None:
    """Twenty features at two frequencies cover them and no more, less than random directions do."""
    crowd = np.where(np.arange(24) % 2, GRID[2], GRID[3])
    found = tonotopic_order(crowd, GRID, ordered=ALL, partials=ALL, null_hz=GRID)
    assert found.coverage == pytest.approx(2 / 24)
    assert found.coverage_p == 1.0


def test_undefined_is_not_zero() -> None:
    """Too few features, or one best frequency for all, have no order; without a partial there is no p."""
    none = np.zeros(24, bool)
    few = tonotopic_order(GRID, GRID, ordered=np.arange(24) < 4, partials=none, null_hz=GRID)
    assert np.isnan([few.order, few.order_p, few.coverage_null, few.coverage_p]).all()
    assert few.coverage == 0.0
    one = tonotopic_order(np.full(24, 440.0), GRID, ordered=ALL, partials=ALL, null_hz=GRID)
    assert np.isnan(one.order)
    with pytest.raises(InputError, match="one length"):
        tonotopic_order(GRID, GRID, ordered=ALL[:3], partials=ALL, null_hz=GRID)


def test_coverage_reaches_one_erb() -> None:
    """A best frequency covers what lies within one ERB on either side."""
    grid = erb.frequency_hz(np.arange(10.0, 15.0, 0.5))
    assert coverage(grid[None, 4:5], grid)[0] == 0.5
