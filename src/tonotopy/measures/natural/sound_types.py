"""Types of sound, for control tasks: clusters of spectra, each of which keeps one value drawn at random a band.

A probe that reads the values of such types has memorised types, since nothing else tells the value (J. Hewitt and
P. Liang, "Designing and interpreting probes with control tasks", EMNLP 2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.recording.lanes import Lanes

Array = NDArray[np.float64]

#: How many types of sound.
TYPES: Final = 64
#: Spectra that they are found in; more add nothing.
_SPECTRA: Final = 3000


@dataclass(frozen=True)
class Types:
    """Clusters of spectra in dB, and the level that each keeps in each band."""

    spectrum_db: Array = field(repr=False)  # [type, band], levels of 1-ERB bands
    partial_db: Array = field(repr=False)  # [type, band], of a moment drawn for each type and band apart

    @staticmethod
    def of(lanes: Sequence[Lanes], *, count: int = TYPES, seed: int = 0) -> Types:
        """Types of the sound in some lanes, fewer than ``count`` where there are fewer different spectra.

        Raises
        ------
        InputError
            For no lanes, lanes of different bands, or a count below 2.
        """
        if not lanes or count < 2:
            raise InputError("lanes of at least 1 piece and at least 2 types", f"{len(lanes)} and {count}")
        if any(not np.array_equal(one.band_hz, lanes[0].band_hz) for one in lanes):
            raise InputError("lanes with the same bands for all pieces", "others", "another sampling rate")
        from sklearn.cluster import KMeans

        rng = np.random.default_rng([seed, 47])
        spectra = np.concatenate([one.erb_db for one in lanes])
        partials = np.concatenate([one.partial_db for one in lanes])
        chosen = spectra[np.sort(rng.choice(len(spectra), min(len(spectra), _SPECTRA), replace=False))]
        most = min(count, len(np.unique(chosen, axis=0)))
        found = KMeans(most, n_init=1, max_iter=20, random_state=int(rng.integers(2**31))).fit(chosen)
        drawn = rng.integers(len(partials), size=(most, partials.shape[1]))
        kept = np.take_along_axis(partials, drawn, axis=0)
        return Types(found.cluster_centers_.astype(np.float64), kept.astype(np.float64))

    def type_of(self, lanes: Lanes) -> NDArray[np.int64]:
        """The type of each moment, ``[time]``: the nearest spectrum."""
        nearness = lanes.erb_db @ self.spectrum_db.T - 0.5 * np.sum(self.spectrum_db**2, axis=1)
        return np.asarray(nearness.argmax(axis=1))
