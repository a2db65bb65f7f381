"""What can be done to activations: steer, turn, ablate, substitute. Each gives a change for `Encoder.changed`.

All work on ``[batch, frame, unit]``, on every frame, in float64.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.encoders._contract import Change
from tonotopy.interventions.direction import Direction

_LARGEST = float(np.finfo(np.float32).max)


def steer(direction: Direction, strength: float, *, component: int = 0) -> Change:
    """Add ``strength`` times a component's step: strength 1 is as adding s_f, -1 as taking it away.

    Raises
    ------
    InputError
        A strength that is not finite, or so large that activations overflow.

    Examples
    --------
    >>> one = np.array([[1.0], [0.0]])
    >>> steer(Direction("first unit", one, one, np.zeros(2)), 3.0)(torch.zeros(1, 1, 2)).tolist()
    [[[3.0, 0.0]]]
    """
    step = direction.move[:, component] * checked_strength(strength, direction)

    def change(a: torch.Tensor) -> torch.Tensor:
        return (_wide(a, direction) + torch.from_numpy(step).to(a.device)).to(a.dtype)

    return change


def turn(direction: Direction, angle_rad: float = 0.0, gain: float = 1.0) -> Change:
    """Turn what is in a plane by an angle and scale it; what is outside stays.

    Raises
    ------
    InputError
        The direction is no plane, or angle or gain is not finite.
    """
    if direction.read.shape[1] != 2:
        came = f"{direction.read.shape[1]} components"
        raise InputError("a plane: two components", came, "a line can be steered or ablated")
    if not (math.isfinite(angle_rad) and math.isfinite(gain)):
        raise InputError("a finite angle and gain", f"{angle_rad:g} rad, {gain:g}")
    cos, sin = gain * math.cos(angle_rad), gain * math.sin(angle_rad)
    return _mapped(direction, np.array([[cos, sin], [-sin, cos]]) - np.eye(2))


def ablate(direction: Direction) -> Change:
    """Project out: every reading becomes that of the centre."""
    return _mapped(direction, -np.eye(direction.read.shape[1]))


def substitute(other: NDArray[np.floating], direction: Direction | None = None) -> Change:
    """Put another sound's frames in the place of these, or its readings alone where a direction is given.

    Parameters
    ----------
    other
        ``[batch, frame, unit]`` or, for all sounds the same, ``[frame, unit]``; of the same site.
    direction
        What is exchanged; everything where absent.

    Raises
    ------
    InputError
        When used: ``other`` is of another shape.
    """
    given = torch.from_numpy(np.ascontiguousarray(other, dtype=np.float64))

    def change(a: torch.Tensor) -> torch.Tensor:
        whole = given.to(a.device).expand(a.shape) if given.shape == a.shape[-given.dim() :] else None
        if whole is None:
            cause = "sounds of another length, or another site's frames"
            raise InputError(f"frames of shape {tuple(a.shape)}", f"{tuple(given.shape)}", cause)
        if direction is None:
            return whole.to(a.dtype)
        here = _wide(a, direction)
        read, move = (torch.from_numpy(v).to(a.device) for v in (direction.read, direction.move))
        return (here + (whole - here) @ read @ move.T).to(a.dtype)

    return change


def checked_strength(strength: float, direction: Direction) -> float:
    """A strength whose step is a number that activations can hold."""
    longest = float(np.abs(direction.move).max(initial=0.0))
    if not math.isfinite(strength) or not math.isfinite(longest) or abs(strength) * longest > _LARGEST:
        cause = "1 is as adding the partial at its reference level; some tens are far outside of what a model meets"
        raise InputError("a finite strength that float32 can hold", f"{strength:g}", cause)
    return float(strength)


def _mapped(direction: Direction, change_of_reading: NDArray[np.float64]) -> Change:
    """Add to activations what changes the readings r to r + r M."""
    operator = direction.read @ change_of_reading @ direction.move.T  # [unit, unit]

    def change(a: torch.Tensor) -> torch.Tensor:
        here = _wide(a, direction)
        centre = torch.from_numpy(direction.centre).to(a.device)
        return (here + (here - centre) @ torch.from_numpy(operator).to(a.device)).to(a.dtype)

    return change


def _wide(a: torch.Tensor, direction: Direction) -> torch.Tensor:
    units = direction.move.shape[0]
    if a.shape[-1] != units:
        came = f"a site of {a.shape[-1]}"
        raise InputError(f"a site of {units} units", came, f"{direction.name!r} belongs to another site")
    return a.double()
