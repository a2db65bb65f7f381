"""The network of EnCodec (Défossez et al. 2022), written anew in plain layers: SEANet, its mirror, its codes.

Weight norm is folded into the weights, which leaves the function the same. Modules are named for what they
are, and those names are the sites: ``first_conv``; ``block1.conv1``, ``block1.conv2`` and
``block1.shortcut`` (``block1`` is their sum); ``down1`` …; ``lstm``; ``stack_end``. Tensors
are ``[batch, channel, 1, time]``, channels last in memory, which is the layout that oneDNN is fastest in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

LstmState = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Config:
    """What shapes an EnCodec; fields and defaults are those of the 24 kHz model's ``config.json``."""

    sampling_rate: int = 24_000
    audio_channels: int = 1
    normalize: bool = False
    num_filters: int = 32
    hidden_size: int = 128
    num_residual_layers: int = 1
    upsampling_ratios: tuple[int, ...] = (8, 5, 4, 2)
    norm_type: str = "weight_norm"
    kernel_size: int = 7
    last_kernel_size: int = 7
    residual_kernel_size: int = 3
    dilation_growth_rate: int = 2
    use_causal_conv: bool = True
    pad_mode: str = "reflect"
    compress: int = 2
    num_lstm_layers: int = 2
    trim_right_ratio: float = 1.0
    use_conv_shortcut: bool = True
    codebook_size: int = 1024
    target_bandwidths: tuple[float, ...] = (1.5, 3.0, 6.0, 12.0, 24.0)
    chunk_length_s: float | None = None
    overlap: float | None = None

    @property
    def hop(self) -> int:
        """Samples a frame of the latent."""
        return math.prod(self.upsampling_ratios)

    @property
    def segment_length(self) -> int | None:
        """Samples that are coded at a time; None where everything is."""
        return None if self.chunk_length_s is None else max(1, int(self.chunk_length_s * self.sampling_rate))

    @property
    def segment_hop(self) -> int | None:
        """Samples from the start of a segment to that of the next."""
        length = self.segment_length
        return None if length is None else max(1, int((1.0 - (self.overlap or 0.0)) * length))

    def stages(self, bandwidth_kbps: float) -> int:
        """Codebooks used at a bit rate."""
        bits_per_stage = math.log2(self.codebook_size) * math.ceil(self.sampling_rate / self.hop)
        return max(1, int(bandwidth_kbps * 1000 / bits_per_stage))


