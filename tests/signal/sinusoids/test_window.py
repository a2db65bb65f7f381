"""The window is the one that was published, and a peak of it is read as the mathematics says."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from tonotopy.signal.sinusoids.window import COSINES, SIDE_LOBE_DB, delay, parabola, reading, sweep, window


@pytest.mark.parametrize("size", [64, 90, 1024])
def test_window_is_scipys(size: int) -> None:
    """Equal to scipy's sum of cosines with these coefficients, in its periodic form."""
    np.testing.assert_allclose(
        window(size), scipy.signal.windows.general_cosine(size, COSINES, sym=False), atol=1e-12
    )


def test_side_lobes() -> None:
    """The highest side lobe is as far down as is said, and the first zero at three bins."""
    spectrum = np.abs(np.fft.rfft(window(256), 256 * 64))
    level = 20 * np.log10(np.maximum(spectrum / spectrum[0], 1e-12))
    assert level[3 * 64 :].max() == pytest.approx(-SIDE_LOBE_DB, abs=0.3)
    assert level[3 * 64] < -100


@pytest.mark.parametrize("offset", [-0.5, -0.31, 0.0, 0.12, 0.5])
def test_offset_and_level_of_a_sine(offset: float) -> None:
    """The polynomials give a sine's place to a millionth of a bin, and its level, at any size."""
    size, known = 300, reading()
    u = np.arange(size) - size // 2
    bins = 70 + np.arange(-1, 2)
    shape = window(size) / window(size).sum()
    kernel = np.exp(-2j * np.pi * np.outer(bins, u) / size)
    three = kernel @ (shape * np.exp(2j * np.pi * (70 + offset) * u / size))
    vertex = parabola(*np.log(np.abs(three)))
    found = vertex * np.polynomial.polynomial.polyval(vertex**2, known.offset)
    assert found == pytest.approx(offset, abs=2e-6)
    assert abs(vertex - offset) < 0.0061
    assert np.polynomial.polynomial.polyval(offset**2, known.level) == pytest.approx(abs(three[1]), rel=1e-6)


@pytest.mark.parametrize("slope", [0.0, 1.7, -4.0, 9.5])
@pytest.mark.parametrize("offset", [0.0, 0.3, -0.5])
def test_sweep(slope: float, offset: float) -> None:
    """Gain and turn of a sweep are those of a sweep that is transformed, beside one that stands still."""
    size = 512
    u = (np.arange(size) - size // 2) / size
    still = window(size) * np.exp(2j * np.pi * offset * u)
    swept = np.sum(still * np.exp(1j * np.pi * slope * u**2)) / np.sum(still)
    gain, turn = sweep(np.array([slope]), np.array([offset]))
    assert gain[0] == pytest.approx(abs(swept), abs=2e-3)
    assert turn[0] == pytest.approx(np.angle(swept), abs=5e-3)


@pytest.mark.parametrize("late", [-0.4, -0.1, 0.0, 0.05, 0.45])
def test_delay_of_a_click(late: float) -> None:
    """A click is read at its own time, in windows from the centre; a later one later."""
    bins = np.array([-1, 0, 1])
    before, top, after = np.exp(-2j * np.pi * bins * late)
    assert delay(before, top, after) == pytest.approx(late)
    assert reading().step_delay > 0.1
