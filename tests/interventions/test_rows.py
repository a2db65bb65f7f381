"""Rows of tables hold what the arrays hold, over pieces, each beside its controls."""

from __future__ import annotations

from dataclasses import fields
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
    )


def test_reuse_in_rows() -> None:
    """The own direction's losses, random and others beside them, p, intervals from eight pieces."""
    rows = reuse_rows(reused(8))
    assert rows.later_site.tolist() == ["a", "b", "c"]
    assert rows.lost.tolist() == rows.lost_low.tolist() == rows.lost_high.tolist() == [1.0, 0.5, 0.0]
    assert rows.lost_energy.tolist() == [1.0, 0.75, 0.0]
    assert np.allclose(rows.lost_random, 0)
    assert np.allclose(rows.lost_other, 0.1)
    assert rows.p.tolist() == [0.25, 0.25, 1.0]
    assert {len(getattr(rows, f.name)) for f in fields(rows)} == {3}
    assert np.isnan(reuse_rows(reused(4)).lost_low).all()
    assert np.isnan(reuse_rows(reused(2)).lost).all()


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
    assert (rows.present_specificity == rows.present_specificity[0]).all()
