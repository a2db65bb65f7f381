"""Strength of the tracked partials in 1-ERB bands: what the energy of `bands` has of narrow, lasting components."""

from __future__ import annotations

from tonotopy.signal.descriptors._contract import Columns, Sounds, compressed

NAMES = ("partials",)
CITATION = "McAulay and Quatieri 1986; Serra and Smith 1990"
LICENCE = "MIT"
SAYS = "follow partials"


def describe(sounds: Sounds) -> Columns:
    """Compressed amplitudes, a column a band; next to 0 where there is no partial."""
    return compressed(sounds.partial_db), tuple(f"at_{hz:.0f}_hz" for hz in sounds.band_hz)
