"""Every bundled encoder and the template, with random weights, keeps the protocol of ``encoders/_contract``."""

from __future__ import annotations

import importlib.util
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest
import torch

from tonotopy.core.registry import _declared, plugins
from tonotopy.encoders import Encoder, Site, load_encoder
from tonotopy.encoders._geometry import pink_noise

TEMPLATE = Path(__file__).parents[2] / "templates" / "encoder.py"
PLUGINS = dict(plugins("tonotopy.encoders"))
if TEMPLATE.is_file():  # absent beside an installed package
    PLUGINS.update({plugin.name: plugin for plugin in _declared(TEMPLATE, "template")})


@cache
def module_of(name: str) -> ModuleType:
    """The file that declares an encoder; a template is imported from where it lies."""
    if PLUGINS[name].module != "template":
        return import_module(PLUGINS[name].module)
    spec = importlib.util.spec_from_file_location("template_encoder", TEMPLATE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _case(name: str) -> object:
    large = getattr(module_of(name), "LARGE", ())
    return pytest.param(name, marks=pytest.mark.prove) if name in large else name


NAMES = [_case(name) for name in sorted(PLUGINS)]


@cache
def opened(name: str) -> Encoder:
    """The encoder with random weights and the options that its own file names for tests."""
    module = module_of(name)
    if PLUGINS[name].module == "template":
        return module.open_encoder(name, weights="random:1", seed=0, **module.TEST_OPTIONS)
    return load_encoder(name, weights="random:1", **module.TEST_OPTIONS)


def music(encoder: Encoder, rows: int, *, seed: int = 0, n_samples: int | None = None) -> torch.Tensor:
    """Pink noise of a length that every site answers to."""
    longest = max(2 * site.view + 8 * site.hop for site in encoder.sites)
    length = n_samples or encoder.frame_length or longest
    return pink_noise(rows, length, torch.Generator().manual_seed(seed)).float()


def all_sites(encoder: Encoder, audio: torch.Tensor) -> dict[str, torch.Tensor]:
    """Activations at every site, from one pass."""
    return encoder.activations(audio, [site.name for site in encoder.sites])


@pytest.mark.parametrize("name", NAMES)
def test_declares_itself(name: str) -> None:
    """Name, rate, hash of the weights, label, citation and licence are there."""
    encoder = opened(name)
    assert encoder.name == name
    assert encoder.sample_rate_hz > 0
    assert encoder.weights_id.startswith("sha256:")
    assert len(encoder.weights_id) == 71
    assert encoder.weights_label == "random:1"
    assert encoder.citation
    assert encoder.licence
    assert encoder.preferred_batch >= 1


@pytest.mark.parametrize("name", NAMES)
def test_sites_are_ordered_and_named_once(name: str) -> None:
    """Sites run from the first convolution to the end; names are unique; hops divide their successors'."""
    sites = opened(name).sites
    assert len({site.name for site in sites}) == len(sites)
    roles = [site.role for site in sites]
    assert roles.index("first_conv") < roles.index("stack_end")
    assert roles.count("first_conv") == roles.count("stack_end") == 1
    stack = [site for site in sites if site.role in {"first_conv", "conv", "stack_end"}]
    assert all(after.hop % before.hop == 0 for before, after in pairwise(stack))
    assert all(site.bounded or (site.note and site.effective_view) for site in sites)
    assert all(site.operators for site in sites)


@pytest.mark.parametrize("name", NAMES)
def test_shapes_and_types(name: str) -> None:
    """Every site answers float32 ``[batch, frame, unit]`` without a gradient, units as declared."""
    encoder = opened(name)
    audio = music(encoder, 2)
    for site, found in zip(encoder.sites, all_sites(encoder, audio).values(), strict=True):
        assert found.dtype == torch.float32
        assert not found.requires_grad
        assert found.shape[0] == 2
        assert found.shape[2] == site.units
        assert found.isfinite().all()
        if site.centre is not None:
            assert 0 <= site.centre < found.shape[1]


@pytest.mark.parametrize("name", NAMES)
def test_rows_do_not_see_each_other(name: str) -> None:
    """A row alone gives what it gives in a batch, and the same again the second time."""
    encoder = opened(name)
    audio = music(encoder, 3)
    together, again = all_sites(encoder, audio), all_sites(encoder, audio)
    alone = all_sites(encoder, audio[1:2])
    for site, found in together.items():
        assert torch.equal(found, again[site]), site
        same = (found[1:2] - alone[site]).abs().amax(dim=2) <= 1e-5 * found.abs().max()
        # A frame that lies between two codes may take either, by rounding; of many stages one such is enough.
        between = max(1, same.numel() // 50) if encoder.site(site).role == "codes" else 0
        assert int((~same).sum()) <= between, site


@pytest.mark.parametrize("name", NAMES)
def test_one_pass_gives_what_single_passes_give(name: str) -> None:
    """A site asked for alone, where the pass stops early, gives what it gives among all."""
    encoder = opened(name)
    audio = music(encoder, 1)
    together = all_sites(encoder, audio)
    for site in encoder.sites:
        alone = encoder.activations(audio, [site.name])
        assert list(alone) == [site.name]
        assert torch.equal(alone[site.name], together[site.name])


@pytest.mark.parametrize("name", NAMES)
def test_a_frame_sees_its_interval_and_nothing_else(name: str) -> None:
    """Replacing all sound outside ``[start, end)`` leaves a bounded site's frame; a click inside changes it."""
    encoder = opened(name)
    bounded = [site for site in encoder.sites if site.bounded]
    for site in bounded:
        audio = music(encoder, 1, n_samples=max(2 * site.view + 8 * site.hop, _least(encoder)))
        t = encoder.activations(audio, [site.name])[site.name].shape[1] // 2
        start = site.offset + t * site.hop
        outside, inside = music(encoder, 1, seed=1, n_samples=audio.shape[1]), audio.clone()
        outside[:, start : start + site.view] = audio[:, start : start + site.view]
        # One click far back in a long view moves the latent by less than the step between two codes.
        middle = start + site.view // 2
        inside[:, middle : start + site.view if site.role == "codes" else middle + 1] += 0.5
        same, other, clicked = (frame(encoder, site, sound, t) for sound in (audio, outside, inside))
        scale = float(same.abs().max())
        assert (same - other).abs().max() <= 1e-6 * scale, site.name
        assert (same - clicked).abs().max() > 1e-4 * scale, site.name


def _least(encoder: Encoder) -> int:
    """Samples that the whole stack needs."""
    return max(site.hop for site in encoder.sites) * 2


def frame(encoder: Encoder, site: Site, audio: torch.Tensor, t: int) -> torch.Tensor:
    """One frame of one site."""
    return encoder.activations(audio, [site.name])[site.name][0, t]


@pytest.mark.parametrize("name", NAMES)
def test_a_window_is_all_that_a_framewise_encoder_sees(name: str) -> None:
    """A framewise encoder refuses any other length; its views lie within the window."""
    encoder = opened(name)
    if encoder.frame_length is None:
        assert all(site.centre is None for site in encoder.sites)
        return
    for site in encoder.sites:
        start = site.offset + site.centre * site.hop
        assert start >= 0
        assert start + site.view <= encoder.frame_length
    message = (
        f"expected windows of {encoder.frame_length} samples; got 99 samples; "
        "likely cause: a framewise encoder reads one window a batch row"
    )
    with pytest.raises(Exception, match=f"^{message}$"):
        encoder.activations(torch.zeros(1, 99), [encoder.sites[0].name])


@pytest.mark.parametrize("name", NAMES)
def test_first_layer_is_the_first_convolution(name: str) -> None:
    """Its filters, run as a convolution, give the encoder's first convolution before any nonlinearity."""
    encoder = opened(name)
    layer = encoder.first_layer()
    assert layer is not None
    assert layer.filters.dtype == torch.float64
    assert layer.filters.dim() == 2
    first = encoder.sites[0]
    assert layer.stride == first.hop
    assert layer.filters.shape[0] == first.units
    assert layer.padding[0] == -first.offset
    assert layer.bias is not None
    assert layer.bias.shape == layer.filters.shape[:1]


@pytest.mark.parametrize("name", NAMES)
def test_random_weights_are_the_seeds(name: str) -> None:
    """Equal seeds give equal weights, others others; music for calibration changes them too where it counts."""
    encoder = opened(name)
    audio = music(encoder, 4, n_samples=max(encoder.sample_rate_hz // 4, music(encoder, 1).shape[1]))
    a, b, c = (encoder.randomised(seed, audio) for seed in (5, 5, 6))
    assert a is not None
    assert b is not None
    assert c is not None
    assert a.weights_id == b.weights_id != c.weights_id
    assert a.weights_label == "random:5"
    assert a.name == encoder.name
    assert [site.name for site in a.sites] == [site.name for site in encoder.sites]


@pytest.mark.parametrize("name", NAMES)
def test_hooks_do_not_stay(name: str) -> None:
    """After a pass, and after one that fails, no module has a hook left."""
    encoder = opened(name)
    all_sites(encoder, music(encoder, 1))
    with pytest.raises(Exception, match="a site of"):
        encoder.activations(music(encoder, 1), ["nowhere"])
    for module in encoder._net.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks


@pytest.mark.parametrize("name", NAMES)
def test_the_global_generator_is_left_alone(name: str) -> None:
    """Opening with random weights draws nothing from torch's own generator."""
    before = torch.random.get_rng_state()
    opened(name).randomised(3, None)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_trained_is_the_encoder(name: str) -> None:
    """At rest the trainable copy answers as the end of the stack does; a step moves it, and not the encoder."""
    encoder = opened(name)
    audio = music(encoder, 2)
    before = all_sites(encoder, audio)
    site = next(site.name for site in encoder.sites if site.role == "stack_end")
    copy = encoder.trainable()
    assert copy is not None
    assert copy.module.training
    copy.module.eval()
    found = copy.stack_end(audio)
    assert found.requires_grad
    assert torch.allclose(found.detach(), before[site], atol=1e-5 * float(before[site].abs().max()))
    found.square().sum().backward()
    moved = [p for p in copy.module.parameters() if p.grad is not None and p.grad.abs().sum() > 0]
    assert moved
    with torch.no_grad():
        for parameter in moved:
            parameter.sub_(1e-2 * parameter.grad.sign())
        assert not torch.allclose(copy.stack_end(audio), before[site])
    assert all(torch.equal(after, before[key]) for key, after in all_sites(encoder, audio).items())
    assert all(torch.isfinite(value).all() for value in copy.state(audio).values())


def test_integers_and_a_missing_axis_are_refused() -> None:
    """Audio that is no float ``[batch, time]`` is refused with its dtype and shape."""
    encoder = opened("crepe-tiny")
    message = (
        r"^expected float audio \[batch, time\]; got torch.int16 of shape \(1, 1024\); "
        "likely cause: a missing batch axis, or integers from a file$"
    )
    with pytest.raises(Exception, match=message):
        encoder.activations(torch.zeros(1, 1024, dtype=torch.int16), ["conv1"])


@pytest.mark.parametrize("name", NAMES)
def test_moving_keeps_the_answers(name: str) -> None:
    """Moved to the device that it is on, an encoder is itself and answers as before."""
    encoder = opened(name)
    audio = music(encoder, 1)
    before = all_sites(encoder, audio)
    assert encoder.to("cpu") is encoder
    assert encoder.device == "cpu"
    assert all(torch.equal(found, before[site]) for site, found in all_sites(encoder, audio).items())
