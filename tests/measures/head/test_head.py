"""Logits with a stable answer to a partial are told from those without, and both from random directions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tonotopy.core.errors import InputError
from tonotopy.encoders import load_encoder
from tonotopy.measures.head import head_profile, head_weights
from tonotopy.measures.head.profile import _agreement
from tonotopy.recording import Recording
from tonotopy.signal import erb


def music(planted: Callable[..., Any], **told: Any) -> tuple[np.ndarray, Recording]:
    made = planted(families=("music",), contexts=9, **told)
    return made.frequency_hz, made.families["music"]


def test_a_tuned_logit_is_stable_at_its_frequency(planted: Callable[..., Any]) -> None:
    """Logits that read one unit each: the place of the largest answer is the unit's, consistent, of one sign."""
    grid, found = music(planted, jitter=0.3)
    centres = np.linspace(1.0, 33.0, 60)
    chosen = np.array([int(np.argmin(np.abs(centres - rate))) for rate in erb.rate(grid)])
    sign = np.where(np.arange(len(grid)) % 2, -1.0, 1.0)
    profile = head_profile(found, sign[:, None] * np.eye(60)[chosen], directions=96)
    own = np.arange(len(grid))
    np.testing.assert_allclose(profile.best_hz, grid)
    assert (profile.consistency[own, own] > 0.7).all()
    assert (profile.consistency_low[own, own] > 0.5).all()
    assert (profile.sign_agreement[own, own] == 1).all()
    assert (np.sign(profile.signed[own, own]) == sign).all()
    assert (profile.concentration > 0.5).all()
    assert (profile.concentration_p < 0.05).all()


def test_random_logits_are_at_the_null(planted: Callable[..., Any]) -> None:
    """Directions without meaning have even p values; where answers are drawn anew each time, nothing is consistent."""
    _, found = music(planted, jitter=0.3)
    rng = np.random.default_rng(5)
    profile = head_profile(found, rng.standard_normal((40, 60)), directions=192)
    assert np.mean(profile.consistency_p <= 0.05) < 0.15
    assert np.mean(profile.concentration_p <= 0.05) < 0.2
    _, noise = music(planted, code="noise")
    drawn = head_profile(noise, np.eye(60), directions=96)
    assert float(np.median(drawn.consistency)) < 0.2
    assert float(np.mean(drawn.sign_agreement)) == pytest.approx(0.5, abs=0.05)
    assert not (drawn.consistency_q <= 0.05).any()


def test_a_loudness_logit_is_no_better_than_random_directions(planted: Callable[..., Any]) -> None:
    """Answers to anything, in every context: consistent, flat over frequency, and so is every direction."""
    _, found = music(planted, code="loudness")
    weight = np.abs(np.random.default_rng(0).standard_normal((3, 60)))
    profile = head_profile(found, weight, directions=96)
    assert (profile.sign_agreement == 1).all()
    assert (profile.consistency_p > 0.05).all()
    assert profile.concentration == pytest.approx(1 / 9, abs=0.01)


def test_sign_agreement_by_hand() -> None:
    """Pairs across pieces only: one piece up twice, one up, one down: 2 + 0 of 2 + 2 + 1 pairs."""
    values = np.array([[[1.0], [1.0]], [[1.0], [0.0]], [[-1.0], [0.0]]])
    assert _agreement(values, np.arange(3)).item() == pytest.approx(2 / 5)
    assert np.isnan(_agreement(np.zeros((3, 2, 1)), np.arange(3))).all()


def test_undefined_and_wrong_input(planted: Callable[..., Any]) -> None:
    """Two pieces give no number, seven no interval; a dead logit is undefined; another site is refused."""
    few = planted(families=("music",), contexts=2).families["music"]
    assert np.isnan(head_profile(few, np.eye(60), directions=8).consistency).all()
    seven = planted(families=("music",), contexts=7).families["music"]
    some = head_profile(seven, np.concatenate([np.ones((2, 60)), np.zeros((1, 60))]), directions=8)
    assert np.isfinite(some.consistency[:2]).all()
    assert np.isnan(some.consistency_low).all()
    assert np.isnan(some.consistency[2]).all()
    assert np.isnan(some.best_hz[2])
    with pytest.raises(InputError, match=r"weights \[class, 60\]; got \(3, 59\)"):
        head_profile(seven, np.ones((3, 59)))


def test_weights_of_a_classifier() -> None:
    """Shape, norms and dimension are those of the layer; random classes are in no order; no head, no weights."""
    encoder = load_encoder("samplecnn-3-7", weights="random:0")
    found = head_weights(encoder)
    assert found.weight.shape[1] == encoder.site("head").units
    assert found.site == "head"
    np.testing.assert_allclose(found.norm, np.linalg.norm(found.weight, axis=1))
    assert 1 <= found.dimension <= min(found.weight.shape)
    assert found.neighbour_p > 0.01
    with pytest.raises(InputError, match="an encoder that ends in a linear layer; got phantom:cochlea"):
        head_weights(load_encoder("phantom:cochlea"))


def test_neighbouring_pitches_of_crepe_share_directions(data_dir: Path) -> None:
    """The trained head lays its 360 bins out in order."""
    path = next(iter(sorted((data_dir / "crepe_tiny").glob("*.pth"))), None)
    if path is None:
        pytest.skip("no weights of CREPE")
    found = head_weights(load_encoder("crepe-tiny", weights=str(path)))
    assert len(found.weight) == 360
    assert found.neighbour_cosine > found.neighbour_cosine_null + 0.3
    assert found.neighbour_p == pytest.approx(1 / 200)
