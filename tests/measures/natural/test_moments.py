"""Moments: merging changes nothing, memory does not grow, and lines from them are those of scikit-learn."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import mean_squared_error

from tonotopy.core.errors import InputError
from tonotopy.measures.natural.moments import MOST_GROUPS, Moments, Sums, deal

Array = np.ndarray


def data(n: int = 300, features: int = 5, targets: int = 3, seed: int = 0) -> tuple[Array, Array]:
    """Correlated frames far from zero, and targets that they tell in part."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, features)) @ rng.standard_normal((features, features)) + 100
    return x, x @ rng.standard_normal((features, targets)) + rng.standard_normal((n, targets)) - 7


def same(a: Sums, b: Sums) -> bool:
    """Equal to rounding."""
    return all(
        np.allclose(getattr(a, name), getattr(b, name), rtol=1e-9, atol=1e-7)
        for name in ("count", "mean_x", "mean_y", "xx", "xy", "yy")
    )


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 99), max_size=4), st.booleans())
def test_parts_merge_to_the_whole(cuts: list[int], gram: bool) -> None:
    """However frames are cut, empty parts and single frames included, their moments add up to those of all."""
    x, y = data(100)
    edges = [0, *sorted(cuts), 100]
    total = Sums.of(x[:0], y[:0], gram=gram)
    for a, b in itertools.pairwise(edges):
        total = total.plus(Sums.of(x[a:b], y[a:b], gram=gram))
    assert same(total, Sums.of(x, y, gram=gram))


def test_accumulators_apart_merge_to_one_together() -> None:
    """Two shards of pieces merged are the accumulator that saw all, group by group."""
    group = deal(6, seed=1, most=3)
    together, first, second = (Moments(group, 5, 3) for _ in range(3))
    for piece in range(6):
        x, y = data(40, seed=piece)
        together.update(x, y, piece)
        (first if piece % 2 else second).update(x, y, piece)
    first.merge(second)
    assert all(same(first.groups([g]), together.groups([g])) for g in range(3))


def test_large_means_lose_no_digits() -> None:
    """Features that lie a hundred thousand spreads from zero give the variance that they have."""
    x, y = data(500, 2, 1)
    x = x + 1e5
    moments = Moments(np.array([0]), 2, 1)
    for part in range(5):
        moments.update(x[part::5], y[part::5], 0)
    assert np.allclose(moments.groups([0]).variance_x, np.var(x - 1e5, axis=0), rtol=1e-6)


@pytest.mark.parametrize("penalty", [1e-4, 0.1, 10.0])
def test_ridge_is_that_of_scikit_learn(penalty: float) -> None:
    """Weights, and the squared error on other frames, equal an independent implementation's."""
    (x, y), (x_test, y_test) = data(seed=0), data(200, seed=0)
    x_test, y_test = x_test[::-1] + 1, y_test[::-1]
    training, test = Sums.of(x, y), Sums.of(x_test, y_test)
    reference = Ridge(alpha=penalty * float(np.mean(np.var(x, axis=0))) * len(x)).fit(x, y)
    weights = training.ridge(penalty)
    assert np.allclose(weights, reference.coef_.T, rtol=1e-6, atol=1e-9)
    expected = mean_squared_error(y_test, reference.predict(x_test), multioutput="raw_values") * len(y_test)
    assert np.allclose(test.error_of(weights, training), expected, rtol=1e-6)
    constant = np.sum((y_test - y.mean(axis=0)) ** 2, axis=0)
    assert np.allclose(test.spread_about(training), constant)


@pytest.mark.parametrize("gram", [True, False])
def test_single_features_are_lines_of_their_own(gram: bool) -> None:
    """Each feature's own line, and its error elsewhere, equal an independent implementation's."""
    (x, y), (x_test, y_test) = data(seed=3), data(100, seed=3)
    training, test = Sums.of(x, y, gram=gram), Sums.of(x_test, y_test, gram=gram)
    weights = training.single()
    errors = test.errors_of_single(weights, training)
    for feature in range(5):
        line = LinearRegression().fit(x[:, [feature]], y)
        assert np.allclose(weights[feature], line.coef_[:, 0])
        expected = np.sum((y_test - line.predict(x_test[:, [feature]])) ** 2, axis=0)
        assert np.allclose(errors[feature], expected)


