"""A direction of a site: what is read off it, and what moving along it adds.

A readout's vector and the vector by which a sound moves activations are two things (Haufe et al. 2014: filters are
not patterns). ``read`` asks how much is there; ``move`` says what becomes of the activations. They are scaled to each
other, ``read^T move = 1``, and to the sound: **strength 1 changes the reading as adding s_f at its reference level
does, on average over the trials that scale it**. Two choices of ``move`` for a line w_f:

- *pattern* (default): mu_f, the mean change that s_f evokes. By construction of the line N_f w_f is proportional to
  mu_f (where both are of the same trials), so this is also the step that raises the line's reading at the least cost
  in the metric of N_f: in the ordinary variation of activations and the answers to other frequencies. Taking it
  away is the projection that is orthogonal in that metric.
- *line*: w_f itself, the smallest step in the plain norm. Taking it away changes nothing but w_f.

The line of a perfect cochlea is a filter with side lobes: pushed along w_f it changes the sound everywhere, pushed
along mu_f at f. For decoded sound the pattern is therefore the default. For reuse it is the line: mu_f holds
whatever else moves with f, and a direction that nothing reads would seem used for what comes along with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import scipy.linalg
import scipy.optimize
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.readouts.readout import Readout
from tonotopy.recording.recording import Recording

Floats = NDArray[np.float64]
Along = Literal["pattern", "line"]


@dataclass(frozen=True)
class Direction:
    """One direction or a few: ``read`` and ``move`` are ``[unit, component]``, ``centre`` is ``[unit]``; float64.

    ``read.T @ move`` is the identity. ``centre`` is the mean frame without the target, of the trials that scale it:
    what is projected out is set to its reading. (The readout's own centre is that of its training families, and tones
    in silence read another zero than music does.)
    """

    name: str
    read: Floats = field(repr=False)
    move: Floats = field(repr=False)
    centre: Floats = field(repr=False)

    def reading(self, activations: NDArray[np.floating]) -> Floats:
        """How much of each component is there: ``[..., unit]`` to ``[..., component]``."""
        return np.asarray((np.asarray(activations, dtype=np.float64) - self.centre) @ self.read)

    @property
    def fingerprint(self) -> str:
        """Twelve digits of a hash of the numbers: equal for directions that do the same, whatever their names."""
        told = hashlib.sha256(str(self.read.shape).encode())
        for part in (self.read, self.move, self.centre):
            told.update(np.ascontiguousarray(part, dtype=np.float64).tobytes())
        return told.hexdigest()[:12]


def evoked(recording: Recording, index: int) -> Floats:
    """Raw changes that a target evokes, ``[row, unit]`` float64, of all its trials and frames."""
    rows = recording.take(recording.trials.frequency_index == index).delta("present").astype(np.float64)
    flat = rows.reshape(-1, rows.shape[-1])
    return flat[np.isfinite(flat).all(axis=1)]


def of_readout(
    readout: Readout, scale: Recording, index: int, *, along: Along = "pattern", name: str = ""
) -> Direction:
    """The direction of one target's line or plane.

    Parameters
    ----------
    scale : trials whose evoked changes set strength 1 and the pattern; training trials in music, as a rule
    index : number of the target
    along : see the module's docstring; a plane's pattern is E[change change^T] P_f

    Raises
    ------
    InputError
        The readout could not be fitted for this target, or the target evokes nothing along it.
    """
    if not readout.valid[index]:
        cause = "its site is dead, or too few trials: choose a frequency whose readout is valid"
        raise InputError("a target with a fitted readout", f"target {index}", cause)
    w, rows = readout.weights[:, :, index], evoked(scale, index)
    w = w[:, np.any(w != 0, axis=0)]
    answers = rows @ w
    if readout.kind == "line":
        size = float(answers.mean()) if len(answers) else float("nan")
        if not size > 0:
            cause = (
                "in the trials given it evokes nothing along its own line, so there is no unit of strength"
            )
            raise InputError("a target that evokes an answer", f"{size:g} for target {index}", cause)
        read, pattern = w / size, rows.mean(axis=0)[:, None]
    else:
        size = float(np.sqrt(np.mean(np.sum(answers**2, axis=1)))) if len(answers) else float("nan")
        if not size > 0:
            raise InputError("a target that evokes an answer", f"{size:g} for target {index}")
        read, second = w / size, rows.T @ answers / len(rows)
        # Where every trial evokes the same change, one of the plane's directions answers nothing and has no pattern.
        whole = np.linalg.cond(read.T @ second) < 1 / np.finfo(np.float32).eps
        pattern = second @ scipy.linalg.pinv(read.T @ second) if whole else _dual(read)
    move = pattern if along == "pattern" else _dual(read)
    absent = scale.take(scale.trials.frequency_index == index).absent
    return Direction(name or f"{readout.kind} {index}", read, move, _mean(absent))


def stacked(directions: Sequence[Direction], *, along: Along = "line", name: str = "") -> Direction:
    """Several directions as one of several components.

    With ``line`` it moves in the span of what is read; with ``pattern`` in the span of what was moved.

    Raises
    ------
    InputError
        No direction, or ones that depend on each other.
    """
    if not directions:
        raise InputError("at least one direction", "none")
    read = np.concatenate([d.read for d in directions], axis=1)
    if np.linalg.matrix_rank(read / np.linalg.norm(read, axis=0)) < read.shape[1]:
        cause = "one of them is a mixture of the others: leave it out"
        raise InputError(f"{read.shape[1]} independent directions", "fewer", cause)
    move = _dual(read)
    if along == "pattern":
        patterns = np.concatenate([d.move for d in directions], axis=1)
        move = patterns @ scipy.linalg.pinv(read.T @ patterns)
    centre = np.mean([d.centre for d in directions], axis=0)
    return Direction(name or " + ".join(d.name for d in directions), read, move, centre)


def covariance(frames: NDArray[np.floating]) -> Floats:
    """Covariance of raw frames ``[..., unit]``, float64."""
    flat = np.asarray(frames, dtype=np.float64).reshape(-1, frames.shape[-1])
    flat = flat[np.isfinite(flat).all(axis=1)]
    centred = flat - flat.mean(axis=0)
    return np.asarray(centred.T @ centred / max(1, len(flat) - 1))


def random_like(
    like: Direction, spread: Floats, *, rng: np.random.Generator, name: str = "random"
) -> Direction:
    """A direction that means nothing: each component moves as far, along as much variance.

    A Gaussian vector z is tilted to S^t z and t chosen so that the unit vector's variance under the covariance S is
    that of the component it stands for; between the least and the largest eigenvalue every variance is reached by
    one t. Where the component is all but an eigenvector of the largest variance, so is the random one, and it means
    what the component means: see :func:`cosine`.

    Parameters
    ----------
    spread : covariance of activations S, ``[unit, unit]``
    """
    values, axes = np.linalg.eigh(spread)
    values = np.maximum(values, max(float(values.max()), 1e-300) * 1e-12)
    columns = []
    for step in like.move.T:
        norm = float(np.linalg.norm(step))
        wanted = float(step @ spread @ step) / norm**2 if norm > 0 else float("nan")
        columns.append(norm * axes @ _tilted(rng.standard_normal(len(values)), values, wanted))
    move = np.stack(columns, axis=1)
    return Direction(name, move @ scipy.linalg.pinv(move.T @ move), move, like.centre)


def moved_to(direction: Direction, other: Direction, *, name: str) -> Direction:
    """Another direction at the centre of this one and as long: a control of equal norm.

    Raises
    ------
    InputError
        The two belong to sites of different numbers of units.
    """
    if other.move.shape[0] != direction.move.shape[0]:
        came = f"{other.move.shape[0]} units"
        raise InputError(
            f"a direction of {direction.move.shape[0]} units", came, "it belongs to another site"
        )
    size = np.linalg.norm(direction.move) / np.linalg.norm(other.move)
    return Direction(name, other.read / size, other.move * size, direction.centre)


def cosine(a: Direction, b: Direction) -> float:
    """How much two directions are one, 0 to 1: abs(cos) of what they move.

    Of several components, the root mean square of the cosines of the principal angles between the spaces they span; as
    many as the smaller has. NaN where one moves nothing.

    Examples
    --------
    >>> axes = [Direction("", np.eye(2)[:, [k]], np.eye(2)[:, [k]], np.zeros(2)) for k in (0, 1)]
    >>> cosine(axes[0], axes[0]), cosine(axes[0], axes[1])
    (1.0, 0.0)
    """
    spans = [scipy.linalg.orth(d.move) for d in (a, b)]
    least = min(span.shape[1] for span in spans)
    if not least:
        return float("nan")
    return float(np.linalg.norm(spans[0].T @ spans[1]) / np.sqrt(least))


def _tilted(z: Floats, values: Floats, wanted: float) -> Floats:
    """A unit vector in the eigenbasis with the wanted variance."""
    logs = np.log(values / values.max())

    def unit(t: float) -> Floats:
        size = np.log(np.abs(z) + 1e-300) + t * logs
        vector = np.sign(z) * np.exp(size - size.max())
        return np.asarray(vector / np.linalg.norm(vector))

    def excess(t: float) -> float:
        return float(np.log(np.sum(unit(t) ** 2 * values)) - np.log(wanted))

    if not wanted > 0 or not np.isfinite(wanted):
        return unit(0.0)
    bound = 64.0
    if excess(bound) <= 0:
        return unit(bound)
    if excess(-bound) >= 0:
        return unit(-bound)
    return unit(float(scipy.optimize.brentq(excess, -bound, bound, xtol=1e-10)))


def _mean(frames: NDArray[np.floating]) -> Floats:
    """Mean frame of ``[..., unit]``."""
    flat = np.asarray(frames, dtype=np.float64).reshape(-1, frames.shape[-1])
    return np.asarray(flat[np.isfinite(flat).all(axis=1)].mean(axis=0))


def _dual(read: Floats) -> Floats:
    """The smallest ``move`` with ``read^T move = 1``."""
    return np.asarray(read @ scipy.linalg.pinv(read.T @ read))
