"""Limits of view and hop, and which frequencies they leave resolvable."""

from __future__ import annotations

import numpy as np
import pytest

from tonotopy.anatomy import resolvable
from tonotopy.anatomy.limits import carrier_limit_hz, carrier_sentence, hz, resolution_limit_hz
from tonotopy.core.errors import InputError
from tonotopy.signal import erb


def test_resolvable_is_three_bandwidths_against_the_limit() -> None:
    """The lowest resolvable frequency is where 3 ERB(f) equals rate / view, solved by hand."""
    limit_hz = 24_000 / 64
    edge_hz = (limit_hz / 3 / 24.7 - 1) / 4.37 * 1000
    assert resolvable([edge_hz - 0.1, edge_hz + 0.1], 24_000, 64).tolist() == [False, True]


def test_longer_views_resolve_more() -> None:
    """What a view resolves, a longer one resolves too; a long one resolves everything."""
    grid = erb.grid(48, 24_000)
    shares = [resolvable(grid, 24_000, view).mean() for view in (7, 64, 256, 1024)]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert resolvable(grid, 24_000, 7)[-1]


def test_limits_of_nothing_are_refused() -> None:
    """A view or a hop of no samples is an error."""
    with pytest.raises(InputError) as caught:
        resolution_limit_hz(16_000, 0)
    assert str(caught.value) == "expected a view of at least 1 sample; got 0"
    with pytest.raises(InputError) as caught:
        carrier_limit_hz(16_000, 0)
    assert str(caught.value) == "expected a hop of at least 1 sample; got 0"


@pytest.mark.parametrize("value", [0.5, 7.8125, 15.625, 99.6, 999.9, 3428.6, 44_100.0])
def test_frequencies_read_right(value: float) -> None:
    """A frequency as text is the number itself, to two digits."""
    number, unit = hz(value).split()
    assert float(number) * {"Hz": 1, "kHz": 1000}[unit] == pytest.approx(value, rel=0.05)
    assert "e" not in number


def test_a_low_frame_rate_in_words() -> None:
    """CD rate at a hop of 512, in words."""
    sentence = "86.13 frames a second: above 43 Hz an oscillation survives only as an alias or an envelope"
    assert carrier_sentence(44_100, 512) == sentence


def test_resolvable_keeps_shape() -> None:
    """Any shape in, the same out."""
    assert resolvable(np.full((2, 3), 1000.0), 16_000, 512).shape == (2, 3)
