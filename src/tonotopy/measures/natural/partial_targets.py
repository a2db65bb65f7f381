"""What is to be read of the tracked partials of natural sound: their compressed amplitudes, and a control task.

The target of a band is the amplitude of the tracked partials in it (`Lanes.partial_db`) to the power
`COMPRESSION`, as loudness grows, and 0 where there is none: a level in dB would say, above all, whether there is a
partial at all. The control task (J. Hewitt and P. Liang, "Designing and interpreting probes with control tasks",
EMNLP 2019) gives each *type* of sound, a cluster of spectra, one value drawn from the band's: only memorising types
reads it. Deviation: types are clusters, not words, so that near types are told apart less well than far ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonotopy.measures.natural.moments import Array
from tonotopy.measures.natural.sound_types import Types
from tonotopy.recording.lanes import FLOOR_DB, Lanes

#: Exponent on the amplitude of partials: Stevens' for loudness, 0.3 of power.
COMPRESSION: Final = 0.6


@dataclass(frozen=True)
class Targets:
    """What is to be read of one piece, on the grid of its lanes: compressed amplitudes."""

    real: Array = field(repr=False)  # [time, band]
    control: Array = field(repr=False)  # [time, band], what the type of sound keeps


def targets_of(lanes: Sequence[Lanes], *, types: Types | None = None, seed: int = 0) -> list[Targets]:
    """Targets of some pieces; ``types`` of sound are found in them where none are given."""
    found = types or Types.of(lanes, seed=seed)
    kept = compressed(found.partial_db)
    return [Targets(compressed(one.partial_db), kept[found.type_of(one)]) for one in lanes]


def compressed(partial_db: NDArray[np.floating]) -> Array:
    """Compressed amplitude of partials, 0 where there is none; of a full-scale square wave, 1.

    Examples
    --------
    >>> compressed(np.array([0.0, -20.0, -100.0])).round(3).tolist()
    [1.0, 0.251, 0.0]
    """
    level = np.asarray(partial_db, np.float64)
    return np.where(level > FLOOR_DB, 10 ** (COMPRESSION / 20 * level), 0.0)
