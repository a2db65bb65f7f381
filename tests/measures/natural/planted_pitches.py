"""A site whose units follow the pitches of made-up pieces, or something else that is asked for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tonotopy.encoders._contract import Site
from tonotopy.features.sources import Activations, Features, find_features
from tonotopy.recording.lanes import Lanes, bands_hz
from tonotopy.recording.natural import NaturalFrames
from tonotopy.recording.pitches import N_NOTES, Pitches

RATE, HOP, SPAN = 16_000, 800, 1600
POINTS = 120  # of the grid of pitches, 10 a second
Array = np.ndarray


def chords(seed: int, n_points: int = POINTS) -> Pitches:
    """Two to four notes at a time out of two octaves, each chord for half a second, now and then nothing."""
    rng = np.random.default_rng([seed, 3])
    level = np.zeros((n_points, N_NOTES), np.float32)
    for start in range(0, n_points, 5):
        if rng.random() > 0.1:
            level[start : start + 5, 12 + rng.choice(24, int(rng.integers(2, 5)), replace=False)] = 0.5
    return Pitches(10.0, level, True)


def lanes_of_noise(seed: int) -> Lanes:
    """Levels that tell nothing."""
    band_hz = bands_hz(RATE)
    level = np.random.default_rng([seed, 4]).normal(-50, 5, (10 * POINTS, len(band_hz))).astype(np.float32)
    chroma, chord = np.zeros((10 * POINTS, 12), np.float32), np.full(10 * POINTS, -1)
    return Lanes(100.0, band_hz, level, level, chroma, chord)


Made = tuple[NaturalFrames, list[Lanes], list[Pitches]]


def made(
    units_of: Callable[[Pitches, Array, int], Array], *, pieces: int = 9, delay: int = SPAN // 2
) -> Made:
    """Frames that are a function of the pitches ``delay`` samples before the end of their span."""
    pitches = [chords(piece) for piece in range(pieces)]
    start = np.arange(POINTS * RATE // 10 // HOP - SPAN // HOP) * HOP
    values = []
    for piece, one in enumerate(pitches):
        rows = one.rows(start + SPAN - delay, RATE)
        values.append(units_of(one, rows, piece))
    frames = np.concatenate(values).astype(np.float32)
    site = Site("made", "conv", HOP, SPAN, 0, frames.shape[1])
    piece_of = np.repeat(np.arange(pieces), len(start))
    audio = tuple(np.zeros(POINTS * RATE // 10, np.float32) for _ in range(pieces))
    natural = NaturalFrames(site, RATE, frames, piece_of, np.tile(start, pieces), audio)
    return natural, [lanes_of_noise(piece) for piece in range(pieces)], pitches


def noise(rows: Array, piece: int, units: int = 16) -> Array:
    return np.random.default_rng([piece, 5]).standard_normal((len(rows), units))


def templates(pitches: Pitches, rows: Array, piece: int) -> Array:
    """A unit a pitch class, with noise, and four more that are noise."""
    found = 0.3 * noise(rows, piece)
    found[:, :12] += pitches.classes[rows]
    return found


def rotated(pitches: Pitches, rows: Array, piece: int) -> Array:
    """The same, spread over all units."""
    turn, _ = np.linalg.qr(np.random.default_rng(6).standard_normal((16, 16)))
    return templates(pitches, rows, piece) @ turn


def loudness(pitches: Pitches, rows: Array, piece: int) -> Array:
    """How many notes sound, in every unit."""
    return 0.3 * noise(rows, piece) + pitches.notes[rows].sum(axis=1, keepdims=True)


def nothing(pitches: Pitches, rows: Array, piece: int) -> Array:
    """Noise."""
    return noise(rows, piece)


def channels(heard: Activations) -> Features:
    """The units."""
    return find_features("channels", heard)
