"""Music made by hand for trials: pieces of many partials, no file, no source."""

from __future__ import annotations

import numpy as np
import pytest

from tonotopy.sound.music import LevelFunction, MusicPool, Piece

RATE = 16000


@pytest.fixture(scope="session")
def pool() -> MusicPool:
    """Six pieces of eight seconds: moving notes over noise that falls with frequency."""
    pieces = []
    for number in range(6):
        rng = np.random.default_rng([40, number])
        t = np.arange(RATE) / RATE
        seconds = []
        for _ in range(8):
            hz = 110.0 * 2 ** (rng.integers(0, 36) / 12)
            notes = [
                np.sin(2 * np.pi * k * hz * t + rng.uniform(0, 6)) / k for k in range(1, 1 + int(7000 / hz))
            ]
            seconds.append(np.sum(notes, axis=0) * np.exp(-t))
        noise = np.cumsum(rng.standard_normal(8 * RATE)) * 0.01
        audio = np.concatenate(seconds) + noise - np.convolve(noise, np.ones(2000) / 2000, "same")
        pieces.append(Piece(f"p{number}", None, None, None, None, (0.05 * audio).astype(np.float32)))
    return MusicPool(RATE, tuple(pieces))


@pytest.fixture(scope="session")
def levels(pool: MusicPool) -> LevelFunction:
    """L(f) of that music."""
    return pool.level_function()
