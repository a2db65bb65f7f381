"""Context families, one file each: the sounds into which a partial is put.

A family file declares ``NAMES``, ``CITATION``, ``LICENCE`` and
``render(request: ContextRequest) -> [time]``, float64, of any level above silence (the trial scales it).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tonotopy.core import registry
from tonotopy.sound.contexts._contract import ContextRequest

#: In the order of SPEC § 3; music is last because it is the family that verdicts hold out.
FAMILIES = ("silence", "tone", "note", "chord", "texture", "noise", "music")

__all__ = ["FAMILIES", "ContextRequest", "renderer"]


def renderer(family: str) -> Callable[[ContextRequest], NDArray[np.float64]]:
    """The ``render`` function of a family, by name."""
    module = registry.load(__name__, family, kind="context family")
    render: Callable[[ContextRequest], NDArray[np.float64]] = module.render
    return render
