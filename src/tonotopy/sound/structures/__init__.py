"""Structures whose stability is asked about, one file each: partials, pitches, chords.

Each is a rung of one ladder, asked in the same way: see :class:`Structure`.
"""

from __future__ import annotations

from tonotopy.core import registry
from tonotopy.core.errors import InputError
from tonotopy.sound.structures._contract import LADDER_DB, REFERENCE_DB, Items, Relation, Structure, Voice

#: In the order of the ladder.
LADDER = ("partial", "pitch", "chord")

__all__ = [
    "LADDER",
    "LADDER_DB",
    "REFERENCE_DB",
    "Items",
    "Relation",
    "Structure",
    "Voice",
    "check_names",
    "structure",
]


def structure(name: str) -> Structure:
    """A structure by name.

    Raises
    ------
    InputError
        No file declares it.

    Examples
    --------
    >>> structure("partial").plural
    'partials'
    """
    found: Structure = registry.load(__name__, name, kind="structure").STRUCTURE
    return found


def check_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names of structures that a study is asked for, checked, in the order of the ladder.

    Raises
    ------
    InputError
        A name is unknown or comes twice, or partials are not among them.

    Examples
    --------
    >>> check_names(("chord", "partial"))
    ('partial', 'chord')
    """
    known = registry.plugins(__name__)
    for name in names:
        registry.find(__name__, name, kind="structure")
    told = ",".join(names) or "none"
    if len(set(names)) != len(names):
        raise InputError("each structure once", told, "a structure named twice")
    if "partial" not in names:
        cause = "partials are what the other rungs are read against"
        raise InputError("structures with partial among them", told, cause, sorted(known))
    order = {name: place for place, name in enumerate(LADDER)}
    return tuple(sorted(names, key=lambda name: (order.get(name, len(order)), name)))
