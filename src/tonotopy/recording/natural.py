"""Frames of natural sound at sites, with where they come from: what features are found and described on.

One pass over each piece gives all sites. Of each piece at most a given number of frames is kept, drawn with the
seed, so that memory grows with pieces and sites and not with the length of the audio.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.encoders._contract import Encoder, Site
from tonotopy.sound.music import MusicPool

#: Frames of one piece that are kept.
FRAMES_A_PIECE = 4000


@dataclass(frozen=True)
class NaturalFrames:
    """Frames of one site, and the sound that they are of."""

    site: Site
    sample_rate_hz: int
    frames: NDArray[np.float32] = field(repr=False)  # [frame, unit]
    piece: NDArray[np.int64] = field(repr=False)  # [frame], number in the pool
    start: NDArray[np.int64] = field(repr=False)  # [frame], first sample that the frame sees
    audio: tuple[NDArray[np.float32], ...] = field(repr=False)  # of each piece, [time]

    def cut(self, index: NDArray[np.int64], before: int, samples: int) -> NDArray[np.float32]:
        """Sound ``[fragment, samples]`` that begins ``before`` samples before each frame; -1 is left out."""
        rows = index[index >= 0]
        first = self.start[rows] - before
        found = np.zeros((len(rows), samples), np.float32)
        for row, (number, at) in enumerate(zip(self.piece[rows], first, strict=True)):
            sound = self.audio[number]
            low, high = max(0, at), min(len(sound), at + samples)
            if high > low:
                found[row, low - at : high - at] = sound[low:high]
        return found


def natural_frames(
    encoder: Encoder,
    sites: Sequence[str],
    music: MusicPool,
    *,
    per_piece: int = FRAMES_A_PIECE,
    seed: int = 0,
) -> dict[str, NaturalFrames]:
    """Frames of a pool of music at some sites, one encoder pass a piece.

    A frame is taken where its whole span lies within the piece.

    Raises
    ------
    InputError
        The pool has another rate than the encoder, or pieces shorter than a site's span.
    """
    if music.sample_rate_hz != encoder.sample_rate_hz:
        raise InputError(f"music at {encoder.sample_rate_hz} Hz", f"{music.sample_rate_hz} Hz")
    chosen = [encoder.site(name) for name in sites]
    parts: dict[str, list[tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]]] = {
        name: [] for name in sites
    }
    for number, piece in enumerate(music.pieces):
        rng = np.random.default_rng([seed, number, 31])
        values = (_windows if encoder.frame_length else _run)(encoder, chosen, piece.audio, per_piece, rng)
        for name, (frames, start) in values.items():
            parts[name].append((frames, np.full(len(frames), number, np.int64), start))
    audio = tuple(piece.audio for piece in music.pieces)
    found = {}
    for site in chosen:
        frames, piece_of, start = (np.concatenate(column) for column in zip(*parts[site.name], strict=True))
        if not len(frames):
            longest = max(len(sound) for sound in audio)
            came = f"{longest / encoder.sample_rate_hz:.2f} s in the longest"
            raise InputError(f"pieces longer than {site.span / encoder.sample_rate_hz:.2f} s", came)
        found[site.name] = NaturalFrames(site, encoder.sample_rate_hz, frames, piece_of, start, audio)
    return found


_Values = dict[str, tuple[NDArray[np.float32], NDArray[np.int64]]]


def _kept(count: int, at_most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    if count <= at_most:
        return np.arange(count)
    return np.sort(rng.choice(count, at_most, replace=False))


def _run(
    encoder: Encoder,
    sites: Sequence[Site],
    audio: NDArray[np.float32],
    per_piece: int,
    rng: np.random.Generator,
) -> _Values:
    """Of an encoder that runs along the sound."""
    with torch.inference_mode():
        given = torch.from_numpy(np.ascontiguousarray(audio))[None].to(encoder.device)
        found = encoder.activations(given, [site.name for site in sites])
    values: _Values = {}
    for site in sites:
        all_frames = found[site.name][0]
        start = site.offset + np.arange(len(all_frames), dtype=np.int64) * site.hop
        end = start + site.view
        whole = np.flatnonzero((end - site.span >= 0) & (start >= 0) & (end <= len(audio)))
        keep = whole[_kept(len(whole), per_piece, rng)]
        picked = all_frames[torch.from_numpy(keep).to(all_frames.device)]
        values[site.name] = picked.float().cpu().numpy(), start[keep]
    return values


def _windows(
    encoder: Encoder,
    sites: Sequence[Site],
    audio: NDArray[np.float32],
    per_piece: int,
    rng: np.random.Generator,
) -> _Values:
    """Of an encoder that computes each frame from its own window; windows lie a quarter of a window apart."""
    length = encoder.frame_length
    assert length is not None
    begin = np.arange(0, len(audio) - length + 1, max(1, length // 4), dtype=np.int64)
    begin = begin[_kept(len(begin), per_piece, rng)]
    parts: dict[str, list[NDArray[np.float32]]] = {site.name: [] for site in sites}
    step = encoder.preferred_batch
    for i in range(0, len(begin), step):
        rows = audio[begin[i : i + step, None] + np.arange(length)]
        with torch.inference_mode():
            given = torch.from_numpy(np.ascontiguousarray(rows)).to(encoder.device)
            found = encoder.activations(given, [site.name for site in sites])
        for site in sites:
            parts[site.name].append(found[site.name][:, site.centre or 0].float().cpu().numpy())
    return {
        site.name: (
            np.concatenate(parts[site.name]) if parts[site.name] else np.zeros((0, site.units), np.float32),
            begin,
        )
        for site in sites
    }
