"""A direction's unit is the mean evoked answer, and a random one moves as far along as much variance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonotopy.core.errors import InputError
from tonotopy.interventions.controls import with_controls
from tonotopy.interventions.direction import (
    Direction,
    covariance,
    evoked,
    moved_to,
    of_readout,
    random_like,
    stacked,
)
from tonotopy.readouts import fit


def lines(planted: Any) -> tuple[Any, Any, Any]:
    made = planted(units=20, n_frequencies=7)
    fitted = fit(made.training(), made.frequency_hz)
    return made, fitted["line"], fitted["plane"]


@pytest.mark.parametrize("along", ["pattern", "line"])
@pytest.mark.parametrize("kind", ["line", "plane"])
def test_one_step_reads_as_one(planted: Any, along: Any, kind: str) -> None:
    """What is moved is what is read: read^T move is the identity, for line and plane, either way."""
    made, line, plane = lines(planted)
    found = of_readout({"line": line, "plane": plane}[kind], made.families["music"], 3, along=along)
    assert np.allclose(found.read.T @ found.move, np.eye(found.read.shape[1]), atol=1e-9)


@pytest.mark.parametrize("along", ["pattern", "line"])
def test_strength_one_is_the_mean_evoked_answer(planted: Any, along: Any) -> None:
    """The reading rises by what adding the partial raises it by, on average."""
    made, line, _ = lines(planted)
    music = made.families["music"]
    found = of_readout(line, music, 2, along=along)
    assert float((evoked(music, 2) @ found.read).mean()) == pytest.approx(1.0)
    answer = line.weights[:, 0, 2] @ found.move[:, 0]
    assert answer == pytest.approx(float((evoked(music, 2) @ line.weights[:, 0, 2]).mean()))


def test_the_pattern_is_the_mean_change_and_the_line_the_smallest_step(planted: Any) -> None:
    """Of all steps that read as one, the line's is the shortest; the pattern is what the sound does."""
    made, line, _ = lines(planted)
    music = made.families["music"]
    pattern, own = (of_readout(line, music, 4, along=along) for along in ("pattern", "line"))
    assert np.allclose(pattern.move[:, 0], evoked(music, 4).mean(axis=0))
    assert np.allclose(own.move[:, 0] / np.linalg.norm(own.move), own.read[:, 0] / np.linalg.norm(own.read))
    assert np.linalg.norm(own.move) < np.linalg.norm(pattern.move)


@given(st.integers(3, 12), st.integers(0, 50), st.floats(0.0, 3.0))
def test_a_random_direction_moves_as_far_along_as_much_variance(units: int, seed: int, slope: float) -> None:
    """Whatever the spectrum of the covariance and wherever the direction lies in it."""
    rng = np.random.default_rng([seed, units])
    frames = rng.standard_normal((200, units)) @ rng.standard_normal((units, units))
    spread = covariance(frames * np.exp(-slope * np.arange(units)))
    step = rng.standard_normal((units, 2))
    like = Direction("own", step @ np.linalg.pinv(step.T @ step), step, np.zeros(units))
    found = random_like(like, spread, rng=rng)
    assert np.allclose(np.linalg.norm(found.move, axis=0), np.linalg.norm(step, axis=0))
    wanted, came = (np.einsum("uc,uv,vc->c", m, spread, m) for m in (step, found.move))
    assert np.allclose(came, wanted, rtol=1e-4)
    assert np.allclose(found.read.T @ found.move, np.eye(2), atol=1e-6)


def test_several_directions_read_each_for_itself(planted: Any) -> None:
    """Stacked directions keep their readings, and moving one does not move another's reading."""
    made, line, _ = lines(planted)
    music = made.families["music"]
    parts = [of_readout(line, music, k) for k in (1, 3, 5)]
    for along in ("line", "pattern"):
        both = stacked(parts, along=along)  # type: ignore[arg-type]
        assert np.allclose(both.read.T @ both.move, np.eye(3), atol=1e-8)


def test_controls_are_beside_and_as_long(planted: Any) -> None:
    """Own, wrong sign, others at least 3 ERB away, random ones; all of equal norm; the seed decides."""
    made, line, _ = lines(planted)
    music = made.families["music"]
    found = with_controls(line, music, made.frequency_hz, 3, n_random=4, n_other=2, seed=5)
    kinds = [name.split(" ")[0] for name in found]
    assert kinds == ["own", "wrong", "other", "other", *["random"] * 4]
    norms = [np.linalg.norm(d.move) for d in found.values()]
    assert np.allclose(norms, norms[0])
    assert np.array_equal(found["wrong sign"].move, -found["own"].move)
    again = with_controls(line, music, made.frequency_hz, 3, n_random=4, n_other=2, seed=5)
    assert all(np.array_equal(found[name].move, again[name].move) for name in found)
    there = with_controls(line, music, made.frequency_hz, 3, n_random=0, elsewhere=(line, music))
    assert "wrong site" in there


# ---- faults


def test_what_has_no_direction(planted: Any) -> None:
    """A frequency without a readout, one that evokes nothing, another site's, dependent ones."""
    made, line, _ = lines(planted)
    music = made.families["music"]
    line.valid[2] = False
    with pytest.raises(InputError, match="a target with a fitted readout"):
        of_readout(line, music, 2)
    with pytest.raises(InputError, match="there is no unit of strength"):
        of_readout(line, music.take(music.trials.frequency_index != 4), 4)
    own = of_readout(line, music, 3)
    other = Direction("b", np.ones((3, 1)), np.ones((3, 1)) / 3, np.zeros(3))
    with pytest.raises(InputError, match="it belongs to another site"):
        moved_to(own, other, name="b")
    with pytest.raises(InputError, match="independent directions"):
        stacked([own, own])
    with pytest.raises(InputError, match="at least one direction"):
        stacked([])
