"""SampleCNN (Lee et al. 2017, 2018): convolutions of width 3 all the way up from samples.

The 3^9 model: a first convolution of width and stride 3, then nine modules {convolution of width 3, batch
normalisation, rectifier, maximum over 3}, so that 59,049 = 3^10 samples at 22,050 Hz (2.68 s) become one
frame; a convolution of width 1; dropout; one linear layer. The 3^8 and 3^7 models leave out one and two of
the modules of 256 channels and read 19,683 and 6,561 samples. ``samplecnn`` is the 3^9 model.

It is convolutional throughout, so it reads audio of any length; the linear layer is applied to every frame.
Published weights are not known to us in a form that we may fetch: weights are random, or a file. ``samplecnn-toy``,
a 3^7 model of half the widths, was trained by this package and comes with it.

Sites: ``first_conv`` and ``conv1`` …, the output of each module after its rectifier and before pooling;
``stack_end``, the output of the last convolution after its rectifier; ``head``, the same tensor as the
linear layer reads it, dropout being off.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from tonotopy.core.errors import InputError, WeightsError
from tonotopy.encoders._change import places_of_change
from tonotopy.encoders._checkpoint import own_options
from tonotopy.encoders._contract import OUTPUTS, Change, Encoder, FirstLayer, Role, Site, Trainable
from tonotopy.encoders._initialise import calibrate, randomise, substitute_music, undrawn
from tonotopy.encoders._taps import Tap, read, replaced
from tonotopy.encoders._trace import trace
from tonotopy.encoders._weights import BUNDLED, fit_weights, random_seed, read_weights, weights_id
from tonotopy.encoders.module import CALIBRATION_BATCH, validate_audio

NAMES = ("samplecnn", "samplecnn-3-9", "samplecnn-3-8", "samplecnn-3-7", "samplecnn-toy")
CITATION = (
    "J. Lee, J. Park, K. L. Kim, J. Nam: Sample-level Deep Convolutional Neural Networks for Music "
    "Auto-tagging Using Raw Waveforms, SMC 2017, arXiv 1703.01789"
)
LICENCE = "MIT; weights of samplecnn-toy: CC BY-SA 3.0, see their card"
TEST_OPTIONS: dict[str, Any] = {"tags": 3, "narrow": 32}  # with which the contract is tested
LARGE = ("samplecnn-3-8", "samplecnn-3-9")  # tested only by `make prove`; the name without a number is 3-9

SAMPLE_RATE_HZ = 22_050
TAGS = 50
"""Outputs of the linear layer: the tags of MagnaTagATune."""

TOY = BUNDLED / "samplecnn-toy" / "model.safetensors"
"""Weights of ``samplecnn-toy``, beside their card."""

_DEFAULTS = {"sample_rate_hz": SAMPLE_RATE_HZ, "tags": TAGS, "narrow": 1}
_TOY_SHAPE = {"tags": 8, "narrow": 2}
_LIMITS = {"sample_rate_hz": (1000, 192_000), "tags": (1, 100_000), "narrow": (1, 64)}

_WIDTHS = {
    "samplecnn-3-9": (128, 128, 256, 256, 256, 256, 256, 256, 512),
    "samplecnn-3-8": (128, 128, 256, 256, 256, 256, 256, 512),
    "samplecnn-3-7": (128, 128, 256, 256, 256, 256, 512),
}


def open_encoder(
    name: str,
    *,
    weights: str | None,
    seed: int,  # noqa: ARG001 - one signature for all
    sample_rate_hz: int | None = None,
    tags: int | None = None,
    narrow: int | None = None,
) -> SampleCnnEncoder:
    """SampleCNN by name; ``weights`` is a file of a state dict of :class:`SampleCnn`, or ``random:SEED``.

    ``sample_rate_hz`` is the rate that the weights were trained at, ``tags`` the number of their outputs;
    ``narrow`` divides every width, for models that are to be trained in minutes. A checkpoint of ``tonotopy
    train samplecnn`` names all three itself. ``samplecnn-toy`` is such a model, and comes with the package.
    """
    bundled = name == "samplecnn-toy" and weights is None
    if bundled:
        weights = str(TOY)
    if weights is None:
        cause = "none are bundled: give a file, or weights random:0"
        raise InputError(f"weights of {name}", "none", cause, ["a file", "random:SEED"])
    asked = {"sample_rate_hz": sample_rate_hz, "tags": tags, "narrow": narrow}
    told = {} if random_seed(weights) is not None else own_options(weights, (_full(name), name))
    shape = _DEFAULTS | (_TOY_SHAPE if name == "samplecnn-toy" else {}) | told
    shape |= {key: value for key, value in asked.items() if value is not None}
    _check(shape)
    sample_rate_hz = shape["sample_rate_hz"]
    with undrawn():
        net = SampleCnn(_full(name), shape["tags"], shape["narrow"])
    drawn = random_seed(weights)
    if drawn is not None:
        return _random(name, net, drawn, sample_rate_hz, None)
    fit_weights(net, read_weights(weights), name=name)
    label = "of the package" if bundled else Path(weights).name
    return SampleCnnEncoder(name, net, sample_rate_hz, weights_label=label)


def _full(name: str) -> str:
    return {"samplecnn": "samplecnn-3-9", "samplecnn-toy": "samplecnn-3-7"}.get(name, name)


def _check(shape: Mapping[str, Any]) -> None:
    """Refuse a shape that cannot be, before anything is built: it may come from a file."""
    unknown = sorted(set(shape) - set(_LIMITS))
    if unknown:
        raise WeightsError("options of a SampleCNN", ", ".join(unknown), "a damaged file", list(_LIMITS))
    for key, (low, high) in _LIMITS.items():
        if type(shape[key]) is not int or not low <= shape[key] <= high:
            raise InputError(f"{key} from {low} to {high}", repr(shape[key])[:60], "a misread option")


class SampleCnn(nn.Module):
    """The network on waveforms ``[batch, time]``; gives logits ``[batch, frame, tag]``."""

    def __init__(self, name: str, tags: int = TAGS, narrow: int = 1) -> None:
        super().__init__()
        widths = [width // narrow for width in _WIDTHS[name]]
        self.depth, self.narrow = len(widths), narrow
        self.first_conv = Module(1, widths[0], 3, stride=3)
        for i, (before, after) in enumerate(zip((widths[0], *widths), widths, strict=False), start=1):
            self.add_module(f"conv{i}", Module(before, after, 3))
        self.pool = nn.MaxPool1d(3)
        self.stack_end = Module(widths[-1], widths[-1], 1)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(widths[-1], tags)

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        x = self.first_conv(audio[:, None])
        for i in range(1, self.depth + 1):
            x = self.pool(self.get_submodule(f"conv{i}")(x))
        logits: torch.Tensor = self.head(self.dropout(self.stack_end(x)).transpose(1, 2))
        return logits


class Module(nn.Module):
    """Convolution, batch normalisation, rectifier."""

    def __init__(self, before: int, after: int, kernel: int, *, stride: int = 1) -> None:
        super().__init__()
        padding = (kernel - 1) // 2 if stride == 1 else 0
        self.conv = nn.Conv1d(before, after, kernel, stride, padding)
        self.norm = nn.BatchNorm1d(after)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.norm(self._convolved(x)))

    def _convolved(self, x: torch.Tensor) -> torch.Tensor:
        conv = self.conv
        kernel = conv.kernel_size[0]
        if conv.in_channels > 1 or conv.stride != conv.kernel_size or torch.is_grad_enabled():
            convolved: torch.Tensor = conv(x)
            return convolved
        # From one channel in steps of its own width it is a matrix product; oneDNN's way is far slower.
        frames = x.shape[2] // kernel
        rows = x[:, 0, : frames * kernel].reshape(-1, frames, kernel)
        return F.linear(rows, conv.weight[:, 0], conv.bias).transpose(1, 2)


class SampleCnnEncoder(Encoder):
    """SampleCNN behind the protocol; audio is ``[batch, time]`` at 22,050 Hz unless trained otherwise.

    Examples
    --------
    >>> encoder = open_encoder("samplecnn-3-7", weights="random:0", seed=0)
    >>> encoder.activations(torch.zeros(1, 6561), ["stack_end"])["stack_end"].shape
    torch.Size([1, 1, 512])
    """

    preferred_batch = 2  # of some seconds: larger batches leave the cache

    def __init__(self, name: str, net: SampleCnn, sample_rate_hz: int, *, weights_label: str) -> None:
        self._net = net.eval().requires_grad_(False)
        self._taps, self.sites = _sites(self._net)
        self.name = name
        self.sample_rate_hz = sample_rate_hz
        self.weights_id = weights_id(self._net)
        self.weights_label = weights_label
        self.citation, self.licence = CITATION, LICENCE

    def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
        taps = {name: self._taps[self.site(name).name] for name in sites}
        self._validate(audio, sites)
        if not taps:
            return {}
        with torch.no_grad():
            return read(self._net, lambda: self._net(audio), taps)

    def _validate(self, audio: torch.Tensor, sites: Sequence[str]) -> None:
        validate_audio(audio, None)
        # One frame of a site needs as many samples as its hop: padding stands in for the rest of its view.
        least = max((self.site(name).hop for name in sites), default=0)
        if audio.shape[1] < least:
            cause = "the stack needs so many for one frame; give longer audio"
            raise InputError(f"at least {least} samples", f"{audio.shape[1]} samples", cause)

    def changed(
        self, audio: torch.Tensor, site: str, change: Change, sites: Sequence[str]
    ) -> dict[str, torch.Tensor]:
        wanted = places_of_change(self, site, sites, head=True)
        self._validate(audio, ["head" if name == OUTPUTS else name for name in wanted])
        if not wanted:
            return {}
        with torch.no_grad(), replaced(self._net, self._taps[site], change):
            return read(self._net, lambda: self._net(audio), {name: self._taps[name] for name in wanted})

    def outputs(self, audio: torch.Tensor) -> torch.Tensor:
        self._validate(audio, ["head"])
        with torch.no_grad():
            logits: torch.Tensor = self._net(audio)
        return logits

    @property
    def net(self) -> SampleCnn:
        """The network itself."""
        return self._net

    def to(self, device: str) -> SampleCnnEncoder:
        self._net.to(device)
        self.device = device
        return self

    def first_layer(self) -> FirstLayer:
        conv = self._net.first_conv.conv
        assert conv.bias is not None
        return FirstLayer(conv.weight[:, 0].double().cpu(), 3, (0, 0), conv.bias.double().cpu())

    def randomised(self, seed: int, calibration: torch.Tensor | None) -> SampleCnnEncoder:
        return _random(self.name, copy.deepcopy(self._net).cpu(), seed, self.sample_rate_hz, calibration)

    def trainable(self) -> Trainable:
        net = copy.deepcopy(self._net).train().requires_grad_(True)
        tap = {"": self._taps["stack_end"]}
        full, narrow = _WIDTHS[_full(self.name)][0], net.first_conv.conv.out_channels
        options = {"sample_rate_hz": self.sample_rate_hz, "tags": net.head.out_features}
        return Trainable(
            net,
            lambda audio: read(net, lambda: net(audio), tap)[""],
            lambda _: net.state_dict(),
            options | {"narrow": full // narrow},
        )


def _random(
    name: str, net: SampleCnn, seed: int, sample_rate_hz: int, calibration: torch.Tensor | None
) -> SampleCnnEncoder:
    """Draw new weights for ``net``, in place, and wrap it."""
    net.eval()
    randomise(net, seed)
    music = substitute_music(sample_rate_hz, seconds=4) if calibration is None else calibration.float()
    calibrate(net, lambda: [net(rows) for rows in music.split(CALIBRATION_BATCH)])
    return SampleCnnEncoder(name, net, sample_rate_hz, weights_label=f"random:{seed}")


def _sites(net: SampleCnn) -> tuple[dict[str, Tap], tuple[Site, ...]]:
    """Taps and sites in order, geometry from the operators."""
    calls = {call.name: call for call in trace(net, net, torch.zeros(1, 3 ** (net.depth + 1)))}
    roles: dict[str, Role] = {
        "first_conv": "first_conv",
        **{f"conv{i + 1}": "conv" for i in range(net.depth)},
    }
    roles["stack_end"] = "stack_end"
    sites = []
    for name, role in roles.items():
        path = calls[name].path
        assert path is not None, f"no rule follows the signal to {name}"
        interval = path.geometry.interval
        sites.append(Site(name, role, *interval, calls[name].shape[1], operators=path.operators))
    taps = {name: Tap(name) for name in roles} | {"head": Tap("stack_end")}
    taps[OUTPUTS] = Tap("head", frame_axis=1)
    return taps, (*sites, replace(sites[-1], name="head", role="head"))
