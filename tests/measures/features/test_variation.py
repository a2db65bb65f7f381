"""Variation over contexts: one curve everywhere has no excess, however noisy; curves of their own have one."""

from __future__ import annotations

import numpy as np
import pytest

from tonotopy.measures.features.responses import Responses
from tonotopy.measures.features.variation import Variation, _halves, variation
from tonotopy.recording import TrialTable
from tonotopy.signal import erb
from tonotopy.sound.structures import partial

GRID = erb.frequency_hz(np.arange(3.0, 23.0))
FAMILIES = ("silence", "tone", "music")


def family(curves: np.ndarray, *, noise: float, contexts: int, seed: int) -> Responses:
    """Responses of features with some curves ``[feature, target]``, as squared, noisy amplitudes; foils are unheard."""
    rng = np.random.default_rng(seed)
    n, trials = len(GRID), contexts * len(GRID)
    index, context = np.tile(np.arange(n), contexts), np.repeat(np.arange(contexts), n)
    amplitude = curves.T[index] * np.exp(noise * rng.standard_normal((trials, len(curves))))
    square = np.stack([amplitude**2, np.full_like(amplitude, np.nan)]).astype(np.float32)
    none = np.full(trials, np.nan)
    table = TrialTable(
        np.full(trials, "tone"),
        context,
        index,
        GRID[index],
        np.full(trials, GRID[0]),
        context,
        context >= contexts // 2,
        none,
        none,
        none,
    )
    zero = np.zeros(len(curves))
    return Responses(table, 2, square, amplitude.astype(np.float32), zero, zero)


def curves(*places: float) -> np.ndarray:
    """A lobe at each place, one feature a row."""
    return 0.05 + np.exp(-0.5 * ((erb.rate(GRID) - np.array(places)[:, None]) / 1.5) ** 2)


def measured(of: list[np.ndarray], *, noise: float, contexts: int = 8, seed: int = 0) -> Variation:
    made = {
        name: family(curve, noise=noise, contexts=contexts, seed=seed + k)
        for k, (name, curve) in enumerate(zip(FAMILIES, of, strict=True))
    }
    return variation(made, GRID, partial.STRUCTURE, seed=0)


def test_one_curve_in_all_contexts_has_no_excess() -> None:
    """Quiet or noisy, estimation alone explains what varies, and the interval holds zero."""
    same = curves(*np.linspace(5, 20, 12))
    for noise in (0.1, 1.0):
        found = measured([same] * 3, noise=noise)
        value, low, high = found.mean(np.ones(12, bool))
        assert low < 0.02
        assert high > -0.02
        assert abs(value) < 0.05
        np.testing.assert_allclose(found.variation - found.noise, found.excess, atol=1e-12)
    assert found.noise.mean() > 0.2  # there was something to explain


def test_a_mixture_that_changes_with_context_has_an_excess() -> None:
    """Other frequencies in every family: variation near or above 1, noise near 0."""
    found = measured([curves(5.0, 8.0), curves(12.0, 15.0), curves(20.0, 21.0)], noise=0.3)
    value, low, high = found.mean(np.ones(2, bool))
    assert found.variation.min() > 0.9
    assert found.noise.max() < 0.2
    assert low <= value <= high
    assert low > 0.5
    assert (found.excess_low > 0.5).all()


def test_what_does_not_move_in_a_family_takes_no_part_there() -> None:
    """Silent in one family: the other two are compared; silent in two: undefined."""
    lobe, nothing = curves(9.0), np.zeros((1, len(GRID)))
    two = measured([nothing, lobe, lobe], noise=0.1)
    assert two.excess[0] == pytest.approx(0.0, abs=0.05)
    assert np.isnan(measured([nothing, nothing, lobe], noise=0.1).excess[0])


def test_few_contexts_have_no_interval() -> None:
    """Under eight contexts a value and no interval."""
    found = measured([curves(9.0)] * 3, noise=0.3, contexts=6)
    assert np.isfinite(found.excess[0])
    assert np.isnan(found.excess_low[0])
    assert np.isnan(found.mean(np.ones(1, bool))[1:]).all()
    assert np.isnan(found.mean(np.zeros(1, bool))).all()


def test_halves_share_no_context() -> None:
    """Splits use every context once; resamples draw within their half."""
    drawn = _halves(9, 5, 5, np.random.default_rng(0))
    assert (drawn.prod(axis=1) == 0).all()
    assert (drawn[:5].sum(axis=1) == 1).all()
    assert (drawn[5:].sum(axis=-1) == [4, 5]).all()
    assert drawn[5:].max() > 1
