"""EnCodec over long audio, chunk by chunk, with nothing lost at the seams.

The convolutions before the recurrent layer are warmed up over their view, the recurrent state is carried
over, and the last convolution is given the frames before. So frames equal those of one pass over the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch

from tonotopy.encoders._seanet import Config, EncoderNet, LstmState

LEAST_HOPS = 8
"""Hops that a chunk gathers before it is encoded: shorter ones spend the time on warming up."""


def stream(
    net: EncoderNet, config: Config, view: int, chunks: Iterable[torch.Tensor]
) -> Iterator[torch.Tensor]:
    """Frames of the latent, ``[batch, frame, unit]``, from consecutive chunks ``[batch, channel, time]``.

    ``view`` is that of the last site before the recurrent layer, in samples; the network is causal.
    """
    warm_up = -(-view // config.hop) * config.hop
    # The first chunk is padded by a mirror of itself, which must be as long as any layer's padding.
    least = max(LEAST_HOPS, warm_up // config.hop, config.last_kernel_size)
    before: torch.Tensor | None = None  # the last samples that the front has seen
    state: LstmState | None = None
    context: torch.Tensor | None = None  # the last frames that the tail has seen
    for chunk in _whole_hops(chunks, config.hop, least):
        with torch.no_grad():
            heard = chunk if before is None else torch.cat([before, chunk], dim=2)
            front = net.front(heard)[..., 0 if before is None else before.shape[2] // config.hop :]
            remembered, state = net.lstm.step(front, state)
            seen = remembered if context is None else torch.cat([context, remembered], dim=3)
            latent = net.tail(seen)[..., 0 if context is None else context.shape[3] :]
        before = heard[..., -warm_up:]
        context = seen[..., max(0, seen.shape[3] - config.last_kernel_size + 1) :]
        yield latent.squeeze(2).transpose(1, 2)


def _whole_hops(chunks: Iterable[torch.Tensor], hop: int, least: int) -> Iterator[torch.Tensor]:
    """The same audio in pieces of whole hops, so many at least; only the last may be ragged or shorter."""
    held: torch.Tensor | None = None
    for chunk in chunks:
        held = chunk if held is None else torch.cat([held, chunk], dim=2)
        # One hop is held back: at a ragged end the padding mirrors what comes before it.
        whole = (held.shape[2] // hop - 1) * hop
        if whole >= least * hop:
            yield held[..., :whole]
            held = held[..., whole:]
    if held is not None and held.shape[2]:
        yield held
