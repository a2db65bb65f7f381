"""Spectra: SPEC's coherence whatever the phase; the lift finds the band that is planted, and no level."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from tests.features.planted import RATE, noise, raw_frames

from tonotopy.features.spectra import lift, spectra_of, spectral_coherence, standing


def test_coherence_is_the_mean_cosine_of_pairs() -> None:
    rng = np.random.default_rng(0)
    spectra = rng.uniform(0, 1, (2, 7, 12))
    found = spectral_coherence(spectra)
    for number in range(2):
        unit = spectra[number] / np.linalg.norm(spectra[number], axis=1, keepdims=True)
        pairs = [unit[i] @ unit[j] for i in range(7) for j in range(i)]
        assert found[number] == pytest.approx(np.mean(pairs))


def test_few_or_silent_spectra_are_undefined() -> None:
    assert np.isnan(spectral_coherence(np.ones((5, 4))))
    assert np.isnan(spectral_coherence(np.zeros((20, 4))))
    half = np.ones((1, 12, 4))
    half[0, :6] = 0
    assert spectral_coherence(half) == pytest.approx(1)


def test_scores_are_normal_within_each_piece() -> None:
    """Whatever the pieces' levels and slopes: they are compared with themselves."""
    rng = np.random.default_rng(1)
    power = rng.uniform(size=(600, 20)) ** 4
    piece = np.repeat([0, 1], 300)
    scaled = power * np.where(piece == 0, 1.0, 1e-6)[:, None] * 10.0 ** np.arange(20)
    found = standing(power, piece)
    assert np.allclose(found, standing(scaled, piece))
    for number in (0, 1):
        assert found[piece == number].mean(axis=0) == pytest.approx(0, abs=1e-6)
        assert np.sort(found[piece == number, 3]) == pytest.approx(
            norm.ppf((np.arange(300) + 0.5) / 300), abs=1e-5
        )


def test_a_band_that_stands_out_is_lifted_and_level_is_not() -> None:
    """A tone that comes and goes; then, at other moments, everything louder."""
    rng = np.random.default_rng(2)
    audio = []
    for _ in range(6):
        sound = noise(RATE, rng)
        sound[3000:4500] += 0.05 * np.sin(2 * np.pi * 1500 * np.arange(1500) / RATE)
        sound[9000:10500] *= 10
        audio.append(sound)
    natural = raw_frames(audio)
    spectra = spectra_of(natural)
    where: dict[str, list[int]] = {name: [] for name in ("tone", "loud", "any")}
    for number in range(6):
        for name, at in (("tone", 3700), ("loud", 9700), ("any", 13000)):
            own = np.flatnonzero(natural.piece == number)
            where[name].append(own[np.abs(natural.start[own] - at).argmin()])
    index = np.array([where[name] for name in ("tone", "loud", "any")])
    lifts, bands = lift(spectra.standing[index])
    assert spectra.band_hz[bands[0]] == pytest.approx(1500, rel=0.1)
    assert lifts[0] > 1.5
    assert lifts[0] > lifts[1:].max() + 0.4


def test_spectra_are_of_the_sound_around_the_frame() -> None:
    time = np.arange(RATE) / RATE
    sound = 0.1 * np.where(time < 0.5, np.sin(2 * np.pi * 500 * time), np.sin(2 * np.pi * 4000 * time))
    natural = raw_frames([sound])
    spectra = spectra_of(natural)
    loudest = spectra.band_hz[spectra.amplitude.argmax(axis=1)]
    inside = np.abs(natural.start - 8000) > 800
    early = natural.start < 8000
    assert loudest[inside & early] == pytest.approx(500, rel=0.1)
    assert loudest[inside & ~early] == pytest.approx(4000, rel=0.1)
    assert spectra.amplitude[inside].max(axis=1) == pytest.approx(0.1 / np.sqrt(2), rel=0.1)
