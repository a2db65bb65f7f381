"""Pieces are the unit: long ones weigh no more, few leave things undefined, p counts draws."""

from __future__ import annotations

import numpy as np
import pytest

from tonotopy.interventions.doses import monotonicity, sign_share
from tonotopy.interventions.pieces import over_pieces, p_value, ratio_over_pieces


def test_a_piece_with_many_trials_weighs_as_one() -> None:
    """Means of means; a quotient of sums weighs by what there is."""
    piece = np.array([0, 0, 0, 1, 2])
    values = np.array([[3.0, 3, 3, 0, 0]])
    assert over_pieces(values, piece).value.tolist() == [1.0]
    top, bottom = np.array([1.0, 1, 1, 0, 0]), np.ones(5)
    assert float(ratio_over_pieces(top, bottom, piece).value) == pytest.approx(0.6)


@pytest.mark.parametrize(("n", "defined", "interval"), [(2, False, False), (3, True, False), (8, True, True)])
def test_few_pieces_leave_things_undefined(n: int, defined: bool, interval: bool) -> None:
    """Under 3 everything, under 8 intervals."""
    found = over_pieces(np.random.default_rng(0).uniform(size=n), np.arange(n))
    assert np.isfinite(found.value) == defined
    assert np.isfinite(found.low) == np.isfinite(found.high) == interval


def test_an_undefined_trial_takes_no_part() -> None:
    """NaN is no zero, and a piece of NaN alone is no piece."""
    found = over_pieces(np.array([1.0, np.nan, 2.0, 3.0, np.nan]), np.array([0, 0, 1, 2, 3]))
    assert float(found.value) == pytest.approx(2.0)
    assert np.isnan(over_pieces(np.array([1.0, np.nan, 2.0]), np.array([0, 1, 2])).value)


def test_the_interval_holds_the_mean_and_narrows_with_pieces() -> None:
    """A bootstrap over pieces."""
    rng = np.random.default_rng(1)
    few, many = (over_pieces(rng.normal(size=n), np.arange(n), seed=2) for n in (8, 80))
    assert few.low < few.value < few.high
    assert many.high - many.low < few.high - few.low


@pytest.mark.parametrize("n", [4, 12])
def test_a_share_of_what_may_be_nothing_is_undefined(n: int) -> None:
    """Of noise around 0, either sign; of what is surely there it is defined, and the sum's sign matters."""
    rng = np.random.default_rng(3)
    top, piece = rng.standard_normal((200, n)), np.arange(n)
    noise = rng.standard_normal((200, n))
    assert np.isnan(ratio_over_pieces(top, noise, piece).value).mean() > 0.8
    there = ratio_over_pieces(top, 1 + 0.1 * np.abs(noise), piece)
    assert np.isfinite(there.value).all()
    assert np.isfinite(there.low).all() == (n >= 8)
    gone = ratio_over_pieces(top, -1 - np.abs(noise), piece)
    assert np.isnan(gone.value).all()
    assert np.isnan(gone.low).all()


def test_p_counts_draws() -> None:
    """(1 + as large) / (1 + draws); undefined where a draw is."""
    draws = np.array([[0.0, 0.0], [1.0, np.nan], [2.0, 0.0]])
    assert np.array_equal(p_value(np.array([1.0, 1.0]), draws), [0.75, np.nan], equal_nan=True)
    assert np.isnan(p_value(np.array([1.0]), np.empty((0, 1)))).all()


def test_doses() -> None:
    """More gives more: 1; less gives more: -1; an undefined effect leaves the curve undefined."""
    strength = np.array([-1.0, 0.5, 1.0, 2.0])
    effect = np.stack([strength, -strength, np.where(strength > 1, np.nan, strength)], axis=1)
    assert np.array_equal(monotonicity(strength, effect).round(9), [1, -1, np.nan], equal_nan=True)
    assert np.isnan(monotonicity(np.array([0.0, 1.0]), np.array([[0.0], [1.0]]))).all()
    assert sign_share(strength, effect).tolist() == [1, 0, 1]
    assert np.isnan(sign_share(strength, np.full((4, 1), np.nan))).all()
