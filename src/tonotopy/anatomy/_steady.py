"""Sounds long enough for a site, and the frames whose whole view lies inside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from tonotopy.core.errors import AlignmentError
from tonotopy.encoders._contract import Encoder, Site

ROWS = 16  # sounds handed to an encoder at a time


@dataclass(frozen=True)
class Probe:
    """A length of sound in samples and the frames to read there: all see nothing but the sound."""

    samples: int
    frames: tuple[int, ...]


def probe(encoder: Encoder, site: Site, *, frames: int, margin: int = 0) -> Probe:
    """The shortest sound with so many steady frames, ``margin`` samples free on both sides of their views.

    A framewise encoder gets one window, of which the site's centre is read. No sound is shorter than the
    longest view, since an encoder may run as a whole whichever site is asked for.
    """
    if encoder.frame_length is not None:
        return Probe(encoder.frame_length, (site.centre or 0,))
    lead = max(margin, site.span - site.view)
    first = max(0, -(-(lead - site.offset) // site.hop))
    samples = site.offset + (first + frames - 1) * site.hop + site.view + margin
    whole = (-(-samples // site.hop) + 1) * site.hop  # one frame more: some encoders pad the last one
    longest = max(other.view + other.hop for other in encoder.sites)
    return Probe(max(whole, longest), tuple(range(first, first + frames)))


def answers(encoder: Encoder, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
    """Activations ``[batch, frame, unit]`` at the named sites, a few sounds at a time, without gradients."""
    parts: list[dict[str, torch.Tensor]] = []
    with torch.no_grad():
        parts.extend(encoder.activations(rows, sites) for rows in audio.split(ROWS))
    return {name: torch.cat([part[name] for part in parts]) for name in sites}


def read(found: torch.Tensor, frames: Sequence[int], site: Site) -> torch.Tensor:
    """The named frames of ``[batch, frame, unit]``, or an error where there are fewer."""
    if found.ndim != 3 or found.shape[1] <= max(frames):
        raise AlignmentError(
            f"[batch, frame, unit] with more than {max(frames)} frames at site {site.name}",
            f"shape {tuple(found.shape)}",
            "a hop, view or offset that the layer does not have",
        )
    return found[:, list(frames)]
