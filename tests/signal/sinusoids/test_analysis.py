"""Known sines come back with their frequency, level and phase; whatever else comes is refused or yields nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tonotopy.core.errors import InputError
from tonotopy.signal.sinusoids import Settings, Tracks, analyse, analyse_many

RATE = 24000
Maker = Callable[..., np.ndarray]


def the_one(tracks: Tracks) -> Tracks:
    """The only track, without its first and last ten frames."""
    assert tracks.n_tracks == 1
    return tracks


def inner(tracks: Tracks, margin: int = 10) -> np.ndarray:
    """Rows away from the ends of the sound."""
    return (tracks.frame >= margin) & (tracks.frame < tracks.n_frames - margin)


# ---- recovery


@pytest.mark.parametrize("hz", [55.0, 61.7, 440.0, 997.0, 1003.0, 3999.0, 4005.0, 9871.3])
@pytest.mark.parametrize("rate", [24000, 44100])
def test_steady_sine(tone: Maker, hz: float, rate: int) -> None:
    """One track, through the edges of bands too: a hundredth of a cent, a hundredth of a dB, 0.01 radian."""
    tracks = the_one(analyse(tone(hz, amplitude=0.3, phase_rad=1.0, rate=rate), rate))
    rows = inner(tracks)
    assert rows.sum() == tracks.n_frames - 20
    assert np.abs(1200 * np.log2(tracks.frequency_hz[rows] / hz)).max() < 0.02
    assert np.abs(20 * np.log10(tracks.amplitude[rows] / 0.3)).max() < 0.01
    phase = tracks.phase_rad[rows] - 2 * np.pi * hz * tracks.time_s[rows] - 1.0
    assert np.abs(np.angle(np.exp(1j * phase))).max() < 0.01


@pytest.mark.parametrize(("snr_db", "cents", "level_db"), [(20, 0.05, 0.05), (0, 0.6, 0.5), (-10, 2.0, 1.8)])
def test_sine_in_noise(tone: Maker, noise: Maker, snr_db: float, cents: float, level_db: float) -> None:
    """RMS errors at 880 Hz in white noise stay within three times those on the page; nothing is missed."""
    sound = tone(880.0, seconds=2) + noise(rms=0.1 / np.sqrt(2) * 10 ** (-snr_db / 20), seconds=2, seed=1)
    tracks = analyse(sound, RATE)
    near = inner(tracks) & (np.abs(tracks.frequency_hz - 880.0) < 20)
    assert near.sum() == tracks.n_frames - 20
    assert np.sqrt(np.mean((1200 * np.log2(tracks.frequency_hz[near] / 880.0)) ** 2)) < cents
    assert np.sqrt(np.mean((20 * np.log10(tracks.amplitude[near] / 0.1)) ** 2)) < level_db


@pytest.mark.parametrize(
    ("make", "cents", "level_db"),
    [
        (lambda t: 440 * 2 ** (0.5 * t), 0.3, 0.1),
        (lambda t: 440 * (1 + 0.007 * np.sin(12 * np.pi * t)), 5.0, 0.3),
        (lambda t: 1760 * (1 + 0.02 * np.sin(12 * np.pi * t)), 4.0, 0.6),
    ],
    ids=["glide", "vibrato", "wide vibrato"],
)
def test_moving_sine(
    tone: Maker, make: Callable[[np.ndarray], np.ndarray], cents: float, level_db: float
) -> None:
    """A glide of half an octave a second and vibrato of 6 Hz are followed by a single track."""
    frequency = make(np.arange(2 * RATE) / RATE)
    tracks = the_one(analyse(tone(frequency, seconds=2), RATE))
    rows = inner(tracks)
    true = frequency[tracks.frame[rows] * tracks.hop]
    assert np.sqrt(np.mean((1200 * np.log2(tracks.frequency_hz[rows] / true)) ** 2)) < cents
    assert np.sqrt(np.mean((20 * np.log10(tracks.amplitude[rows] / 0.1)) ** 2)) < level_db


@pytest.mark.parametrize(("hz", "apart_hz"), [(60.0, 24.0), (440.0, 24.0), (2000.0, 48.0), (6000.0, 96.0)])
def test_two_neighbours(tone: Maker, hz: float, apart_hz: float) -> None:
    """Partials four bins of their window apart are two, each within a cent and 0.1 dB."""
    tracks = analyse(tone(hz) + tone(hz + apart_hz, amplitude=0.05), RATE)
    assert tracks.n_tracks == 2
    for number, (f, a) in enumerate([(hz, 0.1), (hz + apart_hz, 0.05)]):
        rows = inner(tracks, 20) & (tracks.track == number)
        assert np.abs(1200 * np.log2(tracks.frequency_hz[rows] / f)).max() < 1.0
        assert np.abs(20 * np.log10(tracks.amplitude[rows] / a)).max() < 0.1


def test_onset_and_end(tone: Maker) -> None:
    """A tone that begins and stops abruptly is reported within a frame of its life, by windows of any length."""
    for hz in (200.0, 2000.0, 8000.0):
        sound = np.concatenate([np.zeros(12000), tone(hz, seconds=0.5), np.zeros(12000)])
        tracks = analyse(sound, RATE)
        long = tracks.take(tracks.duration_s() > 0.3)
        assert long.n_tracks == 1
        assert abs(long.frame[0] - 50) <= 1
        assert abs(long.frame[-1] - 99) <= 1


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0], ids=["white", "pink", "brown"])
def test_noise_has_few_points(noise: Maker, slope: float) -> None:
    """Noise of any of three slopes yields less than one point a frame."""
    tracks = analyse(noise(rms=0.1, seconds=5, seed=3, slope=slope), RATE)
    assert len(tracks) / tracks.n_frames < 1.0


def test_thresholds_do_something(noise: Maker) -> None:
    """With the thresholds taken away noise is full of points: the tests above can fail."""
    sound = noise(rms=0.1, seconds=1, seed=3)
    tracks = analyse(sound, RATE, Settings(peak_db=0.0, track_db=0.0, shortest_s=0.0))
    assert len(tracks) / tracks.n_frames > 20


# ---- what a delay and a gain do


def mixture(seed: int) -> np.ndarray:
    """Three partials and noise, with silence on either side that is longer than a window."""
    rng = np.random.default_rng(seed)
    time = np.arange(RATE // 2) / RATE
    sound = 0.003 * rng.standard_normal(len(time))
    for hz in rng.uniform(80, 9000, 3):
        sound += 0.1 * np.sin(2 * np.pi * hz * time + rng.uniform(0, 6))
    return np.pad(sound, 6000)


@settings(max_examples=8)
@given(seed=st.integers(0, 1000), frames=st.integers(1, 30))
def test_delay_by_frames(seed: int, frames: int) -> None:
    """A delay of whole hops delays the tracks and changes nothing else."""
    sound = mixture(seed)
    one, other = analyse(sound, RATE), analyse(np.pad(sound, (240 * frames, 0)), RATE)
    np.testing.assert_array_equal(other.frame, one.frame + frames)
    np.testing.assert_array_equal(other.track, one.track)
    np.testing.assert_allclose(other.frequency_hz, one.frequency_hz, rtol=1e-5)
    np.testing.assert_allclose(other.amplitude, one.amplitude, rtol=1e-3)


@settings(max_examples=8)
@given(seed=st.integers(0, 1000), gain=st.floats(0.03, 30.0))
def test_gain(seed: int, gain: float) -> None:
    """A gain is a gain of every amplitude."""
    sound = mixture(seed)
    one, other = analyse(sound, RATE), analyse(gain * sound, RATE)
    np.testing.assert_array_equal(other.frame, one.frame)
    np.testing.assert_allclose(other.frequency_hz, one.frequency_hz, rtol=1e-5)
    np.testing.assert_allclose(other.amplitude, gain * one.amplitude, rtol=1e-3)


def test_the_same_twice() -> None:
    """Equal input gives equal bits, alone and among others; the input is left as it was."""
    sound = mixture(5)
    before = sound.copy()
    one, other = analyse(sound, RATE), analyse_many([np.zeros(100), sound], RATE)[1]
    for name in ("track", "frame", "frequency_hz", "amplitude", "phase_rad"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_array_equal(sound, before)


# ---- faults and edges


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (
            np.zeros((2, 5)),
            (
                "expected samples [time]; got shape (2, 5); "
                "likely cause: several channels: take their mean, or one of them"
            ),
        ),
        (
            np.float64(1.0),
            (
                "expected samples [time]; got shape (); "
                "likely cause: several channels: take their mean, or one of them"
            ),
        ),
        (
            np.ones(5, np.int16),
            (
                "expected floating-point samples, full scale 1; got int16; "
                "likely cause: samples as stored: divide by full scale"
            ),
        ),
        (
            np.ones(5) * 1j,
            (
                "expected floating-point samples, full scale 1; got complex128; "
                "likely cause: samples as stored: divide by full scale"
            ),
        ),
        (np.array([0.0, np.nan, 1.0]), "expected finite samples; got 1 that are not, the first at 1"),
        (np.array([np.inf, -np.inf]), "expected finite samples; got 2 that are not, the first at 0"),
    ],
)
def test_wrong_input(audio: Any, message: str) -> None:
    """Each says what was expected, what came and why."""
    with pytest.raises(InputError) as error:
        analyse(audio, RATE)
    assert str(error.value) == message


@pytest.mark.parametrize(
    "audio",
    [np.empty(0), np.zeros(1), np.ones(1), np.zeros(5000), np.full(24000, 0.5), np.full(24000, 1e-320)],
    ids=["empty", "zero", "one sample", "silence", "constant", "denormal"],
)
def test_nothing_to_find(audio: np.ndarray) -> None:
    """No partials, and as many frames as there are hops begun."""
    tracks = analyse(audio, RATE)
    assert tracks.n_tracks == len(tracks) == 0
    assert tracks.n_frames == -(-len(audio) // 240)
    assert tracks.n_samples == len(audio)


def test_short_sound(tone: Maker) -> None:
    """A sound shorter than every window is read with what there is of it."""
    tracks = the_one(analyse(tone(3000.0, seconds=0.08), RATE, Settings(windows_s=(0.17,), edges_hz=())))
    assert np.abs(tracks.frequency_hz - 3000.0).max() < 1.0
    assert np.abs(20 * np.log10(tracks.amplitude / 0.1)).max() < 1.0


@pytest.mark.parametrize("rate", [300, 1000, 8000, 192000, 400001])
def test_extreme_rates(tone: Maker, rate: int) -> None:
    """A tone in reach is found at any rate."""
    hz = 100.0 if rate == 300 else 300.0
    tracks = analyse(tone(hz, rate=rate, seconds=0.5), rate)
    rows = inner(tracks, 15)
    assert rows.sum() > 0
    assert np.abs(tracks.frequency_hz[rows] - hz).max() < 0.02 * hz


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_types(tone: Maker, dtype: Any) -> None:
    """Any floating-point type is read; half precision as well as it can."""
    tracks = analyse(tone(440.0).astype(dtype), RATE)
    strongest = tracks.take([int(np.argmax(tracks.level_db()))])
    assert strongest.mean_frequency_hz()[0] == pytest.approx(440.0, abs=0.01)


def test_clipping(tone: Maker) -> None:
    """A clipped sine is a sine and its odd harmonics, and numbers far over full scale are no matter."""
    clipped = np.clip(tone(500.0, amplitude=4.0), -1, 1)
    tracks = analyse(clipped, RATE)
    found = np.sort(tracks.mean_frequency_hz()[np.argsort(tracks.level_db())[-3:]])
    np.testing.assert_allclose(found, [500.0, 1500.0, 2500.0], atol=0.5)
    loud = analyse(tone(500.0, amplitude=1e30), RATE)
    assert loud.amplitude[50] == pytest.approx(1e30, rel=1e-3)


def test_offset_does_not_matter(tone: Maker) -> None:
    """A constant added is no partial and spoils none."""
    tracks = the_one(analyse(0.5 + tone(200.0, amplitude=0.01), RATE))
    assert tracks.mean_frequency_hz()[0] == pytest.approx(200.0, abs=0.05)
