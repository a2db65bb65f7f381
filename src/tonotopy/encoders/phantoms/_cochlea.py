"""The bank that cochlear phantoms share: gammatone filters, half-wave rectified, averaged over a window, compressed.

What is done to the compressed channels is a *variant*, and each variant a site. Offers :class:`Cochlea`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import scipy.fft
import torch

from tonotopy.encoders._contract import Site
from tonotopy.encoders.phantoms._base import Phantom, generator, orthogonal
from tonotopy.encoders.phantoms._sines import SineBank
from tonotopy.signal import erb
from tonotopy.signal.gammatone import impulse_responses

CHANNELS = 64
#: Channels and dimensions of the superposed cochlea, and how many random projections it has.
SUPERPOSED_CHANNELS = 256
SUPERPOSED_DIMENSIONS = 16
PROJECTIONS = 4
#: Seconds of a gammatone's impulse response that are kept, of the averaging window, of the hop.
RESPONSE_S = 0.128
WINDOW_S = 0.064
HOP_S = 0.016
#: Exponent of the compression (amplitude).
COMPRESSION = 0.4
#: Gain of the outlier direction in the loud cochlea.
LOUDNESS_GAIN = 30.0
#: More local maxima than this within this range of amplitude (dB) break the sparse-only cochlea.
SPARSE_PEAKS = 4
SPARSE_RANGE_DB = 20.0


class Cochlea(Phantom):
    """One gammatone bank; each site is a variant of its compressed channels."""

    def __init__(
        self, name: str, variants: Sequence[str], *, seed: int, sample_rate_hz: int, channels: int
    ) -> None:
        self._response = int(RESPONSE_S * sample_rate_hz)
        self._window, self._hop = int(WINDOW_S * sample_rate_hz), int(HOP_S * sample_rate_hz)
        view = self._response + self._window - 1
        self._variants = {variant: _variant(variant, seed=seed, channels=channels) for variant in variants}
        sites = []
        for variant in variants:
            units = SUPERPOSED_DIMENSIONS if variant.startswith("superposed") else channels
            sites.append(Site(variant, "stack_end", self._hop, view, 0, units))
        super().__init__(name, sites, seed=seed, sample_rate_hz=sample_rate_hz)
        centres = np.asarray(
            erb.frequency_hz(np.linspace(erb.rate(45.0), erb.rate(0.47 * sample_rate_hz), channels))
        )
        self._bank = torch.from_numpy(impulse_responses(centres, sample_rate_hz, self._response))
        self._undo = _inverse(variants[0], seed=seed, channels=channels) if len(variants) == 1 else None
        self._sines = SineBank(self._bank, centres, sample_rate_hz, window=self._window, hop=self._hop)

    @torch.inference_mode()
    def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
        """As :meth:`Encoder.activations`."""
        envelope = self._envelope(audio)
        compressed = envelope**COMPRESSION
        return {name: self._variants[name](envelope, compressed) for name in sites}

    def decode(self, latent: torch.Tensor) -> torch.Tensor | None:
        """Sines at the centres of the channels; None for variants that do not tell the channels' levels."""
        if self._undo is None:
            return None
        channels = self._undo(latent.float()).clamp(min=0)
        return self._sines(channels ** (1 / COMPRESSION))

    def _envelope(self, audio: torch.Tensor) -> torch.Tensor:
        """Averaged, rectified channels, ``[batch, frame, channel]``."""
        n = scipy.fft.next_fast_len(audio.shape[-1], real=True)
        bank = torch.fft.rfft(self._bank, n).to(torch.complex64)
        spectrum = torch.fft.rfft(audio.float(), n)
        frames = []
        for row in spectrum:  # one sound at a time: 64 to 256 channels of it already fill the cache
            channels = torch.fft.irfft(row * bank, n)[:, self._response - 1 : audio.shape[-1]].clamp_(min=0)
            frames.append(torch.nn.functional.avg_pool1d(channels[None], self._window, self._hop)[0].T)
        return torch.stack(frames)


def _variant(name: str, *, seed: int, channels: int) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """The map from (envelope, compressed channels) to units for one variant."""
    if name == "cochlea":
        return lambda _, x: x
    if name == "rotated-cochlea":
        rotation = orthogonal(channels, rng=generator(seed, 1))
        return lambda _, x: x @ rotation
    if name == "divisive-cochlea":
        return lambda _, x: x / x.norm(dim=-1, keepdim=True).clamp(min=1e-12)
    if name == "loud-cochlea":
        direction = _loud(seed, channels)
        return lambda _, x: x + LOUDNESS_GAIN * x.mean(dim=-1, keepdim=True) * direction
    if name == "sparse-only-cochlea":
        key = torch.randn(channels, channels, generator=generator(seed, 3), dtype=torch.float64)
        return lambda envelope, x: _scrambled(envelope, x, key)
    assert name.startswith("superposed"), name
    number = int(name.rsplit("-", 1)[1])
    shape = (channels, SUPERPOSED_DIMENSIONS)
    projection = torch.randn(*shape, generator=generator(seed, 10 + number)) / channels**0.5
    return lambda _, x: x @ projection


def _inverse(name: str, *, seed: int, channels: int) -> Callable[[torch.Tensor], torch.Tensor] | None:
    """The map from units back to compressed channels; None where a variant loses their levels or their order."""
    if name == "cochlea":
        return lambda x: x
    if name == "rotated-cochlea":
        rotation = orthogonal(channels, rng=generator(seed, 1))
        return lambda x: x @ rotation.T
    if name == "loud-cochlea":
        direction = _loud(seed, channels)
        gain = 1 + LOUDNESS_GAIN * direction.mean()
        return lambda x: x - LOUDNESS_GAIN * x.mean(dim=-1, keepdim=True) / gain * direction
    return None


def _loud(seed: int, channels: int) -> torch.Tensor:
    """The outlier direction of the loud cochlea, ``[channel]``."""
    return torch.nn.functional.normalize(torch.randn(channels, generator=generator(seed, 2)), dim=0)


def _scrambled(envelope: torch.Tensor, x: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
    """Channels permuted by a permutation drawn from the frame's content, where the spectrum is not sparse."""
    middle = envelope[..., 1:-1]
    peak = (middle > envelope[..., :-2]) & (middle >= envelope[..., 2:])
    loud = middle >= envelope.amax(dim=-1, keepdim=True) * 10 ** (-SPARSE_RANGE_DB / 20)
    dense = (peak & loud).sum(dim=-1) > SPARSE_PEAKS
    # Sorting the fractional parts of large multiples of the content: equal frames get equal permutations,
    # and frames that differ at all get unrelated ones.
    order = torch.argsort((x.double() @ key * 1e4).frac(), dim=-1)
    return torch.where(dense[..., None], torch.gather(x, -1, order), x)
