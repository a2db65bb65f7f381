"""Products of which only the active latents are computed: the whole speed of TopK training on a CPU.

With k of n latents active, a dense decoder and a dense backward pass spend all but k/n of their multiplications on
zeros. Here the pre-activations are the only dense product. A reconstruction is the weighted sum of k gathered decoder
rows (``embedding_bag``); the gradient of the values is k inner products; the gradient of a weight matrix is again a
weighted sum of gathered rows, after the pattern of active latents is sorted by latent.

Gradients are exact: they equal those of the dense formulas (tests compare them), since a latent that is not
selected has none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

#: Frames whose pre-activations are held at once: more would leave the cache.
ROWS = 512
#: Latents that compete first, in the search for the k largest.
GROUP = 8


class Pattern:
    """Which latents are active in which frame: a sparse matrix without its values.

    Parameters
    ----------
    feature : ``[active]``, latent of each active entry, frames outermost
    offsets : ``[frame]``, where each frame's entries begin
    features : number of latents
    """

    def __init__(self, feature: torch.Tensor, offsets: torch.Tensor, features: int) -> None:
        self.feature, self.offsets, self.features = feature, offsets, features
        self._sorted: tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None = None

    @property
    def row(self) -> torch.Tensor:
        """Frame of each entry, ``[active]``."""
        ends = torch.cat([self.offsets[1:], torch.tensor([len(self.feature)])])
        return torch.arange(len(self.offsets)).repeat_interleave(ends - self.offsets)

    def by_feature(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Order of the entries by latent, the frame of each in that order, where each latent's entries begin."""
        if self._sorted is None:
            keys = self.feature.numpy()
            if self.features <= 2**16:
                keys = keys.astype(np.uint16)  # numpy sorts 16 bits by radix
            order = torch.from_numpy(np.argsort(keys, kind="stable"))
            begins = torch.zeros(self.features, dtype=torch.long)
            begins[1:] = torch.bincount(self.feature, minlength=self.features).cumsum(0)[:-1]
            self._sorted = order, self.row[order], begins
        return self._sorted


def select(
    x: torch.Tensor, encoder: torch.Tensor, bias: torch.Tensor, k: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The k largest pre-activations of each frame, and their latents, both ``[frame, k]``; no gradient.

    Latents compete in groups first: the k largest lie in the k groups with the largest maxima.
    """
    n = len(encoder)
    grouped = n % GROUP == 0 and n // GROUP >= 2 * k
    values, chosen = [], []
    with torch.no_grad():
        hidden = torch.empty(min(ROWS, len(x)), n)
        for rows in x.split(ROWS):
            pre = torch.addmm(bias, rows, encoder.T, out=hidden[: len(rows)])
            best, latent = _grouped(pre, k) if grouped else pre.topk(k, sorted=False)
            values.append(best)
            chosen.append(latent)
    return torch.cat(values), torch.cat(chosen)


def _grouped(pre: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    groups = pre.shape[1] // GROUP
    leading = pre.view(len(pre), GROUP, groups).amax(dim=1).topk(k, sorted=False).indices  # [frame, k]
    places = leading[:, None] + groups * torch.arange(GROUP)[:, None]
    candidates = places.flatten(1)  # [frame, GROUP * k]
    best, among = pre.gather(1, candidates).topk(k, sorted=False)
    return best, candidates.gather(1, among)


def encode(
    x: torch.Tensor, encoder: torch.Tensor, bias: torch.Tensor, pattern: Pattern, values: torch.Tensor
) -> torch.Tensor:
    """Active pre-activations ``[active]``, which ``values`` already holds, with gradients to the encoder and bias."""
    found: torch.Tensor = _Encode.apply(x, encoder, bias, pattern, values)
    return found


def decode(values: torch.Tensor, decoder: torch.Tensor, pattern: Pattern) -> torch.Tensor:
    """Sums of active decoder rows, ``[frame, unit]``, with gradients to the values and the decoder."""
    found: torch.Tensor = _Decode.apply(values, decoder, pattern)
    return found


def _bag(
    index: torch.Tensor, rows: torch.Tensor, offsets: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    return F.embedding_bag(index, rows, offsets, mode="sum", per_sample_weights=weights)


def _inner(pattern: Pattern, rows: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Inner product of each entry's row with its frame's gradient, ``[active]``.

    It is the derivative of a weighted sum of rows by its weights, which torch has as a kernel of its own.
    """
    weights = torch.zeros(len(pattern.feature), requires_grad=True)
    with torch.enable_grad():
        summed = _bag(pattern.feature, rows.detach(), pattern.offsets, weights)
    return torch.autograd.grad(summed, weights, gradient)[0]


def _columns(pattern: Pattern, values: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """For each latent the weighted sum of the frames ``[frame, unit]`` in which it is active, ``[feature, unit]``."""
    order, row, begins = pattern.by_feature()
    return _bag(row, rows, begins, values[order])


class _Encode(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        encoder: torch.Tensor,  # noqa: ARG004 - only its gradient is computed here
        bias: torch.Tensor,  # noqa: ARG004 - the same
        pattern: Pattern,
        values: torch.Tensor,
    ) -> torch.Tensor:
        ctx.pattern = pattern
        ctx.save_for_backward(x)
        return values.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (x,), pattern = ctx.saved_tensors, ctx.pattern
        gradient = gradients[0].contiguous()
        to_bias = torch.zeros(pattern.features).index_add_(0, pattern.feature, gradient)
        return None, _columns(pattern, gradient, x), to_bias, None, None


class _Decode(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, decoder: torch.Tensor, pattern: Pattern) -> torch.Tensor:
        ctx.pattern = pattern
        ctx.save_for_backward(values, decoder)
        return _bag(pattern.feature, decoder, pattern.offsets, values)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (values, decoder), pattern = ctx.saved_tensors, ctx.pattern
        gradient = gradients[0].contiguous()
        return _inner(pattern, decoder, gradient), _columns(pattern, values, gradient), None
