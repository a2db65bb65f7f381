"""Descriptors of what frames see, in families, one file each: what features may turn out to be features of.

A family file declares ``NAMES`` (one name), ``CITATION``, ``LICENCE``, ``SAYS`` (what a feature does that is named
after it: "17 of 64 features *follow the level*") and ``describe(sounds: Sounds) -> (values [frame, column], names)``:
finite numbers, the same columns whatever the frames. Adding a family is adding a file.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tonotopy.core import registry
from tonotopy.signal.descriptors._contract import AROUND_LEAST_S, FRAGMENT_MOST, Descriptors, Sounds

__all__ = ["AROUND_LEAST_S", "FRAGMENT_MOST", "Descriptors", "Sounds", "describe", "families", "says"]


def families() -> tuple[str, ...]:
    """Names of all families, in alphabetical order of their files.

    Examples
    --------
    >>> "level" in families()
    True
    """
    return tuple(registry.plugins(__name__))


def says(family: str) -> str:
    """What features do that are named after a family, to follow "17 of 64 features".

    Examples
    --------
    >>> says("level")
    'follow the level'
    """
    return str(registry.load(__name__, family, kind="descriptor family").SAYS)


def describe(sounds: Sounds, chosen: Sequence[str] | None = None) -> Descriptors:
    """Columns of all families, or of chosen ones, for some frames.

    Raises
    ------
    InputError
        For a family that there is not.
    """
    values, names, family = [], [], []
    chosen = families() if chosen is None else tuple(chosen)
    for number, name in enumerate(chosen):
        columns, called = registry.load(__name__, name, kind="descriptor family").describe(sounds)
        assert columns.shape == (len(sounds), len(called)), name
        values.append(columns.astype(np.float32))
        names += [f"{name}.{column}" for column in called]
        family += [number] * len(called)
    return Descriptors(np.concatenate(values, axis=1), tuple(names), np.array(family, dtype=np.int64), chosen)
