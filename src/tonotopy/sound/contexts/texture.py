"""Polyphonic texture from a random score: four voices, moving notes with attacks and decays.

The score is drawn, not taken from the embedded chorales, so that this family stays apart from the music
family when the chorales are the music.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tonotopy.sound.contexts._contract import ContextRequest
from tonotopy.sound.contexts._tones import SLOPE_DB_PER_OCTAVE

NAMES = ("texture",)
CITATION = ""
LICENCE = "MIT"

#: Ranges of the four voices, MIDI note numbers, and of note lengths, seconds.
VOICES = ((40, 60), (48, 67), (55, 74), (60, 81))
NOTE_S = (0.15, 0.6)
#: Seconds of attack and time constant of the decay.
ATTACK_S = 0.01
DECAY_S = (0.2, 1.0)
SCALE = (0, 2, 4, 5, 7, 9, 11)


def render(request: ContextRequest) -> NDArray[np.float64]:
    """Four voices over the whole sound, ``[time]``."""
    key = request.rng.integers(12)
    return np.sum([_voice(request, voice, int(key)) for voice in VOICES], axis=0)


def _voice(request: ContextRequest, voice: tuple[int, int], key: int) -> NDArray[np.float64]:
    """One voice: scale notes of random length with one timbre."""
    rng, rate = request.rng, request.sample_rate_hz
    notes = [midi for midi in range(*voice) if (midi - key) % 12 in SCALE]
    slope, decay = rng.uniform(*SLOPE_DB_PER_OCTAVE), rng.uniform(*DECAY_S)
    sound = np.zeros(request.n_samples)
    start = -int(rng.uniform(0, NOTE_S[1]) * rate)
    while start < request.n_samples:
        length = int(rng.uniform(*NOTE_S) * rate)
        midi = notes[rng.integers(len(notes))]
        first, last = max(start, 0), min(start + length, request.n_samples)
        if last > first:
            t = np.arange(first - start, last - start) / rate
            sound[first:last] += _note(t, midi, slope, decay, rng, request.top_hz)
        start += length
    return sound


def _note(
    t: NDArray[np.float64], midi: int, slope: float, decay: float, rng: np.random.Generator, top_hz: float
) -> NDArray[np.float64]:
    """One note with its envelope, from its own onset at t = 0."""
    fundamental = 440.0 * 2 ** ((midi - 69) / 12)
    number = np.arange(1, int(top_hz / fundamental) + 1)
    coefficient = 10 ** (slope * np.log2(number) / 20) * np.exp(1j * rng.uniform(0, 2 * np.pi, len(number)))
    turn = np.exp(2j * np.pi * fundamental * t)
    total = np.zeros(len(t), dtype=np.complex128)
    for c in coefficient[::-1]:
        total = (total + c) * turn
    envelope = np.minimum(t / ATTACK_S, 1.0) * np.exp(-t / decay)
    return np.asarray(total.imag * envelope)
