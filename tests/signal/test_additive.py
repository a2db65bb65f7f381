"""The additive synthesiser: what is rendered is what the table of partials says."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonotopy.core.errors import InputError
from tonotopy.signal.additive import BAND_LIMIT, Partials, PartialTrack, join, render_partials
from tonotopy.signal.instruments import INSTRUMENTS


def phrase(name: str, *, seed: int = 0) -> Partials:
    """Three overlapping notes of an instrument."""
    rng = np.random.default_rng(seed)
    spans = ((110.0, 0.0137, 0.5), (311.1, 0.3, 0.9), (1244.5, 0.55, 0.6))
    return join(
        [INSTRUMENTS[name].note(f, a, b, level=0.1, rng=rng, index=i) for i, (f, a, b) in enumerate(spans)]
    )


def sum_of_tracks(partials: Partials, rate: int, n_samples: int) -> np.ndarray:
    """The definition, evaluated partial by partial from the truth alone."""
    time = np.arange(n_samples) / rate
    total = np.zeros(n_samples)
    for track in partials:
        if track.frequency_hz * (1 + track.vibrato_depth) <= BAND_LIMIT * rate:
            total += track.amplitude_at(time) * np.sin(track.phase_at(time))
    return total


@pytest.mark.parametrize("name", INSTRUMENTS)
@pytest.mark.parametrize("rate", [8000, 24000, 44100])
def test_sound_is_the_sum_of_the_truth(name: str, rate: int) -> None:
    """Rendered sound equals the sum of amplitude times sine of phase over the table, to 1e-6."""
    partials = phrase(name)
    rendered = render_partials(partials, rate, 2 * rate)
    np.testing.assert_allclose(rendered, sum_of_tracks(partials, rate, 2 * rate), atol=1e-6)


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_frequency_is_the_derivative_of_phase(name: str) -> None:
    """The instantaneous frequency is the slope of the phase, by central differences."""
    track = phrase(name)[1]
    time, step = np.linspace(0.31, 0.8, 200), 1e-5
    slope = (track.phase_at(time + step) - track.phase_at(time - step)) / (4 * np.pi * step)
    np.testing.assert_allclose(track.frequency_at(time), slope, rtol=1e-6)


@given(
    cut=st.integers(0, 16000), name=st.sampled_from(sorted(INSTRUMENTS)), rate=st.sampled_from([8000, 16000])
)
def test_any_split_gives_the_same_samples(cut: int, name: str, rate: int) -> None:
    """Two parts, cut anywhere, are bit for bit the whole."""
    partials = phrase(name)
    whole = render_partials(partials, rate, 16000)
    head = render_partials(partials, rate, cut)
    tail = render_partials(partials, rate, 16000 - cut, start_sample=cut)
    assert np.array_equal(np.concatenate([head, tail]), whole)


def test_nothing_above_the_band_limit() -> None:
    """Partials above 0.45 of the rate are left out, one whose vibrato would reach beyond it too."""
    partials = phrase("bowed")
    highest = partials.rendered_at(8000).frequency_hz * (1 + INSTRUMENTS["bowed"].vibrato_depth)
    assert 0 < len(highest) < len(partials)
    assert highest.max() <= BAND_LIMIT * 8000
    power = np.abs(np.fft.rfft(render_partials(partials, 8000, 16000) * np.hanning(16000))) ** 2
    assert power[int(2 * 1.02 * BAND_LIMIT * 8000) :].sum() < 1e-6 * power.sum()


def test_amplitude_is_zero_outside_a_life() -> None:
    """A partial is exactly zero before its onset and from its end on, and continuous at both."""
    for name in INSTRUMENTS:
        track = phrase(name)[0]
        edges = np.array(
            [track.onset_s - 1e-9, track.onset_s, track.end_s - 1e-9, track.end_s, track.end_s + 1]
        )
        np.testing.assert_allclose(track.amplitude_at(edges), 0.0, atol=1e-9)
        assert track.amplitude_at(track.onset_s + track.attack_s) > 0


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_level(name: str) -> None:
    """The RMS of a note is its level as long as nothing has decayed."""
    note = INSTRUMENTS[name].note(220.0, 0.0, 1.0, level=0.1, rng=np.random.default_rng(1))
    assert np.sqrt(0.5 * np.sum(note.amplitude**2)) == pytest.approx(0.1)


def test_inharmonicity_stretches_and_keeps_the_fundamental() -> None:
    """A plucked string's first partial is in tune, and partial n lies above n times it, more and more."""
    note = INSTRUMENTS["plucked"].note(100.0, 0.0, 1.0, level=0.1, rng=np.random.default_rng(0))
    stretch = note.frequency_hz / note.number / 100.0
    assert stretch[0] == 1.0
    assert np.all(np.diff(stretch) > 0)
    assert np.all(np.diff(note.decay_per_s) > 0)


def test_clarinet_is_odd() -> None:
    """Even partials of the clarinet lie more than 20 dB below their neighbours."""
    note = INSTRUMENTS["clarinet"].note(100.0, 0.0, 1.0, level=0.1, rng=np.random.default_rng(0))
    assert np.all(note.amplitude[1::2] < 0.1 * note.amplitude[::2])


def test_table_and_track_have_the_same_fields() -> None:
    """A row of the table is a track, field by field."""
    assert [f.name for f in fields(Partials)] == [f.name for f in fields(PartialTrack)]
    partials = phrase("flute")
    assert partials[3].frequency_hz == partials.frequency_hz[3]
    assert partials[3].number == partials.number[3]
    assert len(list(partials)) == len(partials)


def test_empty_table_is_silence() -> None:
    """No partials give silence, and a negative length is refused."""
    nothing = phrase("flute").where(np.zeros(24, bool))
    assert not render_partials(nothing, 16000, 100).any()
    message = "^expected a positive rate and a count from 0; got 0 Hz, 1 samples$"
    with pytest.raises(InputError, match=message):
        render_partials(nothing, 0, 1)
