"""The window readout: line and plane on W consecutive frames, as a curve over the total view (SPEC § 4).

W grows by factors of four from 1 to the view of ``stack_end``. Where W frames have more than
:data:`LIMIT` numbers, frames are thinned evenly over the same total view (marked *thinned*): a fit in more
dimensions than the raw window has (1,024 samples) would compare unlike things.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonotopy.encoders._contract import Site

#: Most numbers (frames x units) a window readout is fitted on.
LIMIT = 1024
#: Factor between window lengths.
STEP = 4


@dataclass(frozen=True)
class Window:
    """One point of the view curve: which frames, counted back from the last one."""

    frames: int
    view_samples: int
    lags: NDArray[np.int64]  # ascending

    @property
    def thinned(self) -> bool:
        """Whether frames between the first and the last are left out."""
        return len(self.lags) < self.frames


def windows(site: Site, longest_view: int) -> tuple[Window, ...]:
    """The windows of a site up to ``longest_view`` samples."""
    found, frames = [], 1
    while True:
        view = site.view + (frames - 1) * site.hop
        if view > longest_view and frames > 1:
            break
        kept = min(frames, max(1, LIMIT // site.units))
        found.append(
            Window(frames, view, np.unique(np.linspace(0, frames - 1, kept).round().astype(np.int64)))
        )
        if view >= longest_view:
            break
        frames = min(frames * STEP, max(frames + 1, 1 + (longest_view - site.view) // site.hop))
    return tuple(found)


def lags_to_record(points: tuple[Window, ...]) -> NDArray[np.int64]:
    """Every lag that some window needs, ascending."""
    return np.unique(np.concatenate([point.lags for point in points]))
