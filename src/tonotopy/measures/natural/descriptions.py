"""Descriptors of recorded frames: what each of them sees, from the sound and the lanes of its piece.

Where a frame listens. A view of thousands of samples is not listened to evenly: causal layers weigh its end, stacks of
convolutions its middle, and at the wrong place a feature looks like nothing (a codec's last layer that follows the
waveform to 84 % near the end of its view has 0 % in the middle). So the place is looked for, once for a whole site:
the point, and then the length of the sound around it, at which shape, level and energy in bands explain the site's
units best, on average and on held-out pieces. One choice for all units favours no feature, and the same is done to
untrained copies and to random directions of the site.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.measures.natural.family_fit import Centred, held_out_r2
from tonotopy.recording.lanes import Lanes
from tonotopy.recording.natural import NaturalFrames
from tonotopy.signal.descriptors import AROUND_LEAST_S, FRAGMENT_MOST, Descriptors, Sounds, describe

#: Sounds around frames that are tried, seconds, none longer than the view; and the view, up to so many samples.
LENGTHS_S: Final = (AROUND_LEAST_S, 0.092, 0.184, 0.368)
LONGEST: Final = 8192
#: Points of the view that are tried first, as steps between its ends, and how often the step is then halved.
POINTS: Final = 8
HALVINGS: Final = 2
#: A view of so few samples has no places to choose between: it is taken whole.
WHOLE: Final = 64
#: Frames of a piece, and units, that the place is looked for with.
FRAMES: Final = 250
UNITS: Final = 64
#: What the place is looked for with.
FAMILIES: Final = ("bands", "level", "shape")
#: Samples around frames that are described at a time.
_AT_A_TIME: Final = 1 << 21


@dataclass(frozen=True)
class Place:
    """Where in their view frames of a site listen, in samples from its first, and how long a sound is around that."""

    point: int
    around: int


def describe_frames(
    natural: NaturalFrames, lanes: Sequence[Lanes], place: Place | None = None
) -> Descriptors:
    """All descriptors of all frames of a site.

    Parameters
    ----------
    natural : frames of one site
    lanes : of each piece
    place : None looks for it

    Raises
    ------
    InputError
        There are not as many lanes as pieces.
    """
    if len(lanes) != len(natural.audio):
        raise InputError(f"lanes of {len(natural.audio)} pieces", str(len(lanes)))
    return _described(natural, lanes, place or find_place(natural, lanes), np.arange(len(natural.frames)))


def find_place(natural: NaturalFrames, lanes: Sequence[Lanes]) -> Place:
    """Where frames of a site listen; the middle of the view where there is nothing to choose, or nothing to see."""
    view, rate = natural.site.view, natural.sample_rate_hz
    least = _length(AROUND_LEAST_S, rate)
    middle = Place(view // 2, least)
    if view <= WHOLE:
        return middle
    index = _thinned(natural.piece)
    units = np.unique(np.linspace(0, natural.frames.shape[1] - 1, UNITS).astype(np.int64))
    targets, piece = natural.frames[index][:, units], natural.piece[index]

    def score(place: Place) -> float:
        columns = _described(natural, lanes, place, index, FAMILIES)
        r2 = held_out_r2(Centred.of(columns.values, targets, piece, columns.family))
        return float(np.mean(np.maximum(np.nan_to_num(r2), 0.0)))

    tried = {place: score(place) for place in _points(view, least)}
    for k in range(HALVINGS):
        best, step = max(tried, key=tried.__getitem__), view / POINTS / 2 ** (k + 1)
        near = (Place(round(best.point + sign * step), least) for sign in (-1, 1))
        tried |= {place: score(place) for place in near if 0 <= place.point <= view}
    best = max(tried, key=tried.__getitem__)
    longer = {_length(s, rate) for s in LENGTHS_S[1:] if s * rate <= view}
    longer |= {max(least, min(view, LONGEST))}
    tried |= {
        place: score(place) for around in sorted(longer) if (place := Place(best.point, around)) != best
    }
    best = max(tried, key=tried.__getitem__)
    if best.around > least:  # what listens for longer may have its middle elsewhere
        tried |= {place: score(place) for place in _points(view, best.around)}
        best = max(tried, key=tried.__getitem__)
    return best if tried[best] > 0 else middle


def _points(view: int, around: int) -> list[Place]:
    """Places between the ends of the view, the middle among them."""
    return [Place(round(k * view / POINTS), around) for k in range(POINTS + 1)]


def sounds_of(
    natural: NaturalFrames, lanes: Sequence[Lanes], place: Place, index: NDArray[np.int64]
) -> Sounds:
    """What some frames see about a place. Lanes are averaged over the sound around it, levels as levels."""
    view, rate = natural.site.view, natural.sample_rate_hz
    seen = min(view, FRAGMENT_MOST)
    # Where the view is taken whole it is taken exactly.
    first = 0 if view <= WHOLE else place.point - seen // 2
    begin = natural.end - view
    late = int(np.median(begin - natural.start))
    at, piece = begin[index] + place.point, natural.piece[index]
    parts = []
    for number in np.unique(piece):
        lane, rows = lanes[number], np.flatnonzero(piece == number)
        half = place.around // 2
        low, high = lane.rows(at[rows] - half, rate), lane.rows(at[rows] + half, rate)
        means = [_mean_over(values, low, high) for values in (lane.erb_db, lane.partial_db, lane.chroma)]
        parts.append((rows, *means, lane.chord[lane.rows(at[rows], rate)]))
    order = np.argsort(np.concatenate([part[0] for part in parts]))
    band_db, partial_db, chroma, chord = (
        np.concatenate([part[k] for part in parts])[order] for k in range(1, 5)
    )
    return Sounds(
        rate,
        natural.cut(index, -(late + first), seen),
        natural.cut(index, -(late + place.point - place.around // 2), place.around),
        lanes[0].band_hz,
        band_db,
        partial_db,
        chroma,
        chord,
    )


def _described(
    natural: NaturalFrames,
    lanes: Sequence[Lanes],
    place: Place,
    index: NDArray[np.int64],
    families: Sequence[str] | None = None,
) -> Descriptors:
    """Descriptors of some frames, part by part."""
    step = max(1, _AT_A_TIME // place.around)
    return Descriptors.concatenate(
        [
            describe(sounds_of(natural, lanes, place, index[i : i + step]), families)
            for i in range(0, len(index), step)
        ]
    )


def _length(seconds: float, sample_rate_hz: int) -> int:
    """In samples, of which a transform is fast."""
    return int(scipy.fft.next_fast_len(int(np.ceil(seconds * sample_rate_hz)), real=True))


def _thinned(piece: NDArray[np.int64]) -> NDArray[np.int64]:
    """At most `FRAMES` frames of each piece, evenly spread, ``[frame]``."""
    rows = (np.flatnonzero(piece == number) for number in np.unique(piece))
    return np.concatenate([r[np.unique(np.linspace(0, len(r) - 1, FRAMES).astype(np.int64))] for r in rows])


def _mean_over(
    lane: NDArray[np.floating], first: NDArray[np.int64], last: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Means of a lane ``[time, column]`` from one point to another, both counted, ``[frame, column]``."""
    total = np.concatenate([np.zeros((1, lane.shape[1])), np.cumsum(lane, axis=0, dtype=np.float64)])
    return np.asarray((total[last + 1] - total[first]) / (last + 1 - first)[:, None])
