"""What is at a site can be replaced, and the rest of the model goes on from there: every encoder, every layout."""

from __future__ import annotations

import copy

import pytest
import torch

from tonotopy.core.errors import InputError
from tonotopy.encoders import Encoder, load_encoder
from tonotopy.encoders._contract import OUTPUTS
from tonotopy.encoders._geometry import pink_noise
from tonotopy.encoders._taps import Tap, read, replaced
from tonotopy.encoders.module import ModuleEncoder

SMALL = {"num_filters": 4, "hidden_size": 16, "codebook_size": 64, "num_lstm_layers": 1}


class Branching(torch.nn.Module):
    """An in-place rectifier, a layer that runs twice, a recurrent layer, a skip."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Conv1d(1, 6, 8, stride=4)
        self.rectifier = torch.nn.ReLU(inplace=True)
        self.again = torch.nn.Conv1d(6, 6, 3, padding=1)
        self.recurrent = torch.nn.LSTM(6, 6, batch_first=True)
        self.last = torch.nn.Conv1d(6, 3, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.rectifier(self.first(x))
        y = self.again(self.again(x))
        z, _ = self.recurrent(y.transpose(1, 2))
        return self.last(x + z.transpose(1, 2))


def windowed() -> torch.nn.Module:
    return torch.nn.Sequential(
        torch.nn.Conv1d(1, 4, 8, stride=4), torch.nn.Tanh(), torch.nn.Flatten(), torch.nn.Linear(4 * 15, 5)
    )


def opened(name: str) -> Encoder:
    torch.manual_seed(0)
    if name == "branching":
        return ModuleEncoder(Branching(), 16000, sites=["again", "again#2", "recurrent"])
    if name == "windowed":
        return ModuleEncoder(windowed(), 16000, window=64)
    if name == "crepe":
        return load_encoder("crepe-tiny", weights="random:1")
    if name == "samplecnn":
        return load_encoder("samplecnn-3-7", weights="random:1", tags=3, narrow=32)
    rate = "48" if name == "encodec-48" else "24"
    return load_encoder(f"encodec-{rate}khz", weights="random:1", config=SMALL)


NAMES = ["branching", "windowed", "crepe", "samplecnn", "encodec", "encodec-48"]
HEADED = ["windowed", "crepe", "samplecnn"]


def sound(encoder: Encoder) -> torch.Tensor:
    n = encoder.frame_length or (6561 if "samplecnn" in encoder.name else 1600)
    return pink_noise(2, n, torch.Generator().manual_seed(0)).float()


def twice(a: torch.Tensor) -> torch.Tensor:
    return 2 * a


@pytest.mark.parametrize("name", NAMES)
def test_an_identical_replacement_changes_nothing(name: str) -> None:
    """At every site, bit for bit: what is put back lies in memory as it did."""
    encoder = opened(name)
    audio, order = sound(encoder), [site.name for site in encoder.sites]
    plain = encoder.activations(audio, order)
    for i, site in enumerate(order):
        found = encoder.changed(audio, site, lambda a: a + 0, order[i:])
        assert list(found) == order[i:]
        for later in order[i:]:
            assert torch.equal(found[later], plain[later]), (site, later)


@pytest.mark.parametrize("name", NAMES)
def test_a_change_is_seen_at_its_site_and_reaches_the_last(name: str) -> None:
    """The site itself reads what was put there; the end of the stack follows a change anywhere on the path."""
    encoder = opened(name)
    audio, order = sound(encoder), [site.name for site in encoder.sites]
    end = next(site.name for site in encoder.sites if site.role == "stack_end")
    plain = encoder.activations(audio, order)
    for site in order[: order.index(end) + 1]:
        found = encoder.changed(audio, site, twice, [site, end])
        assert torch.equal(found[site], 2 * plain[site])
        assert not torch.allclose(found[end], plain[end]), site


def test_one_run_of_a_layer_is_changed_and_the_others_are_not() -> None:
    """`path#2` means the second run alone."""
    encoder = opened("branching")
    audio = sound(encoder)
    plain = encoder.activations(audio, ["again", "again#2"])
    found = encoder.changed(audio, "again#2", twice, ["again#2"])
    assert torch.equal(found["again#2"], 2 * plain["again#2"])
    first = encoder.changed(audio, "again", torch.zeros_like, ["again", "again#2"])
    assert not first["again"].any()
    assert not torch.allclose(first["again#2"], plain["again#2"])


def test_what_follows_is_computed_from_the_new_tensor() -> None:
    """Against the layers run by hand, behind an in-place rectifier and a recurrent layer."""
    torch.manual_seed(0)
    model = Branching().eval()
    encoder, by_hand = ModuleEncoder(model, 16000, sites=["recurrent"]), copy.deepcopy(model)
    audio = sound(encoder)
    noise = torch.randn(1, 1, 6, generator=torch.Generator().manual_seed(1))
    found = encoder.changed(audio, "first", lambda a: a + noise, ["first", "recurrent", "last"])
    with torch.no_grad():
        x = by_hand.first(audio[:, None]) + noise.transpose(1, 2)
        assert torch.allclose(found["first"], x.transpose(1, 2), atol=1e-6)
        x = x.relu()
        z, _ = by_hand.recurrent(by_hand.again(by_hand.again(x)).transpose(1, 2))
        assert torch.allclose(found["recurrent"], z, atol=1e-6)
        assert torch.allclose(found["last"], by_hand.last(x + z.transpose(1, 2)).transpose(1, 2), atol=1e-6)


@pytest.mark.parametrize("name", HEADED)
def test_outputs_follow_the_head(name: str) -> None:
    """The head's outputs are those without a change where nothing is changed, and follow where it is."""
    encoder = opened(name)
    audio = sound(encoder)
    plain = encoder.outputs(audio)
    assert plain is not None
    assert plain.dim() == 3
    for site in encoder.sites:
        same = encoder.changed(audio, site.name, lambda a: a + 0, [OUTPUTS])[OUTPUTS]
        assert torch.equal(same, plain), site.name
        assert not torch.allclose(encoder.changed(audio, site.name, twice, [OUTPUTS])[OUTPUTS], plain)


