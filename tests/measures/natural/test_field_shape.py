"""The shape of a receptive field: a planted lobe has its frequency, width, latency and share; nothing has none."""

from __future__ import annotations

import numpy as np
import pytest

from tonotopy.measures.natural.field_shape import LOBE_ERB, shape_of
from tonotopy.recording.lanes import bands_hz
from tonotopy.signal import erb

BAND_HZ, LAG_MS = bands_hz(16_000), np.arange(10) * 10.0


def test_a_lobe_between_two_bands() -> None:
    """Two bands alike: the top lies between them, as wide as two; what is far off is outside the main lobe."""
    weights = np.zeros((1, len(LAG_MS), len(BAND_HZ)))
    weights[0, 4, 10:12] = [1.0, -1.0]
    weights[0, 2, 25] = 1.0
    found = shape_of(weights, BAND_HZ, LAG_MS)
    assert erb.rate(found["best_hz"][0]) == pytest.approx(np.mean(erb.rate(BAND_HZ[10:12])))
    assert found["bandwidth_erb"][0] == pytest.approx(3.0)
    assert found["latency_ms"][0] == 40.0
    assert found["lobe_share"][0] == pytest.approx(2 / 3)
    assert np.diff(erb.rate(BAND_HZ)).max() < LOBE_ERB


def test_the_shape_of_nothing_is_undefined() -> None:
    """A field of zeros and one that is not a number have no frequency."""
    weights = np.zeros((2, len(LAG_MS), 5))
    weights[1] = np.nan
    shape = shape_of(weights, BAND_HZ[:5], LAG_MS)
    assert all(np.isnan(values).all() for values in shape.values())
