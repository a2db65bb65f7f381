"""Means over windows of time for some frames alone: the same numbers, bit by bit, in less memory."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from tests.measures.natural.planted_pitches import made, nothing

from tonotopy.measures.natural.pitch_decoding import averaged


@pytest.mark.parametrize("window_s", [0.0, 0.11, 0.31, 100.0])
def test_means_of_some_frames_are_those_of_all(window_s: float) -> None:
    """Whichever frames are asked for, in any order, frames themselves in any order."""
    natural, _, _ = made(nothing, pieces=4)
    rng = np.random.default_rng(0)
    order = rng.permutation(len(natural.frames))
    natural = replace(
        natural, frames=natural.frames[order], piece=natural.piece[order], start=natural.start[order]
    )
    x = rng.standard_normal((len(order), 7)).astype(np.float32)
    every = averaged(x, natural, window_s)
    for rows in (rng.permutation(len(x))[:50], np.flatnonzero(natural.piece == 2), np.array([5]), order[:0]):
        found = averaged(x, natural, window_s, rows)
        assert found.dtype == every.dtype
        np.testing.assert_array_equal(found, every[rows])


def test_memory_is_that_of_the_frames_asked_for() -> None:
    """Few frames of many pieces take the double-precision sums of one piece, not of all."""
    natural, _, _ = made(nothing, pieces=24)
    x = np.ones((len(natural.frames), 200), np.float32)
    tracemalloc.start()
    averaged(x, natural, 0.31, np.arange(0, len(x), 60))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * x.size / 4
