"""A first layer's filters: known filters come back, damaged ones are refused, dead ones are undefined."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import freqz
from scipy.signal.windows import hann

from tonotopy.anatomy.first_layer import analyse, first_layer_anatomy
from tonotopy.anatomy.folding import folded_hz, members_hz
from tonotopy.anatomy.passband import NUMBERS
from tonotopy.anatomy.response import decibels, fft_points, power_response, response_at
from tonotopy.core.errors import WeightsError

RATE = 16_000


def tone(frequency_hz: float, taps: int, window: np.ndarray | None = None, phase: float = 0.0) -> np.ndarray:
    """A cosine of so many samples, tapered by a window."""
    shape = np.ones(taps) if window is None else window
    return shape * np.cos(2 * np.pi * frequency_hz * np.arange(taps) / RATE + phase)


@settings(max_examples=25, deadline=None)
@given(
    frequency_hz=st.floats(1000.0, 7000.0), taps=st.sampled_from([64, 128, 512]), phase=st.floats(0.0, 6.28)
)
def test_a_windowed_cosine_comes_back(frequency_hz: float, taps: int, phase: float) -> None:
    """Peak, centroid, bandwidths and Q of a Hann-windowed cosine match the window's published figures."""
    found = analyse(tone(frequency_hz, taps, hann(taps, sym=False), phase)[None], 1, RATE, seed=0)
    limit_hz = RATE / taps
    assert found.bands.peak_hz[0] == pytest.approx(frequency_hz, abs=0.02 * limit_hz)
    assert found.bands.centroid_hz[0] == pytest.approx(frequency_hz, abs=0.05 * limit_hz)
    assert found.limit_ratio[0] == pytest.approx(1.44, abs=0.01)  # Harris 1978: -3 dB bandwidth 1.44 bins
    assert found.bands.noise_bandwidth_hz[0] == pytest.approx(1.5 * limit_hz, rel=0.01)  # and 1.50 bins
    assert found.bands.q[0] == pytest.approx(frequency_hz / (1.44 * limit_hz), rel=0.02)
    assert found.bands.pass_bands[0] == 1
    assert found.bands.open_edge[0] == ""


def test_an_untapered_cosine_stands_at_the_resolution_limit() -> None:
    """A rectangular cosine is 0.886 of the resolution limit wide, and its side lobes are no pass bands."""
    found = analyse(tone(4000.0, 64)[None], 1, RATE, seed=0)
    assert found.limit_ratio[0] == pytest.approx(0.886, abs=0.005)
    assert found.bands.pass_bands[0] == 1


def test_two_tones_are_two_pass_bands() -> None:
    """A filter made of two tones has two pass bands, and a centroid between them that is no peak."""
    found = analyse((tone(1000.0, 256) + 0.8 * tone(5000.0, 256))[None], 1, RATE, seed=0)
    assert found.bands.pass_bands[0] == 2
    assert found.bands.peak_hz[0] == pytest.approx(1000.0, abs=10.0)
    assert 2000.0 < found.bands.centroid_hz[0] < 4000.0


def test_a_dirac_is_flat() -> None:
    """One nonzero sample passes everything alike: no peak, no Q, and a bandwidth of the whole axis."""
    found = analyse(np.eye(1, 9, 4), 1, RATE, seed=0)
    bands = found.bands
    assert bands.undefined[0] == dict.fromkeys(("peak_hz", "q", "pass_bands"), "flat response: no peak")
    assert np.isnan([bands.peak_hz[0], bands.q[0], bands.pass_bands[0]]).all()
    assert bands.bandwidth_hz[0] == RATE / 2
    assert bands.noise_bandwidth_hz[0] == pytest.approx(RATE / 2)
    assert (bands.open_edge[0], found.by_peak.size) == ("both", 0)
    assert np.allclose(found.response_db, 0.0)


def test_a_sum_and_a_difference() -> None:
    """Gain at DC is 0 dB for a sum of samples and nothing for their difference; Q at 0 Hz is undefined."""
    found = analyse(np.array([[1.0, 1.0], [1.0, -1.0]]), 1, RATE, seed=0)
    assert found.bands.dc_db.tolist() == [0.0, -200.0]
    assert found.bands.peak_hz.tolist() == [0.0, RATE / 2]
    assert found.bands.undefined[0] == {"q": "the peak is at 0 Hz"}
    assert found.bands.open_edge == ("low", "high")
    # |H|² = cos²(pi f / rate): half power at a quarter of the rate.
    assert found.bands.bandwidth_hz == pytest.approx([RATE / 4, RATE / 4])


