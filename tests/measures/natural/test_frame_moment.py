"""The moment of a frame: the delay that reads most over defined bands, each at its best penalty."""

from __future__ import annotations

import numpy as np

from tonotopy.measures.natural.frame_moment import MOMENTS, best_delay, delays


def test_delays_lie_within_the_view_and_apart() -> None:
    """At least half a step apart, the middle first; a view shorter than a step has the middle alone."""
    for span in (64, 300, 1600, 8000):
        found = delays(span, 160.0)
        assert found[0] == span * MOMENTS[0]
        assert ((found >= 0) & (found <= span)).all()
        assert (np.diff(np.sort(found)) >= 80).all()
    assert len(delays(64, 160.0)) == 1
    assert len(delays(8000, 160.0)) == len(MOMENTS)


def test_the_best_delay_is_that_of_defined_bands() -> None:
    """A band that is not defined has no say, nor has a penalty that is not the best."""
    share = np.zeros((2, 2, 3, 2))  # block, penalty, delay, band
    share[0, 1, 2, 0] = 0.5
    share[1, 0, 1, 0] = 0.5
    share[:, :, 0, 1] = 0.9
    share[0, 0, :, 0] = -5.0
    assert best_delay(share, np.array([True, False])).tolist() == [2, 1]
    assert best_delay(share, np.array([False, True])).tolist() == [0, 0]
    assert best_delay(share, np.array([False, False])).tolist() == [0, 0]
