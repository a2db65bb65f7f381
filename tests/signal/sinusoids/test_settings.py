"""Settings that make no sense are refused in words; a plan has whole samples at any rate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonotopy.core.errors import InputError
from tonotopy.signal.sinusoids import Settings
from tonotopy.signal.sinusoids.settings import plan


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"hop_s": 0.0}, "expected a positive hop_s; got 0.0"),
        ({"hop_s": float("nan")}, "expected finite hop_s; got nan"),
        ({"jump_erb": -1.0}, "expected a positive jump_erb; got -1.0"),
        ({"gap_frames": -1}, "expected gap_frames of at least 0; got -1"),
        ({"peak_db": -1.0}, "expected peak_db of at least 0; got -1.0"),
        ({"highest_ratio": 0.6}, "expected highest_ratio above 0 and at most 0.5; got 0.6"),
        ({"edges_hz": (100.0,)}, "expected one edge fewer than windows; got (100.0,) Hz for (0.17, 0.085, 0.0425) s"),
        (
            {"windows_s": (0.1, 0.2, 0.05)},
            "expected positive windows, longest first; got (0.1, 0.2, 0.05) s",
        ),
        (
            {"edges_hz": (4000.0, 1000.0)},
            "expected a lowest frequency above 0 Hz and rising edges above it; got (40.0, 4000.0, 1000.0) Hz",
        ),
    ],
)  # fmt: skip
def test_wrong_settings(wrong: dict[str, Any], message: str) -> None:
    """Each says what was expected and what came."""
    with pytest.raises(InputError) as error:
        Settings(**wrong)
    assert str(error.value) == message


@pytest.mark.parametrize("rate", [0, -1, 44100.5, float("nan"), float("inf"), 1e9, "24000"])
def test_wrong_rates(rate: Any) -> None:
    """Only whole, positive, plausible rates."""
    with pytest.raises(InputError, match="expected a sample rate in whole Hz, from 1 to 10 million; got"):
        plan(Settings(), rate)


def test_rate_too_low() -> None:
    """Where nothing can be seen, it says from which rate on."""
    with pytest.raises(InputError) as error:
        plan(Settings(), 80)
    assert str(error.value) == (
        "expected a sample rate above 85.1064 Hz; got 80 Hz; "
        "likely cause: the lowest frequency to look for is 40 Hz"
    )


@given(rate=st.integers(90, 400_000))
def test_plan_covers_the_axis(rate: int) -> None:
    """Bands join from the lowest to the highest frequency, windows are even and about as long as asked."""
    made = plan(Settings(), rate)
    assert made.bands[0].low_hz == 40.0
    assert made.bands[-1].high_hz == pytest.approx(0.47 * rate)
    assert all(a.high_hz == b.low_hz for a, b in zip(made.bands, made.bands[1:], strict=False))
    assert all(band.size % 2 == 0 for band in made.bands)
    assert abs(made.hop - 0.01 * rate) <= 0.5 or made.hop == 1
    assert made == plan(Settings(), np.int64(rate))