def test_responses_agree_with_scipy() -> None:
    """The transform, and the direct sum at any frequency, equal scipy.signal.freqz."""
    filters = np.random.default_rng(0).standard_normal((3, 31))
    points = fft_points(31)
    power = power_response(filters, points)
    for one, row in zip(filters, power, strict=True):
        at, reference = freqz(one, worN=points // 2 + 1, include_nyquist=True, fs=RATE)
        assert np.allclose(row, np.abs(reference) ** 2, rtol=1e-9, atol=1e-9)
        assert np.allclose(response_at(one[None], at[::97], RATE)[0], reference[::97])


def test_noise_bandwidth_obeys_parseval() -> None:
    """The noise bandwidth times the peak's power is half the rate times the filter's energy."""
    filters = np.random.default_rng(1).standard_normal((5, 40))
    found = analyse(filters, 1, RATE, seed=0)
    energy = RATE / 2 * (filters**2).sum(axis=1)
    assert found.bands.noise_bandwidth_hz * 10 ** (found.gain_db / 10) == pytest.approx(energy, rel=2e-3)


def test_drawn_responses_are_those_of_the_filters() -> None:
    """The record's responses are dB re each filter's peak, on its own axis."""
    filters = np.random.default_rng(2).standard_normal((70, 16))  # more than one chunk
    found = analyse(filters, 1, RATE, seed=0)
    power = np.abs(response_at(filters, found.frequencies_hz, RATE)) ** 2
    peak = 10 ** (found.gain_db / 10)
    assert np.allclose(found.response_db, decibels(power / peak[:, None]), atol=1e-6)
    assert (found.frequencies_hz[0], found.frequencies_hz[-1]) == (0.0, RATE / 2)
    assert found.bands.peak_hz[found.by_peak].tolist() == sorted(found.bands.peak_hz)


def test_dead_filters_are_undefined_and_say_why() -> None:
    """A filter of zeros, or of next to nothing, has no numbers at all; its neighbours keep theirs."""
    filters = np.stack([tone(2000.0, 64), np.zeros(64), 1e-8 * tone(1000.0, 64)])
    found = analyse(filters, 2, RATE, seed=0)
    for index in (1, 2):
        assert np.isnan([getattr(found.bands, name)[index] for name in NUMBERS]).all()
        assert set(found.bands.undefined[index].values()) == {"dead filter: its weights are zero"}
        assert np.isnan(found.response_db[index]).all()
        assert np.isnan(found.gain_db[index])
    assert found.by_peak.tolist() == [0]
    assert found.bands.peak_hz[0] == pytest.approx(2000.0, abs=5.0)


def test_all_filters_dead() -> None:
    """A layer of zeros is a record of nothing, with reasons, and no warning."""
    found = analyse(np.zeros((6, 8)), 2, RATE, seed=0)
    assert found.by_peak.size == 0
    assert found.order.undefined["spatial"] == "0 filters have a peak: fewer than 5"


def test_weights_that_are_not_finite_are_refused(from_filters: Callable) -> None:
    """NaN in a checkpoint is an error that counts and names the filters."""
    filters = torch.randn(4, 8, generator=torch.Generator().manual_seed(0))
    filters[1, 3], filters[3, 0] = torch.nan, torch.inf
    with pytest.raises(WeightsError) as caught:
        first_layer_anatomy(from_filters(filters), seed=0)
    assert str(caught.value) == (
        "expected finite first-layer weights of toy; got NaN or infinity in 2 of 4 filters (1, 3); "
        "likely cause: a damaged checkpoint, or training that diverged"
    )


@given(frequency_hz=st.floats(0.0, 8000.0), stride=st.integers(2, 64))
def test_members_of_a_class_fold_onto_one_frequency(frequency_hz: float, stride: int) -> None:
    """Every member of an alias class folds where its first one does, and the frequency is among them."""
    frame_rate_hz = RATE / stride
    at = folded_hz(frequency_hz, frame_rate_hz)
    members = members_hz(at, frame_rate_hz, RATE / 2)
    assert np.allclose([folded_hz(member, frame_rate_hz) for member in members], at, atol=1e-5)
    assert np.abs(members - frequency_hz).min() < 1e-5


def test_folding_counts_what_filters_can_tell_apart() -> None:
    """Two filters separate at most two of four members of a class; eight random ones separate all."""
    filters = np.random.default_rng(3).standard_normal((8, 32))
    assert set(analyse(filters[:2], 4, RATE, seed=0).folding.rank.tolist()) == {2}
    assert set(analyse(filters, 4, RATE, seed=0).folding.rank.tolist()) == {4}


def test_strided_samples_alone_fold_everything() -> None:
    """A bare sample every fourth keeps nothing apart: rank one, and aliases leak at full strength."""
    found = analyse(np.array([[1.0, 0.5, 0.0, 0.0]]), 4, RATE, seed=0)
    assert set(found.folding.rank.tolist()) == {1}
    flat = analyse(np.eye(1, 4), 4, RATE, seed=0).folding
    assert np.isnan(flat.strongest_alias_db[0])  # a flat filter has no peak to leak into
    assert np.isnan(flat.response_db).all()


def test_leaks_are_read_at_the_aliases_of_the_peak() -> None:
    """The strongest alias is the member of the peak's class with the most gain, in dB re the peak."""
    filters = tone(1000.0, 256) + 0.5 * tone(3000.0, 256)  # 3 kHz folds onto 1 kHz at 4 kHz
    found = analyse(filters[None], 4, RATE, seed=0).folding
    assert found.strongest_alias_hz[0] == pytest.approx(3000.0, abs=5.0)
    assert found.strongest_alias_db[0] == pytest.approx(-6.0, abs=0.3)


def test_alias_responses_are_the_filters_at_the_members() -> None:
    """The alias view holds each filter's response at every member of every class."""
    filters = np.random.default_rng(4).standard_normal((3, 16))
    found = analyse(filters, 4, RATE, seed=0)
    direct = np.abs(response_at(filters, found.folding.members_hz.ravel(), RATE)) ** 2
    expected = decibels(direct.reshape(3, 4, -1) / (10 ** (found.gain_db / 10))[:, None, None])
    assert np.allclose(found.folding.response_db, expected, atol=1e-3)
    assert (np.diff(found.folding.members_hz, axis=0) > 0).all()
