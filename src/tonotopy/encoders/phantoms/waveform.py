"""Phantoms that work on the waveform: a codebook of fragments, a linear stack, raw samples.

All four read a short window; each is a site of one encoder when ``calibrate`` runs them together.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.functional import avg_pool1d, conv1d

from tonotopy.encoders._contract import Site
from tonotopy.encoders.phantoms._base import SAMPLE_RATE_HZ, Expectation, Phantom, generator

NAMES = ("waveform-codebook", "averaged-codebook", "linear-stack", "raw-window")
CITATION = "SPEC of tonotopy, § 8"
LICENCE = "MIT"
EXPECTED = {
    "waveform-codebook": (Expectation("site", "absent", least=0.8),),
    "averaged-codebook": (Expectation("site", "stable", most=0.2, below_hz=3500.0),),
    "linear-stack": (Expectation("line", "absent", least=0.8), Expectation("site", "phase-locked", most=0.0)),
    "raw-window": (Expectation("line", "absent", least=0.8), Expectation("site", "phase-locked", most=0.0)),
}

#: Fragments of the codebook: samples, how many, the stride between them; window of the average, samples.
FRAGMENT = 7
FRAGMENTS = 64
FRAGMENT_STRIDE = 4
AVERAGE = 1024
AVERAGE_HOP = 256
#: Layers of the linear stack: (units, kernel, stride).
STACK = ((32, 8, 4), (64, 8, 4), (64, 8, 4))
#: Samples of the raw window, and its hop.
RAW = 64
RAW_HOP = 16


class Waveform(Phantom):
    """Codebook, averaged codebook, linear stack and raw window as sites of one encoder."""

    def __init__(self, name: str, variants: Sequence[str], *, seed: int, sample_rate_hz: int) -> None:
        rng = generator(seed, 20)
        fragments = torch.randn(FRAGMENTS, 1, FRAGMENT, generator=rng)
        self._fragments = fragments / fragments.norm(dim=-1, keepdim=True)
        self._stack, units, view, hop = [], 1, 1, 1
        for out, kernel, stride in STACK:
            self._stack.append(torch.randn(out, units, kernel, generator=rng) / (units * kernel) ** 0.5)
            units, view, hop = out, view + (kernel - 1) * hop, hop * stride
        averaged_view = (AVERAGE // FRAGMENT_STRIDE - 1) * FRAGMENT_STRIDE + FRAGMENT
        sites = {
            "waveform-codebook": Site(
                "waveform-codebook", "first_conv", FRAGMENT_STRIDE, FRAGMENT, 0, FRAGMENTS
            ),
            "averaged-codebook": Site(
                "averaged-codebook", "stack_end", AVERAGE_HOP, averaged_view, 0, FRAGMENTS
            ),
            "linear-stack": Site("linear-stack", "stack_end", hop, view, 0, units),
            "raw-window": Site("raw-window", "first_conv", RAW_HOP, RAW, 0, RAW),
        }
        super().__init__(name, [sites[v] for v in variants], seed=seed, sample_rate_hz=sample_rate_hz)

    @torch.inference_mode()
    def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
        """As :meth:`Encoder.activations`."""
        return {name: self._site(name, audio.float()) for name in sites}

    def _site(self, name: str, audio: torch.Tensor) -> torch.Tensor:
        if name == "raw-window":
            return audio.unfold(-1, RAW, RAW_HOP)
        if name == "linear-stack":
            x = audio[:, None]
            for (_, _, stride), weight in zip(STACK, self._stack, strict=True):
                x = conv1d(x, weight, stride=stride)
            return x.transpose(1, 2)
        x = conv1d(audio[:, None], self._fragments, stride=FRAGMENT_STRIDE).clamp(min=0)
        if name == "averaged-codebook":
            x = avg_pool1d(x, AVERAGE // FRAGMENT_STRIDE, AVERAGE_HOP // FRAGMENT_STRIDE)
        return x.transpose(1, 2)


def open_encoder(name: str, *, seed: int = 0, sample_rate_hz: int = SAMPLE_RATE_HZ) -> Waveform:
    """One variant as an encoder with one site."""
    return Waveform(name, [name], seed=seed, sample_rate_hz=sample_rate_hz)


def open_family(*, seed: int = 0, sample_rate_hz: int = SAMPLE_RATE_HZ) -> Waveform:
    """All variants as sites of one encoder."""
    return Waveform("waveform-family", NAMES, seed=seed, sample_rate_hz=sample_rate_hz)
