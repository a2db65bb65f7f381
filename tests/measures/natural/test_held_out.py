"""Ridge regression on held-out groups: nothing of the group held out is seen, each target has its own penalty."""

from __future__ import annotations

import numpy as np

from tonotopy.measures.natural.held_out import fit_each, try_out, validate
from tonotopy.measures.natural.moments import Moments, Sums

Array = np.ndarray


def test_the_penalty_never_sees_the_group_held_out() -> None:
    """What is chosen for a group does not change when that group's block becomes something else."""
    rng = np.random.default_rng(0)
    group = np.arange(8)
    data = [(rng.standard_normal((50, 4)), rng.standard_normal((50, 2))) for _ in group]

    def errors(data: list[tuple[Array, Array]]) -> Array:
        moments = Moments(group, 4, 2)
        for piece, (x, y) in enumerate(data):
            moments.update(x, y, piece)
        known = validate(moments)
        assert known is not None
        assert known.block[:2].tolist() == [0, 0]
        return known.error[0]

    changed = [(x + 9, y * 5 - 3) if piece < 2 else (x, y) for piece, (x, y) in enumerate(data)]
    assert np.allclose(errors(data), errors(changed))


def test_a_fit_is_tried_on_what_it_has_not_seen() -> None:
    """With as many features as frames, noise fits itself perfectly and explains nothing held out."""
    rng = np.random.default_rng(1)
    moments = Moments(np.arange(4), 60, 1)
    for piece in range(4):
        moments.update(rng.standard_normal((20, 60)), rng.standard_normal((20, 1)), piece)
    known = validate(moments)
    assert known is not None
    column, penalty = np.zeros((4, 1), np.int64), np.zeros((4, 1), np.int64)
    assert try_out(moments, known, column, penalty).share()[0] < 0


def test_each_target_has_its_own_penalty() -> None:
    """Fitted together, targets have the weights that each has alone under its penalty."""
    rng = np.random.default_rng(2)
    sums = Sums.of(rng.standard_normal((40, 3)), rng.standard_normal((40, 4)))
    penalties, chosen = (1e-3, 1.0), np.array([1, 0, 0, 1])
    found = fit_each(sums, chosen, penalties)
    for target, choice in enumerate(chosen):
        alone = sums.targets(np.array([target])).ridge(penalties[choice])
        assert np.allclose(found[:, target], alone[:, 0])
    assert not np.allclose(found, sums.ridge(1.0))
