"""From sounds, through a change at a site, to the latent and to sound."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.encoders._contract import Change, Encoder
from tonotopy.encoders._taps import checked_change
from tonotopy.interventions.pairs import Pairs
from tonotopy.interventions.sound_change import Analysis, analysed

Decoded = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Latent ``[trial, frame, unit]`` and decoded sound ``[trial, time]``."""


class Decoder:
    """From sounds, through a change at a site, to the latent and to sound.

    Raises
    ------
    InputError
        The encoder has no decoder, or nothing of the latent can be read behind the site.
    """

    def __init__(self, encoder: Encoder, site: str, latent: str, pairs: Pairs) -> None:
        names = [known.name for known in encoder.sites]
        if latent == "stack_end" and latent not in names:
            latent = next((known.name for known in encoder.sites if known.role == "stack_end"), latent)
        encoder.site(site)
        self.latent = "codes" if site == "codes" and latent == "stack_end" else encoder.site(latent).name
        self._encoder, self._site, self._pairs = encoder, site, pairs
        # Latents of sounds as they are. The arrays are held: the number of one that is gone may be another's.
        self._plain: list[tuple[NDArray[np.float32], torch.Tensor]] = []

    def __call__(self, audio: NDArray[np.float32], change: Change | None) -> Decoded:
        """Latent ``[trial, frame, unit]`` and decoded sound ``[trial, time]``."""
        return self._decoded([self._latent(audio, change)])[0]

    def each(self, audio: NDArray[np.float32], changes: Sequence[Change]) -> list[Decoded]:
        """The same for each of several changes, decoded together."""
        return self._decoded([self._latent(audio, change) for change in changes])

    def _decoded(self, latents: Sequence[torch.Tensor]) -> list[Decoded]:
        sounds = []
        for rows in torch.cat(list(latents)).split(max(1, self._encoder.preferred_batch)):
            sound = self._encoder.decode(rows)
            if sound is None:
                cause = (
                    "it has no decoder: ask for effects on its outputs (interventions.outputs) or on later sites "
                    "(interventions.reuse)"
                )
                raise InputError("an encoder that decodes", self._encoder.name, cause)
            sounds.append(sound.float().cpu().numpy())
        heard = np.split(np.concatenate(sounds), len(latents))
        return [(latent.float().cpu().numpy(), sound) for latent, sound in zip(latents, heard, strict=True)]

    def _latent(self, audio: NDArray[np.float32], change: Change | None) -> torch.Tensor:
        encoder = self._encoder
        rows = torch.from_numpy(audio).split(max(1, encoder.preferred_batch))
        if change is None or self._site == self.latent:  # nothing need run again
            plain = next((latent for known, latent in self._plain if known is audio), None)
            if plain is None:
                found = [encoder.activations(r.to(encoder.device), [self.latent])[self.latent] for r in rows]
                plain = torch.cat(found)
                self._plain.append((audio, plain))
            return plain if change is None else checked_change(plain, change)
        made = [encoder.changed(r.to(encoder.device), self._site, change, [self.latent]) for r in rows]
        return torch.cat([found[self.latent] for found in made])

    def analysed(self, sounds: NDArray[np.float32], *, tracked: bool) -> Analysis:
        """Bands of decoded sounds around the target."""
        return analysed(sounds, self._pairs.sample_rate_hz, self._pairs.target, tracked=tracked)
