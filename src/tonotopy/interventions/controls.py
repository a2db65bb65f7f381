"""The controls of every intervention (SPEC § 7), as directions beside the one in question.

``own``; ``wrong sign``; ``other N``: targets that lie far away, their own directions; ``random N``: equal norm and
variance under the covariance of activations; ``wrong site``: the same target's direction of another site, where one
has as many units. A control that does not exist is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tonotopy.core.errors import InputError
from tonotopy.interventions.direction import (
    Along,
    Direction,
    Floats,
    cosine,
    covariance,
    moved_to,
    of_readout,
    random_like,
)
from tonotopy.readouts.readout import Readout
from tonotopy.recording.recording import Recording
from tonotopy.signal import erb

#: Other targets lie at least this far from f, ERB.
FAR_ERB = 3.0

OWN, WRONG_SIGN, WRONG_SITE = "own", "wrong sign", "wrong site"
#: First words of the names of further controls.
OTHER, RANDOM = "other", "random"
#: How many random directions: p can then be as small as 1 / 40.
N_RANDOM = 39


def with_controls(
    readout: Readout,
    scale: Recording,
    frequency_hz: Floats,
    index: int,
    *,
    along: Along = "pattern",
    n_random: int = N_RANDOM,
    n_other: int = 2,
    elsewhere: tuple[Readout, Recording] | None = None,
    seed: int = 0,
) -> dict[str, Direction]:
    """The direction of one target and its controls, by name.

    Parameters
    ----------
    readout, scale, along : as for :func:`~tonotopy.interventions.direction.of_readout`
    frequency_hz : the grid of targets, ``[frequency]``
    n_random : how many random directions; p of a measure cannot be less than 1 / (1 + n_random)
    elsewhere : readout and recording of another site with as many units
    seed : of the random directions, and of which other targets are taken

    Raises
    ------
    InputError
        The target has no direction.
    """
    own = of_readout(readout, scale, index, along=along, name=OWN)
    spread = covariance(scale.absent)
    rng = np.random.default_rng([seed, index, 83])
    found = {OWN: own, WRONG_SIGN: replace(own, name=WRONG_SIGN, read=-own.read, move=-own.move)}
    distance = np.abs(erb.rate(frequency_hz) - erb.rate(float(frequency_hz[index])))
    far = rng.permutation(np.flatnonzero((distance >= FAR_ERB) & readout.valid))
    for number in far.tolist():
        if sum(name.startswith(OTHER) for name in found) == n_other:
            break
        name = f"{OTHER} {frequency_hz[number]:.0f} Hz"
        try:
            other = of_readout(readout, scale, number, along=along, name=name)
        except InputError:
            continue  # it evokes nothing along its own line
        found[name] = moved_to(own, other, name=name)
    if elsewhere is not None and elsewhere[0].valid[index]:
        there = of_readout(*elsewhere, index, along=along, name=WRONG_SITE)
        found[WRONG_SITE] = moved_to(own, there, name=WRONG_SITE)
    for number in range(n_random):
        name = f"{RANDOM} {number}"
        found[name] = random_like(own, spread, rng=rng, name=name)
    return found


def cosines(directions: Mapping[str, Direction]) -> Floats:
    """How much each direction is the own one, ``[direction]``, 0 to 1; NaN where there is no own one."""
    own = directions.get(OWN)
    return np.array([np.nan if own is None else cosine(own, d) for d in directions.values()])
