"""Hop, view and offset as measured: true ones come back, false ones and unbounded ones are named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import conv1d

from tonotopy.anatomy.layers import mismatch
from tonotopy.anatomy.measured import measure
from tonotopy.encoders._contract import Encoder, Site

ROWS = [(6, 1, 7, 2, 1, True), (8, 6, 3, 1, 4, True), (5, 8, 5, 3, 1, False)]


class Padded(Encoder):
    """One padded convolution; ``state`` adds the mean over time, ``window`` makes it framewise."""

    def __init__(self, *, state: bool = False, window: int | None = None, bounded: bool = True) -> None:
        self.name, self.sample_rate_hz, self.state, self.frame_length = "padded", 8000, state, window
        self.weights_id = self.weights_label = "none"
        self.weights = torch.randn(4, 1, 16, generator=torch.Generator().manual_seed(1))
        self.sites = (
            Site("conv", "first_conv", 4, 16, -6, 4, bounded=bounded, centre=1 if window else None),
        )

    def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
        found = conv1d(audio[:, None], self.weights, stride=4, padding=6).transpose(1, 2)
        return {name: found + found.square().mean(dim=1, keepdim=True) * self.state for name in sites}


@given(
    kernel=st.integers(1, 9), stride=st.integers(1, 6), dilation=st.integers(1, 3), second=st.integers(1, 5)
)
def test_true_geometry_comes_back(kernel: int, stride: int, dilation: int, second: int) -> None:
    """Whatever the kernels, strides and dilations, both measurements return the true interval."""
    generator = torch.Generator().manual_seed(0)
    first = torch.randn(6, 1, kernel, generator=generator)
    last = torch.randn(4, 6, second, generator=generator)
    view = dilation * (kernel - 1) + 1 + (second - 1) * stride

    class Two(Encoder):
        name, sample_rate_hz, weights_id, weights_label = "two", 8000, "none", "none"
        sites = (Site("end", "stack_end", 2 * stride, view, 0, 4),)

        def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
            x = conv1d(audio[:, None], first, stride=stride, dilation=dilation).clamp(min=0)
            return {name: conv1d(x, last, stride=2).transpose(1, 2) for name in sites}

    found = measure(Two(), Two.sites[0], seed=0)
    assert (found.hop, found.view_gradient, found.offset_gradient) == (2 * stride, view, 0)
    assert (found.view_impulse, found.offset_impulse) == (view, 0)
    assert mismatch(Two.sites[0], found, window=None) == ""


@pytest.mark.parametrize("lie", [-3, 4])
def test_a_false_view_is_named(stack: Callable, lie: int) -> None:
    """A site that declares three samples too few, or four too many, is told the true interval."""
    encoder = stack(*ROWS, lie=lie)
    for site in encoder.sites:
        said = mismatch(site, measure(encoder, site, seed=0), window=None)
        true = f"[0, {site.view - lie})"
        assert f"by gradient {true} every {site.hop}" in said
        assert (f"by impulse {true}" in said) == (lie < 0)  # an impulse cannot show that a view is shorter
        assert f"the operators listed add up to {site.view - lie} samples every {site.hop}" in said


def test_a_false_hop_is_named(stack: Callable) -> None:
    """A site that declares too short a hop, or too long a one, is told the true one."""
    encoder = stack((4, 1, 8, 4, 1, False))
    site = replace(encoder.sites[0], hop=2, operators=())
    for hop in (3, 8):
        encoder.sites = (replace(site, hop=hop),)
        said = mismatch(encoder.sites[0], measure(encoder, encoder.sites[0], seed=0), window=None)
        assert said.startswith(f"predicted [0, 8) every {hop}; ")
        assert "by gradient [0, 8) every 4" in said


def test_a_site_of_too_few_frames_is_named(stack: Callable) -> None:
    """A site that declares a frame a sample where there are far fewer is told the shape that came."""
    encoder = stack((4, 1, 8, 64, 1, False))
    encoder.sites = (replace(encoder.sites[0], hop=1, operators=()),)
    said = mismatch(encoder.sites[0], measure(encoder, encoder.sites[0], seed=0), window=None)
    assert said.startswith("predicted [0, 8) every 1; expected [batch, frame, unit] with more than ")
    assert said.endswith("likely cause: a hop, view or offset that the layer does not have")


def test_padding_shifts_the_offset() -> None:
    """A padded convolution starts before the sound, and both measurements say where."""
    encoder = Padded()
    found = measure(encoder, encoder.sites[0], seed=0)
    assert (found.view_gradient, found.offset_gradient) == (16, -6)
    assert (found.view_impulse, found.offset_impulse) == (16, -6)


def test_a_statistic_over_time_is_beyond_a_view() -> None:
    """Where every frame sees the mean over time, views are undefined, and a bounded site is contradicted."""
    encoder = Padded(state=True)
    found = measure(encoder, encoder.sites[0], seed=0)
    assert found.beyond.startswith("a frame depends on an end of a probe of ")
    assert (found.view_gradient, found.view_impulse) == (None, None)
    assert "a frame depends on an end" in mismatch(encoder.sites[0], found, window=None)
    honest = Padded(state=True, bounded=False)
    found = measure(honest, honest.sites[0], seed=0)
    assert mismatch(honest.sites[0], found, window=None) == ""


def test_a_window_cuts_a_view() -> None:
    """The first positions of a framewise encoder see a view cut at the window's start."""
    encoder = Padded(window=64)
    found = measure(encoder, encoder.sites[0], seed=0)
    assert (found.view_gradient, found.offset_gradient) == (14, -4)
    assert (found.view_impulse, found.offset_impulse) == (14, -4)
    assert found.undefined == {"hop": "framewise: one position is read"}
    assert mismatch(encoder.sites[0], found, window=64) == ""


def test_answers_without_gradient_leave_the_impulse(stack: Callable) -> None:
    """Where answers carry no gradient that half is undefined, and the impulse still measures."""
    encoder = stack(*ROWS)
    whole = encoder.activations
    encoder.activations = torch.no_grad()(whole)
    site = encoder.sites[2]
    found = measure(encoder, site, seed=0)
    assert found.undefined["view_gradient"] == "the answers carry no gradient"
    assert (found.view_impulse, found.offset_impulse) == (site.view, 0)


def test_constant_answers_are_undefined() -> None:
    """A site that does not listen has no view."""
    encoder = Padded()
    encoder.weights = torch.zeros(4, 1, 16)
    found = measure(encoder, encoder.sites[0], seed=0)
    assert found.undefined["view_gradient"] == "the answers do not depend on the sound"
    assert found.undefined["view_impulse"] == "no answer changes with an impulse"


def test_views_too_long_to_probe_are_undefined(stack: Callable) -> None:
    """A view of more than four seconds is not measured, and the reason says how long it is."""
    encoder = stack(*ROWS)
    found = measure(encoder, replace(encoder.sites[0], view=100_000), seed=0)
    assert found.undefined["view_impulse"].startswith("its view needs 15")
