"""p values against random directions: at the level for what is random, found where something was planted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tonotopy.measures.features import against, meaningless, tune
from tonotopy.measures.features.null import adjusted
from tonotopy.signal import erb

RATE = 16000


def tuned(made: Any, of: Any) -> Any:
    return tune(of, made.families, made.frequency_hz, RATE, resamples=0, vary=False)


@pytest.fixture(scope="module", name="site")
def _site(planted: Any) -> tuple[Any, Any]:
    """Tuned units on a background, and what random directions read there."""
    made = planted(n_frequencies=12, background=0.5, jitter=0.3)
    return made, tuned(made, meaningless(made.families["music"], directions=300, seed=1))


def test_tuned_units_stand_out(site: tuple[Any, Any]) -> None:
    """Channels near a target are found by their specificity after correction, with the smallest p there is."""
    made, null = site
    found = against(tuned(made, lambda x: x), null)
    away = np.abs(np.linspace(1.0, 33.0, 60)[:, None] - erb.rate(made.frequency_hz)).min(axis=1)
    near = np.flatnonzero(away < 0.4)
    assert found.found[near].mean() > 0.9
    assert found.p_specificity[near].min() == pytest.approx(1 / 101)
    assert found.null_specificity < 0.5


@pytest.mark.parametrize("seed", [2, 3])
def test_random_directions_are_at_the_level(site: tuple[Any, Any], seed: int) -> None:
    """Isotropic directions, and further ones of all kinds, reach p of .05 about as often as by chance, or less."""
    made, null = site
    rows = np.random.default_rng(seed).standard_normal((60, 200)).astype(np.float32)
    for of in (lambda x: x @ rows, meaningless(made.families["music"], directions=200, seed=seed)):
        found = against(tuned(made, of), null)
        assert np.mean(found.p_specificity <= 0.05) < 0.1
        assert found.found.mean() < 0.02


def test_undefined_features_have_no_p(site: tuple[Any, Any]) -> None:
    """A dead feature is NaN and does not count among those that are corrected for."""
    made, null = site
    found = against(tuned(made, lambda x: np.concatenate([x[..., 20:22], 0 * x[..., :1]], axis=-1)), null)
    assert np.isnan(found.p_specificity[2])
    assert np.isfinite(found.p_specificity[:2]).all()
    np.testing.assert_allclose(found.q_specificity[:2], adjusted(found.p_specificity[:2]))


def test_adjusted_is_benjamini_and_hochbergs() -> None:
    """By the definition: p times n over rank, made monotone from above."""
    p = np.array([0.02, 0.9, 0.001, np.nan, 0.02, 0.3])
    defined = np.isfinite(p)
    order = np.argsort(p[defined])
    by_hand = p[defined][order] * 5 / np.arange(1, 6)
    by_hand = np.minimum.accumulate(by_hand[::-1])[::-1]
    np.testing.assert_allclose(adjusted(p)[defined][order], np.minimum(by_hand, 1))
    assert np.isnan(adjusted(np.array([np.nan]))).all()