class Conv(nn.Module):
    """A convolution with the padding that keeps ``ceil(time / stride)`` frames: causal, or centred."""

    def __init__(
        self, config: Config, before: int, after: int, kernel: int, *, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv1d(before, after, kernel, stride, dilation=dilation)
        channels_last(self.conv)
        self.norm = WholeNorm(1, after) if config.norm_type == "time_group_norm" else nn.Identity()
        self.mode = config.pad_mode
        self.total = (kernel - 1) * dilation + 1 - stride
        right = 0 if config.use_causal_conv else self.total // 2
        self.padding = (self.total - right, right)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        conv, (left, right) = self.conv, self.padding
        right += -x.shape[-1] % conv.stride[0]  # whole windows to the end
        if left or right:
            x = _pad(x, left, right, self.mode)
        if conv.in_channels <= FEW_CHANNELS and conv.stride == (1,) and not torch.is_grad_enabled():
            x = _unfolded(x, conv)
        else:
            stride, dilation = (1, conv.stride[0]), (1, conv.dilation[0])
            x = F.conv2d(x, conv.weight.unsqueeze(2), conv.bias, stride, 0, dilation)
        out: torch.Tensor = self.norm(x)
        return out


class WholeNorm(nn.GroupNorm):
    """Group norm with one group, ``[batch, channel, 1, time]``: scaled over all channels and all time.

    In this layout PyTorch's own adds one number after another: over a second of sound it was up to 3e-4 off.
    As rows, the same numbers go through the layer norm, at the same speed, and are exact to 1e-6.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows = x.permute(0, 2, 3, 1)  # as they lie in memory
        scaled = F.layer_norm(rows, rows.shape[1:], eps=self.eps)
        return torch.addcmul(self.bias, scaled, self.weight).permute(0, 3, 1, 2)


FEW_CHANNELS = 2
"""Up to so many channels a convolution is done as one matrix product: oneDNN's is then 17 times slower."""


def channels_last(conv: nn.Module) -> None:
    """Lay a one-dimensional convolution's weight out as oneDNN reads it, so that no pass copies it."""
    weight = conv.weight
    assert isinstance(weight, nn.Parameter)
    weight.data = weight.data.permute(0, 2, 1).contiguous().permute(0, 2, 1)


def _unfolded(x: torch.Tensor, conv: nn.Conv1d) -> torch.Tensor:
    """The convolution of ``[batch, channel, 1, time]`` as a matrix product; the same layout comes out."""
    reach = conv.dilation[0] * (conv.kernel_size[0] - 1) + 1
    windows = x.squeeze(2).unfold(2, reach, 1)[..., :: conv.dilation[0]]  # batch channel time tap
    batch, _, time, _ = windows.shape
    rows = windows.transpose(1, 2).reshape(batch * time, -1)
    weight = conv.weight.reshape(conv.out_channels, -1)
    out = F.linear(rows, weight, conv.bias).view(batch, time, conv.out_channels)
    return out.transpose(1, 2).unsqueeze(2)


def _pad(x: torch.Tensor, left: int, right: int, mode: str) -> torch.Tensor:
    """Padding; a mirror longer than the sound first lengthens it by zeros, as EnCodec does."""
    if mode != "reflect":
        return F.pad(x, (left, right, 0, 0), mode)
    short = max(0, max(left, right) - x.shape[-1] + 1)
    padded = F.pad(F.pad(x, (0, short)) if short else x, (left, right, 0, 0), "reflect")
    return padded[..., : padded.shape[-1] - short] if short else padded


class Residual(nn.Module):
    """Two convolutions through a narrow middle, added to a shortcut."""

    def __init__(self, config: Config, width: int, dilation: int) -> None:
        super().__init__()
        narrow = width // config.compress
        self.conv1 = Conv(config, width, narrow, config.residual_kernel_size, dilation=dilation)
        self.conv2 = Conv(config, narrow, width, 1)
        self.shortcut = Conv(config, width, width, 1) if config.use_conv_shortcut else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.conv2(F.elu(self.conv1(F.elu(x))))
        out: torch.Tensor = inner + self.shortcut(x)
        return out


class Lstm(nn.Module):
    """Long short-term memory with a skip; ``state`` carries over from the chunk before."""

    def __init__(self, config: Config, width: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(width, width, config.num_lstm_layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.step(x, None)[0]

    def step(self, x: torch.Tensor, state: LstmState | None) -> tuple[torch.Tensor, LstmState]:
        """Output ``[batch, channel, 1, time]`` and the state after it."""
        out, after = self.lstm(x.squeeze(2).permute(2, 0, 1), state)
        return out.permute(1, 2, 0).unsqueeze(2) + x, after


class EncoderNet(nn.Module):
    """Waveform ``[batch, channel, time]`` to latent ``[batch, unit, 1, frame]``."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = config.num_filters
        self.stages: list[str] = ["first_conv"]  # names of the layers, in order
        self.first_conv = Conv(config, config.audio_channels, width, config.kernel_size)
        for i, ratio in enumerate(reversed(config.upsampling_ratios), start=1):
            for j in range(config.num_residual_layers):
                name = f"block{i}" if config.num_residual_layers == 1 else f"block{i}_{j + 1}"
                self._append(name, Residual(config, width, config.dilation_growth_rate**j))
            self._append(f"down{i}", Conv(config, width, 2 * width, 2 * ratio, stride=ratio))
            width *= 2
        self.lstm = Lstm(config, width)
        self.stack_end = Conv(config, width, config.hidden_size, config.last_kernel_size)

    def _append(self, name: str, layer: nn.Module) -> None:
        self.add_module(name, layer)
        self.stages.append(name)

    def front(self, audio: torch.Tensor) -> torch.Tensor:
        """What the recurrent layer reads."""
        x = audio.unsqueeze(2)
        for name in self.stages:
            layer = self.get_submodule(name)
            x = layer(F.elu(x) if name.startswith("down") else x)
        return x

    def tail(self, x: torch.Tensor) -> torch.Tensor:
        """The latent, from what the recurrent layer gives."""
        out: torch.Tensor = self.stack_end(F.elu(x))
        return out

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        return self.tail(self.lstm(self.front(audio)))


class Up(nn.Module):
    """A transposed convolution, trimmed to ``time * stride`` samples."""

    def __init__(self, config: Config, before: int, after: int, ratio: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose1d(before, after, 2 * ratio, ratio)
        self.norm = WholeNorm(1, after) if config.norm_type == "time_group_norm" else nn.Identity()
        self.right = math.ceil(ratio * config.trim_right_ratio) if config.use_causal_conv else ratio // 2
        self.left = ratio - self.right

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.conv(x.squeeze(2)).unsqueeze(2))
        return x[..., self.left : x.shape[-1] - self.right]


class DecoderNet(nn.Module):
    """Latent ``[batch, unit, 1, frame]`` to waveform ``[batch, channel, time]``: the encoder's mirror."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = config.num_filters * 2 ** len(config.upsampling_ratios)
        layers: list[nn.Module] = [
            Conv(config, config.hidden_size, width, config.kernel_size),
            Lstm(config, width),
        ]
        for ratio in config.upsampling_ratios:
            layers += [nn.ELU(), Up(config, width, width // 2, ratio)]
            width //= 2
            layers += [
                Residual(config, width, config.dilation_growth_rate**j)
                for j in range(config.num_residual_layers)
            ]
        layers += [nn.ELU(), Conv(config, width, config.audio_channels, config.last_kernel_size)]
        self.layers = nn.ModuleList(layers)

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            latent = layer(latent)
        return latent.squeeze(2)


class Quantiser(nn.Module):
    """Residual vector quantiser: each stage takes the nearest entry to what the stages before it left."""

    codebooks: torch.Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        stages = config.stages(max(config.target_bandwidths))
        self.register_buffer("codebooks", torch.zeros(stages, config.codebook_size, config.hidden_size))

    def forward(self, latent: torch.Tensor, stages: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Codes ``[batch, frame, stage]`` and their summed entries, for a latent ``[batch, frame, unit]``."""
        rest, codes = latent, []
        for book in self.codebooks[:stages]:
            near = squared_distance(rest, book).argmin(dim=-1)
            codes.append(near)
            rest = rest - book[near]
        return torch.stack(codes, dim=-1), latent - rest

    def entries(self, codes: torch.Tensor) -> torch.Tensor:
        """Summed entries ``[batch, frame, unit]`` of codes ``[batch, frame, stage]``."""
        chosen = [book[codes[..., i]] for i, book in enumerate(self.codebooks[: codes.shape[-1]])]
        return torch.stack(chosen).sum(dim=0)

    def fill(self, latent: torch.Tensor, seed: int) -> None:
        """Entries from what there is to quantise, ``[frame, unit]``: random frames' rests, stage by stage.

        This is the first step of the k-means that starts EnCodec's training; its iterations are left out.
        A frame that became an entry passes on its distance from the nearest other one, not zero.
        """
        generator = torch.Generator().manual_seed(seed)
        frame, rest = torch.arange(len(latent)), latent
        for book in self.codebooks:
            order = torch.randperm(len(rest), generator=generator)
            drawn = order.repeat(-(-len(book) // len(order)))[: len(book)]
            book.copy_(rest[drawn])
            distance = squared_distance(rest, book)
            distance[frame[:, None] == drawn[None]] = torch.inf
            rest = rest - book[distance.argmin(dim=1)]


def squared_distance(points: torch.Tensor, book: torch.Tensor) -> torch.Tensor:
    """Squared distance of points ``[..., unit]`` from entries ``[entry, unit]``, less a shared term.

    Both are centred first: around a large common offset the difference of squares would be all rounding.
    """
    centre = book.mean(dim=0)
    entries = book - centre
    return entries.square().sum(dim=1) - 2 * (points - centre) @ entries.T
