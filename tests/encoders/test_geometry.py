"""Measured geometry is that of the operators, on stacks nobody chose by hand."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from tonotopy.encoders._geometry import Geometry, effective_view, impulse_pair, measure
from tonotopy.encoders._trace import trace

layers = st.lists(
    st.tuples(
        st.integers(1, 9),  # kernel
        st.integers(1, 4),  # stride
        st.integers(1, 3),  # dilation
        st.integers(0, 5),  # padding on the left
        st.sampled_from(["conv", "conv+relu", "max", "mean", "residual"]),
    ),
    min_size=1,
    max_size=4,
)


class Stack(nn.Module):
    """Layers with explicit padding on the left, which no module hook sees."""

    def __init__(self, specification: list[tuple[int, int, int, int, str]]) -> None:
        super().__init__()
        self.specification = specification
        widths = [1, *[6] * len(specification)]
        self.convs = nn.ModuleList(
            nn.Conv1d(before, 6, kernel, stride, dilation=dilation)
            for before, (kernel, stride, dilation, _, _) in zip(widths, specification, strict=False)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for conv, (kernel, stride, dilation, left, kind) in zip(self.convs, self.specification, strict=True):
            reach = dilation * (kernel - 1)
            if kind in {"max", "mean"} and x.shape[1] == 6:
                pool = F.max_pool1d if kind == "max" else F.avg_pool1d
                x = pool(F.pad(x, (left, 0)), kernel, stride)
            elif kind == "residual" and stride == 1 and x.shape[1] == 6:
                x = x + conv(F.pad(x, (reach, 0)))
            else:
                x = conv(F.pad(x, (left, 0)))
                x = F.leaky_relu(x) if kind == "conv+relu" else x
        return x


def exact(model: nn.Module) -> object:
    """A module as the function that is measured: ``[batch, time]`` to ``[batch, frame, unit]``, in float64."""
    return lambda audio: model(audio[:, None]).transpose(1, 2)


@settings(max_examples=40)
@given(layers)
def test_measured_equals_predicted(specification: list[tuple[int, int, int, int, str]]) -> None:
    """Hop, view and offset from gradients equal those followed through the operators."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Stack(specification).double().requires_grad_(False)
    predicted = trace(model, model, torch.zeros(1, 1, 3000, dtype=torch.float64))[-1].path.geometry
    n_samples = 2 * predicted.view + 8 * predicted.hop
    measured = measure(exact(model), n_samples, rounds=12)
    assert measured.bounded, measured.note
    assert measured.interval == predicted.interval


def test_state_is_found_by_its_effect() -> None:
    """A running mean with a known decay is unbounded, and its effective view is where 1e-4 of energy remains."""
    decay = 0.9

    def leaky(audio: torch.Tensor) -> torch.Tensor:
        out, held = [], torch.zeros_like(audio[:, 0])
        for t in range(audio.shape[1]):
            held = decay * held + audio[:, t]
            out.append(held)
        return torch.stack(out, dim=1)[..., None]

    measured = measure(leaky, 64, rounds=2)
    assert not measured.bounded
    assert measured.note == "a frame depends on an end of a probe of 64 samples"
    without, having, position = impulse_pair(600, dtype=torch.float64)
    view, future = effective_view(leaky(without), leaky(having), position, Geometry(1, 1, 0))
    # Energy beyond n samples is decay^(2n) of the whole: 1e-4 at n = 43.7.
    assert view == 44
    assert future == 0


def test_detached_statistics_do_not_hide() -> None:
    """A layer that scales by a detached level shows no gradient, and is found by replacing what is outside."""
    conv = nn.Conv1d(1, 3, 5).double().requires_grad_(False)

    def scaled(audio: torch.Tensor) -> torch.Tensor:
        return (conv(audio[:, None]) / audio.detach().std(dim=1)[:, None, None]).transpose(1, 2)

    measured = measure(scaled, 64)
    assert not measured.bounded
    assert measured.note == "samples outside the gradient's span change a frame"


def test_a_varying_hop_is_no_hop() -> None:
    """Adaptive pooling, whose frames are unevenly apart, is reported and not rounded away."""
    model = nn.Sequential(nn.Conv1d(1, 3, 5), nn.AdaptiveAvgPool1d(17)).double().requires_grad_(False)
    measured = measure(exact(model), 100)
    assert not measured.bounded
    assert measured.note == "the hop varies from frame to frame"


def test_a_constant_depends_on_nothing() -> None:
    """A function that ignores its input has no view, and says so."""
    measured = measure(lambda audio: audio[:, ::4, None] * 0, 64, rounds=1)
    assert measured.note == "the output does not depend on the input"
