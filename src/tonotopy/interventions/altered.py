"""An encoder with an intervention built in: whatever reads an encoder can read what becomes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch

from tonotopy.core.errors import InputError
from tonotopy.encoders._contract import OUTPUTS, Change, Encoder, FirstLayer


class Altered(Encoder):
    """An encoder whose activations at one site are always changed.

    Sites before it are as they were, and so are geometry, first layer, codebooks and decoder; outputs are those behind
    the change. It has no random or trainable form: a change belongs to the weights it was made for.

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
        self.code_id, self.options = encoder.code_id, encoder.options
        self._label = label
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

    def changed(
        self, audio: torch.Tensor, site: str, change: Change, sites: Sequence[str]
    ) -> dict[str, torch.Tensor]:
        """As :meth:`Encoder.changed`: a further change of what is left at the same site.

        Raises
        ------
        InputError
            A change at another site.
        """
        if self.site(site).name != self._site:
            cause = "one site is changed at a time: make both changes there"
            raise InputError("a change at the site that is altered", repr(site), cause, [self._site])
        return self._encoder.changed(audio, site, lambda a: change(self._change(a)), sites)

    def outputs(self, audio: torch.Tensor) -> torch.Tensor | None:
        """As :meth:`Encoder.outputs`, with the change made."""
        if self._encoder.outputs(audio[:1]) is None:
            return None
        return self._encoder.changed(audio, self._site, self._change, [OUTPUTS])[OUTPUTS]

    def codes(self, audio: torch.Tensor, stages: int | None = None) -> torch.Tensor | None:
        """As :meth:`Encoder.codes`: as they were, where the change comes after they are chosen.

        Raises
        ------
        InputError
            The change comes before: what codes would then be chosen an encoder tells as site ``codes`` only.
        """
        if self._encoder.codebooks is None:
            return None
        names = [known.name for known in self.sites]
        chosen = [k for k, known in enumerate(self.sites) if known.role == "codes"]
        if chosen and names.index(self._site) >= chosen[0]:
            return self._encoder.codes(audio, stages)
        cause = f"what is quantised changes at {self._site!r}: read a site of role codes, which holds what survives"
        raise InputError("a change behind the quantiser", self.weights_label, cause)

    def entries(self, codes: torch.Tensor) -> torch.Tensor | None:
        """As :meth:`Encoder.entries`."""
        return self._encoder.entries(codes)

    @property
    def codebooks(self) -> torch.Tensor | None:
        """As :attr:`Encoder.codebooks`."""
        return self._encoder.codebooks

    def first_layer(self) -> FirstLayer | None:
        """As :meth:`Encoder.first_layer`: the filters are not changed."""
        return self._encoder.first_layer()

    def to(self, device: str) -> Altered:
        """As :meth:`Encoder.to`."""
        return Altered(self._encoder.to(device), self._site, self._change, label=self._label)

    def decode(self, latent: torch.Tensor) -> torch.Tensor | None:
        """As :meth:`Encoder.decode`: the decoder is not changed."""
        return self._encoder.decode(latent)

    @property
    def output_hz(self) -> torch.Tensor | None:
        """As :attr:`Encoder.output_hz`."""
        return self._encoder.output_hz
