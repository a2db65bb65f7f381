"""Moments of natural sound at which several sites are read together, so that its levels are computed once.

Frames of different sites end at different samples. Where nearly all frames of a site end within `NEAR_S` of moments
on the grid of the lanes, the frame nearest to each moment is taken, and sites with the same lags share the moments;
a site whose frames are too sparse for that is read by itself, where its own frames end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from tonotopy.measures.natural.moments import Ints, thinned
from tonotopy.measures.natural.pieces_seen import frames_of
from tonotopy.recording.lanes import Lanes
from tonotopy.recording.natural import NaturalFrames, NaturalSound

#: Frames of a piece that are used, evenly spread among those given.
FRAMES_A_PIECE: Final = 600
#: Sites are read at the same moments where nearly all of their frames end this near to them; the windows of the
#: levels are three to seven times as long.
NEAR_S: Final = 0.015
#: How many of the frames of a piece are nearly all.
NEARLY_ALL: Final = 0.95
#: Sites of about so many features share one accumulator; of ten lags and 36 bands it takes 15 MB a group.
FEATURES_TOGETHER: Final = 2500


@dataclass(frozen=True)
class Places:
    """Which frames of a piece are used, and where."""

    frames: Ints = field(repr=False)  # [frame], their rows among all frames
    points: Ints = field(repr=False)  # [frame], the point of the lanes where the view of each ends
    shared: bool  # whether these points are the moments that sites share


def sharing(
    sound: NaturalSound, lags: Mapping[str, int], places: Mapping[str, Sequence[Places]]
) -> list[list[str]]:
    """Sites that are read together, from the lag of each site: those with the same lag and the same moments.

    ``places`` are those of each site, one a piece (see `places_of`).
    """
    lists: dict[tuple[int, str], list[list[str]]] = {}
    for name, lag in lags.items():
        dense = all(one.shared for one in places[name])
        alike = lists.setdefault((lag, "" if dense else name), [[]])
        if sum(sound.sites[other].frames.shape[1] for other in alike[-1]) > FEATURES_TOGETHER:
            alike.append([])
        alike[-1].append(name)
    return [some for alike in lists.values() for some in alike]


def places_of(natural: NaturalFrames, piece: int, lanes: Lanes) -> Places:
    """The frame that ends nearest to each of the shared moments, or a site's own where most do not end near."""
    moments, rows = thinned(np.arange(len(lanes)), FRAMES_A_PIECE), np.flatnonzero(natural.piece == piece)
    if len(rows):
        end = natural.end[rows]
        wanted = moments * (natural.sample_rate_hz / lanes.rate_hz)
        after = np.clip(np.searchsorted(end, wanted), 1, max(len(end) - 1, 1))
        before = np.minimum(after - 1, len(end) - 1)
        after = np.minimum(after, len(end) - 1)
        chosen = np.where(np.abs(end[after] - wanted) < np.abs(end[before] - wanted), after, before)
        off = np.quantile(np.abs(end[chosen] - wanted), NEARLY_ALL) / natural.sample_rate_hz
        if off <= NEAR_S:
            return Places(rows[chosen], moments, True)
    chosen = frames_of(natural, piece, FRAMES_A_PIECE)
    return Places(chosen, lanes.rows(natural.end[chosen], natural.sample_rate_hz), False)
