"""A phantom whose units are waveforms: each answers to one fragment of sound, and none to a band.

Every fragment has the same spectrum, flat and then falling by 6 dB an octave as that of music does, and phases of its
own: what tells two units apart is the waveform alone. A unit's value is the normalised correlation of its fragment
with the sound, the largest within a hop, raised to a power. The power is what makes single units special: without it
any mixture of fragments is another fragment, and a random direction is as coherent as a unit; with it a mixture
answers to several fragments in turn.

Features: stabilised and coherent as waveforms, not as spectra (docs/stability.md). Partials: absent. A partial
changes how well every fragment fits, by an amount that its phase and the rest of the sound decide.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.functional import conv1d, max_pool1d

from tonotopy.encoders._contract import Site
from tonotopy.encoders.phantoms._base import SAMPLE_RATE_HZ, Expectation, Phantom, generator

NAMES = ("fragment-codebook",)
CITATION = "SPEC of tonotopy, §§ 5, 8"
LICENCE = "MIT"
EXPECTED = {"fragment-codebook": (Expectation("site", "absent", least=0.8),)}

#: Samples of a fragment, how many there are, and samples within which the best fit is taken.
FRAGMENT = 64
FRAGMENTS = 128
HOP = 16
#: The spectrum of fragments is flat up to this bin, and falls by 6 dB an octave above.
CORNER = 2
#: Exponent of the correlation.
SHARPNESS = 16
#: Added to the norm of the sound, as root mean square re full scale: silence fits nothing.
SILENCE = 1e-4


class FragmentCodebook(Phantom):
    """Sharpened normalised correlations with fragments of one spectrum."""

    def __init__(self, *, seed: int, sample_rate_hz: int) -> None:
        bins = FRAGMENT // 2 + 1
        turn = 2 * torch.pi * torch.rand(FRAGMENTS, bins, generator=generator(seed, 50), dtype=torch.float64)
        magnitude = 1 / torch.arange(bins, dtype=torch.float64).clamp(min=CORNER)
        magnitude[0] = 0.0  # music has no mean
        drawn = torch.fft.irfft(torch.polar(magnitude.expand_as(turn).contiguous(), turn), FRAGMENT)
        self._fragments = torch.nn.functional.normalize(drawn).float()[:, None]
        name = NAMES[0]
        site = Site(name, "first_conv", HOP, FRAGMENT + HOP - 1, 0, FRAGMENTS)
        super().__init__(name, [site], seed=seed, sample_rate_hz=sample_rate_hz)

    @torch.inference_mode()
    def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
        """As :meth:`Encoder.activations`."""
        sound = audio.float()[:, None]
        norm = conv1d(sound**2, torch.ones(1, 1, FRAGMENT)).clamp(min=0).sqrt()
        fit = conv1d(sound, self._fragments) / (norm + SILENCE * FRAGMENT**0.5)
        sharp = max_pool1d(fit, HOP).clamp(min=0) ** SHARPNESS
        return {name: sharp.transpose(1, 2) for name in sites}


def open_encoder(name: str, *, seed: int = 0, sample_rate_hz: int = SAMPLE_RATE_HZ) -> FragmentCodebook:
    """The phantom."""
    del name  # there is one
    return FragmentCodebook(seed=seed, sample_rate_hz=sample_rate_hz)
