"""Ridge regression on held-out groups: nothing of the group held out is seen, each target has its own penalty."""

from __future__ import annotations

import numpy as np
import pytest

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


def test_the_best_penalty_of_some_targets_is_that_among_all() -> None:
    """Compared for a few targets in another order, the same penalty comes out as when all are compared."""
    rng = np.random.default_rng(3)
    moments = Moments(np.arange(6), 5, 4)
    for piece in range(6):
        x = rng.standard_normal((12, 5))
        moments.update(x, x[:, :4] * [3.0, 0.3, 0.0, 1.0] + rng.standard_normal((12, 4)), piece)
    known, some = validate(moments), validate(moments, columns=np.array([1, 3]))
    assert known is not None
    assert some is not None
    every = known.penalties(np.tile(np.arange(4), (4, 1)))
    assert (every == known.share().argmax(axis=1)).all()
    assert len(np.unique(every)) > 1
    assert (some.penalties(np.tile([1, 0], (4, 1))) == every[:, [3, 1]]).all()


@pytest.mark.parametrize("targets", [2, 40])
def test_few_and_many_targets_are_solved_alike(targets: int) -> None:
    """The way of solving depends on how many targets there are; the solution is that of the normal equations."""
    rng = np.random.default_rng(4)
    sums = Sums.of(rng.standard_normal((60, 6)), rng.standard_normal((60, targets)))
    system = sums.xx + 0.1 * np.mean(np.diagonal(sums.xx)) * np.eye(6)
    assert np.allclose(sums.ridge(0.1), np.linalg.solve(system, sums.xy), rtol=1e-10)
