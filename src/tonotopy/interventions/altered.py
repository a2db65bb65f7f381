"""An encoder with an intervention built in: whatever reads an encoder can read what becomes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch

from tonotopy.encoders._contract import Change, Encoder


class Altered(Encoder):
    """An encoder whose activations at one site are always changed.

    Sites before it are as they were; it has the geometry, outputs and decoder of the encoder it wraps.

    Parameters
    ----------
    encoder
        What is changed; it stays as it is.
    site, change
        As for :meth:`Encoder.changed`.
    label
        What a person reads about the change; part of the identity, so two changes need two labels.

    Examples
    --------
    >>> from tonotopy.encoders import load_encoder
    >>> deaf = Altered(load_encoder("phantom:cochlea"), "cochlea", torch.zeros_like, label="silenced")
    >>> float(deaf.activations(torch.rand(1, 8000), ["cochlea"])["cochlea"].sum())
    0.0
    """

    def __init__(self, encoder: Encoder, site: str, change: Change, *, label: str) -> None:
        self._encoder, self._site, self._change = encoder, encoder.site(site).name, change
        self.name, self.sample_rate_hz, self.sites = encoder.name, encoder.sample_rate_hz, encoder.sites
        self.frame_length, self.preferred_batch = encoder.frame_length, encoder.preferred_batch
        self.normalises_frames, self.device = encoder.normalises_frames, encoder.device
        self.citation, self.licence = encoder.citation, encoder.licence
        self.weights_label = f"{encoder.weights_label}, {label} at {site}"
        told = f"{encoder.identity} {site} {label}"
        self.weights_id = "sha256:" + hashlib.sha256(told.encode()).hexdigest()

    def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
        """As :meth:`Encoder.activations`, with the change made."""
        order = [known.name for known in self.sites]
        start = order.index(self._site)
        before = [name for name in sites if order.index(self.site(name).name) < start]
        after = [name for name in sites if name not in before]
        found = self._encoder.activations(audio, before) if before else {}
        if after:
            found |= self._encoder.changed(audio, self._site, self._change, after)
        return {name: found[name] for name in sites}

    def decode(self, latent: torch.Tensor) -> torch.Tensor | None:
        """As :meth:`Encoder.decode`: the decoder is not changed."""
        return self._encoder.decode(latent)

    @property
    def output_hz(self) -> torch.Tensor | None:
        """As :attr:`Encoder.output_hz`."""
        return self._encoder.output_hz
