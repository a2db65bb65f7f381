"""Reference encoder: a log-ERB spectrogram, what alignment with a spectral ontology looks like (SPEC § 12).

It is the baseline that any model must be seen beside: stable features of partials come for free to whoever
takes a spectrogram. ``reference:score``, which would read the notes themselves, needs the truth of a sound
beside its samples and is not offered.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from tonotopy.encoders._contract import Site
from tonotopy.encoders.phantoms._base import SAMPLE_RATE_HZ, Expectation, Phantom
from tonotopy.signal import erb

NAMES = ("spectrogram",)
CITATION = "Glasberg & Moore 1990 (ERB-rate scale); SPEC of tonotopy, § 12"
LICENCE = "MIT"
EXPECTED = {"spectrogram": (Expectation("site", "stable", least=0.8),)}

#: Seconds of the window and of the hop, number of bands, and the floor of the logarithm (mean square).
WINDOW_S = 0.256
HOP_S = 0.016
BANDS = 64
FLOOR = 1e-9


class Spectrogram(Phantom):
    """Log power in ERB-spaced triangular bands of Hann-windowed frames."""

    def __init__(self, name: str, *, seed: int, sample_rate_hz: int) -> None:
        self._n, self._hop = int(WINDOW_S * sample_rate_hz), int(HOP_S * sample_rate_hz)
        site = Site(name, "stack_end", self._hop, self._n, 0, BANDS)
        super().__init__(name, [site], seed=seed, sample_rate_hz=sample_rate_hz)
        self.name = f"reference:{name}"
        self._taper = torch.hann_window(self._n)
        rates = erb.rate(np.fft.rfftfreq(self._n, 1 / sample_rate_hz))
        centres = np.linspace(erb.rate(45.0), erb.rate(0.47 * sample_rate_hz), BANDS)
        width = max(1.0, centres[1] - centres[0])
        bands = np.maximum(0.0, 1.0 - np.abs(rates[None, :] - centres[:, None]) / width)
        self._bands = torch.from_numpy(bands).float()

    @torch.inference_mode()
    def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
        """As :meth:`Encoder.activations`."""
        frames = audio.float().unfold(-1, self._n, self._hop) * self._taper
        power = torch.fft.rfft(frames).abs() ** 2 / self._taper.pow(2).sum() / self._n
        level = torch.log(power @ self._bands.T + FLOOR)
        return dict.fromkeys(sites, level)


def open_encoder(name: str, *, seed: int = 0, sample_rate_hz: int = SAMPLE_RATE_HZ) -> Spectrogram:
    """The spectrogram; ``seed`` changes nothing but its identity."""
    return Spectrogram(name, seed=seed, sample_rate_hz=sample_rate_hz)
