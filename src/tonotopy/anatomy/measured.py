"""Hop, view and offset of a site as measured: by gradient, and by impulse.

Conventions
-----------
Lengths are in samples; frame t sees ``[offset + t hop, offset + t hop + view)``; in a framewise encoder t is
the position that is read, and its view is cut at the ends of the window. Both measurements use the encoder's
own float32 answers and nothing else, with one exception: an encoder that has measured its sites by gradient
itself says so by an attribute ``disagreements``, a sequence of "site: what differs", and is believed (those
made of a module do it in float64, where zeros are exact; their answers carry no gradient).

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
from tonotopy.core.errors import AlignmentError
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

    ``gradient_by`` says who measured the gradient: "probe" or "encoder". ``beyond`` says how the dependence
    breaks the assumption of one interval a frame, where it does: expected of an unbounded site, a
    contradiction anywhere else.
    """

    hop: int | None = None
    view_gradient: int | None = None
    offset_gradient: int | None = None
    view_impulse: int | None = None
    offset_impulse: int | None = None
    gradient_by: str = ""
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
        Both measurements. A site with fewer frames than it declares has none, and ``beyond`` says so.

    """
    margin = max(64, site.view // 4) + site.hop
    placed = probe(encoder, site, frames=3, margin=margin)
    if placed.samples > LONGEST_S * encoder.sample_rate_hz:
        reason = f"its view needs {placed.samples:,} samples: more than {LONGEST_S:g} s"
        return Measured(undefined=dict.fromkeys(GRADIENT + IMPULSE, reason))
    generator = torch.Generator().manual_seed(seed)
    by_encoder = hasattr(encoder, "disagreements")
    try:
        by_gradient = _as_told(site) if by_encoder else _by_gradient(encoder, site, placed, generator)
        by_impulse = _by_impulse(encoder, site, placed, generator)
    except AlignmentError as error:
        return _undefined(GRADIENT + IMPULSE, str(error), beyond=True)
    return Measured(
        by_gradient.hop,
        by_gradient.view_gradient,
        by_gradient.offset_gradient,
        by_impulse.view_impulse,
        by_impulse.offset_impulse,
        by_gradient.gradient_by,
        by_gradient.beyond or by_impulse.beyond,
        by_gradient.undefined | by_impulse.undefined,
    )


def declared(site: Site, window: int | None) -> tuple[int, int]:
    """Offset and view that a site declares; cut at the ends of the window where there is one.

    Examples
    --------
    >>> site = Site("conv", "conv", hop=4, view=16, offset=-6, units=8, centre=1)
    >>> declared(site, None), declared(site, 64)
    ((-6, 16), (-4, 14))
    """
    if window is None:
        return site.offset, site.view
    at = (site.centre or 0) * site.hop
    start, end = max(0, site.offset + at), min(window, site.offset + at + site.view)
    return start - at, end - start


def _as_told(site: Site) -> Measured:
    """What an encoder that measures its own sites declares."""
    if not site.bounded:
        return _undefined(GRADIENT, "unbounded, as the encoder measured")
    return Measured(site.hop, site.view, site.offset, gradient_by="encoder")


def _by_gradient(encoder: Encoder, site: Site, placed: Probe, generator: torch.Generator) -> Measured:
    spans: list[tuple[int, int] | None] = [None] * len(placed.frames)
    offset, view = declared(site, encoder.frame_length)
    starts = [offset + t * site.hop for t in placed.frames]
    expected = [(start, start + view) for start in starts]
    for _ in range(ROUNDS):
        sizes = _derivatives(encoder, site, placed, generator)
        if sizes is None:
            return _undefined(GRADIENT, "the answers carry no gradient")
        spans = [_wider(span, _support(rows)) for span, rows in zip(spans, sizes, strict=True)]
        if spans == expected:
            break
    found = [span for span in spans if span is not None]
    if len(found) < len(spans):
        return _undefined(GRADIENT, "the answers do not depend on the sound")
    if _at_an_end(found, placed) and not (site.bounded and encoder.frame_length is not None):
        return _undefined(GRADIENT, _reaches(placed), beyond=True)
    return _fitted(found, site, placed)


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


def _fitted(spans: list[tuple[int, int]], site: Site, placed: Probe) -> Measured:
    """Hop, view and offset from the spans of consecutive frames."""
    start, end = spans[0]
    if len(spans) == 1:
        offset = start - placed.frames[0] * site.hop
        why = {"hop": "framewise: one position is read"}
        return Measured(None, end - start, offset, gradient_by="probe", undefined=why)
    hops = {b[side] - a[side] for a, b in pairwise(spans) for side in (0, 1)}
    if len(hops) > 1:
        return _undefined(GRADIENT, "view or hop varies from frame to frame", beyond=True)
    hop = hops.pop()
    return Measured(hop, end - start, start - placed.frames[0] * hop, gradient_by="probe")


def _undefined(names: tuple[str, ...], reason: str, *, beyond: bool = False) -> Measured:
    return Measured(beyond=reason if beyond else "", undefined=dict.fromkeys(names, reason))


def _by_impulse(encoder: Encoder, site: Site, placed: Probe, generator: torch.Generator) -> Measured:
    """Span of the distances from an impulse to the frames that it changes."""
    positions = _positions(encoder, site, placed)
    audio = (torch.randn(1, placed.samples, generator=generator) * NOISE_RMS).repeat(len(positions) + 1, 1)
    audio[torch.arange(len(positions)), positions] += IMPULSE_RMS * NOISE_RMS
    found = answers(encoder, audio, [site.name])[site.name]
    first_frame, last_frame = placed.frames[0], placed.frames[-1]
    if encoder.frame_length is None:
        first_frame, last_frame = _inside(site, placed)
    last_frame = max(first_frame, min(last_frame, found.shape[1] - 1))
    found = read(found, range(first_frame, last_frame + 1), site)
    change = (found[:-1] - found[-1:]).abs().amax(dim=2)  # [impulse, frame]
    row, frame = (change > CHANGED * found.abs().max()).nonzero(as_tuple=True)
    if not len(row):
        return _undefined(IMPULSE, "no answer changes with an impulse")
    distance = positions[row] - site.hop * (frame + first_frame)
    offset, view = declared(site, encoder.frame_length)
    at_end = (frame == found.shape[1] - 1) & (distance < offset)  # the last frame starts after the impulse
    at_start = (frame == 0) & (distance >= offset + view)  # the first frame ends before it
    if encoder.frame_length is None and bool((at_end | at_start).any()):
        return _undefined(IMPULSE, _reaches(placed), beyond=True)
    first, last = int(distance.min()), int(distance.max())
    return Measured(view_impulse=last - first + 1, offset_impulse=first)


def _inside(site: Site, placed: Probe) -> tuple[int, int]:
    """First and last frame whose predicted view lies inside the sound."""
    return max(0, -(site.offset // site.hop)), (placed.samples - site.offset - site.view) // site.hop


def _positions(encoder: Encoder, site: Site, placed: Probe) -> torch.Tensor:
    """Where to put impulses: at both edges of a frame's predicted view and beside them, and between."""
    offset, view = declared(site, encoder.frame_length)
    start = offset + placed.frames[len(placed.frames) // 2] * site.hop
    near = [edge + step for edge in (start, start + view) for step in (-2, -1, 0, 1)]
    between = torch.linspace(start, start + view - 1, 7).round().long().tolist()
    return torch.tensor(sorted({at for at in near + between if 0 <= at < placed.samples}))
