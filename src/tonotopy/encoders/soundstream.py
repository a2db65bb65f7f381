"""SoundStream (Zeghidour et al. 2021) as Lyra v2 ships it: a neural codec trained on speech, 16 kHz.

Everything it learnt, it learnt from speech: what it carries of music is what speech taught it. It is causal,
320 samples a frame, 64 units, 46 residual stages of 16 entries; no layer keeps state or normalises, so that
each frame depends on 8,224 samples and on nothing else.

The weights are those of Lyra v2 (1.3.2), whose later layers are stored in 8 bits: de-quantised here and run in
floating point, so that activations equal the release's up to its own rounding of activations (docs/soundstream.md
has the figures). They are not shipped here: ``tonotopy fetch soundstream``, or ``tonotopy convert soundstream``.

Sites: every convolution, the sum of every residual unit, ``stack_end`` (the tensor handed to the quantiser) and
``codes`` (the sum of the chosen codebook vectors; computed only when asked for).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from tonotopy.core.errors import InputError
from tonotopy.encoders._change import places_of_change
from tonotopy.encoders._codes import checked_codes, checked_stages
from tonotopy.encoders._contract import Change, Encoder, FirstLayer, Role, Site, Trainable
from tonotopy.encoders._initialise import randomise, substitute_music
from tonotopy.encoders._soundstream_net import HOP, SAMPLE_RATE_HZ, UNITS, Conv, Residual
from tonotopy.encoders._soundstream_weights import FILE_OPTIONS, RELEASED_ID, Nets, new_nets, read_converted
from tonotopy.encoders._taps import Tap, checked_change, read, replaced
from tonotopy.encoders._trace import trace
from tonotopy.encoders._weights import random_seed, weights_id
from tonotopy.encoders.fetch import soundstream_cache
from tonotopy.encoders.module import validate_audio

NAMES = ("soundstream",)
CITATION = (
    "N. Zeghidour, A. Luebs, A. Omran, J. Skoglund, M. Tagliasacchi: SoundStream: An End-to-End Neural Audio "
    "Codec, IEEE/ACM TASLP 2021, arXiv 2107.03312; weights: Google, Lyra v2 (1.3.2), trained on speech"
)
PAPER = CITATION.partition("; weights")[0]
LICENCE = (
    "weights: Apache-2.0, Google (Lyra v2, trained on speech; none are shipped here); code: this package's"
)
TEST_OPTIONS: dict[str, Any] = {}  # with which the contract is tested
RELEASED_LABEL = "Lyra v2 1.3.2 (trained on speech)"

STAGES_AT_KBPS = {3.2: 16, 6.0: 30, 9.2: 46}
"""Stages of the quantiser at each bit rate that Lyra v2 offers."""

_FRAMES_FOR_CODES = 1600  # latent frames from which random codebooks are drawn


def open_encoder(
    name: str,  # noqa: ARG001 - one signature for all
    *,
    weights: str | None,
    seed: int,  # noqa: ARG001 - one signature for all
    bandwidth_kbps: float | None = None,
) -> SoundStreamEncoder:
    """SoundStream, trained on speech.

    Parameters
    ----------
    name
        ``soundstream``.
    weights
        A file of ``tonotopy convert soundstream`` (that in the cache where absent), or ``random:SEED``.
    seed
        Unused: nothing but weights is random.
    bandwidth_kbps
        Bit rate of the codes, 3.2, 6 or 9.2 (the default); decides how many stages ``codes`` sums.

    Raises
    ------
    InputError
        No weights on this machine, or a bit rate that the codec does not have.
    WeightsError
        A file that is damaged, of another format, or of another architecture.
    """
    stages = _stages(bandwidth_kbps)
    drawn = random_seed(weights)
    if drawn is not None:
        return _random(drawn, None, stages)
    path = soundstream_cache() if weights is None else Path(weights)
    if weights is None and not path.is_file():
        cause = (
            "they were never fetched: run `tonotopy fetch soundstream`, or `tonotopy convert soundstream DIR` on "
            "the released files, or take weights random:0"
        )
        raise InputError("trained weights of soundstream", "none on this machine", cause)
    return SoundStreamEncoder(read_converted(path), weights_label=path.name, stages=stages)


class SoundStreamEncoder(Encoder):
    """SoundStream behind the protocol; audio is mono ``[batch, time]`` at 16 kHz, of a hop (320 samples) or more.

    Examples
    --------
    >>> encoder = open_encoder("soundstream", weights="random:0", seed=0)
    >>> encoder.activations(torch.zeros(2, 3200), ["stack_end"])["stack_end"].shape
    torch.Size([2, 10, 64])
    >>> codes = encoder.codes(torch.zeros(2, 3200))
    >>> codes.shape, encoder.decode(encoder.entries(codes)).shape
    (torch.Size([2, 10, 46]), torch.Size([2, 3200]))
    """

    preferred_batch = 16  # rows of .6 s

    def __init__(self, nets: Nets, *, weights_label: str, stages: int) -> None:
        self._net, self._decoder, self._quantiser = nets
        for part in nets:
            part.eval().requires_grad_(False)
        self._stages = stages
        self.name = "soundstream"
        self.sample_rate_hz = SAMPLE_RATE_HZ
        self.weights_id = weights_id(self._parts())
        # Only the released weights are Google's: others, and random ones, name the paper alone.
        released = self.weights_id == RELEASED_ID
        self.weights_label = RELEASED_LABEL if released else weights_label
        self.citation = CITATION if released else PAPER
        self.licence = LICENCE if released else "weights: their own; code: this package's"
        self.options = (("stages", stages),)
        self._taps, sites = _sites(self._net)
        # A code depends on its own frame of the latent and on nothing else.
        self.sites = (*sites, replace(sites[-1], name="codes", role="codes"))

    def _parts(self) -> torch.nn.ModuleDict:
        return torch.nn.ModuleDict({"encoder": self._net, "decoder": self._decoder, "codes": self._quantiser})

    def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
        wanted = [self.site(name).name for name in sites]
        _validate(audio)
        if not wanted:
            return {}
        with torch.no_grad():
            return self._read(audio, wanted)

    def _read(self, audio: torch.Tensor, wanted: Sequence[str]) -> dict[str, torch.Tensor]:
        tapped = ["stack_end" if name == "codes" else name for name in wanted]
        found = read(self._net, lambda: self._net(audio), {name: self._taps[name] for name in tapped})
        if "codes" in wanted:
            found["codes"] = self._quantiser(found["stack_end"], self._stages)[1]
        return {name: found[name] for name in wanted}

    def changed(
        self, audio: torch.Tensor, site: str, change: Change, sites: Sequence[str]
    ) -> dict[str, torch.Tensor]:
        wanted = places_of_change(self, site, sites, head=False)
        _validate(audio)
        if not wanted:
            return {}
        with torch.no_grad():
            if site == "codes":  # they are not computed by the network that the hooks are on
                return {"codes": checked_change(self._read(audio, ["codes"])["codes"], change)}
            with replaced(self._net, self._taps[site], change):
                return self._read(audio, wanted)

    @property
    def nets(self) -> Nets:
        """Encoder, decoder and quantiser: differentiable, the last by passing gradients straight through."""
        return self._net, self._decoder, self._quantiser

    def to(self, device: str) -> SoundStreamEncoder:
        for part in self.nets:
            part.to(device)
        self.device = device
        return self

    @property
    def codebooks(self) -> torch.Tensor:
        return self._quantiser.codebooks[: self._stages]

    @property
    def codebook_sizes(self) -> tuple[int, ...]:
        """Entries of each stage in use, for anatomy: 46 of 16 are 9.2 kb/s."""
        n_stages, n_entries = self.codebooks.shape[:2]
        return (n_entries,) * n_stages

    def codes(self, audio: torch.Tensor, stages: int | None = None) -> torch.Tensor:
        used = checked_stages(stages, self._stages)
        latent = self.activations(audio, ["stack_end"])["stack_end"]
        codes: torch.Tensor = self._quantiser(latent, used)[0]
        return codes

    def entries(self, codes: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self._quantiser.entries(checked_codes(codes, self.codebooks))
        return found

    def decode(self, latent: torch.Tensor) -> torch.Tensor:
        if latent.dim() != 3 or latent.shape[2] != UNITS or not latent.shape[1]:
            came, cause = f"{tuple(latent.shape)}", "the latent of another codec, or codes: see `entries`"
            raise InputError(f"a latent [batch, frame, {UNITS}]", came, cause)
        with torch.no_grad():
            audio: torch.Tensor = self._decoder(latent.transpose(1, 2).unsqueeze(2))
        return audio

    def first_layer(self) -> FirstLayer:
        layer = self._net.get_submodule("first_conv")
        assert isinstance(layer, Conv) and layer.conv.bias is not None
        weight, bias = layer.conv.weight, layer.conv.bias
        return FirstLayer(
            weight[:, 0].double().cpu(), layer.conv.stride[0], (layer.left, 0), bias.double().cpu()
        )

    def randomised(self, seed: int, calibration: torch.Tensor | None) -> SoundStreamEncoder:
        return _random(seed, calibration, self._stages)

    def trainable(self) -> Trainable:
        net = copy.deepcopy(self._net).train().requires_grad_(True)
        quantiser = copy.deepcopy(self._quantiser)

        def stack_end(audio: torch.Tensor) -> torch.Tensor:
            latent: torch.Tensor = net(audio)
            return latent.squeeze(2).transpose(1, 2)

        def state(audio: torch.Tensor) -> dict[str, torch.Tensor]:
            with torch.no_grad():
                quantiser.fill(stack_end(audio).flatten(0, 1)[:_FRAMES_FOR_CODES], 0)
            parts = {"encoder": net, "decoder": self._decoder, "codes": quantiser}
            return torch.nn.ModuleDict(parts).state_dict()

        return Trainable(net, stack_end, state, FILE_OPTIONS)


def _stages(bandwidth_kbps: float | None) -> int:
    if bandwidth_kbps is None:
        return max(STAGES_AT_KBPS.values())
    if bandwidth_kbps not in STAGES_AT_KBPS:
        legal = [f"{rate:g}" for rate in STAGES_AT_KBPS]
        came = f"{bandwidth_kbps:g}"
        raise InputError("a bit rate of soundstream in kb/s", came, "a bit rate that Lyra v2 lacks", legal)
    return STAGES_AT_KBPS[bandwidth_kbps]


def _validate(audio: torch.Tensor) -> None:
    validate_audio(audio, None)
    if audio.shape[1] < HOP:
        cause = f"shorter than a frame of the latent, {1000 * HOP // SAMPLE_RATE_HZ} ms"
        raise InputError(f"audio of at least {HOP} samples", f"{audio.shape[1]} samples", cause)


def _random(seed: int, calibration: torch.Tensor | None, stages: int) -> SoundStreamEncoder:
    """Random weights by the layers' own initialiser; codebooks from the latent that they give to music."""
    nets = new_nets()
    for i, net in enumerate(nets):
        randomise(net, 3 * seed + i)
    music = calibration
    if music is None:
        seconds = _FRAMES_FOR_CODES * HOP / SAMPLE_RATE_HZ / 8
        music = substitute_music(SAMPLE_RATE_HZ, seconds=seconds, rows=8)
    rows = music.float()[: max(1, _FRAMES_FOR_CODES * HOP // max(1, music.shape[1]))]
    _validate(rows)
    with torch.no_grad():
        latent = [nets[0](row) for row in rows.split(SoundStreamEncoder.preferred_batch)]
        frames = torch.cat(latent).squeeze(2).transpose(1, 2).flatten(0, 1)  # frame unit
        nets[2].fill(frames[:_FRAMES_FOR_CODES], seed)
    return SoundStreamEncoder(nets, weights_label=f"random:{seed}", stages=stages)


def _sites(net: torch.nn.Module) -> tuple[dict[str, Tap], list[Site]]:
    """Taps and sites in the order in which layers finish, geometry from the operators."""
    net.eval()
    calls = {call.name: call for call in trace(net, net, torch.zeros(1, 4 * HOP))}
    taps: dict[str, Tap] = {}
    sites: list[Site] = []
    for name, role in _layers(net):
        path, units = calls[name].path, calls[name].shape[1]
        assert path is not None and not path.geometry.note, f"no rule follows the signal to {name}"
        taps[name] = Tap(name, frame_axis=3)
        sites.append(Site(name, role, *path.geometry.interval, units, operators=path.operators))
    return taps, sites


def _layers(net: Any) -> list[tuple[str, Role]]:
    """Every layer that is a site, in the order in which they finish."""
    layers: list[tuple[str, Role]] = []
    ends: dict[str, Role] = {"first_conv": "first_conv", "stack_end": "stack_end"}
    for name in net.stages:
        if isinstance(net.get_submodule(name), Residual):
            layers += [(f"{name}.{part}", "conv") for part in ("depthwise", "pointwise", "conv2")]
            layers.append((name, "layer"))
        else:
            layers.append((name, ends.get(name, "conv")))
    return layers
