"""Rows of tables hold what the arrays hold, over pieces, each beside its controls."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from tonotopy.interventions import Reuse, pairs, steering, with_controls
from tonotopy.interventions.rows import reuse_rows, steering_rows


def reused(pieces: int) -> Reuse:
    """Three places of which the second loses half of the answer, and the third none."""
    left = np.array([0.0, 0.5, 1.0])
    names = ("own", "wrong sign", "other 300 Hz", "random 0", "random 1", "random 2")
    answer = np.ones((len(names), 3, pieces))
    answer[:2] = left[None, :, None]
    answer[2] = 0.9
    answer[-1] = 0.7  # one random direction takes .3 everywhere
    return Reuse(
        site="a",
        target=1000.0,
        direction=names,
        place=("a", "b", "c"),
        piece=np.arange(pieces),
        energy=answer**2,
        energy_intact=np.ones((3, pieces)),
        answer=answer,
        answer_intact=np.ones((3, pieces)),
        detection=np.full((len(names), 3), 0.6),
        detection_intact=np.full(3, 0.9),
        cosine=np.array([1.0, 1.0, 0.3, 0.2, 0.1, 0.4]),
    )


def test_reuse_in_rows() -> None:
    """The own direction's losses, random and others beside them, p, intervals from eight pieces."""
    rows = reuse_rows(reused(8))
    assert rows.later_site.tolist() == ["a", "b", "c"]
    assert rows.lost.tolist() == rows.lost_low.tolist() == rows.lost_high.tolist() == [1.0, 0.5, 0.0]
    assert rows.lost_energy.tolist() == [1.0, 0.75, 0.0]
    assert np.allclose(rows.lost_random, 0.1)
    assert np.allclose(rows.lost_random_high, 0.3)
    assert np.allclose(rows.lost_energy_random_high, 1 - 0.7**2)
    assert rows.p_least.tolist() == [0.25] * 3
    assert rows.random_cosine.tolist() == [0.2] * 3
    assert np.allclose(rows.lost_other, 0.1)
    assert rows.p.tolist() == [0.25, 0.25, 1.0]
    assert {len(getattr(rows, f.name)) for f in fields(rows)} == {3}
    assert rows.p_energy.tolist() == rows.p.tolist()
    assert np.isnan(reuse_rows(reused(4)).lost_low).all()
    assert np.isnan(reuse_rows(reused(2)).lost).all()


def test_reuse_beside_itself_in_rows() -> None:
    """Random directions that are the own one are no null: p and the most they take are undefined, the rest is there."""
    rows = reuse_rows(replace(reused(8), cosine=np.array([1.0, 1.0, 0.3, 0.99, 0.95, 0.4])))
    for name in ("p", "p_energy", "p_least", "lost_random_high", "lost_energy_random_high"):
        assert np.isnan(getattr(rows, name)).all()
    assert np.isfinite(rows.lost).all()
    assert rows.random_cosine.tolist() == [0.95] * 3


def test_reuse_where_a_site_does_not_answer_in_rows() -> None:
    """Answers of either sign in the intact model: nothing to lose, so no share, no interval, no p; energy stays."""
    silent = reused(8)
    silent.answer_intact[1] = np.array([1.0, -1.0] * 4) + 0.01
    rows = reuse_rows(silent)
    for name in ("lost", "lost_low", "lost_high", "lost_random", "lost_random_high", "lost_other", "p"):
        assert np.isnan(getattr(rows, name)).tolist() == [False, True, False]
    assert np.isfinite(rows.lost_energy).all()


def test_steering_in_rows(cochlea: Any) -> None:
    """One row a direction and dose, in their order; p in the own direction's rows alone."""
    sounds = pairs(cochlea.design, 5, cochlea.music, cochlea.levels, seconds=0.6)
    directions = with_controls(
        cochlea.lines["cochlea"], cochlea.scale("cochlea"), cochlea.design.frequency_hz, 5, n_random=2
    )
    found = steering(cochlea.encoder, "cochlea", directions, sounds, strengths=(-1, 1), tracked=False)
    rows = steering_rows(found)
    n = 2 * len(directions)
    assert {len(getattr(rows, f.name)) for f in fields(rows)} == {n}
    assert rows.direction[:4].tolist() == ["own", "own", "wrong sign", "wrong sign"]
    assert rows.strength[:4].tolist() == [-1, 1, -1, 1]
    assert rows.specificity[1] == pytest.approx(found.specificity[0, 1].mean())
    assert rows.p[1] == pytest.approx(1 / 3)
    assert np.isnan(rows.p[2:]).all()
    assert rows.p_least[:2].tolist() == [1 / 3, 1 / 3]
    assert 0 <= rows.random_cosine[1] < 0.9
    assert np.isnan(rows.p_least[2:]).all()
    assert np.isnan(rows.random_cosine[2:]).all()
    assert (rows.present_specificity == rows.present_specificity[0]).all()


def test_further_random_directions_have_the_row_of_strength_one(cochlea: Any) -> None:
    """All count at strength 1, those that were tried at others; what was not tried has no row."""
    sounds = pairs(cochlea.design, 5, cochlea.music, cochlea.levels, seconds=0.6)
    directions = with_controls(
        cochlea.lines["cochlea"],
        cochlea.scale("cochlea"),
        cochlea.design.frequency_hz,
        5,
        n_random=5,
        n_other=0,
    )
    found = steering(cochlea.encoder, "cochlea", directions, sounds, strengths=(-1, 1), n_full=1)
    rows = steering_rows(found)
    assert rows.strength.tolist() == [-1, 1] * 3 + [1] * 4
    assert rows.p_least[:2].tolist() == [1 / 2, 1 / 6]
    assert rows.p[1] == pytest.approx(1 / 6)
    assert np.isfinite(rows.specificity).all()
    assert np.isfinite(rows.necessity).tolist() == [True] * 6 + [False] * 4
    whole = steering(cochlea.encoder, "cochlea", directions, sounds, strengths=(-1, 1), tracked=False)
    for name in ("specificity", "quality", "gain_db", "sufficiency_latent"):
        kept = np.where(found.asked[..., None], getattr(whole, name), np.nan)
        assert np.allclose(getattr(found, name), kept, rtol=1e-4, atol=1e-6, equal_nan=True)
