"""The pool of music and L(f): levels that a partial has in it, whatever the recordings' own levels."""

from __future__ import annotations

import numpy as np
import pytest

from tonotopy.core.errors import InputError
from tonotopy.signal import erb
from tonotopy.sound.music import MusicPool, Piece

RATE = 16000


def piece(name: str, audio: np.ndarray) -> Piece:
    """A piece without credits."""
    return Piece(name, None, None, None, None, audio.astype(np.float32))


def tone(hz: float, amplitude: float, seconds: float = 4.0) -> np.ndarray:
    """A steady sine."""
    return amplitude * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE)


def test_level_is_that_of_segments_scaled_to_minus_26() -> None:
    """A lone tone has -26 dBFS at its frequency however loud the file; half the pieces, 3 dB less."""
    for amplitude in (0.5, 0.005):
        (level,) = MusicPool(RATE, (piece("a", tone(1000, amplitude)),)).levels_dbfs(np.array([1000.0]))
        assert level == pytest.approx(-26, abs=0.05)
    two = MusicPool(RATE, (piece("a", tone(1000, 0.5)), piece("b", tone(3000, 0.01))))
    assert two.levels_dbfs(np.array([1000.0, 3000.0])) == pytest.approx([-29.01, -29.01], abs=0.05)


def test_silent_segments_do_not_count() -> None:
    """A rest neither lowers the level nor is amplified into one; a band without energy has a floor."""
    rest = np.concatenate([tone(1000, 0.1), np.zeros(4 * RATE)])
    pool = MusicPool(RATE, (piece("a", rest),))
    assert pool.levels_dbfs(np.array([1000.0]))[0] == pytest.approx(-26, abs=0.05)
    assert pool.levels_dbfs(np.array([5000.0]))[0] >= -120


def test_the_level_function_follows_the_levels() -> None:
    """Between its knots L(f) is what the bands say, to a fraction of a dB on smooth noise."""
    rng = np.random.default_rng(0)
    pool = MusicPool(RATE, (piece("a", rng.standard_normal(20 * RATE) * 0.1),))
    function = pool.level_function()
    hz = erb.frequency_hz(np.array([5.1, 12.6, 24.3]))
    exact = pool.levels_dbfs(hz)
    assert [function(f) for f in hz] == pytest.approx(exact.tolist(), abs=0.4)
    assert exact[2] > exact[0]  # white noise: more power in the wider bands above


def test_a_stretch_is_of_its_piece_and_sounds() -> None:
    """The piece is chosen by number, in turn; the place by the generator; a rest is avoided."""
    music = np.concatenate([np.zeros(8 * RATE), tone(440, 0.1, 8.0)])
    pool = MusicPool(RATE, (piece("a", music), piece("b", tone(880, 0.1))))
    for seed in range(10):
        stretch = pool.stretch(2, RATE, rng=np.random.default_rng(seed))
        assert np.mean(stretch**2) > 1e-6
        assert np.abs(np.fft.rfft(stretch)).argmax() == 440
    same = [pool.stretch(0, RATE, rng=np.random.default_rng(3)) for _ in range(2)]
    np.testing.assert_array_equal(*same)


def test_music_that_cannot_be_used_is_an_error() -> None:
    """Too short, and silent: one line each, with the piece's name."""
    short = MusicPool(RATE, (piece("tiny", tone(440, 0.1, 0.5)),))
    with pytest.raises(
        InputError, match=r"^expected at least 1\.00 s of music a piece; got 0\.50 s in 'tiny'"
    ):
        short.stretch(0, RATE, rng=np.random.default_rng(0))
    mute = MusicPool(RATE, (piece("mute", np.zeros(4 * RATE)),))
    with pytest.raises(InputError, match=r"^expected music that sounds; got near silence in 'mute'"):
        mute.stretch(0, RATE, rng=np.random.default_rng(0))
    with pytest.raises(InputError, match=r"^expected music that sounds; got 1 silent pieces"):
        mute.level_function()
