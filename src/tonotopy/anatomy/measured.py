"""Hop, view and offset of a site as measured: by gradient, and by impulse.

Conventions
-----------
Lengths are in samples; frame t sees ``[offset + t hop, offset + t hop + view)``. Both measurements use the
encoder's own float32 answers and nothing else.

- *gradient*: the samples on which a frame's units, summed with random signs, have a derivative that is not
  zero, over several noises (a dead rectifier or a maximum hides a sample from any one of them). Some kernels
  leave rounding everywhere; only then derivatives below 1e-7 of the largest count as zero.
- *impulse*: one sample is moved by four times the RMS; frames count that change by more than 1e-6 of the
  largest answer. The corners of a deep view weigh less than that, so an impulse can show that a view is
  longer than predicted, never that it is shorter. Impulses sit at the two phases of the hop where the
  predicted edges lie, and beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import torch

from tonotopy.anatomy._steady import Probe, answers, probe, read
from tonotopy.encoders._contract import Encoder, Site

NOISE_RMS = 0.0501  # -26 dBFS, the level of every context
IMPULSE_RMS = 4.0  # height of an impulse over that
CHANGED = 1e-6  # of the largest answer: a frame that moves by more has seen the impulse
ROUNDING = 1e-7  # of the largest derivative
ROWS = 4  # noises a frame and round
ROUNDS = 3
LONGEST_S = 4.0  # of sound for one probe


@dataclass(frozen=True)
class Measured:
    """What was measured at a site, in samples; ``None`` where undefined, with the reason in ``undefined``.

    ``beyond`` says how the dependence breaks the assumption of one interval a frame, where it does: expected
    of an unbounded site, a contradiction anywhere else.
    """

    hop: int | None = None
    view_gradient: int | None = None
    offset_gradient: int | None = None
    view_impulse: int | None = None
    offset_impulse: int | None = None
    beyond: str = ""
    undefined: dict[str, str] = field(default_factory=dict)


GRADIENT = ("hop", "view_gradient", "offset_gradient")
IMPULSE = ("view_impulse", "offset_impulse")


def measure(encoder: Encoder, site: Site, *, seed: int) -> Measured:
    """Measure where a site's frames look.

    Parameters
    ----------
    encoder : Encoder
        Any encoder.
    site : Site
        One of its sites; what it declares sets the length of the probe and is not otherwise believed.
    seed : int
        Of the noise.

    Returns
    -------
    Measured
        Both measurements.

    Raises
    ------
    AlignmentError
        Where the site has fewer frames than what it declares implies.
    """
    margin = max(64, site.view // 4) + site.hop
    placed = probe(encoder, site, frames=3, margin=margin)
    if placed.samples > LONGEST_S * encoder.sample_rate_hz:
        reason = f"its view needs {placed.samples:,} samples: more than {LONGEST_S:g} s"
        return Measured(undefined=dict.fromkeys(GRADIENT + IMPULSE, reason))
    generator = torch.Generator().manual_seed(seed)
    by_gradient = _by_gradient(encoder, site, placed, generator)
    by_impulse = _by_impulse(encoder, site, placed, generator)
    return Measured(
        by_gradient.hop,
        by_gradient.view_gradient,
        by_gradient.offset_gradient,
        by_impulse.view_impulse,
        by_impulse.offset_impulse,
        by_gradient.beyond or by_impulse.beyond,
        by_gradient.undefined | by_impulse.undefined,
    )


def _by_gradient(encoder: Encoder, site: Site, placed: Probe, generator: torch.Generator) -> Measured:
    spans: list[tuple[int, int] | None] = [None] * len(placed.frames)
    for _ in range(ROUNDS):
        sizes = _derivatives(encoder, site, placed, generator)
        if sizes is None:
            return _undefined(GRADIENT, "the answers carry no gradient")
        spans = [_wider(span, _support(rows)) for span, rows in zip(spans, sizes, strict=True)]
        if all(span == _declared(site, t) for span, t in zip(spans, placed.frames, strict=True)):
            break
    found = [span for span in spans if span is not None]
    if len(found) < len(spans):
        return _undefined(GRADIENT, "the answers do not depend on the sound")
    if _at_an_end(found, placed) and not (site.bounded and encoder.frame_length is not None):
        return _undefined(GRADIENT, _reaches(placed), beyond=True)
    return _fitted(found, placed)


def _at_an_end(spans: list[tuple[int, int]], placed: Probe) -> bool:
    return spans[0][0] == 0 or spans[-1][1] == placed.samples


def _reaches(placed: Probe) -> str:
    return f"a frame depends on an end of a probe of {placed.samples:,} samples"


def _derivatives(
    encoder: Encoder, site: Site, placed: Probe, generator: torch.Generator
) -> torch.Tensor | None:
    """Sizes of the derivatives ``[frame, row, time]``; None where there are none to be had."""
    frames = len(placed.frames)
    noise = torch.randn(frames * ROWS, placed.samples, generator=generator) * NOISE_RMS
    audio = noise.requires_grad_(True)
    with torch.enable_grad():
        found = encoder.activations(audio, [site.name])[site.name]
        if not found.requires_grad:
            return None
        chosen = read(found, placed.frames, site).unflatten(0, (frames, ROWS))  # [frame, row, frame, unit]
        own = chosen.diagonal(dim1=0, dim2=2)  # [row, unit, frame]
        signs = torch.randint(0, 2, (own.shape[1], 1), generator=generator) * 2.0 - 1.0
        gradient: torch.Tensor | None = torch.autograd.grad((own * signs).sum(), audio, allow_unused=True)[0]
    return None if gradient is None else gradient.abs().unflatten(0, (frames, ROWS))


def _support(sizes: torch.Tensor) -> tuple[int, int] | None:
    """First sample and end of where any row ``[row, time]`` is not zero."""
    exact = (sizes > 0).any(dim=0).nonzero().flatten()
    if len(exact) == sizes.shape[1]:  # everything is touched: perhaps by rounding alone
        exact = (sizes > ROUNDING * sizes.max()).any(dim=0).nonzero().flatten()
    return (int(exact[0]), int(exact[-1]) + 1) if len(exact) else None


def _wider(one: tuple[int, int] | None, other: tuple[int, int] | None) -> tuple[int, int] | None:
    if one is None or other is None:
        return one or other
    return min(one[0], other[0]), max(one[1], other[1])


def _declared(site: Site, t: int) -> tuple[int, int]:
    start = site.offset + t * site.hop
    return start, start + site.view


def _fitted(spans: list[tuple[int, int]], placed: Probe) -> Measured:
    """Hop, view and offset from the spans of consecutive frames."""
    start, end = spans[0]
    if len(spans) == 1:  # framewise: one position is read, and its start is relative to the window
        return Measured(None, end - start, start, undefined={"hop": "framewise: one position is read"})
    hops = {b[side] - a[side] for a, b in pairwise(spans) for side in (0, 1)}
    if len(hops) > 1:
        return _undefined(GRADIENT, "view or hop varies from frame to frame", beyond=True)
    hop = hops.pop()
    return Measured(hop, end - start, start - placed.frames[0] * hop)


def _undefined(names: tuple[str, ...], reason: str, *, beyond: bool = False) -> Measured:
    return Measured(beyond=reason if beyond else "", undefined=dict.fromkeys(names, reason))


def _by_impulse(encoder: Encoder, site: Site, placed: Probe, generator: torch.Generator) -> Measured:
    """Span of the distances from an impulse to the frames that it changes."""
    hop = site.hop if encoder.frame_length is None else 0
    positions = _positions(encoder, site, placed)
    audio = (torch.randn(1, placed.samples, generator=generator) * NOISE_RMS).repeat(len(positions) + 1, 1)
    audio[torch.arange(len(positions)), positions] += IMPULSE_RMS * NOISE_RMS
    found = answers(encoder, audio, [site.name])[site.name]
    if encoder.frame_length is not None:
        found = read(found, placed.frames, site)
    else:
        found, first_frame = _inside(found, site, placed)
        positions = positions - first_frame * hop
    change = (found[:-1] - found[-1:]).abs().amax(dim=2)  # [impulse, frame]
    row, frame = (change > CHANGED * found.abs().max()).nonzero(as_tuple=True)
    if not len(row):
        return _undefined(IMPULSE, "no answer changes with an impulse")
    if encoder.frame_length is None and bool((frame == found.shape[1] - 1).any()):
        return _undefined(IMPULSE, _reaches(placed), beyond=True)
    distance = positions[row] - hop * frame
    first, last = int(distance.min()), int(distance.max())
    return Measured(view_impulse=last - first + 1, offset_impulse=first)


def _inside(found: torch.Tensor, site: Site, placed: Probe) -> tuple[torch.Tensor, int]:
    """The frames whose predicted view lies inside the sound, and the first one's number."""
    first = max(0, -(site.offset // site.hop))
    last = (placed.samples - site.offset - site.view) // site.hop
    frames = range(first, min(last + 1, found.shape[1]))
    return read(found, frames, site), first


def _positions(encoder: Encoder, site: Site, placed: Probe) -> torch.Tensor:
    """Where to put impulses: at both edges of a frame's predicted view and beside them, and between."""
    start, end = _declared(site, placed.frames[1 if len(placed.frames) > 1 else 0])
    if encoder.frame_length is not None:
        start, end = site.offset, site.offset + site.view
    near = [edge + step for edge in (start, end) for step in (-2, -1, 0, 1)]
    between = torch.linspace(start, end - 1, 7).round().long().tolist()
    return torch.tensor(sorted({at for at in near + between if 0 <= at < placed.samples}))
