"""Steering of outputs in rows: what the arrays hold, over pieces, p in the own direction's rows alone."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from tonotopy.interventions import OutputSteering, output_rows


def pushed(pieces: int) -> OutputSteering:
    """The own direction does all that the partial does; three random ones a fifth, a tenth and nothing of it."""
    names, strength = ("own", "random 0", "random 1", "random 2"), np.array([-1.0, 1.0])
    share = np.array([1.0, 0.2, 0.1, 0.0])
    gain = np.broadcast_to((share[:, None] * strength)[..., None], (4, 2, pieces)).copy()
    flat = np.broadcast_to(share[:, None], (4, pieces)).copy()
    return OutputSteering(
        site="a",
        target_hz=440.0,
        direction=names,
        strength=strength,
        asked=np.ones((4, 2), dtype=bool),
        cosine=np.array([1.0, 0.1, 0.0, 0.1]),
        piece=np.arange(pieces),
        gain=gain,
        specificity=np.abs(gain),
        near=np.full_like(gain, np.nan),
        sufficiency=gain,
        monotonicity=flat,
        sign=flat,
        gone=flat,
        damage=flat,
        present_size=np.ones(pieces),
    )


def test_rows_hold_what_was_measured() -> None:
    """Doses of a direction together; gain 1 is the partial itself; p is the least that three draws allow."""
    rows = output_rows(pushed(8))
    assert {len(getattr(rows, f.name)) for f in fields(rows)} == {8}
    assert rows.direction.tolist()[:4] == ["own", "own", "random 0", "random 0"]
    assert rows.gain.tolist()[:2] == rows.gain_low.tolist()[:2] == rows.gain_high.tolist()[:2] == [-1.0, 1.0]
    assert rows.p.tolist()[:2] == [0.25, 0.25]
    assert np.isnan(rows.p[2:]).all()
    assert rows.p_least.tolist()[:2] == [0.25, 0.25]
    assert np.allclose(rows.necessity[::2], [1.0, 0.2, 0.1, 0.0])
    assert np.isnan(rows.near).all()


def test_what_was_not_tried_has_no_row() -> None:
    """Random directions pushed at one dose have one row, and p at the other dose has fewer draws."""
    found = pushed(8)
    found.asked[3, 0] = False
    rows = output_rows(found)
    assert len(rows.gain) == 7
    assert rows.p_least.tolist()[:2] == [1 / 3, 0.25]


def test_few_pieces_leave_it_undefined() -> None:
    """Under eight pieces no interval, under three nothing."""
    assert np.isnan(output_rows(pushed(4)).gain_low).all()
    assert np.isfinite(output_rows(pushed(4)).gain).all()
    assert np.isnan(output_rows(pushed(2)).gain).all()
    assert np.isnan(output_rows(pushed(2)).p).all()
