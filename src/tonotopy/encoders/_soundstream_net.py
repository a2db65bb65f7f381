"""The network of SoundStream (Zeghidour et al. 2021) as Lyra v2 ships it, in plain layers: encoder, decoder, codes.

Every layer is causal. Modules are named for what they are, and those names are the sites: ``first_conv``;
``block1_1.depthwise``, ``block1_1.pointwise`` and ``block1_1.conv2`` (``block1_1`` is their sum with what came
in); ``down1`` …; ``stack_end``. Tensors are ``[batch, channel, 1, time]``, channels last in memory: at 16 rows
of .64 s that takes half the time of ``[batch, channel, time]``.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from tonotopy.encoders._seanet import channels_last

SAMPLE_RATE_HZ = 16_000
HOP = 320
UNITS = 64
"""Of the latent, per frame."""
STAGES, ENTRIES = 46, 16
"""Codebooks of the quantiser and entries of each: 4 bits a stage, 184 a frame, 9.2 kb/s."""
SLOPE = 0.3
"""Of the leaky rectifiers."""
KMEANS_ITERATIONS = 10
"""Of what starts the codebooks of random weights."""

_FIRST_KERNEL, _FIRST_STRIDE = 64, 16
_BLOCKS = ((64, 1), (128, 2), (256, 4))  # channels; groups of the last convolution of a residual unit
_DOWN = ((10, 5, 1), (4, 2, 2), (4, 2, 4))  # kernel, stride, groups of the convolution after each block
_DILATIONS = (1, 3, 9)


class Conv(nn.Module):
    """A causal convolution: zeros on the left, and one frame for each whole stride."""

    def __init__(
        self,
        before: int,
        after: int,
        kernel: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv1d(before, after, kernel, stride, dilation=dilation, groups=groups, bias=bias)
        channels_last(self.conv)
        self.left = dilation * (kernel - 1) - (stride - 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        conv = self.conv
        padded = F.pad(x, (self.left, 0, 0, 0)) if self.left else x
        stride, dilation = (1, conv.stride[0]), (1, conv.dilation[0])
        return F.conv2d(padded, conv.weight.unsqueeze(2), conv.bias, stride, 0, dilation, conv.groups)


class Residual(nn.Module):
    """A convolution of width 3, depthwise then pointwise, and one of width 1, added to what came in."""

    def __init__(self, width: int, dilation: int, groups: int) -> None:
        super().__init__()
        self.depthwise = Conv(width, width, 3, dilation=dilation, groups=width, bias=False)
        self.pointwise = Conv(width, width, 1)
        self.conv2 = Conv(width, width, 1, groups=groups)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.pointwise(self.depthwise(F.leaky_relu(x, SLOPE)))
        out: torch.Tensor = self.conv2(F.leaky_relu(inner, SLOPE)) + x
        return out


class EncoderNet(nn.Module):
    """Waveform ``[batch, time]`` to latent ``[batch, unit, 1, frame]``; samples short of a hop are left out."""

    def __init__(self) -> None:
        super().__init__()
        self.stages: list[str] = []  # names of the layers, in order
        self._append("first_conv", Conv(1, _BLOCKS[0][0], _FIRST_KERNEL, stride=_FIRST_STRIDE))
        for i, (width, groups) in enumerate(_BLOCKS, start=1):
            for j, dilation in enumerate(_DILATIONS, start=1):
                self._append(f"block{i}_{j}", Residual(width, dilation, groups))
            kernel, stride, parts = _DOWN[i - 1]
            self._append(f"down{i}", Conv(width, 2 * width, kernel, stride=stride, groups=parts))
        self._append("stack_end", Conv(2 * _BLOCKS[-1][0], UNITS, 3, groups=4))

    def _append(self, name: str, layer: nn.Module) -> None:
        self.add_module(name, layer)
        self.stages.append(name)

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        x = audio[:, None, None]
        for name in self.stages:
            layer = self.get_submodule(name)
            between = isinstance(layer, Conv) and name != "first_conv"
            x = layer(F.leaky_relu(x, SLOPE) if between else x)
        return x


class Up(nn.Module):
    """A causal transposed convolution: overlapping answers are added, and what reaches past the end is cut."""

    def __init__(self, before: int, after: int, kernel: int, *, stride: int, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose1d(before, after, kernel, stride, groups=groups)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.conv(x.squeeze(2))[..., : x.shape[-1] * self.conv.stride[0]]
        return out.unsqueeze(2)


class DecoderNet(nn.Module):
    """Latent ``[batch, unit, 1, frame]`` to waveform ``[batch, time]``: the encoder's mirror."""

    def __init__(self) -> None:
        super().__init__()
        width = 2 * _BLOCKS[-1][0]
        layers: list[nn.Module] = [Conv(UNITS, width, 3, groups=4)]
        for (width, groups), (kernel, stride, parts) in zip(reversed(_BLOCKS), reversed(_DOWN), strict=True):
            layers += [nn.LeakyReLU(SLOPE), Up(2 * width, width, kernel, stride=stride, groups=parts)]
            layers += [Residual(width, dilation, groups) for dilation in _DILATIONS]
        layers += [nn.LeakyReLU(SLOPE), Up(_BLOCKS[0][0], 1, _FIRST_KERNEL, stride=_FIRST_STRIDE)]
        self.layers = nn.ModuleList(layers)

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            latent = layer(latent)
        return latent[:, 0, 0]


