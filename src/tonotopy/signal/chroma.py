"""Chroma of a sound: how strongly each of the twelve pitch classes sounds, by way of the notes that explain it.

Method: peaks of a short-time spectrum that stand out of their neighbourhood are placed on a scale of a third of
a semitone, after the tuning of the whole sound has been estimated from them, and explained as a sum of notes
with decaying harmonics by non-negative least squares (M. Mauch and S. Dixon, "Approximate note transcription for
the improved identification of difficult chords", ISMIR 2010); notes are then folded by octave.

Deviations from the source: peaks instead of the whole spectrum, since a peak 15 dB over the median of its
neighbourhood is rare in noise (expected of one bin in 3 billion), so that noise has no chroma; no separate bass.

Conventions: audio is ``[time]``, full scale 1. Frame k is centred at k `HOP_S` seconds. Pitch class 0 is C.
*Tuning* is in semitones above A = 440 Hz, from -0.5 to 0.5: a sound tuned by half a semitone has two right
answers a semitone apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import median_filter
from scipy.optimize import nnls

from tonotopy.core.errors import InputError

Floats = NDArray[np.float64]

HOP_S: Final = 0.05
WINDOW_S: Final = 0.37  # tells semitones apart from 130 Hz on: the main lobe is 11 Hz wide
RANGE_HZ: Final = (60.0, 5000.0)
STANDS_OUT_DB: Final = 15.0  # a peak over the median of its neighbourhood
NEIGHBOURHOOD_HZ: Final = 250.0
FAINT_DB: Final = -60.0  # below the strongest peak of the sound a peak does not count
SILENT: Final = 1e-5  # amplitude of a partial, -100 dB of full scale, below which nothing sounds

FINE: Final = 3  # bins a semitone
LOWEST: Final = 33  # MIDI numbers of the notes that a sound is explained by: 55 to 2,093 Hz
HIGHEST: Final = 96
TOP: Final = 111  # MIDI number where the scale of peaks ends: 4,978 Hz
HARMONICS: Final = 16
DECAY: Final = 0.7  # amplitude of a harmonic over that of the one before
COMPRESSION: Final = 0.7  # exponent on amplitudes: a soft voice counts too
MOST_STEPS: Final = 2000  # of least squares; a frame takes a few dozen


@dataclass(frozen=True)
class NoteLevels:
    """A sound as notes: ``level`` is ``[frame, note]`` from MIDI number ``LOWEST``; ``tuning`` in semitones."""

    level: Floats
    tuning: float


def note_spectrogram(audio: ArrayLike, sample_rate_hz: int) -> NoteLevels:
    """Levels of notes over time (compressed amplitudes), and the tuning.

    Parameters
    ----------
    audio : array-like of float, [time]
        A sound, full scale 1.
    sample_rate_hz : int
        Its sampling rate in Hz.

    Returns
    -------
    NoteLevels
        One frame each ``HOP_S``; tuning 0 where nothing tonal sounds.
    """
    frame, midi, amplitude, n_frames = _peaks(checked_sound(audio, sample_rate_hz), sample_rate_hz)
    tuning = tuning_of(midi, amplitude)
    return NoteLevels(note_levels(frame, midi - tuning, amplitude, n_frames), tuning)


def tuning_of(midi: Floats, amplitude: Floats) -> float:
    """Semitones by which peaks lie above the grid of equal temperament, from -0.5 to 0.5; 0 without peaks.

    Parameters
    ----------
    midi, amplitude : of each peak; MIDI numbers are not rounded

    Examples
    --------
    >>> round(tuning_of(np.array([60.2, 67.2]), np.ones(2)), 3)
    0.2
    """
    # On the circle, since a peak off by a whole semitone is on the grid; by plain amplitude, since the higher
    # harmonics, which are soft, lie off the grid by nature (the fifth by -14 cents, the seventh by -31).
    return float(np.angle(np.sum(amplitude * np.exp(2j * np.pi * midi))) / (2 * np.pi))


def note_levels(frame: NDArray[np.int64], midi: Floats, amplitude: Floats, n_frames: int) -> Floats:
    """Levels of the notes that explain the peaks of each frame, compressed amplitudes ``[frame, note]``.

    Parameters
    ----------
    frame, midi, amplitude : of each peak; MIDI numbers are in tune, and not rounded

    Examples
    --------
    >>> a = 69 + 12 * np.log2(np.arange(1, 9))
    >>> level = note_levels(np.zeros(8, np.int64), a, DECAY ** np.arange(8.0), 2)
    >>> int(level[0].argmax()) + LOWEST, float(level[1].max())
    (69, 0.0)
    """
    n_bins = (TOP - LOWEST + 1) * FINE
    weight = amplitude**COMPRESSION
    scale = np.zeros((n_frames, n_bins))
    for index, part in _shared(midi):
        inside = (index >= 0) & (index < n_bins)
        np.add.at(scale, (frame[inside], index[inside]), (weight * part)[inside])
    rotation, profiles = _factors(n_bins)
    rotated = scale @ rotation
    level = np.zeros((n_frames, profiles.shape[1]))
    for row in np.flatnonzero(scale.any(axis=1)):
        level[row], _ = nnls(profiles, rotated[row], maxiter=MOST_STEPS)
    return level


def chroma(notes: NoteLevels) -> Floats:
    """Levels of notes summed over octaves, ``[frame, pitch class]``.

    Examples
    --------
    >>> only_a = np.zeros((1, HIGHEST - LOWEST + 1))
    >>> only_a[0, 69 - LOWEST] = 2.0
    >>> chroma(NoteLevels(only_a, 0.0))[0].tolist().index(2.0)
    9
    """
    folded = np.zeros((len(notes.level), 12))
    classes = np.arange(LOWEST, LOWEST + notes.level.shape[1]) % 12
    np.add.at(folded.T, classes, notes.level.T)
    return folded


def checked_sound(audio: ArrayLike, sample_rate_hz: int) -> Floats:
    """A mono sound in float64, or an error that says what is wrong with it."""
    sound = np.asarray(audio, np.float64)
    if sound.ndim != 1 or not bool(np.isfinite(sound).all()):
        raise InputError("a mono sound of finite numbers, [time]", f"an array of shape {sound.shape}")
    if sample_rate_hz < 2_000:
        raise InputError("a sampling rate of at least 2000 Hz", f"{sample_rate_hz} Hz", "too low for chords")
    return sound


def _peaks(sound: Floats, rate: int) -> tuple[NDArray[np.int64], Floats, Floats, int]:
    """Frame, MIDI number (not rounded) and amplitude of each peak, and the number of frames."""
    n, n_fft = round(WINDOW_S * rate), scipy.fft.next_fast_len(2 * round(WINDOW_S * rate), real=True)
    window = np.hanning(n + 1)[:n]
    centres = np.round(np.arange(0.0, max(len(sound), 1) / rate, HOP_S) * rate).astype(np.int64)
    padded = np.pad(sound, (n // 2, n))
    step = rate / n_fft
    low, high = int(RANGE_HZ[0] / step), min(int(RANGE_HZ[1] / step), n_fft // 2 - 1)
    around = 2 * round(NEIGHBOURHOOD_HZ / step) + 1
    rows, midis, amplitudes = [], [], []
    for index, centre in enumerate(centres):
        spectrum = np.abs(scipy.fft.rfft(padded[centre : centre + n] * window, n_fft))
        here = spectrum[low : high + 1] * 2.0 / window.sum()
        level = np.log(np.maximum(here, 1e-12))
        floor = median_filter(level, around, mode="reflect")
        over = level[1:-1] > np.maximum(floor[1:-1] + STANDS_OUT_DB * np.log(10) / 20, np.log(SILENT))
        at = 1 + np.flatnonzero((here[1:-1] > here[:-2]) & (here[1:-1] >= here[2:]) & over)
        before, now, after = level[at - 1], level[at], level[at + 1]
        shift = 0.5 * (before - after) / (before - 2 * now + after)  # vertex of the parabola
        frequency = (low + at + shift) * step
        rows.append(np.full(len(at), index))
        midis.append(69.0 + 12.0 * np.log2(frequency / 440.0))
        amplitudes.append(np.exp(now - 0.25 * (before - after) * shift))
    row, midi, amplitude = (np.concatenate(parts) for parts in (rows, midis, amplitudes))
    heard = amplitude >= amplitude.max(initial=0.0) * 10 ** (FAINT_DB / 20)
    return row[heard], midi[heard], amplitude[heard], len(centres)


@lru_cache(maxsize=1)
def _factors(n_bins: int) -> tuple[Floats, Floats]:
    """Profiles as an orthonormal basis ``[bin, note]`` times a square matrix ``[note, note]``.

    What of a frame lies outside the basis adds the same error to every choice of levels, so that least squares
    in the basis find the same levels, from a quarter of the numbers.
    """
    basis, square = np.linalg.qr(_profiles(n_bins))
    basis.setflags(write=False)
    square.setflags(write=False)
    return basis, square


def _profiles(n_bins: int) -> Floats:
    """What one note looks like on the scale of peaks, ``[bin, note]``, unit norm each."""
    harmonic = np.arange(1, HARMONICS + 1)
    amplitude = DECAY ** (COMPRESSION * (harmonic - 1.0))
    profiles = np.zeros((n_bins, HIGHEST - LOWEST + 1))
    for note in range(profiles.shape[1]):
        for index, part in _shared(LOWEST + note + 12 * np.log2(harmonic)):
            inside = index < n_bins
            np.add.at(profiles[:, note], index[inside], (amplitude * part)[inside])
    return np.asarray(profiles / np.linalg.norm(profiles, axis=0))


def _shared(midi: Floats) -> list[tuple[NDArray[np.int64], Floats]]:
    """The two bins of the scale next to each pitch, and the part of it that each gets."""
    position = (midi - LOWEST + 0.5) * FINE - 0.5  # the middle of a semitone is the middle of a bin
    below = np.floor(position).astype(np.int64)
    return [(below, below + 1 - position), (below + 1, position - below)]
