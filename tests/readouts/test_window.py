"""Windows of consecutive frames: from one frame to the asked view, growing, thinned where too large."""

from __future__ import annotations

import itertools

import pytest

from tonotopy.encoders import Site
from tonotopy.readouts.window import LIMIT, STEP, lags_to_record, windows


@pytest.mark.parametrize(
    ("view", "hop", "units", "longest"),
    [
        (7, 4, 64, 1000),
        (64, 16, 16, 64),
        (64, 16, 16, 79),
        (64, 16, 16, 80),
        (10, 10, 2000, 500),
        (512, 64, 8, 100),
    ],
)
def test_windows_reach_the_asked_view_and_no_further(view: int, hop: int, units: int, longest: int) -> None:
    """From one frame upwards; the last is the largest that fits; the view is what the frames span."""
    found = windows(Site("s", "first_conv", hop, view, 0, units), longest)
    assert found[0].frames == 1
    assert [w.frames for w in found] == sorted({w.frames for w in found})
    for window in found:
        assert window.view_samples == view + (window.frames - 1) * hop
        assert window.view_samples <= max(longest, view)
        assert window.lags[0] == 0
        assert window.lags[-1] == (window.frames - 1 if len(window.lags) > 1 else 0)
        assert len(window.lags) * units <= max(LIMIT, units)
        assert window.thinned == (len(window.lags) < window.frames)
    for before, after in itertools.pairwise(found):
        assert after.frames <= STEP * before.frames
    assert STEP == 4
    assert found[-1].view_samples + hop > longest or view >= longest
    recorded = lags_to_record(found)
    assert set(recorded.tolist()) == {int(lag) for window in found for lag in window.lags}
