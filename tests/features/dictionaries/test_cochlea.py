"""The rotated cochlea (SPEC § 8): no channel is a partial feature; a dictionary finds at least 80 % of the partials."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tonotopy.encoders import load_encoder
from tonotopy.encoders._contract import Encoder
from tonotopy.features.dictionaries.consistency import consistency
from tonotopy.features.sources import ArrayActivations, Features, find_features
from tonotopy.signal import erb

RATE = 16_000
GRID_HZ = np.asarray(erb.frequency_hz(np.linspace(erb.rate(80.0), erb.rate(7000.0), 28)))
SWEEP_HZ = np.asarray(erb.frequency_hz(np.linspace(erb.rate(80.0), erb.rate(7000.0), 84)))
NEAR_ERB = 1.5


def frames_of(encoder: Encoder, audio: np.ndarray) -> np.ndarray:
    site = encoder.sites[0].name
    return encoder.activations(torch.from_numpy(audio.astype(np.float32))[None], [site])[site][0].numpy()


def mixtures(seconds: float, seed: int = 0) -> np.ndarray:
    """Segments of a fifth of a second of one to three steady partials, anywhere on the axis, over 20 dB of level."""
    rng = np.random.default_rng(seed)
    time, segments = np.arange(RATE // 5) / RATE, []
    for _ in range(round(5 * seconds)):
        number = int(rng.integers(1, 4))
        hz = np.asarray(erb.frequency_hz(rng.uniform(erb.rate(55.0), erb.rate(7200.0), number)))
        level = 0.05 * 10 ** (rng.uniform(-20, 0, number) / 20)
        phase = rng.uniform(0, 2 * np.pi, number)
        segments.append(
            (level[:, None] * np.sin(2 * np.pi * hz[:, None] * time + phase[:, None])).sum(axis=0)
        )
    return np.concatenate(segments)


def answers(encoder: Encoder, frequencies_hz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean frame of each partial in near silence ``[frequency, unit]``, and of the near silence ``[unit]``."""
    dither = 1e-5 * np.random.default_rng(0).standard_normal(RATE // 2)
    time = np.arange(RATE // 2) / RATE
    sounds = [0.01 * np.sin(2 * np.pi * hz * time) + dither for hz in frequencies_hz]
    return (
        np.stack([frames_of(encoder, sound)[4:].mean(axis=0) for sound in sounds]),
        frames_of(encoder, dither).mean(axis=0),
    )


def tuned(features: Features, partials: np.ndarray, silence: np.ndarray) -> float:
    """Share of the grid that is the best frequency of a feature with κ ≥ .8 in its answers to single partials.

    κ is that of SPEC § 4: the share of the squared answers, over the axis, within 1.5 ERB of the best frequency.
    """
    change = features.of(partials) - features.of(silence)  # [frequency, feature]
    power, rate = change.astype(np.float64) ** 2, np.asarray(erb.rate(SWEEP_HZ))
    covered = np.zeros(len(GRID_HZ), bool)
    for column, best in zip(power.T, power.argmax(axis=0), strict=True):
        if not column.any():
            continue  # a dead latent
        near = np.abs(rate - rate[best]) <= NEAR_ERB
        kappa = column[near].sum() / column.sum()
        covered[np.abs(np.asarray(erb.rate(GRID_HZ)) - rate[best]).argmin()] |= bool(kappa >= 0.8)
    return float(covered.mean())


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("phantom:rotated-cochlea")


def heard(encoder: Encoder, seconds: float) -> ArrayActivations:
    audio = mixtures(seconds)
    parts = [
        frames_of(encoder, audio[start : start + 10 * RATE]) for start in range(0, len(audio), 10 * RATE)
    ]
    return ArrayActivations(np.concatenate(parts))


def test_components_find_the_partials_and_channels_do_not(encoder: Encoder) -> None:
    activations = heard(encoder, 120)
    sweep, silence = answers(encoder, SWEEP_HZ)
    planted = answers(encoder, GRID_HZ)[0] - silence  # where each partial lives
    found = find_features("ica", activations, count=40)
    assert (consistency(planted, found).cosine >= 0.9).mean() >= 0.8
    assert tuned(found, sweep, silence) >= 0.8
    for control in ("channels", "random", "pca"):
        features = find_features(control, activations)
        assert (consistency(planted, features).cosine >= 0.9).mean() == 0
        assert tuned(features, sweep, silence) <= 0.3


@pytest.mark.prove
def test_a_sparse_autoencoder_finds_them_too(encoder: Encoder) -> None:
    activations = heard(encoder, 240)
    sweep, silence = answers(encoder, SWEEP_HZ)
    planted = answers(encoder, GRID_HZ)[0] - silence
    found = find_features("relu-l1", activations, count=64, steps=1500, l1=3.0)
    assert (consistency(planted, found).cosine >= 0.9).mean() >= 0.75  # .82 when it was written
    assert tuned(found, sweep, silence) >= 0.8
