"""Order along frequency: planted orders are found, shuffled and random ones are not."""

from __future__ import annotations

import numpy as np
import pytest

from tonotopy.anatomy.first_layer import analyse
from tonotopy.anatomy.order import log_likeness, order
from tonotopy.signal import erb

RATE, TAPS, FILTERS = 16_000, 512, 32


def gammatones(centres_hz: np.ndarray) -> np.ndarray:
    """Fourth-order gammatone impulse responses of one ERB, ``[filter, time]``, each of unit norm."""
    time = np.arange(TAPS) / RATE
    decay = np.exp(-2 * np.pi * 1.019 * erb.bandwidth_hz(centres_hz)[:, None] * time)
    filters = time**3 * decay * np.cos(2 * np.pi * centres_hz[:, None] * time)
    return filters / np.linalg.norm(filters, axis=1, keepdims=True)


def test_a_planted_cochlea_is_ordered_and_log_like() -> None:
    """Recovery: gammatones evenly spaced in ERB-rate read log-like and in order, beyond both nulls."""
    centres_hz = erb.frequency_hz(np.linspace(erb.rate(200.0), erb.rate(7000.0), FILTERS))
    found = analyse(gammatones(centres_hz), 1, RATE, seed=0)
    assert np.abs(erb.rate(found.bands.peak_hz) - erb.rate(centres_hz)).max() < 0.5
    assert found.order.log_likeness > 0.95
    assert found.order.spatial == 1.0
    assert (found.order.log_likeness_p, found.order.spatial_p) == (0.005, 0.005)
    assert found.bands.bandwidth_erb == pytest.approx(np.full(FILTERS, 0.9), abs=0.25)


def test_shuffled_filters_lose_their_order_and_keep_their_spacing() -> None:
    """Recovery turned round: the same filters shuffled are as log-like, and in no order."""
    centres_hz = erb.frequency_hz(np.linspace(erb.rate(200.0), erb.rate(7000.0), FILTERS))
    shuffled = np.random.default_rng(1).permutation(centres_hz)
    found = analyse(gammatones(shuffled), 1, RATE, seed=0).order
    assert found.spatial_p > 0.05
    assert found.log_likeness > 0.95


def test_filters_even_in_hz_are_not_log_like() -> None:
    """A bank evenly spaced in Hz is in order and reads the opposite of log-like."""
    found = analyse(gammatones(np.linspace(200.0, 7000.0, FILTERS)), 1, RATE, seed=0).order
    assert found.log_likeness < -0.9
    assert found.log_likeness_p > 0.5
    assert found.spatial_p == 0.005


def test_random_filters_are_their_own_null() -> None:
    """P-values of random filters are spread evenly: about one in ten below .1, for both numbers."""
    rng = np.random.default_rng(2)
    found = [analyse(rng.standard_normal((16, 32)), 1, RATE, seed=seed, draws=49).order for seed in range(60)]
    for name in ("log_likeness_p", "spatial_p"):
        values = np.array([getattr(one, name) for one in found])
        assert (values <= 0.1).mean() < 0.25
        assert 0.35 < np.median(values) < 0.65


def test_too_few_or_coinciding_peaks_are_undefined() -> None:
    """Four filters, or filters that share one peak, have no order, and the reason says so."""
    few = order(np.array([100.0, 200.0, 300.0, 400.0, np.nan]), 64, RATE, seed=0)
    assert set(few.undefined.values()) == {"4 filters have a peak: fewer than 5"}
    same = order(np.full(9, 440.0), 64, RATE, seed=0)
    assert set(same.undefined.values()) == {"all filters share one peak"}
    assert (same.spatial, same.log_likeness) == (None, None)


def test_log_likeness_is_symmetric() -> None:
    """Evenly spaced in ERB-rate reads +1 and evenly spaced in Hz reads -1."""
    assert log_likeness(erb.grid(20, RATE))[0] == pytest.approx(1.0)
    assert log_likeness(np.linspace(50.0, 7000.0, 20))[0] == pytest.approx(-1.0)


def test_the_seed_decides() -> None:
    """The same seed gives the same nulls, another seed others."""
    peaks = erb.grid(12, RATE)
    one, same, other = (order(peaks, 64, RATE, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(one.log_likeness_null, same.log_likeness_null)
    assert not np.array_equal(one.spatial_null, other.spatial_null)
