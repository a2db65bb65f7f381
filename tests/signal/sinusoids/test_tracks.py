"""A table of tracks is what it says, and its summaries are those of its points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tonotopy.core.errors import InputError
from tonotopy.signal.sinusoids import Tracks

TRACK = np.array([0, 0, 1, 1, 1, 2])
FRAME = np.array([0, 1, 1, 2, 3, 0])
HZ = np.array([100.0, 102.0, 1000.0, 1000.0, 1000.0, 1010.0])
AMPLITUDE = np.array([0.1, 0.2, 1.0, 1.0, 1.0, 0.5])


def tracks(**changes: Any) -> Tracks:
    """Three tracks in four frames."""
    columns = {
        "track": TRACK,
        "frame": FRAME,
        "frequency_hz": HZ,
        "amplitude": AMPLITUDE,
        "phase_rad": 0 * HZ,
    }
    return Tracks(**({"sample_rate_hz": 1000, "hop": 10, "n_samples": 40, "n_frames": 4} | columns | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"track": TRACK[:3]}, "expected five columns of one length"),
        ({"track": TRACK + 1}, "expected rows sorted by"),
        ({"track": np.array([0, 0, 2, 2, 2, 3])}, "expected rows sorted by"),
        ({"frame": np.array([0, 2, 1, 2, 3, 0])}, "expected rows sorted by"),
        ({"n_frames": 3}, "expected frames from 0 to 2; got 0 to 3"),
        ({"frame": FRAME - 1}, "expected frames from 0 to 3; got -1 to 2"),
    ],
)
def test_wrong_columns(changes: dict[str, Any], message: str) -> None:
    """Columns that make no tracks are refused."""
    with pytest.raises(InputError, match=message):
        tracks(**changes)


def test_summaries() -> None:
    """Numbers of tracks and points, durations, mean frequencies and levels, by hand."""
    made = tracks()
    assert (made.n_tracks, len(made)) == (3, 6)
    np.testing.assert_array_equal(made.first_row, [0, 2, 5, 6])
    np.testing.assert_allclose(made.duration_s(), [0.02, 0.03, 0.01])
    np.testing.assert_allclose(made.mean_frequency_hz(), [(100 * 0.01 + 102 * 0.04) / 0.05, 1000, 1010])
    np.testing.assert_allclose(made.level_db()[1:], 10 * np.log10([0.5, 0.125]))
    np.testing.assert_allclose(made.time_s, FRAME * 0.01)


def test_take() -> None:
    """By mask or by number, in the order given, numbered anew."""
    made = tracks()
    by_mask, by_number = made.take(np.array([True, False, True])), made.take([2, 0])
    np.testing.assert_array_equal(by_mask.frequency_hz, [100, 102, 1010])
    np.testing.assert_array_equal(by_mask.track, [0, 0, 1])
    np.testing.assert_array_equal(by_number.frequency_hz, [1010, 100, 102])
    np.testing.assert_array_equal(by_number.track, [0, 1, 1])
    assert made.take([]).n_tracks == 0
    for wrong in ([3], [-1], [0, 0], [[0]], np.array([True])):
        with pytest.raises(InputError):
            made.take(wrong)


def test_bands() -> None:
    """Powers of the partials within a band add; nothing is 0 as a power, undefined as a level."""
    made = tracks()
    power = made.band_power([100.0, 1005.0, 5000.0])
    expected = [[0.005, 0.125, 0], [0.02, 0.5, 0], [0, 0.5, 0], [0, 0.5, 0]]
    np.testing.assert_allclose(power, expected, atol=1e-15)
    level = made.band_level_db([100.0, 1005.0])
    np.testing.assert_allclose(level[0], 10 * np.log10([0.005, 0.125]))
    assert np.isnan(level[2, 0])
    assert made.band_power([1000.0], width_erb=0.01)[0, 0] == 0
    empty = made.take([])
    assert empty.band_power([100.0]).shape == (4, 1)
    assert len(empty.duration_s()) == len(empty.level_db()) == len(empty.mean_frequency_hz()) == 0
