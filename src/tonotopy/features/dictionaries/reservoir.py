"""Shuffled batches from a stream of frames, in bounded memory.

Frames that follow one another are alike; a batch should not be. A reservoir is filled from the stream; once full,
half of it is dealt out in random order and filled again. At the end of the stream the rest is dealt out. What a
pass deals is a function of the seed, the pass and the stream, so that a place in it can be found again by going
through the stream: nothing of the reservoir need be saved.

Fewer frames than a batch may be left at the end of a pass; they sit that pass out.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.features.sources._contract import Activations

#: Memory that a reservoir may take, in bytes.
RESERVOIR_BYTES = 64 * 2**20

_STREAM = 21  # tells these draws from others of the same seed


def capacity_of(units: int, batch: int, most_bytes: int = RESERVOIR_BYTES) -> int:
    """Frames in a reservoir of so many bytes, at least two batches.

    Examples
    --------
    >>> capacity_of(128, 4096)
    131072
    """
    return max(2 * batch, most_bytes // (4 * units))


def batches(
    activations: Activations, *, batch: int, capacity: int, seed: int, epoch: int
) -> Iterator[NDArray[np.float32]]:
    """Batches ``[batch, unit]`` of one pass over the stream, each frame at most once."""
    assert capacity >= batch
    rng = np.random.default_rng([seed, _STREAM, epoch])
    held = np.empty((min(capacity, max(len(activations), batch)), activations.units), np.float32)
    count = 0
    for frames, _ in activations:
        start = 0
        while start < len(frames):
            take = min(len(held) - count, len(frames) - start)
            held[count : count + take] = frames[start : start + take]
            count, start = count + take, start + take
            if count == len(held) and count > batch:
                dealt = max(1, count // (2 * batch))
                order = rng.permutation(count)
                for i in range(dealt):
                    yield held[order[i * batch : (i + 1) * batch]]
                rest = order[dealt * batch :]
                held[: len(rest)] = held[rest]
                count = len(rest)
    order = rng.permutation(count)
    for i in range(count // batch):
        yield held[order[i * batch : (i + 1) * batch]]


def endless(
    activations: Activations, *, batch: int, capacity: int, seed: int, epoch: int = 0, skip: int = 0
) -> Iterator[tuple[NDArray[np.float32], int, int]]:
    """Batches of pass after pass, from batch ``skip`` of ``epoch``; each with its pass and place in it.

    Raises
    ------
    InputError
        A pass holds no batch.
    """
    while True:
        place = -1
        for place, frames in enumerate(
            batches(activations, batch=batch, capacity=capacity, seed=seed, epoch=epoch)
        ):
            if place >= skip:
                yield frames, epoch, place
        if place < 0:
            raise InputError(
                f"a stream of at least {batch} frames", "fewer", "a batch larger than the recording"
            )
        epoch, skip = epoch + 1, 0


def sample(activations: Activations, count: int, *, seed: int) -> NDArray[np.float32]:
    """At most ``count`` frames drawn evenly from the stream (Vitter 1985, algorithm R), ``[frame, unit]``."""
    rng = np.random.default_rng([seed, _STREAM + 1])
    held = np.empty((count, activations.units), np.float32)
    seen = 0
    for frames, _ in activations:
        first = min(max(count - seen, 0), len(frames))
        held[seen : seen + first] = frames[:first]
        later = np.arange(seen + first, seen + len(frames))
        place = rng.integers(0, later + 1) if len(later) else later
        for frame, at in zip(frames[first:][place < count], place[place < count], strict=True):
            held[at] = frame
        seen += len(frames)
    return held[: min(seen, count)]
