"""What tallies of natural sound share: which pieces they have seen, and which of the frames of a piece they use.

The null of a tally is its own values shifted circularly within the piece, by `SHIFT`: they keep their distribution
and their course, and lose the moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from tonotopy.core.errors import InputError
from tonotopy.measures.natural.moments import Array, Ints, thinned
from tonotopy.recording.lanes import Lanes
from tonotopy.recording.natural import NaturalFrames, NaturalSound

#: Parts of a piece between which the shift of the null is drawn.
SHIFT: Final = (0.25, 0.75)


class PiecesSeen:
    """Which pieces a tally has seen; the lanes of all have the bands of the first."""

    def __init__(self, lanes: Lanes) -> None:
        self.band_hz: Array = lanes.band_hz
        self._numbers: set[int] = set()

    def __len__(self) -> int:
        """How many."""
        return len(self._numbers)

    def check(self, lanes: Lanes) -> None:
        """Refuse lanes with other bands.

        Raises
        ------
        InputError
            Where the bands differ.
        """
        if not np.array_equal(lanes.band_hz, self.band_hz):
            raise InputError("lanes with the same bands for all pieces", "others", "another sampling rate")

    def add(self, piece: int) -> None:
        """One more, or the same again."""
        self._numbers.add(piece)

    def merge(self, other: PiecesSeen) -> None:
        """Add what another tally has seen."""
        self._numbers |= other._numbers


def null_shift(length: int, piece: int, *, seed: int, stream: int) -> int:
    """By how many of ``length`` points the values of a piece are shifted for the null.

    ``stream`` keeps the draws of different measures apart.

    Examples
    --------
    >>> 250 <= null_shift(1000, 0, seed=0, stream=1) < 750
    True
    """
    return int(np.random.default_rng([seed, piece, stream]).uniform(*SHIFT) * length)


def frames_of(natural: NaturalFrames, piece: int, most: int) -> Ints:
    """Rows of at most so many frames of a piece, evenly spread among those given, ``[frame]``."""
    return thinned(np.flatnonzero(natural.piece == piece), most)


def check_sites(sound: NaturalSound, sites: Iterable[str]) -> None:
    """Refuse sites that were not recorded.

    Raises
    ------
    InputError
        For the first such site.
    """
    for name in sites:
        if name not in sound.sites:
            raise InputError("a recorded site", repr(name), "", list(sound.sites))
