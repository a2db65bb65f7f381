"""Claim 14 can come out either way: planted grids for each answer."""

from __future__ import annotations

import math

import pytest

from tonotopy.judgement.scaling import Model, Scaling, Share, scaling

NAN = math.nan


def share(value: float, half: float = 0.05) -> Share:
    """A share with an interval of a given half-width."""
    return Share(value, value - half, value + half)


def grid(coverage: list[list[float]], entangled: float = 0.4, half: float = 0.05) -> Scaling:
    """Rows are amounts of data, columns sizes of models."""
    models = [
        Model(10.0**column, float(row), share(value, half), share(entangled, half))
        for row, line in enumerate(coverage, start=1)
        for column, value in enumerate(line, start=4)
    ]
    return scaling(models)


@pytest.mark.parametrize(
    ("coverage", "entangled", "axes", "answer"),
    [
        ([[0.2, 0.5, 0.8], [0.2, 0.6, 0.8]], 0.4, ("improves", "undetermined"), "supported"),
        ([[0.2, 0.2], [0.5, 0.5]], 0.4, ("undetermined", "improves"), "supported"),
        ([[0.2, 0.5], [0.5, 0.8]], 0.0, ("improves", "improves"), "not supported"),
        ([[0.8, 0.4], [0.8, 0.4]], 0.4, ("worsens", "undetermined"), "not supported"),
        ([[0.2, 0.25], [0.2, 0.25]], 0.4, ("undetermined", "undetermined"), "undetermined"),
        ([[0.2, 0.8], [0.8, 0.2]], 0.4, ("undetermined", "undetermined"), "undetermined"),
        ([[0.2, 0.5], [0.5, 0.8]], 0.06, ("improves", "improves"), "undetermined"),
    ],
)
def test_each_answer(
    coverage: list[list[float]], entangled: float, axes: tuple[str, str], answer: str
) -> None:
    """Improvement along one axis is enough; entanglement that is gone, or coverage that falls, refutes."""
    found = grid(coverage, entangled)
    assert (found.axes["parameters"], found.axes["hours"]) == axes
    assert found.answer == answer
    assert found.largest.parameters == max(10.0**k for k in range(4, 4 + len(coverage[0])))


def test_overlapping_intervals_say_nothing() -> None:
    """The same values with wider intervals are undetermined."""
    assert grid([[0.3, 0.6]], half=0.1).axes == {"parameters": "improves"}
    assert grid([[0.3, 0.6]], half=0.2).axes == {"parameters": "undetermined"}


def test_undefined_intervals_say_nothing() -> None:
    """Under eight pieces there are none, and the claim stays open."""
    models = [Model(p, 1.0, Share(c, NAN, NAN), Share(0.4, NAN, NAN)) for p, c in ((1e4, 0.1), (1e6, 0.9))]
    found = scaling(models)
    assert (found.answer, found.entanglement) == ("undetermined", "undetermined")


def test_one_model_is_no_grid() -> None:
    """Without a second size or amount there is no axis to speak of."""
    found = grid([[0.5]])
    assert (found.axes, found.comparisons, found.answer) == ({}, (), "undetermined")


def test_unknown_hours_are_one_line() -> None:
    """Models whose data nobody told are compared by size alone."""
    models = [Model(p, NAN, share(c), share(0.4)) for p, c in ((1e4, 0.1), (1e6, 0.9))]
    assert scaling(models).axes == {"parameters": "improves"}
