"""Sounds whose partials are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

RATE = 24000


@pytest.fixture
def tone() -> Callable[..., np.ndarray]:
    """A sine of a frequency that is a number or an array over time, ``[time]``."""

    def make(
        frequency_hz: float | np.ndarray,
        *,
        amplitude: float | np.ndarray = 0.1,
        phase_rad: float = 0.0,
        seconds: float = 1.0,
        rate: int = RATE,
    ) -> np.ndarray:
        frequency = np.broadcast_to(frequency_hz, round(seconds * rate))
        turns = np.concatenate([[0.0], np.cumsum(0.5 * (frequency[1:] + frequency[:-1]))]) / rate
        return np.asarray(amplitude * np.sin(2 * np.pi * turns + phase_rad))

    return make


@pytest.fixture
def noise() -> Callable[..., np.ndarray]:
    """Noise of a given RMS, ``[time]``, white or of power falling as 1/f to some power."""

    def make(*, rms: float, seconds: float, seed: int, slope: float = 0.0, rate: int = RATE) -> np.ndarray:
        n = round(seconds * rate)
        spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
        number = np.arange(len(spectrum))
        spectrum[1:] *= number[1:] ** (-slope / 2)
        spectrum[0] = 0.0
        sound = np.fft.irfft(spectrum, n)
        return np.asarray(rms * sound / sound.std())

    return make
