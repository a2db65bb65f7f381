"""Sounds as bytes that a table can hold."""

from __future__ import annotations

import io

import numpy as np
import soundfile
from numpy.typing import NDArray


def flac(sound: NDArray[np.floating], sample_rate_hz: int) -> bytes:
    """A sound at its own level as FLAC of 16 bits; what exceeds full scale is scaled down."""
    stored = io.BytesIO()
    peak = max(1.0, float(np.abs(sound).max(initial=0.0)))
    soundfile.write(stored, sound / peak, sample_rate_hz, format="FLAC", subtype="PCM_16")
    return stored.getvalue()
