"""What a feature source takes and gives: a stream of activations, and features with their directions.

Conventions: frames are float32, ``[frame, unit]``, raw as the encoder gave them; a piece is an integer per
frame. A feature is a function from a frame's units to a number (SPEC § 1); its *direction* is where it lives in
activation space: a unit vector for a channel, a decoder row for a dictionary latent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonotopy.core.errors import InputError

#: Frames a chunk of :class:`ArrayActivations`.
CHUNK = 8192
#: Latents of a dictionary for each unit, where no number is asked for.
EXPANSION = 4

Chunk = tuple[NDArray[np.float32], NDArray[np.int64]]


class Activations(Protocol):
    """Frames of one site as a stream that can be gone through again, in the same order."""

    @property
    def units(self) -> int:
        """Units a frame."""
        ...

    def __len__(self) -> int:
        """Frames in all."""
        ...

    def __iter__(self) -> Iterator[Chunk]:
        """Chunks of frames ``[frame, unit]`` and the piece of each, ``[frame]``."""
        ...


@dataclass(frozen=True)
class ArrayActivations:
    """Activations held in memory.

    Parameters
    ----------
    frames : ``[frame, unit]``
    piece : ``[frame]``; one piece where absent

    Raises
    ------
    InputError
        The axes do not fit.

    Examples
    --------
    >>> held = ArrayActivations(np.zeros((10, 4)))
    >>> len(held), held.units
    (10, 4)
    """

    frames: NDArray[np.float32] = field(repr=False)
    piece: NDArray[np.int64] = field(repr=False)

    def __init__(self, frames: ArrayLike, piece: ArrayLike | None = None) -> None:
        held = np.ascontiguousarray(frames, dtype=np.float32)
        if held.ndim != 2:
            raise InputError("frames [frame, unit]", f"shape {held.shape}", "a missing or additional axis")
        of = np.zeros(len(held), np.int64) if piece is None else np.asarray(piece, dtype=np.int64)
        if of.shape != held.shape[:1]:
            raise InputError(f"a piece for each of {len(held)} frames", f"shape {of.shape}")
        object.__setattr__(self, "frames", held)
        object.__setattr__(self, "piece", of)

    @property
    def units(self) -> int:
        """Units a frame."""
        return self.frames.shape[1]

    def __len__(self) -> int:
        return len(self.frames)

    def __iter__(self) -> Iterator[Chunk]:
        for start in range(0, len(self), CHUNK):
            yield self.frames[start : start + CHUNK], self.piece[start : start + CHUNK]


@dataclass(frozen=True)
class Features:
    """Features of one source at one site.

    Parameters
    ----------
    source : name of the source
    names : of each feature
    units : units a frame
    directions : ``[feature, unit]``, float32: where each feature lives in activation space
    function : from frames ``[frame, unit]`` to values ``[frame, feature]``
    attributes : diagnostics, as plain values
    """

    source: str
    names: tuple[str, ...]
    units: int
    directions: NDArray[np.float32] = field(repr=False)
    function: Callable[[NDArray[np.float32]], NDArray[np.float32]] = field(repr=False)
    attributes: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        assert self.directions.shape == (len(self.names), self.units), self.directions.shape

    def __len__(self) -> int:
        return len(self.names)

    def of(self, frames: NDArray[Any]) -> NDArray[np.float32]:
        """Values ``[..., feature]`` of raw frames ``[..., unit]``.

        Raises
        ------
        InputError
            The frames have another number of units.
        """
        given = np.asarray(frames, dtype=np.float32)
        if given.ndim == 0 or given.shape[-1] != self.units:
            raise InputError(f"frames of {self.units} units", f"shape {given.shape}", "another site's frames")
        values = self.function(np.ascontiguousarray(given.reshape(-1, self.units)))
        return values.reshape(*given.shape[:-1], len(self))


@dataclass(frozen=True)
class Projection:
    """Values as inner products with centred, scaled frames, plus an offset: ``(x − centre) / scale · w + b``."""

    weights: NDArray[np.float32]  # [feature, unit]
    centre: NDArray[np.float32]  # [unit]
    scale: float = 1.0
    offset: NDArray[np.float32] | None = None  # [feature]

    def __call__(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values ``[frame, feature]`` of frames ``[frame, unit]``."""
        values = (frames - self.centre) @ (self.weights.T / np.float32(self.scale))
        return values if self.offset is None else values + self.offset


def unit_rows(rows: NDArray[Any]) -> NDArray[np.float32]:
    """Rows scaled to norm 1, float32; a row of zeros stays as it is.

    Examples
    --------
    >>> unit_rows(np.array([[3.0, 4.0]]))
    array([[0.6, 0.8]], dtype=float32)
    """
    wide = np.asarray(rows, dtype=np.float64)
    norm = np.linalg.norm(wide, axis=-1, keepdims=True)
    scaled: NDArray[np.float32] = (wide / np.where(norm > 0, norm, 1)).astype(np.float32)
    return scaled


def numbered(source: str, count: int) -> tuple[str, ...]:
    """Names of features that have none of their own.

    Examples
    --------
    >>> numbered("random", 2)
    ('random-0', 'random-1')
    """
    return tuple(f"{source}-{index}" for index in range(count))
