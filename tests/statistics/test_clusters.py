"""Clusters of directions: planted shapes are told apart whatever their level; what has no direction has none."""

from __future__ import annotations

import numpy as np
import pytest

from tonotopy.core.errors import InputError
from tonotopy.statistics.clusters import directions, fit_clusters


def test_planted_directions_are_found_at_any_level() -> None:
    rng = np.random.default_rng(0)
    shapes = np.linalg.qr(rng.standard_normal((12, 4)))[0].T
    which = rng.integers(0, 4, 4000)
    rows = shapes[which] * rng.lognormal(0, 2, (4000, 1)) + 0.0
    found = fit_clusters(directions(rows[:2000]), 16, seed=0).predict(directions(rows[2000:]))
    # More clusters than shapes: each cluster is of one shape.
    for label in np.unique(found):
        assert len(np.unique(which[2000:][found == label])) == 1


def test_silence_has_no_direction() -> None:
    found = directions(np.array([[0.0, 0.0], [1e-9, 0.0], [0.0, -2.0]]), silent=1e-6)
    assert np.isnan(found[:2]).all()
    np.testing.assert_array_equal(found[2], [0, -1])


def test_more_clusters_than_rows_are_refused() -> None:
    with pytest.raises(InputError, match=r"^expected at least 5 rows; got 4; likely cause: more clusters"):
        fit_clusters(np.eye(4), 5, seed=0)
