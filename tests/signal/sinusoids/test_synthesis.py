"""Tracks sound as they say, and what they leave is the sound without them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tonotopy.core.errors import InputError
from tonotopy.signal.sinusoids import Tracks, analyse, residual, synthesise
from tonotopy.signal.sinusoids.synthesis import cubic

RATE, HOP = 24000, 240
Maker = Callable[..., np.ndarray]


def oscillator(frequency_hz: np.ndarray, amplitude: np.ndarray, first_frame: int, n_frames: int) -> Tracks:
    """One track whose phase is the integral of its frequency."""
    steps = np.pi * HOP / RATE * (frequency_hz[1:] + frequency_hz[:-1])
    phase = np.concatenate([[0.3], 0.3 + np.cumsum(steps)]) % (2 * np.pi)
    frame = first_frame + np.arange(len(frequency_hz))
    return Tracks(RATE, HOP, n_frames * HOP, n_frames, 0 * frame, frame, frequency_hz, amplitude, phase)


def test_cubic_meets_both_ends() -> None:
    """Phases and frequencies at both ends, whatever they are; a steady sine stays a line."""
    rng = np.random.default_rng(0)
    start, end = rng.uniform(0, 2 * np.pi, (2, 50))
    first, second = rng.uniform(0, 3, (2, 50))
    curve = cubic(start, end, first, second, HOP)
    at_end = curve @ HOP ** np.arange(4.0)
    slope = curve[:, 1] + 2 * HOP * curve[:, 2] + 3 * HOP**2 * curve[:, 3]
    np.testing.assert_allclose(np.angle(np.exp(1j * (at_end - end))), 0, atol=1e-9)
    np.testing.assert_allclose(slope, second, atol=1e-12)
    line = cubic(start, start + HOP * first, first, first, HOP)
    np.testing.assert_allclose(line[:, 2:], 0, atol=1e-12)


def test_a_glide_is_a_parabola_in_phase() -> None:
    """A linear glide comes out as the closed form, to the precision of single floats."""
    tracks = oscillator(np.linspace(1000, 1400, 50), np.full(50, 0.1), 0, 50)
    time = np.arange(49 * HOP) / RATE
    slope = 400 / (49 * HOP / RATE)
    expected = 0.1 * np.sin(0.3 + 2 * np.pi * (1000 * time + 0.5 * slope * time**2))
    np.testing.assert_allclose(synthesise(tracks)[: 49 * HOP], expected, atol=2e-7)


def test_ends_fade() -> None:
    """A track inside the sound fades over one hop on either side, at its own phase, and is silent elsewhere."""
    tracks = oscillator(np.full(10, 1000.0), np.full(10, 0.5), 20, 50)
    sound = synthesise(tracks)
    assert len(sound) == 50 * HOP
    assert not sound[: 19 * HOP + 1].any()
    assert not sound[30 * HOP :].any()
    time = np.arange(50 * HOP) - 20 * HOP
    ramp = np.clip(np.minimum(1 + time / HOP, 10 - time / HOP), 0, 1)
    expected = 0.5 * ramp * np.sin(0.3 + 2 * np.pi * 1000 * time / RATE)
    np.testing.assert_allclose(sound, expected, atol=1e-6)


def test_held_to_the_ends_of_the_sound() -> None:
    """A track that is there in the first and last frame does not fade there."""
    sound = synthesise(oscillator(np.full(50, 1000.0), np.full(50, 0.5), 0, 50))
    expected = 0.5 * np.sin(0.3 + 2 * np.pi * 1000 * np.arange(50 * HOP) / RATE)
    np.testing.assert_allclose(sound, expected, atol=1e-6)


def test_sum_of_tracks(tone: Maker) -> None:
    """All tracks together are the sum of each alone."""
    tracks = analyse(tone(300.0) + tone(410.0) + tone(5000.0, seconds=1), RATE)
    assert tracks.n_tracks == 3
    parts = sum(synthesise(tracks.take([k])) for k in range(3))
    np.testing.assert_allclose(synthesise(tracks), parts, atol=1e-7)


@pytest.mark.parametrize(
    ("make", "residual_db"),
    [
        (lambda t: 440 + 0 * t, -100),
        (lambda t: 440 * 2 ** (0.25 * t), -28),
        (lambda t: 440 * (1 + 0.007 * np.sin(12 * np.pi * t)), -22),
    ],
    ids=["steady", "glide", "vibrato"],
)
def test_there_and_back(tone: Maker, make: Callable[[np.ndarray], np.ndarray], residual_db: float) -> None:
    """What is left of one sine, away from the ends, against the sine."""
    sound = tone(make(np.arange(2 * RATE) / RATE), seconds=2)
    rest = residual(sound, analyse(sound, RATE))[6000:-6000]
    assert 10 * np.log10(np.var(rest) / np.var(sound)) < residual_db


def test_residual_of_noise(noise: Maker) -> None:
    """Noise is left as it is: within a tenth of a dB."""
    sound = noise(rms=0.1, seconds=3, seed=4, slope=1.0)
    rest = residual(sound, analyse(sound, RATE))
    assert abs(10 * np.log10(np.var(rest) / np.var(sound))) < 0.1


def test_residual_keeps_the_noise(tone: Maker, noise: Maker) -> None:
    """Of a tone in noise the noise remains, to a decibel."""
    ground = noise(rms=0.01, seconds=2, seed=5)
    sound = tone(700.0, seconds=2) + ground
    rest = residual(sound, analyse(sound, RATE))[6000:-6000]
    assert abs(10 * np.log10(np.var(rest) / np.var(ground))) < 1.0


def test_edges() -> None:
    """No tracks are silence; a sound of another length is refused."""
    silent = analyse(np.zeros(1000), RATE)
    np.testing.assert_array_equal(synthesise(silent), np.zeros(1000))
    assert len(synthesise(analyse(np.empty(0), RATE))) == 0
    with pytest.raises(InputError) as error:
        residual(np.zeros(999), silent)
    assert str(error.value) == "expected the 1000 samples of the tracks' sound; got shape (999,)"
