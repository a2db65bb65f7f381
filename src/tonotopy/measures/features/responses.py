"""How a feature's value changes when a target or a foil is added, trial by trial: what all else is made of.

The change of a feature is value(with it) - value(without it), for whatever function the feature is: for a
direction that is the projection of the change of the frame, for a rectified latent it is not. All features are
evaluated together, in blocks of trials; what is kept of a trial is two numbers a feature and sound, so that
4,096 features of a standard study fit in memory.

Conventions: features are the last axis. A row with a frame that is not finite is NaN and takes part in nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonotopy.recording.recording import Recording, TrialTable
from tonotopy.sound.trials import CORE

#: From raw frames ``[..., unit]`` to values ``[..., feature]``: :meth:`tonotopy.features.sources.Features.of`.
Function = Callable[[NDArray[Any]], NDArray[Any]]
Floats = NDArray[np.float64]
#: Values that are held at a time.
BLOCK = 1 << 23


@dataclass(frozen=True)
class Responses:
    """Changes of all features in the trials of one family."""

    trials: TrialTable
    frames: int  # of a trial
    square: NDArray[np.float32] = field(repr=False)  # [(target, foil), trial, feature] mean r² over frames
    mean: NDArray[np.float32] = field(repr=False)  # [trial, feature] mean r over frames, by the target
    absent_mean: Floats = field(repr=False)  # [feature] of the values without target and foil
    absent_square: Floats = field(repr=False)  # [feature]

    def take(self, rows: NDArray[Any]) -> Responses:
        """Trials by index or mask."""
        return Responses(
            self.trials.take(rows),
            self.frames,
            self.square[:, rows],
            self.mean[rows],
            self.absent_mean,
            self.absent_square,
        )


def evaluate(of: Function, frames: NDArray[Any]) -> NDArray[np.float32]:
    """Values ``[..., feature]`` of frames ``[..., unit]``; NaN where a frame is not finite.

    A latent of a sparse dictionary may make a number of a frame that is not one.
    """
    finite = np.isfinite(frames).all(axis=-1)
    values = np.array(of(np.where(finite[..., None], frames, 0)), dtype=np.float32)
    values[~finite] = np.nan
    return values


def responses(of: Function, recording: Recording) -> Responses:
    """Responses of every feature in the trials of a recording."""
    core = recording.core
    frames = core.shape[2]
    n_features = evaluate(of, core[:1, :1, :1]).shape[-1]
    step = max(1, BLOCK // (len(CORE) * frames * n_features))
    square = np.empty((2, len(core), n_features), np.float32)
    mean = np.empty((len(core), n_features), np.float32)
    total, of_squares, count = np.zeros(n_features), np.zeros(n_features), 0
    for start in range(0, len(core), step):
        values = evaluate(of, core[start : start + step])  # [trial, sound, frame, feature]
        absent = values[:, 0].reshape(-1, n_features)
        absent = absent[np.isfinite(absent).all(axis=1)]
        total += absent.sum(axis=0, dtype=np.float64)
        of_squares += np.square(absent, dtype=np.float64).sum(axis=0)
        count += len(absent)
        change = values[:, 1:] - values[:, :1]
        square[:, start : start + step] = np.square(change).mean(axis=2).swapaxes(0, 1)
        mean[start : start + step] = change[:, 0].mean(axis=1)
    many = max(count, 1)
    return Responses(recording.trials, frames, square, mean, total / many, of_squares / many)
