"""Reservoir and conditioning: every frame once, shuffled, the same again; moments and odd units as numpy finds them."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonotopy.core.errors import InputError
from tonotopy.features.dictionaries.conditioning import condition
from tonotopy.features.dictionaries.reservoir import batches, capacity_of, endless, sample
from tonotopy.features.sources import ArrayActivations
from tonotopy.features.sources import _contract as contract


def numbered(count: int) -> ArrayActivations:
    return ArrayActivations(np.stack([np.arange(count), -np.arange(count)], axis=1))


@given(st.integers(1, 400), st.integers(1, 40), st.integers(2, 6), st.integers(1, 50))
def test_a_pass_deals_every_frame_at_most_once_and_leaves_less_than_a_batch(
    count: int, batch: int, batches_held: int, chunk: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contract, "CHUNK", chunk)
        dealt = list(batches(numbered(count), batch=batch, capacity=batch * batches_held, seed=0, epoch=0))
    assert all(found.shape == (batch, 2) for found in dealt)
    seen = np.concatenate([found[:, 0] for found in dealt]) if dealt else np.zeros(0)
    assert len(set(seen.tolist())) == len(seen) > count - batch - (len(dealt) == 0)
    assert all((found[:, 1] == -found[:, 0]).all() for found in dealt)


def test_batches_mix_what_the_reservoir_holds_and_passes_differ() -> None:
    stream = numbered(20_000)
    first = next(batches(stream, batch=100, capacity=10_000, seed=0, epoch=0))[:, 0]
    assert first.std() > 2000
    assert first.max() < 10_000
    again = next(batches(stream, batch=100, capacity=10_000, seed=0, epoch=0))[:, 0]
    other = next(batches(stream, batch=100, capacity=10_000, seed=0, epoch=1))[:, 0]
    assert (first == again).all()
    assert not (first == other).all()
    assert capacity_of(2**20, 64) == 128


def test_a_place_in_the_stream_is_found_again() -> None:
    words = {"batch": 32, "capacity": 100, "seed": 3}
    whole = list(islice(endless(numbered(200), **words), 20))
    _, epoch, place = whole[13]
    rest = list(islice(endless(numbered(200), **words, epoch=epoch, skip=place + 1), 6))
    for (a, *where), (b, *again) in zip(whole[14:], rest, strict=True):
        np.testing.assert_array_equal(a, b)
        assert where == again


def test_a_sample_is_drawn_evenly() -> None:
    drawn = np.concatenate([sample(numbered(5000), 50, seed=seed)[:, 0] for seed in range(60)])
    counts = np.histogram(drawn, bins=5, range=(0, 5000))[0]
    assert counts.sum() == 3000
    assert (np.abs(counts - 600) < 5 * np.sqrt(600)).all()
    assert len(sample(numbered(7), 50, seed=0)) == 7


def test_moments_agree_with_numpy_around_a_large_offset() -> None:
    frames = (np.random.default_rng(0).standard_normal((30_000, 5)) * [1, 2, 3, 4, 5] + 1000).astype(
        np.float32
    )
    found = condition(ArrayActivations(frames))
    wide = frames.astype(np.float64)
    np.testing.assert_allclose(found.centre, wide.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(found.covariance, np.cov(wide.T, bias=True), atol=1e-8)
    assert np.isclose(found.scale, np.sqrt(wide.var(axis=0).mean()))
    conditioned = found.apply(frames).astype(np.float64)
    assert np.isclose((conditioned**2).sum(axis=1).mean(), 5, rtol=1e-3)


def test_units_are_not_standardised_one_by_one() -> None:
    frames = np.random.default_rng(0).standard_normal((1000, 2)) * [1, 10]
    spread = condition(ArrayActivations(frames)).apply(frames.astype(np.float32)).std(axis=0)
    assert np.isclose(spread[1] / spread[0], 10, rtol=0.1)


def test_dead_saturated_and_outlier_units_are_told() -> None:
    frames = np.random.default_rng(0).standard_normal((4000, 8))
    frames[:, 1] = 3.0
    frames[:, 4] = np.clip(frames[:, 4], -9, 1.0)  # about 16 % at its bound
    frames[:, 4] -= frames[:, 4].min() - 0.1  # the bound is its largest magnitude
    frames[:, 6] *= 40
    found = condition(ArrayActivations(frames))
    assert (found.dead, found.saturated, found.outliers) == ((1,), (4,), (6,))
    assert found.leading_share > 0.9
    assert found.diagnostics["outlier_units"] == [6]


def test_streams_that_cannot_be_conditioned_are_refused() -> None:
    with pytest.raises(InputError, match="activations that vary; got 3 constant units"):
        condition(ArrayActivations(np.ones((10, 3))))
    with pytest.raises(InputError, match="at least one frame"):
        condition(ArrayActivations(np.ones((0, 3))))
    with pytest.raises(InputError, match="finite activations"):
        condition(ArrayActivations([[0.0, np.inf], [1.0, 2.0]]))
