"""One harmonic note with a random spectral slope."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tonotopy.sound.contexts._contract import ContextRequest

NAMES = ("note",)
CITATION = ""
LICENCE = "MIT"

#: Range of fundamentals, MIDI note numbers (E2 to E6), and of slopes, dB per octave.
MIDI_RANGE = (40.0, 88.0)
SLOPE_DB_PER_OCTAVE = (-12.0, -3.0)


def render(request: ContextRequest) -> NDArray[np.float64]:
    """A steady harmonic complex, ``[time]``."""
    return harmonic_complex(request, request.rng.uniform(*MIDI_RANGE))


def harmonic_complex(request: ContextRequest, midi: float) -> NDArray[np.float64]:
    """A steady note at ``midi``: all harmonics up to the top of the range, random phases, one slope."""
    rng = request.rng
    fundamental = 440.0 * 2 ** ((midi - 69) / 12)
    number = np.arange(1, max(2, int(request.top_hz / fundamental) + 1))
    slope = rng.uniform(*SLOPE_DB_PER_OCTAVE)
    amplitude = 10 ** (slope * np.log2(number) / 20)
    phase = rng.uniform(0, 2 * np.pi, len(number))
    # All harmonics are powers of one rotating phasor: a Horner sum costs a multiplication each.
    turn = np.exp(2j * np.pi * fundamental / request.sample_rate_hz * np.arange(request.n_samples))
    total = np.zeros(request.n_samples, dtype=np.complex128)
    for coefficient in (amplitude * np.exp(1j * phase))[::-1]:
        total = (total + coefficient) * turn
    return np.asarray(total.imag)
