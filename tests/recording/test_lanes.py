"""Lanes: levels, partials, chroma and chords lie where the sound has them, at the levels that it has."""

from __future__ import annotations

import numpy as np
import pytest

from tonotopy.core.errors import InputError
from tonotopy.recording.harmony import harmony_of
from tonotopy.recording.lanes import CHORDS, FLOOR_DB, Lanes, bands_hz, lanes_of
from tonotopy.signal import erb
from tonotopy.signal.chords import chord_sequence
from tonotopy.signal.sinusoids import analyse
from tonotopy.signal.spectrum import band_power
from tonotopy.sound.sources.scores import ScoresSource

Array = np.ndarray


def sines(rate: int, seconds: float, *hz: float, amplitude: float = 0.1) -> Array:
    time = np.arange(round(seconds * rate)) / rate
    return np.asarray(sum(amplitude * np.sin(2 * np.pi * f * time) for f in hz))


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 24_000, 44_100])
def test_lanes_share_one_grid(rate: int) -> None:
    """All lanes have the points of the grid, about 100 a second, and as many bands, at every rate."""
    lanes = lanes_of(sines(rate, 0.73, 440.0), rate)
    assert lanes.rate_hz == pytest.approx(100, rel=0.01)
    assert len(lanes) == pytest.approx(0.73 * lanes.rate_hz, abs=1)
    shape = len(lanes), len(lanes.band_hz)
    assert lanes.erb_db.shape == lanes.partial_db.shape == shape
    assert lanes.chroma.shape == (len(lanes), 12)
    assert lanes.chord.shape == (len(lanes),)


def test_bands_are_one_erb_apart() -> None:
    """From 40 Hz to no more than 0.49 of the rate."""
    hz = bands_hz(24_000)
    assert hz[0] == pytest.approx(40.0)
    assert np.allclose(np.diff(erb.rate(hz)), 1.0)
    assert 0.49 * 24_000 - 1200 < hz[-1] <= 0.49 * 24_000


@pytest.mark.parametrize("hz", [104.0, 440.0, 1000.0, 5000.0])
def test_a_sine_has_its_level_in_its_band(hz: float) -> None:
    """-23 dB for amplitude 0.1: in the partials exactly, in short-time spectra but for what leaks away."""
    band_hz = bands_hz(24_000)
    at = int(np.argmin(np.abs(band_hz - hz)))
    lanes = lanes_of(sines(24_000, 1.0, band_hz[at]), 24_000)
    middle = slice(30, 70)
    assert np.allclose(lanes.partial_db[middle, at], -23.0, atol=0.05)
    assert np.allclose(lanes.erb_db[middle, at], -23.0, atol=1.5)
    others = np.abs(np.arange(len(band_hz)) - at) > 1
    assert (lanes.partial_db[middle][:, others] == FLOOR_DB).all()
    assert (lanes.erb_db[middle][:, np.abs(np.arange(len(band_hz)) - at) > 3] < -40).all()


def test_levels_of_noise_agree_with_one_long_spectrum() -> None:
    """The mean power in each band is that of the whole sound's spectrum: nothing is lost between two windows."""
    rate = 16_000
    sound = 0.1 * np.random.default_rng(0).standard_normal(20 * rate)
    lanes = lanes_of(sound, rate)
    mean = 10 * np.log10(np.mean(10 ** (lanes.erb_db / 10), axis=0))
    assert np.allclose(mean[1:-1], 10 * np.log10(band_power(sound, rate, lanes.band_hz))[1:-1], atol=0.7)
    # Noise has next to no partials.
    assert np.mean(lanes.partial_db > FLOOR_DB) < 0.02


def test_silence_is_the_floor() -> None:
    """Nothing sounds: every level at the floor, no chroma, no chord."""
    lanes = lanes_of(np.zeros(16_000), 16_000)
    assert (lanes.erb_db == FLOOR_DB).all()
    assert (lanes.partial_db == FLOOR_DB).all()
    assert (lanes.chroma == 0).all()
    assert (lanes.chord == -1).all()


def test_onsets_lie_where_they_are() -> None:
    """A tone that begins at half a second begins there in every lane, to a window."""
    sound = sines(16_000, 1.0, 1000.0)
    sound[:8000] = 0
    lanes = lanes_of(sound, 16_000)
    at = int(np.argmin(np.abs(lanes.band_hz - 1000)))
    for lane in (lanes.erb_db, lanes.partial_db):
        begins = int(np.flatnonzero(lane[:, at] > -40)[0])
        assert abs(begins - 50) <= 4


def test_a_chord_is_heard() -> None:
    """C major for two seconds, then A minor: their chroma and their names, and the change where it is."""
    major, minor = (261.63, 329.63, 392.0), (220.0, 261.63, 329.63)
    sound = np.concatenate([sines(16_000, 2.0, *major), sines(16_000, 2.0, *minor)])
    lanes = lanes_of(sound, 16_000)
    assert CHORDS[lanes.chord[100]] == "C"
    assert CHORDS[lanes.chord[300]] == "Am"
    change = int(np.flatnonzero(np.diff(lanes.chord))[0])
    assert abs(change - 200) <= 20
    assert sorted(np.argsort(lanes.chroma[100])[-3:].tolist()) == [0, 4, 7]


def test_chords_of_scores_agree_with_the_longer_analysis() -> None:
    """On rendered chorales, most moments have the chord that the analysis with longer windows gives."""
    source = ScoresSource()
    shares = []
    for clip in list(source.clips())[:2]:
        sound = source.read(clip, 12_000)[0][: 12_000 * 12]
        _, chord = harmony_of(analyse(sound, 12_000))
        spans = chord_sequence(sound, 12_000)
        time = np.arange(len(chord)) / 100
        names = np.array([span.label for span in spans])
        other = names[np.clip(np.searchsorted([span.start_s for span in spans], time, "right") - 1, 0, None)]
        mine = np.array(["N", *CHORDS])[chord + 1]
        shares.append(float(np.mean(mine == other)))
    assert np.mean(shares) > 0.75


def test_samples_find_their_point() -> None:
    """The nearest point, ends held."""
    lanes = Lanes(
        100.0, np.ones(1), np.zeros((5, 1), np.float32), np.zeros((5, 1), np.float32),
        np.zeros((5, 12), np.float32), np.zeros(5, np.int64),
    )  # fmt: skip
    assert lanes.rows(np.array([-9, 0, 79, 81, 9999]), 16_000).tolist() == [0, 0, 0, 1, 4]
    assert lanes.rows(np.array([[160], [320]]), 16_000).tolist() == [[1], [2]]


def test_bad_input_says_what_is_wrong() -> None:
    """Several channels, integers, no samples, not a number, a rate too low."""
    for sound, said in (
        (np.zeros((2, 100)), r"expected samples \[time\]"),
        (np.zeros(100, np.int16), "floating-point"),
        (np.zeros(0), "a piece with samples; got none"),
        (np.full(100, np.nan), "finite"),
    ):
        with pytest.raises(InputError, match=said):
            lanes_of(sound, 16_000)
    with pytest.raises(InputError, match="at least 2000 Hz; got 1000 Hz"):
        lanes_of(np.zeros(100), 1000)