class Quantiser(nn.Module):
    """Residual vector quantiser: each stage takes the nearest entry to what the stages before it left."""

    codebooks: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("codebooks", torch.zeros(STAGES, ENTRIES, UNITS))

    def forward(self, latent: torch.Tensor, stages: int = STAGES) -> tuple[torch.Tensor, torch.Tensor]:
        """Codes ``[batch, frame, stage]`` and their summed entries, for a latent ``[batch, frame, unit]``.

        The gradient of the sum is passed straight through to the latent (van den Oord et al. 2017).
        """
        codes, rest = [], latent.detach().flatten(0, 1)
        books = self.codebooks[:stages]
        for book, (entries, offset) in zip(books, _prepared(books), strict=True):
            near = torch.addmm(offset, rest, entries.T, alpha=-2).argmin(dim=1)
            codes.append(near)
            rest = rest - book[near]
        found = torch.stack(codes, dim=-1).unflatten(0, latent.shape[:2])
        summed = latent.detach() - rest.view_as(latent)
        return found, summed + (latent - latent.detach())

    def entries(self, codes: torch.Tensor) -> torch.Tensor:
        """Summed entries ``[batch, frame, unit]`` of codes ``[batch, frame, stage]``."""
        rows = codes + ENTRIES * torch.arange(codes.shape[2], device=codes.device)
        summed = F.embedding_bag(rows.flatten(0, 1), self.codebooks.flatten(0, 1), mode="sum")
        return summed.unflatten(0, codes.shape[:2])

    def fill(self, latent: torch.Tensor, seed: int) -> None:
        """Entries from what there is to quantise, ``[frame, unit]``: k-means on the rests, stage by stage.

        So SoundStream's training starts, from random frames. Random frames themselves would not do: of 16 in 64
        dimensions even the nearest lies farther off than zero, and every stage would add to the error.
        """
        generator = torch.Generator().manual_seed(seed)
        rest = latent
        for book in self.codebooks:
            drawn = torch.randperm(len(rest), generator=generator).repeat(-(-ENTRIES // len(rest)))[:ENTRIES]
            book.copy_(rest[drawn])
            for _ in range(KMEANS_ITERATIONS):
                near = _nearest(rest, book)
                count = near.bincount(minlength=ENTRIES)[:, None]
                summed = torch.zeros_like(book).index_add_(0, near, rest)
                book.copy_(torch.where(count > 0, summed / count.clamp_min(1), book))
            rest = rest - book[_nearest(rest, book)]


def _nearest(rest: torch.Tensor, book: torch.Tensor) -> torch.Tensor:
    """The nearest of entries ``[entry, unit]`` to each of ``[frame, unit]``."""
    entries, offset = next(_prepared(book[None]))
    return torch.addmm(offset, rest, entries.T, alpha=-2).argmin(dim=1)


def _prepared(books: torch.Tensor) -> zip[tuple[torch.Tensor, torch.Tensor]]:
    """What nearness takes of each codebook of ``[stage, entry, unit]``, for all stages at once.

    ``|r − e|²`` is ``|e|² − 2 r·e`` plus a term that all entries share. With centre c and e = c + d that is
    ``|d|² + 2 c·d − 2 r·d`` plus another such term: d is small where entries lie around a large common offset,
    and the difference is then not all rounding.
    """
    centre = books.mean(dim=1, keepdim=True)
    entries = books - centre
    offset = (entries * (entries + 2 * centre)).sum(dim=2)
    return zip(entries, offset, strict=True)
