"""What is reported and not judged: evoked shares, parallelism, rank, against plain linear algebra."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tonotopy.measures.evoked import evoked_shares, parallelism, rank
from tonotopy.signal import erb


def test_evoked_shares_are_those_of_a_singular_value_decomposition(planted: Any) -> None:
    """EV1 and EV2 are the energy of held-out changes along the leading training directions, per target."""
    for units in (8, 70):  # fewer and more units than rows
        made = planted(code="noise", units=units, n_frequencies=4)
        training, music = made.training(), made.families["music"]
        ev1, ev2 = evoked_shares(training, music, 4)
        for f in range(4):
            rows = training.delta("present")[training.trials.frequency_index == f].reshape(-1, units)
            held = music.delta("present")[music.trials.frequency_index == f].reshape(-1, units)
            _, _, directions = np.linalg.svd(rows.astype(np.float64), full_matrices=False)
            energy = np.sum((held.astype(np.float64) @ directions[:2].T) ** 2, axis=0) / np.sum(held**2.0)
            assert ev1[f] == pytest.approx(energy[0], rel=1e-4)
            assert ev2[f] == pytest.approx(energy.sum(), rel=1e-4)


def test_parallelism_is_the_mean_cosine_over_pairs_of_families(planted: Any) -> None:
    """For one target between families, and between different far targets, in loops."""
    made = planted(code="noise", units=10, n_frequencies=5)
    training, grid = made.training(), made.frequency_hz
    near, far = parallelism(training, grid)
    families = np.unique(training.trials.family)
    means = {
        (family, f): training.delta("present")[
            (training.trials.family == family) & (training.trials.frequency_index == f)
        ].mean(axis=(0, 1))
        for family in families
        for f in range(5)
    }

    def cosine(a: tuple[str, int], b: tuple[str, int]) -> float:
        return float(means[a] @ means[b] / np.linalg.norm(means[a]) / np.linalg.norm(means[b]))

    for f in range(5):
        pairs = [(a, b) for a in families for b in families if a != b]
        assert near[f] == pytest.approx(np.mean([cosine((a, f), (b, f)) for a, b in pairs]), rel=1e-4)
        others = [g for g in range(5) if abs(erb.rate(grid[f]) - erb.rate(grid[g])) > 1.5]
        expected = np.mean([cosine((a, f), (b, g)) for a, b in pairs for g in others])
        assert far[f] == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_parallelism_alone_says_nothing(planted: Any) -> None:
    """A loudness unit scores 1 near and far; tuned units score high near and not far."""
    loud, tuned = planted(code="loudness"), planted(background=0.0)
    near, far = parallelism(loud.training(), loud.frequency_hz)
    np.testing.assert_allclose(near, 1, atol=1e-3)
    np.testing.assert_allclose(far, 1, atol=1e-3)
    near, far = parallelism(tuned.training(), tuned.frequency_hz)
    np.testing.assert_allclose(near, 1, atol=1e-3)
    assert far.max() < 0.3


def test_rank_is_the_participation_ratio_of_passing_lines() -> None:
    """Orthogonal lines count one each, equal ones together one, scale does not matter, none is undefined."""
    lines = np.eye(5)[:, :4] * np.array([1.0, 10.0, 0.1, 3.0])
    assert rank(lines, np.ones(4, dtype=bool)) == pytest.approx(4)
    assert rank(lines, np.array([True, False, True, False])) == pytest.approx(2)
    assert rank(np.ones((5, 3)), np.ones(3, dtype=bool)) == pytest.approx(1)
    assert np.isnan(rank(lines, np.zeros(4, dtype=bool)))
