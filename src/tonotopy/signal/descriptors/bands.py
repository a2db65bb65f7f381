"""Energy in 1-ERB bands, whatever it is of: tones, noise, or both."""

from __future__ import annotations

from tonotopy.signal.descriptors._contract import Columns, Sounds, compressed

NAMES = ("bands",)
CITATION = "Glasberg and Moore 1990 (ERB-rate scale)"
LICENCE = "MIT"
SAYS = "follow the energy in bands of frequency"


def describe(sounds: Sounds) -> Columns:
    """Compressed amplitudes, a column a band."""
    return compressed(sounds.band_db), tuple(f"at_{hz:.0f}_hz" for hz in sounds.band_hz)
