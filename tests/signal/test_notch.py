"""The notch takes out its band, leaves the rest, and moves nothing in time."""

from __future__ import annotations

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from tonotopy.signal import erb
from tonotopy.signal.notch import EDGE_S, SLOPE_ERB, gain, notch

RATES = (8000, 16000, 24000, 44100)


def level_db(after: np.ndarray, before: np.ndarray, rate: int) -> float:
    """Change of level away from the edges, dB."""
    middle = slice(int(EDGE_S * rate), -int(EDGE_S * rate))
    return float(10 * np.log10(np.mean(after[middle] ** 2) / np.mean(before[middle] ** 2) + 1e-30))


@hypothesis.settings(max_examples=40)
@hypothesis.given(
    st.sampled_from(RATES),
    st.floats(3.0, 24.0),
    st.floats(-0.9, 0.9),
    st.sampled_from([-1, 1]),
    st.floats(0, 6),
)
def test_a_tone_dies_inside_and_lives_outside(
    rate: int, centre: float, inside: float, side: int, beyond: float
) -> None:
    """Within 1 ERB of the centre a tone falls by 50 dB or more; beyond the slope it keeps its level to .1 dB."""
    t, hz = np.arange(2 * rate) / rate, float(erb.frequency_hz(centre))
    tone = np.sin(2 * np.pi * erb.frequency_hz(centre + inside) * t + 1.0)
    assert level_db(notch(tone, rate, [hz]), tone, rate) < -50
    # A tone just outside leaks a little into the slope, as any sound that begins and ends does.
    outside = float(erb.frequency_hz(centre + side * (1.6 + beyond)))
    if 40 < outside < 0.49 * rate:
        tone = np.sin(2 * np.pi * outside * t + 1.0)
        assert abs(level_db(notch(tone, rate, [hz]), tone, rate)) < 0.1


@pytest.mark.parametrize("rate", RATES)
def test_zero_phase(rate: int) -> None:
    """An impulse stays symmetric about its sample; what is left of noise lines up with it at lag 0."""
    n = 2 * rate
    impulse = np.zeros(n)
    impulse[n // 2] = 1.0
    answer = notch(impulse, rate, [1000.0])
    assert answer.argmax() == n // 2
    np.testing.assert_allclose(answer[1 : n // 2], answer[: n // 2 : -1], atol=1e-12)
    assert (gain(n, rate, [1000.0]) >= 0).all()


def test_gain_has_a_floor_and_a_slope() -> None:
    """0 within 1 ERB, 1 beyond the slope, half way in its middle; two notches multiply."""
    n, rate = 160_000, 16000
    rates = erb.rate(np.fft.rfftfreq(n, 1 / rate))
    found = gain(n, rate, [1000.0])
    distance = np.abs(rates - erb.rate(1000.0))
    assert (found[distance <= 1] == 0).all()
    assert (found[distance >= 1 + SLOPE_ERB] == 1).all()
    middle = np.abs(distance - 1 - SLOPE_ERB / 2) < 1e-3
    np.testing.assert_allclose(found[middle], 0.5, atol=0.01)
    both = gain(n, rate, [1000.0, 3000.0])
    np.testing.assert_array_equal(both, found * gain(n, rate, [3000.0]))


def test_linear_and_of_the_same_length() -> None:
    """Notching a sum is the sum of the notched; odd lengths and batches come back as they went in."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 8001))
    both = notch(np.stack([a, b]), 8000, [440.0])
    assert both.shape == (2, 8001)
    np.testing.assert_allclose(notch(a + b, 8000, [440.0]), both.sum(axis=0), atol=1e-12)
