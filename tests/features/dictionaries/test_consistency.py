"""Matching of directions: permutations are undone, random ones stay at their null, sizes may differ."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from tonotopy.core.errors import InputError
from tonotopy.features.dictionaries.consistency import consistency, recurrence


def directions(count: int, units: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((count, units))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_a_permutation_is_undone() -> None:
    rows, order = directions(30, 10, 0), np.random.default_rng(1).permutation(30)
    found = consistency(rows, 3 * rows[order])
    np.testing.assert_array_equal(order[found.partner], np.arange(30))
    assert np.isclose(found.mean_cosine, 1)
    assert found.recurring.all()


def test_the_match_is_the_best_of_all() -> None:
    a, b = directions(6, 4, 0), directions(6, 4, 1)
    best = max(sum(a[i] @ b[p] for i, p in enumerate(order)) for order in permutations(range(6)))
    assert np.isclose(consistency(a, b).cosine.sum(), best, atol=1e-6)


def test_random_directions_stay_at_their_null() -> None:
    found = consistency(directions(200, 16, 0), directions(200, 16, 1))
    assert abs(found.mean_cosine - found.null_mean_cosine) < 0.02
    assert abs(found.mean_max_cosine - found.null_mean_max_cosine) < 0.02
    assert found.recurring.mean() < 0.15


def test_signs_count_and_sizes_may_differ() -> None:
    rows = directions(8, 5, 0)
    assert consistency(rows, -rows).mean_cosine < 0.9
    found = consistency(rows, rows[:3])
    assert (found.partner >= 0).sum() == 3
    assert np.isnan(found.cosine).sum() == 5
    assert not found.recurring[found.partner < 0].any()
    with pytest.raises(InputError, match="directions of 5 units; got 4 units"):
        consistency(rows, directions(3, 4, 0))


def test_recurrence_is_a_mean_over_the_other_sets() -> None:
    rows = directions(8, 5, 0)
    np.testing.assert_allclose(recurrence([rows, rows[::-1], rows]), 1, atol=1e-6)
    with pytest.raises(InputError, match="at least two dictionaries"):
        recurrence([rows])
