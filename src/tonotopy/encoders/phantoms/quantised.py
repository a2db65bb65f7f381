"""Phantoms with codes: a cochlea behind a product quantiser, and codes that know nothing of the sound (SPEC § 8).

*quantised-cochlea*: the cochlea's 64 channels in 8 groups of 8 neighbours, each group quantised to one of 16 codes.
The entries come from k-means on synthetic sounds (noise and tones at many levels), and are zero outside their group:
as a residual quantiser takes the nearest entry stage by stage, this one is a product quantiser in residual form.
``decode`` is the cochlea's.

*random codes*: 8 stages of 16 codes drawn from a hash of samples, so that equal sounds have equal codes and nothing
else is equal. The sound that is hashed lies within a frame's view:

- ``random-codes-iid``: the frame's own samples. Frames are independent;
- ``random-codes-sticky``: what the :data:`STICKY` frames of a segment have in common. A code holds for a segment;
- ``random-codes-piece``: the frame's own samples, and which codes are frequent from a hash of the first samples of
  what the encoder is given. A piece given whole has a distribution of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

from tonotopy.encoders._change import places_of_change
from tonotopy.encoders._codes import checked_codes, checked_stages
from tonotopy.encoders._contract import Change, Site
from tonotopy.encoders._taps import checked_change
from tonotopy.encoders.phantoms._base import SAMPLE_RATE_HZ, Expectation, Phantom, generator
from tonotopy.encoders.phantoms._cochlea import Cochlea
from tonotopy.signal import erb

NAMES = ("quantised-cochlea", "random-codes-iid", "random-codes-sticky", "random-codes-piece")
#: Each is an encoder of its own: its sites are what a quantiser has.
ALONE = NAMES
CITATION = "SPEC of tonotopy, § 8; Jégou et al. 2011 (product quantisation)"
LICENCE = "MIT"
EXPECTED = {
    "quantised-cochlea": (Expectation("site", "absent", most=0.2),),
    "random-codes-iid": (Expectation("site", "absent", least=0.8),),
    "random-codes-sticky": (Expectation("site", "absent", least=0.8),),
    "random-codes-piece": (Expectation("site", "absent", least=0.8),),
}

#: Stages, codes of a stage, units of the latent.
STAGES = 8
CODES = 16
UNITS = 64
#: Sounds that the codebooks are learned from, seconds of each, and tones in each.
SOUNDS = 48
SOUND_S = 0.5
TONES = 10
#: Random codes: seconds of a hop, of a frame's own samples, of a sticky code's view; frames of a segment.
HOP_S = 0.016
OWN_S = 0.064
STICKY_VIEW_S = 0.768
STICKY = 16
#: Samples from which a piece's distribution is drawn, and how unequal it is (Dirichlet).
FIRST_SAMPLES = 64
CONCENTRATION = 0.5


class _Coded(Phantom):
    """Codebooks ``[stage, code, unit]`` and what they stand for."""

    def __init__(
        self, name: str, sites: Sequence[Site], books: torch.Tensor, *, seed: int, sample_rate_hz: int
    ) -> None:
        super().__init__(name, sites, seed=seed, sample_rate_hz=sample_rate_hz)
        self._books = books
        self.codebook_sizes = (CODES,) * STAGES

    @property
    def codebooks(self) -> torch.Tensor:
        return self._books

    def entries(self, codes: torch.Tensor) -> torch.Tensor:
        found = checked_codes(codes, self._books)
        return torch.stack([self._books[i][found[..., i]] for i in range(found.shape[2])]).sum(dim=0)


class QuantisedCochlea(_Coded):
    """A cochlea at ``stack_end``, its quantised channels at ``codes``."""

    def __init__(self, *, seed: int, sample_rate_hz: int) -> None:
        self._cochlea = Cochlea(
            "cochlea", ["cochlea"], seed=seed, sample_rate_hz=sample_rate_hz, channels=UNITS
        )
        at = self._cochlea.sites[0]
        sites = [
            Site("stack_end", "stack_end", at.hop, at.view, 0, UNITS),
            Site("codes", "codes", at.hop, at.view, 0, UNITS),
        ]
        sounds = synthetic_sounds(sample_rate_hz, seed=seed)
        books = learned(self._latent(sounds).flatten(0, 1), seed=seed)
        super().__init__(NAMES[0], sites, books, seed=seed, sample_rate_hz=sample_rate_hz)

    def _latent(self, audio: torch.Tensor) -> torch.Tensor:
        return self._cochlea.activations(audio, ["cochlea"])["cochlea"]

    @torch.inference_mode()
    def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
        """As :meth:`Encoder.activations`."""
        latent = self._latent(audio)
        return {name: latent if name == "stack_end" else self.entries(self._chosen(latent)) for name in sites}

    @torch.inference_mode()
    def codes(self, audio: torch.Tensor, stages: int | None = None) -> torch.Tensor:
        return self._chosen(self._latent(audio))[..., : checked_stages(stages, STAGES)]

    def _chosen(self, latent: torch.Tensor) -> torch.Tensor:
        """Nearest entries of each group of channels, ``[batch, frame, stage]``."""
        own = self._books.unflatten(2, (STAGES, -1)).diagonal(dim1=0, dim2=2)  # [code, unit, stage]
        apart = latent.unflatten(2, (STAGES, 1, -1)) - own.permute(
            2, 0, 1
        )  # [batch, frame, stage, code, unit]
        return apart.square().sum(dim=-1).argmin(dim=-1)

    def changed(
        self, audio: torch.Tensor, site: str, change: Change, sites: Sequence[str]
    ) -> dict[str, torch.Tensor]:
        """As :meth:`Encoder.changed`: codes are chosen anew for a latent that was changed."""
        wanted = places_of_change(self, site, sites, head=False)
        with torch.no_grad():
            new = checked_change(self.activations(audio, [site])[site], change)
            after = new if site == "codes" or "codes" not in wanted else self.entries(self._chosen(new))
        return {name: after if name == "codes" else new for name in wanted}

    def decode(self, latent: torch.Tensor) -> torch.Tensor | None:
        return self._cochlea.decode(latent)


class RandomCodes(_Coded):
    """Codes from a hash of samples, and random entries for them."""

    def __init__(self, name: str, *, seed: int, sample_rate_hz: int) -> None:
        self._kind = name.rsplit("-", 1)[1]
        rng = generator(seed, 61)
        self._own, hop = int(OWN_S * sample_rate_hz), int(HOP_S * sample_rate_hz)
        sticky = self._kind == "sticky"
        view = int(STICKY_VIEW_S * sample_rate_hz) if sticky else self._own
        piece = self._kind == "piece"
        note = "which codes are frequent follows from the first samples that are given" if piece else ""
        site = Site("codes", "codes", hop, view, 0, UNITS, bounded=not piece, note=note)
        self._key = _odd(view, rng)
        self._stage_key = _odd(STAGES, rng)
        books = torch.randn(STAGES, CODES, UNITS, generator=rng)
        super().__init__(name, [site], books, seed=seed, sample_rate_hz=sample_rate_hz)

    @torch.inference_mode()
    def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
        """As :meth:`Encoder.activations`."""
        return dict.fromkeys(sites, self.entries(self.codes(audio)))

    @torch.inference_mode()
    def codes(self, audio: torch.Tensor, stages: int | None = None) -> torch.Tensor:
        site, used = self.sites[0], checked_stages(stages, STAGES)
        # Adding zero makes the two zeros of floating point one.
        bits = (audio.float() + 0.0).contiguous().view(torch.int32).long()
        frames = bits.unfold(-1, site.view, site.hop)
        drawn = self._sticky(frames) if self._kind == "sticky" else self._hash(frames)
        number = _mixed(drawn[..., None] * self._stage_key)  # [batch, frame, stage]
        if self._kind != "piece":
            return (number % CODES)[..., :used]
        bounds = torch.from_numpy(np.stack([_bounds(int(h)) for h in self._hash(bits[:, :FIRST_SAMPLES])]))
        uniform = (number & ((1 << 40) - 1)).double() / 2.0**40
        found = (uniform[..., None] >= bounds[:, None]).sum(dim=-1)  # [batch, frame, stage]
        return found.clamp(max=CODES - 1)[..., :used]

    def _hash(self, frames: torch.Tensor) -> torch.Tensor:
        """A hash of the last axis; whole numbers wrap, so that the order of adding does not matter."""
        return _mixed((frames * self._key[: frames.shape[-1]]).sum(dim=-1))

    def _sticky(self, frames: torch.Tensor) -> torch.Tensor:
        """The same for all frames of a segment: only samples that all of them see take part."""
        hop, view, found = self.sites[0].hop, self.sites[0].view, []
        for first in range(STICKY):
            skipped = (STICKY - 1 - first) * hop
            common = frames[:, first::STICKY, skipped : view - first * hop]
            found.append((common * self._key[: common.shape[-1]]).sum(dim=-1))
        order = torch.arange(frames.shape[1])
        padded = [torch.nn.functional.pad(f, (0, len(order) - f.shape[1])) for f in found]
        return _mixed(torch.stack(padded, dim=-1)[:, order // STICKY, order % STICKY])


def synthetic_sounds(sample_rate_hz: int, *, seed: int) -> torch.Tensor:
    """Noise and tones that fall by 6 dB an octave as music does, at many levels: ``[sound, time]``."""
    rng = np.random.default_rng([seed, 67])
    n = int(SOUND_S * sample_rate_hz)
    time, made = np.arange(n) / sample_rate_hz, []
    for _ in range(SOUNDS):
        spectrum = np.fft.rfft(rng.standard_normal(n)) / np.maximum(np.arange(n // 2 + 1), 50)
        noise = np.fft.irfft(spectrum, n)
        sound = noise / np.std(noise) * 10 ** (rng.uniform(-60, -26) / 20)
        for hz in erb.frequency_hz(rng.uniform(erb.rate(55.0), erb.rate(0.45 * sample_rate_hz), TONES)):
            amplitude = 10 ** (rng.uniform(-50, -20) / 20) * 500.0 / (500.0 + hz)
            sound = sound + amplitude * np.sin(2 * np.pi * (hz * time + rng.uniform()))
        made.append(sound)
    return torch.from_numpy(np.stack(made).astype(np.float32))


def learned(frames: torch.Tensor, *, seed: int) -> torch.Tensor:
    """Codebooks ``[stage, code, unit]`` from frames ``[frame, unit]``, zero outside their group of channels."""
    width = UNITS // STAGES
    books = torch.zeros(STAGES, CODES, UNITS)
    for stage in range(STAGES):
        own = slice(stage * width, (stage + 1) * width)
        data = frames[:, own].double().numpy()
        rng = np.random.default_rng([seed, stage, 71])
        found, _ = kmeans2(data, CODES, iter=25, minit="++", missing="raise", rng=rng)
        books[stage, :, own] = torch.from_numpy(found).float()
    return books


def _bounds(number: int) -> NDArray[np.float64]:
    """Where the codes of each stage end on the unit interval, ``[stage, code]``, from a hash."""
    share = np.random.default_rng(number & ((1 << 63) - 1)).dirichlet(np.full(CODES, CONCENTRATION), STAGES)
    return np.asarray(np.cumsum(share, axis=1))


def _odd(n: int, rng: torch.Generator) -> torch.Tensor:
    """Odd whole numbers, ``[n]``."""
    return torch.randint(1, 1 << 62, (n,), generator=rng) * 2 + 1


def _mixed(number: torch.Tensor) -> torch.Tensor:
    """Whole numbers with their bits mixed, not negative (the finisher of splitmix64; Steele et al. 2014)."""
    for shift, factor in ((30, -0x40A7B892E31B1A47), (27, -0x6B2FB644ECCEEE15)):
        number = (number ^ _shifted(number, shift)) * factor
    return (number ^ _shifted(number, 31)) & ((1 << 62) - 1)


def _shifted(number: torch.Tensor, by: int) -> torch.Tensor:
    """To the right without the sign."""
    return (number >> by) & ((1 << (64 - by)) - 1)


def open_encoder(
    name: str, *, seed: int = 0, sample_rate_hz: int = SAMPLE_RATE_HZ
) -> QuantisedCochlea | RandomCodes:
    """The quantised cochlea, or one kind of random codes."""
    if name == "quantised-cochlea":
        return QuantisedCochlea(seed=seed, sample_rate_hz=sample_rate_hz)
    return RandomCodes(name, seed=seed, sample_rate_hz=sample_rate_hz)
