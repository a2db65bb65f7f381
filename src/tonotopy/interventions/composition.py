"""Composition: does a pitch or chord readout above depend on partial directions below (SPEC § 7)?

The lines of the partials that a structure is made of are projected out together at a lower site; what the structure's
own line loses at higher sites is read as in :mod:`tonotopy.interventions.reuse`, on trials of that structure. Controls:
as many partials that are none of its own, several times drawn, and random directions alike. Where there are not as many
others, there is no such control: fewer lines take less.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.encoders._contract import Encoder
from tonotopy.interventions.controls import N_RANDOM, OTHER, OWN, RANDOM
from tonotopy.interventions.direction import Direction, covariance, of_readout, random_like, stacked
from tonotopy.interventions.pairs import Pairs
from tonotopy.interventions.reuse import Reuse, reuse
from tonotopy.readouts.readout import Readout
from tonotopy.recording.recording import Recording
from tonotopy.signal import erb

#: A line stands for a partial that lies within this many ERB of its target.
WITHIN_ERB = 0.75
#: Lines of the control lie at least this far from every partial of the structure, ERB.
APART_ERB = 1.5
#: Draws of other partials.
N_OTHER = 4
#: Harmonics of a pitch whose lines are projected out.
HARMONICS = 6

Floats = NDArray[np.float64]


def harmonics_hz(pitch_hz: float, sample_rate_hz: int, *, n: int = HARMONICS) -> Floats:
    """Harmonics of a pitch below 0.45 of the sampling rate.

    Examples
    --------
    >>> harmonics_hz(1500.0, 16000).tolist()
    [1500.0, 3000.0, 4500.0, 6000.0]
    """
    found = pitch_hz * np.arange(1, n + 1)
    return np.asarray(found[found <= 0.45 * sample_rate_hz], dtype=np.float64)


def partial_directions(
    line: Readout,
    scale: Recording,
    frequency_hz: Floats,
    parts_hz: Sequence[float] | Floats,
    *,
    n_random: int = N_RANDOM,
    n_other: int = N_OTHER,
    seed: int = 0,
) -> dict[str, Direction]:
    """Directions of a structure's partials, together, and their controls.

    Parameters
    ----------
    line, scale : lines of partials at the lower site, and the trials that scale them
    frequency_hz : grid of the lines, ``[frequency]``
    parts_hz : frequencies of the partials that the structure is made of

    Returns
    -------
    ``own``; ``other partials N``: as many lines, different draws, none where fewer are left; and ``random N``

    Raises
    ------
    InputError
        No line stands for any of the partials.
    """
    distance = np.abs(erb.rate(frequency_hz)[:, None] - erb.rate(np.asarray(parts_hz, dtype=np.float64)))
    usable = np.array([line.valid[k] and _evokes(line, scale, k) for k in range(len(frequency_hz))])
    nearest = {int(k) for k in distance.argmin(axis=0)} if distance.shape[1] else set()
    own = [k for k in sorted(nearest) if usable[k] and distance[k].min() <= WITHIN_ERB]
    if not own:
        cause = "a grid too coarse for it, or dead lines: fit more frequencies"
        raise InputError(f"lines within {WITHIN_ERB} ERB of the structure's partials", "none", cause)
    found = {OWN: stacked([of_readout(line, scale, k, along="line") for k in own], name=OWN)}
    rng = np.random.default_rng([seed, 89, *own])
    far = np.flatnonzero(usable & (distance.min(axis=1) >= APART_ERB))
    for number, chosen in enumerate(_draws(far, len(own), n_other, rng)):
        name = f"{OTHER} partials {number}"
        found[name] = stacked([of_readout(line, scale, k, along="line") for k in chosen], name=name)
    spread = covariance(scale.absent)
    for number in range(n_random):
        name = f"{RANDOM} {number}"
        found[name] = random_like(found[OWN], spread, rng=rng, name=name)
    return found


def composition(
    encoder: Encoder,
    site: str,
    directions: Mapping[str, Direction],
    pairs: Pairs,
    lines: Mapping[str, Readout | None],
) -> Reuse:
    """What the structure's lines lose above: :func:`~tonotopy.interventions.reuse.reuse` on the structure's trials.

    Parameters
    ----------
    directions
        Of :func:`partial_directions`, at the lower site.
    pairs, lines
        Of the structure: pitch or chord.
    """
    return reuse(encoder, site, directions, pairs, lines)


def _draws(far: NDArray[np.int64], size: int, count: int, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """Different sets of ``size`` of these numbers, at most ``count``."""
    count = min(count, math.comb(len(far), size))
    found: dict[tuple[int, ...], None] = {}
    while len(found) < count:
        found[tuple(sorted(rng.choice(far, size, replace=False).tolist()))] = None
    return list(found)


def _evokes(line: Readout, scale: Recording, index: int) -> bool:
    try:
        of_readout(line, scale, index)
    except InputError:
        return False
    return True
