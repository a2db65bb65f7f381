"""Directions of consecutive frames: how the activity of a site moves on the sphere.

A frame's *direction* is that of its change from rest, the site's answer to digital silence, so that a bias gives quiet
frames no direction of their own and level plays no part in what follows a linear layer. Frames are a view apart by
default: nearer ones share samples, and follow each other by that alone.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.encoders._contract import Encoder, Site
from tonotopy.recording.frames import record
from tonotopy.sound.music import MusicPool
from tonotopy.statistics.clusters import directions

#: Frames nearer to rest than this share of their RMS distance have no direction.
AT_REST = 1e-6
#: Stretches of a piece, and frames of each.
STRETCHES = 8
FRAMES = 512
#: Windows a pass, for encoders that compute each frame from its own.
WINDOWS = 64


def steps_of(site: Site, step_samples: int | None) -> int:
    """Samples between frames: a view, or what was asked for, in whole hops."""
    asked = site.view if step_samples is None else step_samples
    return max(1, -(-asked // site.hop)) * site.hop


def consecutive_directions(
    encoder: Encoder,
    site_name: str,
    music: MusicPool,
    *,
    step_samples: int | None = None,
    stretches: int = STRETCHES,
    frames: int = FRAMES,
    seed: int = 0,
) -> list[NDArray[np.float32]]:
    """Unit-norm directions of each piece, ``[stretch, frame, unit]``; NaN where a frame is at rest.

    Stretches lie one in each of as many equal parts of a piece. Where a piece cannot hold them all it is one
    stretch, as long as it allows.

    Raises
    ------
    InputError
        The pool has another rate than the encoder, or a piece too short for two frames.
    """
    if music.sample_rate_hz != encoder.sample_rate_hz:
        raise InputError(f"music at {encoder.sample_rate_hz} Hz", f"{music.sample_rate_hz} Hz")
    site = encoder.site(site_name)
    step, margin = steps_of(site, step_samples), _margin(encoder, site)
    rest = _rest(encoder, site)
    found = []
    for number, piece in enumerate(music.pieces):
        rng = np.random.default_rng([seed, number, 47])
        count, length = stretches, frames
        part = len(piece.audio) // count
        if margin + (length - 1) * step > part:
            count, part = 1, len(piece.audio)
            length = min(stretches * frames, 1 + (part - margin) // step)
        if length < 2:
            came = f"{len(piece.audio) / encoder.sample_rate_hz:.2f} s in {piece.name!r}"
            raise InputError(f"pieces of {(margin + step) / encoder.sample_rate_hz:.2f} s or more", came)
        needed = margin + (length - 1) * step
        begin = np.arange(count) * part + rng.integers(0, part - needed + 1, count)
        audio = piece.audio[begin[:, None] + np.arange(needed)]
        change = _frames(encoder, site, audio, margin + np.arange(length) * step) - rest
        size = float(np.sqrt(np.mean(np.sum(np.square(change, dtype=np.float64), axis=-1))))
        found.append(directions(change, AT_REST * size))
    return found


def _margin(encoder: Encoder, site: Site) -> int:
    """Samples before the first frame's end."""
    return encoder.frame_length or site.span + site.hop


def _frames(
    encoder: Encoder, site: Site, audio: NDArray[np.float32], ends: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Frames that end at ``ends`` in each stretch, ``[stretch, frame, unit]``."""
    rows = np.ascontiguousarray(audio, np.float32)
    if encoder.frame_length is None:
        return record(encoder, [site], rows, np.tile(ends, (len(rows), 1)))[0][site.name]
    parts = [
        [
            record(encoder, [site], row[None], ends[None, i : i + WINDOWS])[0][site.name]
            for i in range(0, len(ends), WINDOWS)
        ]
        for row in rows
    ]
    return np.concatenate([np.concatenate(part, axis=1) for part in parts])


def _rest(encoder: Encoder, site: Site) -> NDArray[np.float32]:
    """What the site answers to digital silence, ``[unit]``."""
    margin = _margin(encoder, site)
    with torch.inference_mode():
        return _frames(encoder, site, np.zeros((1, margin), np.float32), np.array([margin]))[0, 0]
