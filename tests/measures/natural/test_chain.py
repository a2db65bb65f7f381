"""Chains of states: sparsity and gain against other ways to compute them, and nothing where there is no order."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from tonotopy.measures.natural import _chain as chain


def test_transitions_skip_what_has_no_state_and_do_not_cross_stretches() -> None:
    states = np.array([[0, 0, 1, -1, 2, 2], [1, 1, 1, 1, 1, 1], [-1, -1, 3, 0, 0, 3]])
    assert chain.transitions_of(states, jump=True).tolist() == [[0, 1], [3, 0], [0, 3]]
    every = chain.transitions_of(states, jump=False)
    assert len(every) == 2 + 1 + 5 + 3
    assert chain.counted(every, 4).sum() == len(every)
    assert chain.counted(every, 4)[1, 1] == 5


def test_shuffling_keeps_the_visits_of_each_stretch() -> None:
    rng = np.random.default_rng(0)
    states = np.repeat(rng.integers(-1, 4, (3, 40)), 3, axis=1)
    found = chain.shuffled(states, np.random.default_rng(1), jump=True)
    for row, other in zip(states, found, strict=True):
        visits = row[np.concatenate([[True], row[1:] != row[:-1]])]
        assert sorted(visits[visits >= 0]) == sorted(other[other >= 0])
    plain = chain.shuffled(states, np.random.default_rng(1), jump=False)
    for row, other in zip(states, plain, strict=True):
        np.testing.assert_array_equal(np.sort(row), np.sort(other))


def test_quasi_independence_is_the_best_model_without_order() -> None:
    """Against a direct maximisation of the likelihood over what each state attracts."""
    rng = np.random.default_rng(2)
    counts = rng.integers(1, 50, (4, 4)).astype(float)
    np.fill_diagonal(counts, 0)

    def loss(logits: np.ndarray) -> float:
        model = np.exp(logits)[None] * (1 - np.eye(4))
        model /= model.sum(axis=1, keepdims=True)
        return -float(np.sum(counts[counts > 0] * np.log(model[counts > 0])))

    best = minimize(loss, np.zeros(4))
    model = chain.independent(counts, jump=True)
    mine = -float(np.sum(counts[counts > 0] * np.log(model[counts > 0])))
    assert mine == pytest.approx(best.fun, rel=1e-6)
    np.testing.assert_allclose(model.sum(axis=1), 1)
    # Each state is entered as often as it was.
    np.testing.assert_allclose(counts.sum(axis=1) @ model, counts.sum(axis=0), rtol=1e-4)


@pytest.mark.parametrize("jump", [True, False])
def test_frames_without_order_have_none(jump: bool) -> None:
    """Independent frames, some states far more frequent: dropping repeats gives them no order."""
    rng = np.random.default_rng(3)
    states = rng.choice(6, (4, 20_000), p=[0.5, 0.2, 0.1, 0.1, 0.05, 0.05])
    counts = chain.counted(chain.transitions_of(states, jump=jump), 6)
    assert chain.entropy_ratio(counts, jump=jump) == pytest.approx(1, abs=1e-3)
    halves = [chain.counted(chain.transitions_of(s[None], jump=jump), 6) for s in states[:2]]
    assert abs(chain.gain_bits(halves[0], halves[1], prior=6, jump=jump)) < 2e-3


def test_a_planted_order_is_read() -> None:
    """Each of eight states is followed by one of two: one bit, of log2 7 without order."""
    rng = np.random.default_rng(4)
    follow = np.array([[1, 2], [2, 3], [3, 4], [4, 5], [5, 6], [6, 7], [7, 0], [0, 1]])
    states = np.zeros((2, 4000), np.int64)
    for row in states:
        for t in range(1, len(row)):
            row[t] = follow[row[t - 1], rng.integers(2)]
    first, second = (chain.counted(chain.transitions_of(row[None], jump=True), 8) for row in states)
    assert chain.entropy_ratio(first, jump=True) == pytest.approx(1 / np.log2(7), abs=0.005)
    assert chain.gain_bits(first, second, prior=8, jump=True) == pytest.approx(np.log2(7) - 1, abs=0.02)
    # Learned from sound in another order it costs.
    other = second[np.ix_([3, 1, 6, 0, 2, 7, 5, 4], [3, 1, 6, 0, 2, 7, 5, 4])]
    assert chain.gain_bits(first, other, prior=8, jump=True) < 0


def test_nothing_is_undefined_and_costs_nothing() -> None:
    nothing = np.zeros((3, 3))
    assert np.isnan(chain.entropy_ratio(nothing, jump=True))
    assert np.isnan(chain.gain_bits(nothing, nothing, prior=3, jump=True))
    some = np.array([[0, 4, 2], [3, 0, 3], [2, 4, 0]], float)
    assert chain.gain_bits(some, nothing, prior=3, jump=True) == pytest.approx(0)
    one = np.zeros((3, 3))
    one[0, 1] = one[1, 0] = 5  # two states only: the next is never open
    assert np.isnan(chain.entropy_ratio(one, jump=True))
