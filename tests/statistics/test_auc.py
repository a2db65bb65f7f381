"""AUC from wins between pieces, against the rank formula and a library."""

from __future__ import annotations

import hypothesis
import numpy as np
import pytest
import scipy.stats
from hypothesis import strategies as st

from tonotopy.statistics.auc import auc, wins
from tonotopy.statistics.bootstrap import interval, piece_weights

numbers = st.lists(st.integers(-3, 3), min_size=1, max_size=12)


def pooled(positive: np.ndarray, negative: np.ndarray, n_pieces: int = 3) -> float:
    """AUC with values dealt to pieces in turn: the deal must not matter."""
    labels = [np.arange(len(x)) % n_pieces for x in (positive, negative)]
    won, pairs = wins(positive, negative, *labels, n_pieces)
    return float(auc(won, pairs, np.ones((1, n_pieces)))[0])


@hypothesis.given(numbers, numbers)
def test_pooled_auc_is_mann_whitney(positive: list[int], negative: list[int]) -> None:
    """Over all pieces the AUC is U / (n m), ties counted half, as scipy computes it from ranks."""
    a, b = np.array(positive, dtype=float), np.array(negative, dtype=float)
    u = (
        scipy.stats.mannwhitneyu(a, b, method="asymptotic").statistic
        if len(set(positive + negative)) > 1
        else None
    )
    expected = u / (len(a) * len(b)) if u is not None else 0.5
    assert pooled(a, b) == pytest.approx(expected)


def test_wins_are_kept_by_piece() -> None:
    """u[p, q] counts piece p's positives above piece q's negatives, in loops by hand."""
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 4, 20).astype(float), rng.integers(0, 4, 15).astype(float)
    p, q = rng.integers(0, 3, 20), rng.integers(0, 3, 15)
    expected = np.zeros((3, 3))
    for value, i in zip(a, p, strict=True):
        for other, j in zip(b, q, strict=True):
            expected[i, j] += 1.0 if value > other else 0.5 if value == other else 0.0
    won, pairs = wins(a, b, p, q, 3)
    np.testing.assert_array_equal(won, expected)
    np.testing.assert_array_equal(pairs, np.outer(np.bincount(p, minlength=3), np.bincount(q, minlength=3)))


def test_values_that_are_not_finite_take_no_part() -> None:
    """NaN and inf are neither wins nor pairs; nothing left is NaN, not 0 and not .5."""
    assert pooled(np.array([2.0, np.nan, np.inf]), np.array([1.0])) == 1.0
    assert np.isnan(pooled(np.array([np.nan]), np.array([1.0])))


def test_weights_say_how_often_each_piece_was_drawn() -> None:
    """The data come first with weight 1; every resample draws as many pieces as there are; the seed decides."""
    weights = piece_weights(7, 500, seed=1)
    assert weights.shape == (501, 7)
    np.testing.assert_array_equal(weights[0], 1)
    np.testing.assert_array_equal(weights.sum(axis=1), 7)
    np.testing.assert_array_equal(weights, piece_weights(7, 500, seed=1))
    assert (weights != piece_weights(7, 500, seed=2)).any()
    # A piece is left out of a resample with probability (6/7)^7 = .34.
    assert (weights[1:] == 0).mean() == pytest.approx((6 / 7) ** 7, abs=0.03)


def test_intervals_are_undefined_below_eight_pieces() -> None:
    """Seven pieces have no interval; eight have the percentile interval, undefined resamples left out."""
    samples = np.append(np.linspace(0, 1, 1001), np.nan)
    assert interval(samples, n_pieces=7) is None
    assert interval(samples, n_pieces=8) == pytest.approx((0.025, 0.975))
    assert interval(np.full(50, np.nan), n_pieces=20) is None
