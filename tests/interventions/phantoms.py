"""Phantoms with fitted lines, small enough for every test: a cochlea, and chains with a planted direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from tonotopy.encoders import Encoder, Site, load_encoder
from tonotopy.encoders._contract import Change
from tonotopy.encoders._taps import Tap, read, replaced
from tonotopy.readouts import Readout, fit
from tonotopy.recording import Recording, plan_segment, record_family
from tonotopy.signal import erb
from tonotopy.sound.music import LevelFunction, MusicPool, Piece
from tonotopy.sound.trials import Design, trials

RATE = 16000
PIECES = 4
CROWDED = 16  # units in which the channels are superposed
LATER = 48


def made_up_music(pieces: int = PIECES, seconds: float = 3.0) -> MusicPool:
    """Chords of harmonic notes that come and go over a little noise."""
    rng = np.random.default_rng(0)
    n, made = int(seconds * RATE), []
    t = np.arange(n) / RATE
    for number in range(pieces):
        sound = 0.002 * rng.standard_normal(n)
        for pitch in rng.uniform(70, 700, 6):
            swell = 1.2 + np.sin(2 * np.pi * (rng.uniform(0.5, 3) * t + rng.uniform()))
            for k in range(1, 1 + int(7500 / pitch)):
                sound += 0.05 * swell / k * np.sin(2 * np.pi * (k * pitch * t + rng.uniform()))
        made.append(Piece(f"piece {number}", None, None, None, None, sound.astype(np.float32)))
    return MusicPool(RATE, tuple(made))


@dataclass(frozen=True)
class Bench:
    """An encoder, its trials and its lines."""

    encoder: Encoder
    design: Design
    music: MusicPool
    levels: LevelFunction
    recordings: dict[str, dict[str, Recording]]  # family -> site -> Recording
    lines: dict[str, Readout]
    planes: dict[str, Readout]

    def scale(self, site: str) -> Recording:
        """Trials in music at a site."""
        found = self.recordings["music"][site]
        return Recording(found.trials, found.core)


@cache
def music() -> tuple[MusicPool, LevelFunction]:
    pool = made_up_music()
    return pool, pool.level_function()


def bench(
    encoder: Encoder, sites: Sequence[str], n_frequencies: int = 8, structure: str = "partial"
) -> Bench:
    """Record a little of everything and fit."""
    pool, levels = music()
    chosen = [encoder.site(name) for name in sites]
    segment = plan_segment(encoder, chosen, 2)
    families = ("silence", "tone", "music")
    design = Design(
        RATE,
        segment.n_samples,
        segment.end_range,
        n_frequencies,
        families=families,
        n_train=2,
        n_test=1,
        n_frames=2,
        n_pieces=PIECES,
        structure=structure,
    )
    recordings = {}
    for family in families:
        shown = [t for t in trials(design, family) if family == "music" or not t.test]
        recordings[family] = record_family(encoder, chosen, design, shown, pool, levels)[0]
    lines, planes = {}, {}
    for name in sites:
        training = [Recording(r[name].trials, r[name].core) for f, r in recordings.items() if f != "music"]
        fitted = fit(Recording.concatenate(training), design.frequency_hz, structure=design.kind)
        lines[name], planes[name] = fitted["line"], fitted["plane"]
    return Bench(encoder, design, pool, levels, recordings, lines, planes)


class Net(torch.nn.Module):
    """From cochlear channels: crowded units and one unit tuned to f; then a layer that reads that unit, or does not."""

    def __init__(self, channel: int, *, used: bool, crowded: int) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(0)
        self.crowded = torch.randn(64, crowded, generator=rng) / 8 if crowded < 64 else torch.eye(64)
        self.channel = channel
        self.plant, self.later = torch.nn.Identity(), torch.nn.Linear(crowded + 1, LATER)
        self.later.weight.data = torch.randn(LATER, crowded + 1, generator=rng)
        self.later.weight.data[:, crowded] *= 2.0 * used
        self.later.bias.data.fill_(0.3)

    def forward(self, channels: torch.Tensor) -> torch.Tensor:
        one = channels[..., self.channel, None]
        planted = self.plant(torch.cat([channels @ self.crowded, one], dim=-1))
        return self.later(planted)


class Chain(Encoder):
    """A cochlea and two layers behind it: a phantom whose sites depend on one another."""

    def __init__(self, planted_hz: float, *, used: bool, crowded: int = CROWDED) -> None:
        self._cochlea = load_encoder("phantom:cochlea")
        centres = np.linspace(erb.rate(45.0), erb.rate(0.47 * RATE), 64)
        channel = int(np.abs(centres - erb.rate(planted_hz)).argmin())
        self._net = Net(channel, used=used, crowded=crowded).requires_grad_(False)
        at = self._cochlea.sites[0]
        self.name, self.sample_rate_hz = f"chain {used} {crowded}", RATE
        self.weights_id, self.weights_label = f"sha256:{used}{crowded}", "by hand"
        self._taps = {"plant": Tap("plant", frame_axis=1), "later": Tap("later", frame_axis=1)}
        self.sites = (
            Site("plant", "layer", at.hop, at.view, 0, crowded + 1),
            Site("later", "stack_end", at.hop, at.view, 0, LATER),
        )

    def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
        channels = self._cochlea.activations(audio, ["cochlea"])["cochlea"]
        taps = {name: self._taps[name] for name in sites}
        return read(self._net, lambda: self._net(channels), taps)

    def changed(
        self, audio: torch.Tensor, site: str, change: Change, sites: Sequence[str]
    ) -> dict[str, torch.Tensor]:
        with replaced(self._net, self._taps[site], change):
            return self.activations(audio, sites)
