"""Power: the rank-one refit equals planting into the arrays and fitting again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tonotopy.measures import JUDGED, measure, tally
from tonotopy.measures.power import STRENGTHS, gains, plant, threshold
from tonotopy.readouts import fit
from tonotopy.recording import Recording
from tonotopy.signal import erb
from tonotopy.sound.trials import EXTRA

RATE = 16000


def really_planted(recording: Recording, direction: np.ndarray, frequency_hz: float) -> Recording:
    """The recording with the direction added to every sound that has the partial."""
    core, extra = gains(recording, frequency_hz)
    added = recording.core + (core[:, :, None, None] * direction).astype(np.float32)
    if recording.extra is None or extra is None:
        return Recording(recording.trials, added)
    return Recording(
        recording.trials, added, recording.extra + (extra[:, :, None, None] * direction).astype(np.float32)
    )


@pytest.mark.parametrize("strength", [0.03, 0.3, 3.0])
def test_refit_equals_planting(planted: Any, strength: float) -> None:
    """Weak, middling and strong: all judged measures of the planted target are those of a real fit."""
    made = planted(code="noise", background=1.0, n_frequencies=7, units=16, contexts=6)
    training, music, grid, index, seed = made.training(), made.families["music"], made.frequency_hz, 4, 5
    (quick,) = plant(training, music, grid, index, RATE, strengths=(strength,), seed=seed)
    rng = np.random.default_rng([seed, index])
    u = rng.standard_normal(16)
    u /= np.linalg.norm(u)
    flat = music.absent.reshape(-1, 16).astype(np.float64)
    u = u * strength * np.sqrt(np.sum(flat.var(axis=0)))
    line = fit(really_planted(training, u, grid[index]), grid, kinds=["line"])["line"]
    slow = measure(tally(line, really_planted(music, u, grid[index]), grid, RATE), np.ones((1, 6)))
    for name in (*JUDGED, "tonality"):
        expected = slow.point(name)[index]
        assert np.isfinite(expected)
        assert quick.measures.point(name)[index] == pytest.approx(expected, rel=2e-3, abs=2e-3), name


def test_strength_helps(planted: Any) -> None:
    """What is not seen when weak is stable when strong, and the tuning is seen as specific."""
    made = planted(code="noise", background=1.0, n_frequencies=9, units=48, contexts=8)
    weak, strong = plant(
        made.training(), made.families["music"], made.frequency_hz, 4, RATE, strengths=(0.003, 30.0), seed=0
    )
    assert weak.measures.point("detection")[4] < 0.75
    assert strong.measures.point("detection")[4] > 0.99
    assert strong.measures.point("specificity")[4] > 0.8 > weak.measures.point("specificity")[4]


def test_threshold_is_the_least_strength_from_which_all_are_seen() -> None:
    """Below it something is missed; a lucky weak plant does not count; NaN where even the strongest is missed."""
    seen = {s: [s >= 0.1] * 20 for s in STRENGTHS}
    assert threshold(seen) == 0.1
    assert threshold(seen | {0.01: [True] * 20}) == 0.1
    assert threshold(seen | {0.3: [True] * 18 + [False] * 2}) == 1.0
    assert threshold(seen | {0.3: [True] * 19 + [False]}) == 0.1
    assert np.isnan(threshold(seen | {3.0: [False] * 20}))


def test_gains_are_those_of_the_sounds(planted: Any) -> None:
    """What a planted unit of .5 ERB answers to each sound, by hand: amplitudes add, levels are amplitudes."""
    made = planted(n_frequencies=7, units=4)
    music, hz = made.families["music"], float(made.frequency_hz[3])
    trials = music.trials
    core, extra = gains(music, hz)

    def tuned(presented: np.ndarray) -> np.ndarray:
        return np.nan_to_num(np.exp(-2.0 * (erb.rate(presented) - erb.rate(hz)) ** 2))

    target, neighbour = tuned(trials.frequency_hz), tuned(trials.neighbour_hz)
    np.testing.assert_allclose(core, np.stack([0 * target, target, tuned(trials.foil_hz)], axis=1))
    assert extra is not None
    by_name = dict(zip(EXTRA, extra.T, strict=True))
    np.testing.assert_allclose(by_name["noise"], target)
    np.testing.assert_allclose(by_name["level+18"], target * 10 ** (12 / 20))
    np.testing.assert_allclose(by_name["level-24"], target * 10 ** (-30 / 20))
    np.testing.assert_allclose(by_name["neighbour_present"] - by_name["neighbour"], target, atol=1e-12)
    np.testing.assert_allclose(by_name["neighbour"], neighbour)
    np.testing.assert_allclose(by_name["probe_present"], tuned(trials.probe_hz))
    assert not by_name["probe_absent"].any()
