"""A small encoder of convolutions that carries gradients, for the tests of anatomy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
import torch
from torch.nn.functional import conv1d

from tonotopy.encoders._contract import Encoder, FirstLayer, Operator, Role, Site


@dataclass(frozen=True)
class Conv:
    """One convolution: weights ``[out, in, time]``, its stride and dilation, and whether it is rectified."""

    weights: torch.Tensor
    stride: int = 1
    dilation: int = 1
    rectified: bool = False


class ConvStack(Encoder):
    """Convolutions without padding, each a site; ``lie`` is added to the views that the sites declare."""

    def __init__(self, convs: Sequence[Conv], *, sample_rate_hz: int = 16_000, lie: int = 0) -> None:
        self.name, self.sample_rate_hz, self.convs = "toy", sample_rate_hz, tuple(convs)
        self.weights_id, self.weights_label = "sha256:toy", "toy weights"
        sites, operators, view, hop = [], (), 1, 1
        for index, conv in enumerate(convs):
            units, _, kernel = conv.weights.shape
            name = f"conv{index}"
            operators += (Operator(name, "conv", kernel, conv.stride, conv.dilation, out_units=units),)
            view, hop = view + conv.dilation * (kernel - 1) * hop, hop * conv.stride
            role: Role = "first_conv" if index == 0 else "conv"
            sites.append(Site(name, role, hop, view + lie, 0, units, operators=operators))
        self.sites = tuple(sites)

    def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
        found, x = {}, audio[:, None]
        for site, conv in zip(self.sites, self.convs, strict=True):
            x = conv1d(x, conv.weights, stride=conv.stride, dilation=conv.dilation)
            x = x.clamp(min=0.0) if conv.rectified else x
            found[site.name] = x.transpose(1, 2)
        return {name: found[name] for name in sites}

    def first_layer(self) -> FirstLayer | None:
        first = self.convs[0]
        return FirstLayer(first.weights[:, 0].double(), first.stride, (0, 0))


@pytest.fixture
def stack() -> Callable[..., ConvStack]:
    """Build a stack from (out, in, kernel, stride, dilation, rectified) rows of random weights."""

    def build(*rows: tuple[int, int, int, int, int, bool], seed: int = 0, lie: int = 0) -> ConvStack:
        generator = torch.Generator().manual_seed(seed)
        convs = [
            Conv(torch.randn(out, into, kernel, generator=generator), stride, dilation, rectified)
            for out, into, kernel, stride, dilation, rectified in rows
        ]
        return ConvStack(convs, lie=lie)

    return build


@pytest.fixture
def from_filters() -> Callable[..., ConvStack]:
    """An encoder of one convolution with given filters ``[filter, time]``."""

    def build(filters: torch.Tensor, stride: int = 1, *, rectified: bool = False) -> ConvStack:
        return ConvStack([Conv(filters.float()[:, None], stride, rectified=rectified)])

    return build
