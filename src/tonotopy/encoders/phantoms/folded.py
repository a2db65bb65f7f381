"""Phantoms that lose frequency on purpose: chroma folds octaves, loudness keeps only level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from tonotopy.encoders._contract import Site
from tonotopy.encoders.phantoms._base import SAMPLE_RATE_HZ, Expectation, Phantom, generator

NAMES = ("chroma", "loudness")
CITATION = "SPEC of tonotopy, § 8"
LICENCE = "MIT"
EXPECTED = {
    "chroma": (Expectation("site", "stable", most=0.2),),
    "loudness": (Expectation("site", "absent", least=0.8),),
}

#: Samples of the window and the hop, at 16 kHz; other rates scale.
WINDOW_S = 0.256
HOP_S = 0.016
#: Constant-Q bands: lowest centre (Hz), pitch classes, width in semitones (standard deviation).
LOWEST_HZ = 55.0
CLASSES = 12
WIDTH_SEMITONES = 0.5
COMPRESSION = 0.3
#: Dimensions of the loudness phantom.
DIMENSIONS = 16


class Folded(Phantom):
    """Chroma and loudness as sites of one encoder."""

    def __init__(self, name: str, variants: Sequence[str], *, seed: int, sample_rate_hz: int) -> None:
        self._n, self._hop = int(WINDOW_S * sample_rate_hz), int(HOP_S * sample_rate_hz)
        units = {"chroma": CLASSES, "loudness": DIMENSIONS}
        sites = [Site(v, "stack_end", self._hop, self._n, 0, units[v]) for v in variants]
        super().__init__(name, sites, seed=seed, sample_rate_hz=sample_rate_hz)
        self._bands = torch.from_numpy(_constant_q(self._n, sample_rate_hz)).float()
        direction = torch.randn(DIMENSIONS, generator=generator(seed, 30))
        self._direction = direction / direction.norm()
        self._taper = torch.hann_window(self._n)

    @torch.inference_mode()
    def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
        """As :meth:`Encoder.activations`."""
        frames = audio.float().unfold(-1, self._n, self._hop)
        return {name: getattr(self, f"_{name}")(frames) for name in sites}

    def _chroma(self, frames: torch.Tensor) -> torch.Tensor:
        power = torch.fft.rfft(frames * self._taper).abs() ** 2 / self._n**2
        bands = (power @ self._bands.T).sqrt() ** COMPRESSION  # amplitude of each band, compressed
        octaves = bands.unflatten(-1, (-1, CLASSES))
        return octaves.sum(dim=-2)

    def _loudness(self, frames: torch.Tensor) -> torch.Tensor:
        level = frames.pow(2).mean(dim=-1, keepdim=True).sqrt() ** COMPRESSION
        return level * self._direction


def _constant_q(n_samples: int, sample_rate_hz: int) -> np.ndarray:
    """Gaussian bands a semitone apart, whole octaves from 55 Hz, ``[band, bin]``."""
    octaves = int(np.ceil(np.log2(0.47 * sample_rate_hz / LOWEST_HZ)))
    centres = np.arange(octaves * CLASSES)
    frequencies = np.maximum(np.fft.rfftfreq(n_samples, 1 / sample_rate_hz), 1.0)
    semitone = 12 * np.log2(frequencies / LOWEST_HZ)
    return np.asarray(np.exp(-0.5 * ((semitone[None, :] - centres[:, None]) / WIDTH_SEMITONES) ** 2))


def open_encoder(name: str, *, seed: int = 0, sample_rate_hz: int = SAMPLE_RATE_HZ) -> Folded:
    """One variant as an encoder with one site."""
    return Folded(name, [name], seed=seed, sample_rate_hz=sample_rate_hz)


def open_family(*, seed: int = 0, sample_rate_hz: int = SAMPLE_RATE_HZ) -> Folded:
    """Both variants as sites of one encoder."""
    return Folded("folded-family", NAMES, seed=seed, sample_rate_hz=sample_rate_hz)
