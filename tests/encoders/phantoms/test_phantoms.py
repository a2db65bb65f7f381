"""Every phantom keeps the protocol of an encoder: sites, shapes, alignment by impulse, batches, seeds."""

from __future__ import annotations

from functools import cache
from importlib import import_module

import numpy as np
import pytest
import torch

from tonotopy.core.errors import InputError
from tonotopy.core.registry import plugins
from tonotopy.encoders import Encoder, load_encoder
from tonotopy.encoders.phantoms._base import Expectation, orthogonal

PLUGINS = plugins("tonotopy.encoders.phantoms")
NAMES = sorted(PLUGINS)


@cache
def opened(name: str, seed: int = 0, rate: int = 16000) -> Encoder:
    """A phantom by name."""
    return load_encoder(f"phantom:{name}", seed=seed, sample_rate=rate)


def noise(encoder: Encoder, rows: int, *, frames: int = 4, seed: int = 0) -> torch.Tensor:
    """White noise that is some frames long at the slowest site."""
    longest = max(site.view + frames * site.hop for site in encoder.sites)
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.standard_normal((rows, longest)).astype(np.float32) * 0.1)


def answers(encoder: Encoder, audio: torch.Tensor) -> dict[str, torch.Tensor]:
    """Activations at all sites."""
    return encoder.activations(audio, [site.name for site in encoder.sites])


@pytest.mark.parametrize("name", NAMES)
def test_contract(name: str) -> None:
    """Named sites, float32 ``[batch, frame, unit]``, as many units as declared, finite, and expectations."""
    for rate in (16000, 24000):
        encoder = opened(name, rate=rate)
        assert encoder.sample_rate_hz == rate
        audio = noise(encoder, 2)
        for site in encoder.sites:
            found = answers(encoder, audio)[site.name]
            assert found.dtype == torch.float32
            assert found.shape[0] == 2
            assert found.shape[2] == site.units
            assert found.isfinite().all()
            assert found.shape[1] >= (audio.shape[1] - site.view) // site.hop
            assert site.bounded or site.note
    expected = import_module(PLUGINS[name].module).EXPECTED[name]
    assert expected
    for rule in expected:
        assert isinstance(rule, Expectation)
        assert (rule.least is None) != (rule.most is None)
        assert rule.sentence


