"""What phantoms share: one site (or several variants as sites) computed from framed audio.

A phantom's frame is a function of one window of ``view`` samples; windows advance by ``hop``.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from tonotopy.core.errors import InputError
from tonotopy.encoders._change import places_of_change
from tonotopy.encoders._contract import Change, Encoder, Site
from tonotopy.encoders._taps import checked_change

#: Sampling rate of a phantom where none is asked for, Hz.
SAMPLE_RATE_HZ = 16000


@dataclass(frozen=True)
class Expectation:
    """What a phantom must read: a rule on the shares of verdicts of one readout ("site" is combined).

    ``verdict`` is the verdict that at least (``least``) or at most (``most``) this share of the counted
    frequencies carries; only frequencies below ``below_hz`` are counted where it is given.
    """

    readout: str  # "site", "line", "plane"
    verdict: str
    least: float | None = None
    most: float | None = None
    below_hz: float | None = None
    mean_over_sites: bool = False
    structure: str = "partial"  # whose verdicts: partial, pitch, chord

    @property
    def sentence(self) -> str:
        """The rule in words, as ``calibrate`` prints it."""
        rule = (
            f"{self.verdict} ≥ {self.least:.0%}"
            if self.least is not None
            else f"{self.verdict} ≤ {self.most:.0%}"
        )
        where = f" below {self.below_hz / 1000:g} kHz" if self.below_hz else ""
        of = "" if self.structure == "partial" else f" as {self.structure}"
        return rule + of + where + (" (mean over projections)" if self.mean_over_sites else "")


class Phantom(Encoder):
    """An encoder without trained weights; the seed that drew its random parts is its weights."""

    citation = "SPEC of tonotopy, § 8"
    licence = "MIT"

    def __init__(self, name: str, sites: Sequence[Site], *, seed: int, sample_rate_hz: int) -> None:
        self.name = f"phantom:{name}"
        self.sample_rate_hz = sample_rate_hz
        self.sites = tuple(sites)
        self.weights_label = f"seed {seed}"
        text = f"{self.name} {[site.name for site in sites]} {seed} {sample_rate_hz}"
        self.weights_id = "sha256:" + hashlib.sha256(text.encode()).hexdigest()

    @abstractmethod
    @torch.inference_mode()
    def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
        """As :meth:`Encoder.activations`."""

    def changed(
        self, audio: torch.Tensor, site: str, change: Change, sites: Sequence[str]
    ) -> dict[str, torch.Tensor]:
        """As :meth:`Encoder.changed`. The sites of a phantom are variants side by side: none depends on another."""
        wanted = places_of_change(self, site, sites, head=False)
        if any(name != site for name in wanted):
            cause = "the sites of this phantom are computed side by side: read the changed site, or decode it"
            raise InputError("sites that depend on " + repr(site), repr(list(wanted)), cause, [site])
        found = self.activations(audio, wanted)
        with torch.no_grad():
            return {name: checked_change(values, change) for name, values in found.items()}


def generator(seed: int, stream: int) -> torch.Generator:
    """A seeded generator for one random part of a phantom."""
    return torch.Generator().manual_seed(1_000_003 * (seed + 1) + stream)


def orthogonal(n: int, *, rng: torch.Generator) -> torch.Tensor:
    """A random rotation, ``[n, n]``, Haar distributed."""
    q, r = torch.linalg.qr(torch.randn(n, n, generator=rng, dtype=torch.float64))
    return (q * torch.sign(torch.diagonal(r))).float()
