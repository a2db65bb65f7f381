"""The cochlea's decoder gives back the channels that it was given, and puts a tone where it was."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tonotopy.encoders import load_encoder
from tonotopy.encoders._geometry import pink_noise
from tonotopy.signal.spectrum import band_power

RATE = 16000


def encoded(name: str, audio: torch.Tensor) -> torch.Tensor:
    return load_encoder(name).activations(audio, [name.removeprefix("phantom:")])[
        name.removeprefix("phantom:")
    ]


@pytest.mark.parametrize("name", ["cochlea", "rotated-cochlea", "loud-cochlea"])
def test_decoded_sound_has_the_channels_it_was_made_from(name: str) -> None:
    """Of noise, which has energy everywhere: what is encoded again correlates with what was decoded."""
    encoder = load_encoder(f"phantom:{name}")
    audio = 0.05 * pink_noise(1, RATE, torch.Generator().manual_seed(0)).float()
    latent = encoder.activations(audio, [name])[name]
    sound = encoder.decode(latent)
    assert sound is not None
    again = encoder.activations(sound, [name])[name]
    assert again.shape == latent.shape
    error = (again - latent).square().mean() / latent.square().mean()
    assert float(error) < 0.02


@pytest.mark.parametrize("hz", [220.0, 1000.0, 4321.0])
def test_a_tone_comes_back_at_its_frequency_and_level(hz: float) -> None:
    """Most of the decoded power lies within an ERB of the tone, within 2 dB of its level."""
    encoder = load_encoder("phantom:cochlea")
    tone = 0.1 * torch.sin(2 * torch.pi * hz / RATE * torch.arange(RATE))[None]
    sound = encoder.decode(encoder.activations(tone, ["cochlea"])["cochlea"])
    assert sound is not None
    middle = sound[0, 4000:-4000].double().numpy()
    near = band_power(middle, RATE, np.array([hz]), width_erb=2.0)[0]
    assert near / np.mean(middle**2) > 0.9
    assert abs(10 * np.log10(near / 0.005)) < 2


def test_levels_that_a_variant_lost_cannot_be_decoded() -> None:
    """Gain control and permutation throw levels away; so does superposition; several variants have no one latent."""
    for name in ("divisive-cochlea", "sparse-only-cochlea", "superposed-cochlea"):
        encoder = load_encoder(f"phantom:{name}")
        assert encoder.decode(torch.rand(1, 3, encoder.sites[0].units)) is None
