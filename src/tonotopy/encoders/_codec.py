"""EnCodec as a codec: sound to codes, and codes to sound, segment by segment where the model asks for it.

The 48 kHz model codes segments of a second that overlap by a hundredth. Each carries its own level, the root
mean square of the mean of its channels, and what is decoded of neighbours is faded from one to the next:
every segment is weighted by a triangle, and the sum is divided by the sum of the weights. The 24 kHz model
codes everything at once. Both as in transformers' ``EncodecModel.encode`` and ``decode``.

Offers :class:`Segment`, :func:`encode_segments`, :func:`decode_segments`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from tonotopy.core.errors import InputError
from tonotopy.encoders._seanet import Config, DecoderNet, EncoderNet, Quantiser

QUIET = 1e-8
"""Added to every level, so that silence may be divided by it."""


@dataclass(frozen=True)
class Segment:
    """Codes of one stretch of sound."""

    codes: torch.Tensor  # [batch, frame, stage], int64
    scale: torch.Tensor | None  # level that the sound was divided by, [batch]; None where it is not


def level(audio: torch.Tensor) -> torch.Tensor:
    """Level of audio ``[batch, channel, time]`` over all its time, ``[batch]``, full scale 1."""
    return audio.mean(dim=1).square().mean(dim=1).sqrt() + QUIET


def encode_segments(
    audio: torch.Tensor, config: Config, net: EncoderNet, quantiser: Quantiser, stages: int
) -> list[Segment]:
    """Codes of audio ``[batch, channel, time]``; the last segment is as short as what is left."""
    length = config.segment_length or audio.shape[2]
    segments = []
    for start in range(0, audio.shape[2], config.segment_hop or length):
        heard = audio[..., start : start + length]
        scale = level(heard) if config.normalize else None
        latent = net(heard if scale is None else heard / scale[:, None, None])
        codes = quantiser(latent.squeeze(2).transpose(1, 2), stages)[0]
        segments.append(Segment(codes, scale))
    return segments


def decode_segments(
    segments: Sequence[Segment], config: Config, decoder: DecoderNet, quantiser: Quantiser
) -> torch.Tensor:
    """Audio ``[batch, channel, time]`` from codes; whole hops, so perhaps longer than what was encoded."""
    if config.segment_hop is None and len(segments) != 1:
        cause = "this model codes everything at once: decode segments one by one"
        raise InputError("one segment", f"{len(segments)}", cause)
    sounds = []
    for segment in segments:
        _validate(segment, config, quantiser)
        latent = quantiser.entries(segment.codes)
        sound = decoder(latent.transpose(1, 2).unsqueeze(2))
        sounds.append(sound if segment.scale is None else sound * segment.scale[:, None, None])
    return sounds[0] if len(sounds) == 1 else overlap_add(sounds, config.segment_hop or 1)


def overlap_add(sounds: Sequence[torch.Tensor], hop: int) -> torch.Tensor:
    """Sounds ``[batch, channel, time]`` that start every ``hop`` samples, faded linearly where they overlap."""
    n = sounds[0].shape[-1]
    place = torch.linspace(0, 1, n + 2, device=sounds[0].device)[1:-1]
    triangle = 0.5 - (place - 0.5).abs()  # never 0: every sample that a sound covers has a weight
    total = max(i * hop + sound.shape[-1] for i, sound in enumerate(sounds))
    out = sounds[0].new_zeros(*sounds[0].shape[:-1], total)
    weight = sounds[0].new_zeros(total)
    for i, sound in enumerate(sounds):
        here = slice(i * hop, i * hop + sound.shape[-1])
        out[..., here] += triangle[: sound.shape[-1]] * sound
        weight[here] += triangle[: sound.shape[-1]]
    return out / weight


def _validate(segment: Segment, config: Config, quantiser: Quantiser) -> None:
    codes, most = segment.codes, len(quantiser.codebooks)
    if codes.dim() != 3 or not 1 <= codes.shape[2] <= most or not codes.shape[1] or codes.is_floating_point():
        expected = f"codes [batch, frame, stage] as integers, of 1 to {most} stages"
        raise InputError(expected, f"{tuple(codes.shape)}, {codes.dtype}", "axes in another order")
    if int(codes.min()) < 0 or int(codes.max()) >= config.codebook_size:
        came = f"{int(codes.min())} to {int(codes.max())}"
        raise InputError(f"codes from 0 to {config.codebook_size - 1}", came, "another model's codes")
    if (segment.scale is not None) != config.normalize:
        expected = "a scale with every segment" if config.normalize else "segments without a scale"
        raise InputError(expected, "none" if segment.scale is None else "one", "the other EnCodec's codes")
