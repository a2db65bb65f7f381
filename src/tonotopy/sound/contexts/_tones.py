"""Steady harmonic tones, which several families are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tonotopy.sound.contexts._contract import ContextRequest

#: Range of spectral slopes, dB per octave.
SLOPE_DB_PER_OCTAVE = (-12.0, -3.0)


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
