"""Any module as an encoder: what is found, how it is named, and what is said where it cannot be read."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tonotopy.core.errors import InputError
from tonotopy.encoders.module import ModuleEncoder

RATE = 16_000


class Residual(nn.Module):
    """Mirrored causal padding that hooks cannot see, a residual branch, and a strided shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(1, 8, 7, stride=2)
        self.inner = nn.Conv1d(8, 8, 5)
        self.down = nn.Conv1d(8, 16, 4, stride=2)
        self.short = nn.Conv1d(8, 16, 1, stride=2)

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        x = self.first(F.pad(audio.unsqueeze(1), (5, 0), mode="reflect"))
        x = x + self.inner(F.pad(F.elu(x), (4, 0)))
        return self.down(F.pad(x, (2, 0))) + self.short(x)


class Recurrent(nn.Module):
    """A convolution, an LSTM with a skip, and a causal convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 8, 16, stride=8)
        self.lstm = nn.LSTM(8, 8, batch_first=True)
        self.last = nn.Conv1d(8, 8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        x = self.lstm(x.transpose(1, 2))[0].transpose(1, 2) + x
        return self.last(F.pad(x, (2, 0)))


class Fixed(nn.Module):
    """Two-dimensional convolutions over an axis of one, then a flattening: 260 samples and no other length."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(1, 8, (16, 1), stride=(4, 1))
        self.b = nn.Conv2d(8, 8, (3, 1), padding=(1, 0))
        self.classes = nn.Linear(8 * 62, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.b(self.a(x[:, None, :, None]).relu())
        return self.classes(x.flatten(1))


def described(encoder: ModuleEncoder) -> list[tuple[str, str, int, int, int, int]]:
    """Name, role, hop, view, offset and units of every site."""
    return [(s.name, s.role, s.hop, s.view, s.offset, s.units) for s in encoder.sites]


def test_sites_in_execution_order() -> None:
    """Convolutions are sites; what follows them directly is their ``.out``; the last one ends the stack."""
    model = nn.Sequential(
        nn.Conv1d(1, 8, 3, stride=3),
        nn.BatchNorm1d(8),
        nn.ReLU(inplace=True),
        nn.MaxPool1d(3),
        nn.Conv1d(8, 4, 5, dilation=2, padding=4),
        nn.ELU(),
    )
    encoder = ModuleEncoder(model, RATE)
    assert described(encoder) == [
        ("0", "first_conv", 3, 3, 0, 8),
        ("0.out", "layer", 3, 3, 0, 8),
        ("4", "conv", 9, 81, -36, 4),
        ("4.out", "stack_end", 9, 81, -36, 4),
    ]
    assert encoder.disagreements == ()
    assert [op.kind for op in encoder.sites[-1].operators] == [
        "conv",
        "norm",
        "activation",
        "pool",
        "conv",
        "activation",
    ]


def test_a_tensor_that_is_changed_in_place_is_read_before() -> None:
    """A convolution before an in-place rectifier still shows its own, negative output."""
    model = nn.Sequential(nn.Conv1d(1, 8, 3), nn.ReLU(inplace=True), nn.Conv1d(8, 2, 3))
    found = ModuleEncoder(model, RATE).activations(torch.randn(1, 200), ["0", "0.out"])
    assert found["0"].min() < 0
    assert torch.equal(found["0"].relu(), found["0.out"])


def test_padding_outside_of_modules_and_branches_count() -> None:
    """Explicit padding and the longest branch decide the view; the shortcut keeps its own."""
    encoder = ModuleEncoder(Residual(), RATE)
    assert described(encoder) == [
        ("first", "first_conv", 2, 7, -5, 8),
        ("inner", "conv", 2, 15, -13, 8),
        ("down", "conv", 4, 21, -17, 16),
        ("short", "stack_end", 4, 15, -13, 16),
    ]
    assert encoder.disagreements == ()
    assert encoder.site("first").operators[0].padding == (5, 0)


def test_state_is_reported_with_the_layer_that_has_it() -> None:
    """From the LSTM on sites are unbounded, the note names it, and a longer effective view is measured."""
    encoder = ModuleEncoder(Recurrent(), RATE, sites=["lstm"])
    conv, lstm, last = encoder.sites
    assert conv.bounded
    for site in (lstm, last):
        assert not site.bounded
        assert site.note == "lstm lets a frame depend on more than its view"
        assert site.effective_view is not None
        assert site.span >= site.view
    assert lstm.role == "layer"
    assert (last.hop, last.view, last.offset) == (8, 32, -16)


@pytest.mark.parametrize("norm", [nn.GroupNorm(1, 8), nn.InstanceNorm1d(8)])
def test_statistics_over_time_are_reported(norm: nn.Module) -> None:
    """Norms that average over time unbind all later sites and are named."""
    encoder = ModuleEncoder(nn.Sequential(nn.Conv1d(1, 8, 16, stride=8), norm, nn.Conv1d(8, 8, 3)), RATE)
    assert [site.bounded for site in encoder.sites] == [True, False, False]
    assert encoder.sites[-1].note.startswith("1 lets a frame depend on more than its view")


def test_a_layer_without_a_rule_is_named() -> None:
    """Where no rule follows the signal, the operator that mixes time is named from the trace."""

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.last = nn.Conv1d(1, 4, 64, stride=64), nn.Conv1d(4, 4, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.conv(x)
            weight = torch.softmax(x.transpose(1, 2) @ x, dim=2)
            return self.last(x @ weight)

    encoder = ModuleEncoder(Attention(), RATE)
    assert encoder.sites[0].bounded
    assert not encoder.sites[1].bounded
    assert re.match(r"bmm in model lets a frame depend on more than its view", encoder.sites[1].note)


def test_a_weight_that_is_zero_is_a_disagreement() -> None:
    """Where the operators promise more than the weights use, the measurement counts and the layer is named."""
    model = nn.Sequential(nn.Conv1d(1, 4, 9), nn.Conv1d(4, 4, 3))
    with torch.no_grad():
        model[0].weight[:, :, :4] = 0
    encoder = ModuleEncoder(model, RATE)
    assert encoder.disagreements == (
        "0: the operators say hop 1 view 9 offset 0, measured hop 1 view 5 offset 4",
        "1: the operators say hop 1 view 11 offset 0, measured hop 1 view 7 offset 4",
    )
    assert encoder.site("0").view == 5


def test_a_model_of_fixed_length_asks_for_its_window() -> None:
    """Without a window the error says to pass one, what was tried, and what the model said."""
    with pytest.raises(InputError, match=r"pass window=….*mat1 and mat2 shapes cannot be multiplied"):
        ModuleEncoder(Fixed(), RATE)


def test_a_window_makes_a_model_framewise() -> None:
    """With its window it has a centre position a site, and the linear layer's input as head."""
    encoder = ModuleEncoder(Fixed(), RATE, window=260)
    assert encoder.frame_length == 260
    assert [(s.name, s.role, s.hop, s.view, s.centre, s.units) for s in encoder.sites] == [
        ("a", "first_conv", 4, 16, 31, 8),
        ("b", "stack_end", 4, 24, 31, 8),
        ("head", "head", 260, 260, 0, 496),
    ]
    found = encoder.activations(torch.randn(3, 260), ["a", "head"])
    assert {name: tuple(value.shape) for name, value in found.items()} == {
        "a": (3, 62, 8),
        "head": (3, 1, 496),
    }


def test_any_layer_on_request() -> None:
    """A module asked for by path is a site, in its place; a misspelt one is refused with the legal names."""
    model = nn.Sequential(nn.Conv1d(1, 4, 3), nn.MaxPool1d(2), nn.Conv1d(4, 4, 3))
    assert [site.name for site in ModuleEncoder(model, RATE, sites=["1"]).sites] == ["0", "1", "2"]
    message = (
        "expected a layer with a time axis; got 'pool'; likely cause: a misspelt layer, or one that does not run; "
        "legal values: 0, 1, 2"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        ModuleEncoder(model, RATE, sites=["pool"])


def test_a_module_that_runs_twice_has_two_places() -> None:
    """The second run of a shared layer is ``name#2``."""

    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.again = nn.Conv1d(1, 4, 3), nn.Conv1d(4, 4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.again(self.again(self.first(x)))

    encoder = ModuleEncoder(Shared(), RATE)
    assert [(site.name, site.view) for site in encoder.sites] == [("first", 3), ("again", 5), ("again#2", 7)]


def test_several_channels_get_copies_of_mono() -> None:
    """A stereo model is recognised, and its first filters are the sum over channels."""
    model = nn.Sequential(nn.Conv1d(2, 4, 5), nn.Conv1d(4, 4, 3))
    encoder = ModuleEncoder(model, RATE)
    audio = torch.randn(1, 60)
    found = encoder.activations(audio, ["0"])["0"]
    layer = encoder.first_layer()
    assert layer is not None
    expected = F.conv1d(audio[:, None].double(), layer.filters[:, None], layer.bias).transpose(1, 2)
    assert torch.allclose(found.double(), expected, atol=1e-6)


def test_the_model_is_left_as_found() -> None:
    """Training mode, gradients, weights and statistics of the user's model do not change; no hook stays."""
    model = nn.Sequential(nn.Conv1d(1, 4, 3), nn.BatchNorm1d(4), nn.ReLU(), nn.Conv1d(4, 2, 3)).train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    encoder = ModuleEncoder(model, RATE)
    encoder.activations(torch.randn(2, 100), ["3"])
    encoder.randomised(0, None)
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_random_weights_keep_the_architecture_and_calibrate_it() -> None:
    """New weights come from the layers' own initialiser; batch statistics are those of the music given."""
    model = nn.Sequential(nn.Conv1d(1, 4, 3), nn.BatchNorm1d(4), nn.ReLU(), nn.Conv1d(4, 2, 3))
    music = 0.1 * torch.randn(4, 4000, generator=torch.Generator().manual_seed(0))
    encoder = ModuleEncoder(model, RATE)
    other = encoder.randomised(3, music)
    assert other.sites == encoder.sites
    assert other.weights_id != encoder.weights_id
    raw = other.activations(music, ["0"])["0"]
    norm = other._net[1]
    assert torch.allclose(norm.running_mean, raw.mean(dim=(0, 1)), atol=1e-5)
    bound = (1 / 3) ** 0.5
    assert other._net[0].weight.abs().max() <= bound


def test_weight_norm_is_drawn_as_a_plain_weight() -> None:
    """A parametrised layer gets the same new weight as a plain one under the same seed."""
    plain = nn.Sequential(nn.Conv1d(1, 4, 5), nn.ReLU(), nn.Conv1d(4, 2, 3))
    normed = nn.Sequential(
        nn.utils.parametrizations.weight_norm(nn.Conv1d(1, 4, 5)), nn.ReLU(), nn.Conv1d(4, 2, 3)
    )
    a, b = (ModuleEncoder(model, RATE).randomised(1, None) for model in (plain, normed))
    audio = torch.randn(1, 100)
    assert torch.allclose(a.activations(audio, ["0"])["0"], b.activations(audio, ["0"])["0"], atol=1e-6)


def test_a_model_without_convolutions_is_refused() -> None:
    """A model of linear layers over samples has no site to offer."""
    message = (
        "expected a model with a 1-D convolution; got Linear; likely cause: none ran on a sequence of samples"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        ModuleEncoder(nn.Linear(64, 3), RATE, window=64)
