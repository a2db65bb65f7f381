"""Frames of natural sound at sites, with where they come from: what features are found and described on.

One pass over each piece gives all sites. Of each piece at most a given number of frames is kept, drawn with the
seed, so that memory grows with pieces and sites and not with the length of the audio. `natural_sound` adds what
sounds in each piece: its `Lanes`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.encoders._contract import Encoder, Site
from tonotopy.encoders._taps import Places, picking
from tonotopy.recording.lanes import Lanes, lanes_of
from tonotopy.sound.music import MusicPool

#: Frames of one piece that are kept.
FRAMES_A_PIECE = 4000
#: The same beside lanes: 67 a second of 30 s, where the lanes have 100 points.
FRAMES_WITH_LANES = 2000
#: A long piece goes through an encoder that runs along it in rows of about this many seconds, ...
ROW_S = 2.2
#: ... as many at a time as make up at most this many. On more, EnCodec's layers outgrow the memory that is reused.
PASS_S = 6.6


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

    @property
    def end(self) -> NDArray[np.int64]:
        """First sample after the view of each frame, ``[frame]``.

        ``start`` of a framewise encoder is that of its window, in which the view of the position that is read
        may begin later.
        """
        site = self.site
        later = 0 if site.centre is None else max(0, site.offset + site.centre * site.hop)
        return self.start + later + site.view


@dataclass(frozen=True)
class NaturalSound:
    """Frames of some sites, and what sounds in the pieces that they are of."""

    sites: dict[str, NaturalFrames] = field(repr=False)
    lanes: tuple[Lanes, ...] = field(repr=False)  # of each piece


def natural_sound(
    encoder: Encoder,
    sites: Sequence[str],
    music: MusicPool,
    *,
    per_piece: int = FRAMES_WITH_LANES,
    seed: int = 0,
) -> NaturalSound:
    """Frames of a pool of music at some sites, as `natural_frames`, and the lanes of its pieces.

    Raises
    ------
    InputError
        As `natural_frames` and `tonotopy.recording.lanes.lanes_of`.
    """
    frames = natural_frames(encoder, sites, music, per_piece=per_piece, seed=seed)
    lanes = tuple(lanes_of(piece.audio, music.sample_rate_hz) for piece in music.pieces)
    return NaturalSound(frames, lanes)


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
    """All of so many frames, or one drawn from each of equal stretches of them: no stretch of a piece is left out."""
    if count <= at_most:
        return np.arange(count)
    edges = np.arange(at_most + 1) * count // at_most
    return edges[:-1] + (rng.random(at_most) * np.diff(edges)).astype(np.int64)


def _run(
    encoder: Encoder,
    sites: Sequence[Site],
    audio: NDArray[np.float32],
    per_piece: int,
    rng: np.random.Generator,
) -> _Values:
    """Of an encoder that runs along the sound, in rows that overlap by the longest span.

    Convolutions on many short rows cost less than on one long row, and memory stays bounded. Where state
    reaches farther back than the effective view, a frame knows its row alone, as a frame of a trial knows its trial.
    """
    starts = {}
    for site in sites:
        first = max(0, -(site.offset // site.hop), -((site.offset + site.view - site.span) // site.hop))
        count = max(0, (len(audio) - site.view - site.offset) // site.hop + 1 - first)
        starts[site.name] = site.offset + (first + _kept(count, per_piece, rng)) * site.hop
    values = {site.name: np.empty((len(starts[site.name]), site.units), np.float32) for site in sites}
    if not any(len(start) for start in starts.values()):
        return {site.name: (values[site.name], starts[site.name]) for site in sites}
    row_start, length = _rows(encoder, sites, len(audio))
    padded = np.pad(audio, (0, max(0, int(row_start[-1]) + length - len(audio))))
    row_of = {}
    for site in sites:
        end = starts[site.name] + site.view
        row_of[site.name] = np.searchsorted(row_start + length, end)  # the first row that holds all of it
    at_once = max(1, round(PASS_S * encoder.sample_rate_hz) // length)
    # Passes of even size: the recurrent layer costs a single row nearly what it costs three.
    for numbers in np.array_split(np.arange(len(row_start)), -(-len(row_start) // at_once)):
        begin, here = int(numbers[0]), row_start[numbers]
        inside, places = {}, {}
        for site in sites:
            part = slice(*np.searchsorted(row_of[site.name], [begin, begin + len(here)]))
            row = row_of[site.name][part] - begin
            index = (starts[site.name][part] - here[row] - site.offset) // site.hop
            inside[site.name] = part
            places[site.name] = torch.from_numpy(row), torch.from_numpy(index)
        found = _activations(encoder, sites, padded[here[:, None] + np.arange(length)], places)
        for site in sites:
            values[site.name][inside[site.name]] = found[site.name]
    return {site.name: (values[site.name], starts[site.name]) for site in sites}


def _activations(
    encoder: Encoder,
    sites: Sequence[Site],
    rows: NDArray[np.float32],
    places: Mapping[str, Places],
) -> dict[str, NDArray[np.float32]]:
    """Frames ``[frame, unit]`` at some places of rows ``[row, time]``."""
    # The end of the stack comes whole, since codes are computed from it; its frames are few.
    at = {name: (row.to(encoder.device), frame.to(encoder.device)) for name, (row, frame) in places.items()}
    early = {site.name: at[site.name] for site in sites if site.role not in ("stack_end", "codes")}
    with torch.inference_mode(), picking(early) as picked:
        found = encoder.activations(torch.from_numpy(rows).to(encoder.device), [site.name for site in sites])
    chosen = {
        name: found[name][0] if name in picked else found[name][place] for name, place in places.items()
    }
    return {name: frames.float().cpu().numpy() for name, frames in chosen.items()}


def _rows(encoder: Encoder, sites: Sequence[Site], n_samples: int) -> tuple[NDArray[np.int64], int]:
    """First sample of each row ``[row]``, and how long rows are; a frame's span lies within one of them."""
    grid = math.lcm(*(site.hop for site in sites))
    overlap = _up(max(site.span for site in sites), grid)
    step = max(_up(round(ROW_S * encoder.sample_rate_hz), grid) - overlap, 4 * overlap)
    if n_samples <= step + overlap:
        return np.zeros(1, np.int64), n_samples
    count = -(-(n_samples - overlap) // step)
    step = _up(-(-(n_samples - overlap) // count), grid)
    return np.arange(count, dtype=np.int64) * step, step + overlap


def _up(number: int, grid: int) -> int:
    return -(-number // grid) * grid


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
