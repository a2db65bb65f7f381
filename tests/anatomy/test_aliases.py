"""Alias classes: what a stride folds together is predicted, observed, and told from broad filters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from tonotopy.anatomy.alias_pairs import alias_pairs
from tonotopy.anatomy.aliases import aliases_at
from tonotopy.anatomy.answers import phase_averaged
from tonotopy.anatomy.folding import folded_hz
from tonotopy.anatomy.response import response_at
from tonotopy.core.errors import InputError
from tonotopy.encoders._contract import Encoder, Site
from tonotopy.signal import erb

RATE = 16_000


def random_filters(filters: int, taps: int, seed: int = 0) -> torch.Tensor:
    """White Gaussian filters ``[filter, time]``."""
    return torch.randn(filters, taps, generator=torch.Generator().manual_seed(seed))


class Modulus(Encoder):
    """The beat that frames of stride S carry, whatever the member: cos(2 pi phi t) read at four lags."""

    def __init__(self, stride: int) -> None:
        self.name, self.sample_rate_hz, self.stride = "modulus", RATE, stride
        self.weights_id = self.weights_label = "none"
        self.sites = (
            Site("samples", "first_conv", stride, 1, 0, 1),
            Site("lags", "stack_end", stride, 3 * stride + 1, 0, 4),
        )

    def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
        samples = audio[:, :: self.stride, None]
        windows = samples[..., 0].unfold(-1, 4, 1)
        lags = windows @ torch.linalg.qr(torch.arange(16.0).reshape(4, 4) ** 0.5)[0]
        return {name: samples if name == "samples" else lags for name in sites}


@pytest.mark.parametrize("stride", [2, 5, 160])
def test_pairs_fold_and_controls_do_not(stride: int) -> None:
    """Every alias folds onto its frequency, every control a quarter of the frame rate away, 1 ERB apart."""
    frame_rate_hz = RATE / stride
    pairs = alias_pairs(40, RATE, stride, seed=1)
    assert len(pairs) >= 15
    for frequency_hz, alias, control in pairs:
        at = folded_hz(frequency_hz, frame_rate_hz)
        assert folded_hz(alias, frame_rate_hz) == pytest.approx(at, abs=1e-4)
        assert abs(folded_hz(control, frame_rate_hz) - at) == pytest.approx(frame_rate_hz / 4, abs=1e-4)
        assert abs(erb.rate(alias) - erb.rate(frequency_hz)) >= 1.0
        assert min(alias, control) >= 55.0
        assert max(alias, control) <= 0.45 * RATE + 1e-6


def test_no_pairs_without_a_stride() -> None:
    """At stride 1 nothing folds."""
    assert alias_pairs(40, RATE, 1, seed=0).shape == (0, 3)


@pytest.mark.parametrize("rectified", [False, True])
def test_answers_of_a_convolution_are_its_response(from_filters: Callable, rectified: bool) -> None:
    """The phase-averaged answer is A |H(f)| / sqrt 2, and half that power after rectification."""
    filters = random_filters(6, 16)
    encoder = from_filters(filters, 4, rectified=rectified)
    frequencies = np.array([211.0, 1777.0, 5003.0])
    answer = phase_averaged(encoder, encoder.sites, frequencies)["conv0"]
    expected = 0.0501 * np.abs(response_at(filters.double().numpy(), frequencies, RATE)).T
    assert answer == pytest.approx(expected / (2**0.5 if rectified else 1.0), rel=1e-3)


@pytest.mark.parametrize("rectified", [False, True])
def test_a_first_layer_collapses_as_predicted(from_filters: Callable, rectified: bool) -> None:
    """At a strided convolution observed cosines equal those of |H_k|; the shuffled null does not."""
    encoder = from_filters(random_filters(4, 5), 4, rectified=rectified)
    found = aliases_at(encoder, encoder.sites[0], seed=0)
    assert found.predicted_from == "first-layer weights"
    assert found.observed == pytest.approx(found.predicted, abs=1e-4)
    assert found.correlation == pytest.approx(1.0, abs=1e-6)
    assert found.correlation_p == 0.001
    assert np.abs(found.correlation_null).max() < 0.8
    assert 0.0 < found.share_predicted == found.share_collapsed < 1.0
    assert found.agreement == 1.0


def test_broad_filters_collapse_without_folding(from_filters: Callable) -> None:
    """Filters of two samples confuse aliases and controls alike: no effect of folding."""
    encoder = from_filters(random_filters(3, 2), 2)
    found = aliases_at(encoder, encoder.sites[0], seed=0)
    assert found.share_collapsed > 0.2
    assert found.folding_p > 0.05


def test_bare_samples_fold_and_the_control_shows_it() -> None:
    """Behind one bare sample in four all aliases collapse and controls do not: that is folding."""
    encoder = Modulus(4)
    found = aliases_at(encoder, encoder.sites[1], seed=0)
    assert found.share_collapsed == 1.0
    assert found.share_control < 0.5
    assert found.folding_p == 0.001
    assert found.predicted_from == "answers at samples"
    assert found.undefined["correlation"] == "every pair is equally similar"


def test_stride_one_and_silence_are_undefined(from_filters: Callable) -> None:
    """Where nothing folds, or nothing answers, numbers are undefined with the reason."""
    plain = from_filters(random_filters(4, 8))
    assert set(aliases_at(plain, plain.sites[0], seed=0).undefined.values()) == {"stride 1: nothing folds"}
    dead = from_filters(torch.zeros(4, 8), 2)
    found = aliases_at(dead, dead.sites[0], seed=0)
    assert found.share_collapsed is None
    assert set(found.undefined.values()) == {"0 pairs have an answer: fewer than 8"}


def test_answers_that_are_not_finite_are_refused(from_filters: Callable) -> None:
    """NaN activations are an error, not a cosine."""
    encoder = from_filters(torch.full((2, 4), torch.nan), 2)
    with pytest.raises(InputError) as caught:
        aliases_at(encoder, encoder.sites[0], seed=0)
    assert str(caught.value) == (
        "expected finite answers at site conv0; got NaN or infinity; "
        "likely cause: weights that are not finite"
    )


def test_a_site_that_needs_too_much_sound_is_undefined(from_filters: Callable) -> None:
    """A view beyond four seconds leaves aliases undefined; answers asked for by themselves are refused."""
    encoder = from_filters(random_filters(2, 4), 2)
    encoder.sites = (replace(encoder.sites[0], view=200_000),)
    found = aliases_at(encoder, encoder.sites[0], seed=0)
    assert set(found.undefined.values()) == {"steady only after 200,008 samples: more than 4 s"}
    with pytest.raises(InputError) as caught:
        phase_averaged(encoder, encoder.sites, np.array([440.0]))
    assert str(caught.value) == "expected sites of toy steady within 4 s; got 200,008 samples"