def test_outputs_of_crepe_are_its_logits_and_name_their_pitch() -> None:
    """360 bins, 20 cents apart."""
    encoder = opened("crepe")
    hz = encoder.output_hz
    assert hz is not None
    assert hz.shape == (360,)
    assert float(1200 * torch.log2(hz[1] / hz[0])) == pytest.approx(20)
    assert encoder.outputs(sound(encoder)).shape == (2, 1, 360)


def test_codes_follow_a_latent_that_was_changed() -> None:
    """EnCodec quantises what was put at the end of the stack; codes can be replaced themselves."""
    encoder = opened("encodec")
    audio = sound(encoder)
    latent = encoder.activations(audio, ["stack_end"])["stack_end"]
    swapped = latent.flip(0)
    codes = encoder.changed(audio, "stack_end", lambda a: a.flip(0), ["codes"])["codes"]
    other = encoder.activations(audio.flip(0), ["codes"])["codes"]
    assert torch.allclose(codes, other)
    assert torch.equal(encoder.changed(audio, "codes", lambda _: swapped, ["codes"])["codes"], swapped)


@pytest.mark.parametrize("name", ["phantom:cochlea", "phantom:chroma", "reference:spectrogram"])
def test_a_phantom_is_changed_at_its_one_site(name: str) -> None:
    """A phantom's site takes a change too."""
    encoder = load_encoder(name)
    audio = pink_noise(1, 8000, torch.Generator().manual_seed(0)).float()
    site = encoder.sites[0].name
    plain = encoder.activations(audio, [site])[site]
    assert torch.equal(encoder.changed(audio, site, twice, [site])[site], 2 * plain)


# ---- faults


def test_sites_side_by_side_do_not_depend_on_one_another() -> None:
    """Variants of a phantom are no chain: the error names the site that can be read."""
    encoder = load_encoder("phantom:superposed-cochlea")
    with pytest.raises(InputError, match=r"side by side.*legal values: superposed-0"):
        encoder.changed(torch.zeros(1, 8000), "superposed-0", twice, ["superposed-1"])


@pytest.mark.parametrize(
    ("site", "sites", "said"),
    [
        ("nowhere", ["stack_end"], "a site of encodec"),
        ("down2", ["down1"], "make the change at an earlier one; legal values: down2, block3.conv1"),
        ("down2", [OUTPUTS], "the model has no head"),
    ],
)
def test_a_place_that_cannot_be(site: str, sites: list[str], said: str) -> None:
    """Each error says what can be done instead."""
    encoder = opened("encodec")
    with pytest.raises(InputError, match=said):
        encoder.changed(sound(encoder), site, twice, sites)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a: a * float("inf"), "a strength that overflows"),
        (lambda a: a + float("nan"), "activations that are finite"),
        (lambda a: a.double() * 1e300, "a strength that overflows"),
        (lambda a: a[:, :1], "a change made for another site"),
        (lambda _: None, "got NoneType"),
    ],
)
@pytest.mark.parametrize("name", ["encodec", "crepe", "phantom"])
def test_a_change_that_is_no_activation(name: str, change: object, said: str) -> None:
    """Overflow, NaN and other shapes are refused, wherever the change is made."""
    encoder = load_encoder("phantom:cochlea") if name == "phantom" else opened(name)
    audio = torch.rand(1, 8000) if name == "phantom" else sound(encoder)
    site = encoder.sites[0].name
    with pytest.raises(InputError, match=said):
        encoder.changed(audio, site, change, [site])  # type: ignore[arg-type]


def test_an_encoder_that_only_reads_says_so() -> None:
    """The protocol's default."""

    class Reading(Encoder):
        name, sites = "reading", ()

        def activations(self, audio, sites):  # type: ignore[no-untyped-def]
            return {}

    with pytest.raises(InputError, match="wrap its torch module in ModuleEncoder"):
        Reading().changed(torch.zeros(1, 10), "a", twice, ["a"])
    assert Reading().outputs(torch.zeros(1, 10)) is None


def test_hooks_are_gone_after_an_error() -> None:
    """A change that fails leaves the model as it was."""
    model = torch.nn.Sequential(torch.nn.Conv1d(1, 2, 3))
    audio = torch.rand(1, 1, 10)
    with pytest.raises(InputError), replaced(model, Tap("0"), lambda a: a[:, :0]):
        read(model, lambda: model(audio), {"": Tap("0")})
    assert not model[0]._forward_hooks