def test_half_the_products_give_the_square_of_predictions() -> None:
    """Twice the sum of weights times half the products is the squared length of the centred prediction."""
    x, y = data(80)
    weights = np.random.default_rng(4).standard_normal((5, 3))
    found = 2 * np.sum(weights * Sums.of(x, y).half_products(weights), axis=0)
    assert np.allclose(found, np.sum(((x - x.mean(axis=0)) @ weights) ** 2, axis=0))


def test_all_but_one_group_are_the_frames_of_the_others() -> None:
    """Moments of the others and of the one, for some of the targets, with and without products of features."""
    group, pieces = np.array([0, 1, 2, 0]), [data(30, seed=piece) for piece in range(4)]
    moments = Moments(group, 5, 3)
    for piece, (x, y) in enumerate(pieces):
        moments.update(x, y, piece)
    columns = np.array([2, 0])
    for gram in (True, False):
        for number, (others, own) in enumerate(moments.without([0, 1, 2], columns, gram=gram)):
            for sums, chosen in ((others, group != number), (own, group == number)):
                x, y = (np.concatenate([pieces[k][part] for k in np.flatnonzero(chosen)]) for part in (0, 1))
                assert same(sums, Sums.of(x, y[:, columns], gram=gram))


def test_constant_features_have_no_weight() -> None:
    """A feature that does not vary takes no part, and the training mean is what is left."""
    x, y = data(50, 1, 1)
    x[:] = 0.1
    training = Sums.of(x, y)
    for weights in (training.ridge(1e-3), training.single()):
        assert (weights == 0).all()
    assert training.variance_x[0] == 0
    assert np.allclose(training.error_of(training.ridge(1e-3), training), training.spread_about(training))


def test_memory_does_not_grow_with_frames() -> None:
    """What is kept has the same size after one piece and after many."""

    def size(n_pieces: int) -> int:
        moments = Moments(deal(n_pieces, seed=0), 5, 3)
        for piece in range(n_pieces):
            moments.update(*data(50, seed=piece), piece)
        sums = [moments.groups([g]) for g in range(moments.n_groups)]
        return sum(s.xx.nbytes + s.xy.nbytes + s.mean_x.nbytes for s in sums)

    assert size(MOST_GROUPS) == size(50)


def test_pieces_are_dealt_evenly() -> None:
    """Groups differ by at most one piece; few pieces have a group each; the seed decides."""
    sizes = np.bincount(deal(100, seed=2))
    assert len(sizes) == MOST_GROUPS
    assert sizes.max() - sizes.min() <= 1
    assert sorted(deal(5, seed=0)) == [0, 1, 2, 3, 4]
    assert (deal(100, seed=2) != deal(100, seed=3)).any()


def test_bad_input_says_what_is_wrong() -> None:
    """Shapes, numbers that are not finite, unknown pieces, moments of something else."""
    x, y = data(20)
    moments = Moments(np.array([0, 1]), 5, 3)
    with pytest.raises(InputError, match=r"\[frame, 5\] and \[frame, 3\]"):
        moments.update(x[:, :4], y, 0)
    with pytest.raises(InputError, match="as many frames of both"):
        moments.update(x[:10], y, 0)
    with pytest.raises(InputError, match="a piece from 0 to 1; got 2"):
        moments.update(x, y, 2)
    x[3, 3] = np.nan
    with pytest.raises(InputError, match="finite values; got some that are not, in piece 1"):
        moments.update(x, y, 1)
    with pytest.raises(InputError, match="the same features, targets and groups"):
        moments.merge(Moments(np.array([0, 0]), 5, 3))
    with pytest.raises(InputError, match="at least 1 group; got none"):
        moments.groups([])
    with pytest.raises(InputError, match="at least 1 piece"):
        deal(0, seed=0)
    with pytest.raises(InputError, match="a group from 0"):
        Moments(np.array([-1]), 1, 1)
    with pytest.raises(InputError, match="at least 1 feature"):
        Moments(np.array([0]), 0, 1)