@pytest.mark.parametrize("name", NAMES)
def test_a_click_reaches_the_frames_that_see_it_and_no_others(name: str) -> None:
    """A click inside a frame's interval changes it, one just outside at either end does not."""
    encoder = opened(name)
    for site in encoder.sites:
        # A tone: where the spectrum is dense, one phantom answers to rounding with another permutation.
        audio = noise(encoder, 1) * 1e-4
        audio += 0.1 * torch.sin(2 * torch.pi * 440 / 16000 * torch.arange(audio.shape[1]))
        frame = 2
        start = site.offset + frame * site.hop
        before = answers(encoder, audio)[site.name][0, frame]
        scale = float(before.abs().max())
        for place, seen in (
            (start - 1, False),
            (start + site.view, False),
            (start + site.view // 2, True),
            (start + site.view // 3, True),
        ):
            clicked = audio.clone()
            clicked[0, place] += 30.0
            change = float((answers(encoder, clicked)[site.name][0, frame] - before).abs().max())
            if seen:  # a code may stay what it is
                assert change > 1e-4 * scale or site.role == "codes", (site.name, place)
            else:
                # Filters by Fourier transform spread a click of this size by rounding.
                assert change < 2e-3 * scale, (site.name, place)


UNTAPERED = [name for name in NAMES if PLUGINS[name].module.endswith(("cochlea", "waveform"))]


@pytest.mark.parametrize("name", UNTAPERED)
def test_a_frame_reaches_to_its_very_end(name: str) -> None:
    """Where no window tapers, a click in the last samples of a frame is seen (a short view, in the first too)."""
    encoder = opened(name)
    for site in encoder.sites:
        audio = 1e-3 * noise(encoder, 1)
        start = site.offset + 2 * site.hop
        before = answers(encoder, audio)[site.name][0, 2]
        first = [start, start + 1] if PLUGINS[name].module.endswith("waveform") else []
        last = start + site.view
        for places in ([last - 1, last - 2] if first else [last - 5, last - 6], first):
            # Rectifiers hide one sign: a click of the other is seen.
            clicks = [(place, sign) for place in places for sign in (-30.0, 30.0)]
            changes = []
            for place, size in clicks:
                clicked = audio.clone()
                clicked[0, place] += size
                changes.append(float((answers(encoder, clicked)[site.name][0, 2] - before).abs().max()))
            assert not places or max(changes) > 0.05 * float(before.abs().max()), (site.name, places)


@pytest.mark.parametrize("name", NAMES)
def test_batches_do_not_matter(name: str) -> None:
    """A row alone and in a batch is the same, and so is a second pass."""
    encoder = opened(name)
    audio = noise(encoder, 3, seed=1)
    whole = answers(encoder, audio)
    for site in encoder.sites:
        alone = encoder.activations(audio[1:2], [site.name])[site.name]
        torch.testing.assert_close(alone[0], whole[site.name][1], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(answers(encoder, audio)[site.name], whole[site.name], rtol=0, atol=0)


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_is_the_weights(name: str) -> None:
    """The same seed is the same encoder; another has another hash, and other numbers where parts are random."""
    first, same, other = opened(name), load_encoder(f"phantom:{name}"), opened(name, 1)
    assert first.weights_id == same.weights_id != other.weights_id
    assert opened(name, rate=24000).weights_id != first.weights_id
    audio = noise(first, 1)
    site = first.sites[0].name
    torch.testing.assert_close(answers(first, audio)[site], answers(same, audio)[site], rtol=0, atol=0)
    fixed = {"cochlea", "divisive-cochlea", "chroma", "raw-window", "spectrogram"}
    fixed |= {
        "pitch-template",
        "chord-template",
        "quantised-cochlea",
    }  # the last one's first site is its cochlea
    differ = not torch.equal(answers(first, audio)[site], answers(other, audio)[site])
    # The permutation of the sparse-only cochlea is drawn where the spectrum is dense, as that of noise is.
    assert differ == (name not in fixed)


def test_families_share_a_computation() -> None:
    """The variants that calibrate runs as sites of one encoder are the phantoms themselves, number for number."""
    for module in sorted({PLUGINS[name].module for name in NAMES}):
        loaded = import_module(module)
        if not hasattr(loaded, "open_family"):
            continue
        family = loaded.open_family(seed=0)
        audio = noise(family, 1)
        together = answers(family, audio)
        for site in family.sites:
            alone = opened(site.name).activations(audio, [site.name])[site.name]
            torch.testing.assert_close(alone, together[site.name], rtol=0, atol=0)


def test_rotations_are_rotations() -> None:
    """Lengths and angles stay; the rotated cochlea is the cochlea times one."""
    turn = orthogonal(64, rng=torch.Generator().manual_seed(0))
    torch.testing.assert_close(turn @ turn.T, torch.eye(64), rtol=0, atol=1e-5)
    audio = noise(opened("cochlea"), 1)
    plain = answers(opened("cochlea"), audio)["cochlea"]
    rotated = answers(opened("rotated-cochlea"), audio)["rotated-cochlea"]
    torch.testing.assert_close(plain.norm(dim=-1), rotated.norm(dim=-1), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(plain, rotated, atol=0.05)


def test_a_tone_excites_its_place() -> None:
    """The cochlea's loudest channel climbs with frequency; chroma cannot tell octaves; loudness only level."""
    t = torch.arange(8000) / 16000
    tones = torch.stack([0.1 * torch.sin(2 * torch.pi * hz * t) for hz in (220.0, 440.0, 1760.0, 5000.0)])
    places = answers(opened("cochlea"), tones)["cochlea"][:, 3].argmax(dim=-1).tolist()
    assert places == sorted(places)
    assert len(set(places)) == 4
    classes = answers(opened("chroma"), tones)["chroma"][:3, 3].argmax(dim=-1)
    assert len(set(classes.tolist())) == 1
    loud = answers(opened("loudness"), tones)["loudness"][:, 3]
    torch.testing.assert_close(loud[0], loud[3], rtol=0.02, atol=0)


def test_names_are_checked() -> None:
    """A misspelt phantom lists the legal ones, nearest first; weights and unknown options are refused."""
    with pytest.raises(
        InputError, match=r"^expected a known phantom; got 'cochlae'; .*did you mean 'cochlea'"
    ):
        load_encoder("phantom:cochlae")
    with pytest.raises(InputError, match=r"^expected no weights for a phantom; got 'x'; "):
        load_encoder("phantom:cochlea", weights="x")
