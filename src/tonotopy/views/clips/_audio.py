"""Sounds as data addresses: FLAC of 16 bits, which every browser plays, no sample lost between sum and parts."""

from __future__ import annotations

import base64
import io

import numpy as np
import soundfile
from numpy.typing import NDArray

PEAK = 0.9  # of what is stored
ALONE_DB = -22.0  # level at which a sound is played by itself, dB of full scale (a square wave is 0 dB)


def data_uri(audio: NDArray[np.floating], sample_rate_hz: int) -> tuple[str, float]:
    """A sound as a data address, and the gain that brings it back to its own level.

    It is stored near full scale, so that a partial of -60 dB is not left with six bits.

    Examples
    --------
    >>> uri, gain = data_uri(np.array([0.0, 0.45, -0.45, 0.0]), 8000)
    >>> uri[:23], gain
    ('data:audio/flac;base64,', 0.5)
    """
    peak = float(np.abs(audio).max(initial=0.0))
    gain = peak / PEAK if peak > 0 else 1.0
    buffer = io.BytesIO()
    soundfile.write(buffer, np.asarray(audio) / gain, sample_rate_hz, format="FLAC", subtype="PCM_16")
    return "data:audio/flac;base64," + base64.b64encode(buffer.getvalue()).decode("ascii"), gain


def alone_gain(audio: NDArray[np.floating], stored_gain: float) -> float:
    """Gain on what is stored that gives a sound the level `ALONE_DB`, without clipping.

    Examples
    --------
    >>> soft = 0.001 * np.sin(np.arange(8000.0))
    >>> round(alone_gain(soft, 0.001 / 0.9), 2)
    0.12
    """
    rms = float(np.sqrt(np.mean(np.square(audio, dtype=np.float64)))) / stored_gain
    return min(1.0, 10 ** (ALONE_DB / 20) / rms) if rms > 0 else 1.0
