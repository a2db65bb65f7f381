"""Tuning curves: best targets, signs, widths and lobes are those that were planted, whatever scale they come in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonotopy.measures.features.responses import responses
from tonotopy.measures.features.tuning import correlation, curve, place, shape, tuning
from tonotopy.signal import erb
from tonotopy.sound.structures import partial, structure

GRID = erb.frequency_hz(np.arange(3.0, 31.0))
CENTRES = np.linspace(1.0, 33.0, 60)  # of the planted units, ERB-rate


def tuned(made: Any, rows: np.ndarray, **words: Any) -> Any:
    """Curves of features that are directions ``[feature, unit]``."""
    found = {name: responses(lambda x: x @ rows.T, recording) for name, recording in made.families.items()}
    return tuning(found, made.frequency_hz, partial.STRUCTURE, **words)


def test_best_frequency_and_sign_are_those_planted(planted: Any) -> None:
    """Each channel's best target is the one nearest to its centre; a channel turned over falls there."""
    made = planted(n_frequencies=24, background=0.05)
    turned = np.eye(60) * np.where(np.arange(60) % 3, 1.0, -1.0)[:, None]
    found = tuned(made, turned)
    rate = erb.rate(made.frequency_hz)
    distance = np.abs(rate[found.best] - CENTRES)
    inside = (rate[0] <= CENTRES) & (rate[-1] >= CENTRES)
    assert distance[inside].max() <= 0.51 * (rate[1] - rate[0]) + 0.05
    np.testing.assert_array_equal(found.sign[inside], np.diagonal(turned)[inside])
    assert np.median(found.correlation[inside]) > 0.9


def test_choice_ignores_music_and_held_out_trials(planted: Any) -> None:
    """Other music and other test contexts leave best targets and signs alone; other training contexts do not."""
    rows = np.random.default_rng(0).standard_normal((20, 60))
    chosen = []
    for family, test in ((None, None), ("music", None), ("tone", True), ("tone", False)):
        made = planted(n_frequencies=9)
        if family:
            recording = made.families[family]
            some = np.ones(len(recording.trials), bool) if test is None else recording.trials.test == test
            recording.core[some, 1] += 30 * recording.core[some, 1, :, ::-1]
        found = tuned(made, rows)
        chosen.append(found.best * found.sign)
    np.testing.assert_array_equal(chosen[1], chosen[0])
    np.testing.assert_array_equal(chosen[2], chosen[0])
    assert (chosen[3] != chosen[0]).any()


def test_targets_left_out_are_not_chosen(planted: Any) -> None:
    """What is out of band is no feature's best."""
    made = planted(n_frequencies=9)
    out = np.arange(9) >= 6
    assert tuned(made, np.eye(60), left_out=out).best.max() == 5


@given(st.floats(1e-3, 1e3), st.integers(0, 5))
def test_curves_follow_the_scale_of_a_feature(scale: float, seed: int) -> None:
    """Twice the feature has twice the curve, and the same width and lobes."""
    curves = np.random.default_rng(seed).uniform(0, 1, (4, 28))
    one, other = shape(curves, GRID), shape(scale * curves, GRID)
    np.testing.assert_allclose(other.width_erb, one.width_erb, rtol=1e-6)
    np.testing.assert_array_equal(other.lobes, one.lobes)
    np.testing.assert_allclose(correlation(scale * curves[None]), correlation(curves[None]), atol=1e-9)


def bump(*places: float, height: tuple[float, ...] = (1.0, 0.8, 0.9), sd: float = 0.6) -> np.ndarray:
    rate = erb.rate(GRID)
    return sum(
        h * np.exp(-0.5 * ((rate - p) / sd) ** 2) for p, h in zip(places, height[: len(places)], strict=True)
    )


@pytest.mark.parametrize("places", [(9.0,), (9.0, 20.0), (9.0, 14.0, 25.0), (3.0, 30.0)])
def test_lobes_are_where_they_were_put(places: tuple[float, ...]) -> None:
    """As many components as were planted, the highest first, at the ends of the axis too."""
    found = shape(bump(*places)[None], GRID)
    assert found.lobes[0] == len(places)
    components = erb.rate(found.component_hz[0, : len(places)])
    np.testing.assert_allclose(np.sort(components), places, atol=1e-6)
    assert components[0] == pytest.approx(places[0])


def test_a_shoulder_and_a_ripple_are_no_lobes() -> None:
    """Two bumps without a dip between them are one lobe, and so is a ripple; a small one below half is none."""
    ripple = 0.9 + 0.05 * np.cos(np.pi * np.arange(len(GRID)))
    shoulder = bump(15.0, 16.5, height=(1.0, 0.9))
    small = bump(9.0, 20.0, height=(1.0, 0.4))
    assert shape(np.stack([ripple, shoulder, small]), GRID).lobes.tolist() == [1, 1, 1]
    assert shape(ripple[None], GRID).above_half[0] == 1.0


def test_width_is_that_of_a_gaussian() -> None:
    """Width at half of the peak is 2.355 standard deviations, and the whole axis for a flat curve."""
    fine = erb.frequency_hz(np.arange(3.0, 31.0, 0.25))
    rate = erb.rate(fine)
    wide = np.exp(-0.5 * ((rate - 15.0) / 2.0) ** 2)
    found = shape(np.stack([wide, np.ones(len(fine))]), fine)
    assert found.width_erb[0] == pytest.approx(2.355 * 2.0, abs=0.02)
    assert found.width_erb[1] == pytest.approx(rate[-1] - rate[0])


def test_what_does_not_move_has_no_shape() -> None:
    """A flat zero and a curve that is not whole have no width and no lobe, and no correlation."""
    curves = np.stack([np.zeros(28), np.where(np.arange(28) == 3, np.nan, 1.0)])
    found = shape(curves, GRID)
    assert np.isnan(found.width_erb).all()
    assert found.lobes.tolist() == [0, 0]
    assert np.isnan(correlation(np.zeros((1, 3, 28)))).all()


def test_foils_count_for_the_nearest_target() -> None:
    """On an axis the nearest target within half a step; of chords the chord itself."""
    assert place(np.array([GRID[3], GRID[4] * 1.01, 10.0, 20000.0]), GRID, partial.STRUCTURE).tolist() == [
        3,
        4,
        -1,
        -1,
    ]
    chords = np.array([0.0, 5.0, 12.0])
    assert place(np.array([5.0, 12.0, 13.0]), chords, structure("chord")).tolist() == [1, 2, -1]


def test_a_curve_is_the_mean_square_over_trials_and_foils(planted: Any) -> None:
    """By hand, for one target of one family."""
    made = planted(n_frequencies=5, jitter=0.5)
    tone = made.families["tone"]
    trials = tone.trials
    change = tone.core[:, 1:, :, 7].astype(np.float64) - tone.core[:, :1, :, 7]
    number = place(trials.foil_hz, made.frequency_hz, partial.STRUCTURE)
    squares = [*(change[trials.frequency_index == 2, 0] ** 2), *(change[number == 2, 1] ** 2)]
    found = curve(responses(lambda x: x[..., 7:8], tone), made.frequency_hz, partial.STRUCTURE)
    assert found[2, 0] == pytest.approx(np.mean(squares), rel=1e-5)
