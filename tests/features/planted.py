"""Noise in which one burst comes back, as frames of a site that shows the samples themselves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tonotopy.encoders._contract import Site
from tonotopy.features.sources import Features
from tonotopy.features.sources._contract import Projection, numbered
from tonotopy.recording.natural import NaturalFrames

RATE = 16_000
VIEW, HOP = 64, 16
PIECES = 8


def directions_as_features(rows: NDArray[np.floating]) -> Features:
    """Filters, applied to the samples."""
    held = np.asarray(rows, np.float32)
    centre = np.zeros(held.shape[1], np.float32)
    return Features("test", numbered("test", len(held)), held.shape[1], held, Projection(held, centre))


def noise(samples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise with a spectrum that falls by 3 dB an octave."""
    spectrum = np.fft.rfft(rng.standard_normal(samples)) / np.sqrt(np.arange(1, samples // 2 + 2))
    sound = np.fft.irfft(spectrum, samples)
    return 0.05 * sound / sound.std()


def raw_frames(audio: list[NDArray[np.float64]]) -> NaturalFrames:
    """Sound as it is: units are the samples of the view."""
    frames, piece, start = [], [], []
    for number, sound in enumerate(audio):
        first = np.arange(1000, len(sound) - 1000, HOP)
        frames.append(sound[first[:, None] + np.arange(VIEW)])
        piece.append(np.full(len(first), number))
        start.append(first)
    return NaturalFrames(
        Site("raw", "first_conv", HOP, VIEW, 0, VIEW),
        RATE,
        np.concatenate(frames).astype(np.float32),
        np.concatenate(piece),
        np.concatenate(start),
        tuple(sound.astype(np.float32) for sound in audio),
    )


def planted(seed: int = 3) -> tuple[NaturalFrames, NDArray[np.float64]]:
    """Noise in which one burst of noise, always the same, comes back on the grid of frames."""
    rng = np.random.default_rng(seed)
    burst = noise(VIEW, rng)
    burst *= 2 * 0.05 / burst.std()
    audio = [noise(RATE, rng) for _ in range(PIECES)]
    for sound in audio:
        for first in 1000 + HOP * rng.choice(np.arange(20, 800), 6, replace=False):
            sound[first : first + VIEW] += burst
    return raw_frames(audio), burst
