"""Conditioning (SPEC § 12): centre and one global scale, and what is odd about the units, told before training.

Units are never standardised one by one: that would not be invariant under rotation and would blow up units of
tiny variance. A unit is *dead* where its standard deviation is below :data:`DEAD` of the RMS of all units;
*saturated* where it sits at exactly its largest magnitude in more than :data:`SATURATED` of the frames;
an *outlier* where its variance exceeds :data:`OUTLIER` times the median variance of live units. An outlier
that is no single unit shows in ``leading_share``, the share of variance along the leading principal axis.

All sums are float64, over one pass, about the first frame (a large common offset would cost digits).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.features.sources._contract import Activations

#: A unit whose standard deviation is below this share of the RMS over units is dead.
DEAD = 1e-6
#: A unit that sits at its extreme in more than this share of frames is saturated.
SATURATED = 0.05
#: A unit whose variance exceeds this many times the median is an outlier dimension.
OUTLIER = 50.0


@dataclass(frozen=True)
class Conditioning:
    """Centre and scale of a stream of frames, with diagnostics.

    Conditioned frames are ``(x − centre) / scale``; their mean squared norm is the number of units.
    """

    centre: NDArray[np.float32] = field(repr=False)  # [unit]
    scale: float
    covariance: NDArray[np.float64] = field(repr=False)  # [unit, unit], of raw frames
    frames: int
    dead: tuple[int, ...] = ()
    saturated: tuple[int, ...] = ()
    outliers: tuple[int, ...] = ()
    leading_share: float = float("nan")

    @property
    def diagnostics(self) -> dict[str, Any]:
        """What is odd about the units, as plain values."""
        return {
            "frames": self.frames,
            "scale": self.scale,
            "dead_units": list(self.dead),
            "saturated_units": list(self.saturated),
            "outlier_units": list(self.outliers),
            "leading_share": self.leading_share,
        }

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the moments of the stream, by which a training knows it again."""
        digest = hashlib.sha256()
        for part in (self.centre, self.covariance):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    def apply(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """Conditioned frames ``[frame, unit]``, float32."""
        conditioned: NDArray[np.float32] = (frames - self.centre) * np.float32(1 / self.scale)
        return conditioned


def condition(activations: Activations) -> Conditioning:
    """Centre, scale and diagnostics of a stream, in one pass.

    Raises
    ------
    InputError
        A frame is not finite, the stream is empty, or no unit ever varies.

    Examples
    --------
    >>> from tonotopy.features.sources import ArrayActivations
    >>> frames = np.random.default_rng(0).standard_normal((1000, 4))
    >>> frames[:, 2] = 1.0
    >>> condition(ArrayActivations(frames)).dead
    (2,)
    """
    units = activations.units
    total, product = np.zeros(units), np.zeros((units, units))
    extreme, times = np.full(units, -1.0), np.zeros(units, np.int64)
    origin = np.zeros(units)
    n = 0
    for frames, _ in activations:
        if not np.isfinite(frames).all():
            raise InputError(
                "finite activations", "NaN or inf in a frame", "damaged audio, or a diverged model"
            )
        if not len(frames):
            continue
        wide = frames.astype(np.float64)
        origin = origin if n else wide[0].copy()
        n += len(wide)
        moved = wide - origin
        total += moved.sum(axis=0)
        product += moved.T @ moved
        extreme, times = _extremes(np.abs(wide), extreme, times)
    if not n:
        raise InputError("activations of at least one frame", "none", "an empty recording")
    shift = total / n
    covariance = product / n - np.outer(shift, shift)
    variance = np.clip(np.diag(covariance), 0, None)
    mean = origin + shift
    rms = np.sqrt((variance + mean**2).mean())
    dead = np.sqrt(variance) <= DEAD * rms
    if dead.all():
        raise InputError("activations that vary", f"{units} constant units", "a dead site, or silence")
    median = np.median(variance[~dead])
    variances = np.linalg.eigvalsh(covariance)
    return Conditioning(
        mean.astype(np.float32),
        float(np.sqrt(variance.mean())),
        covariance,
        n,
        _where(dead),
        _where((times > SATURATED * n) & ~dead & (extreme > 0)),
        _where(variance > OUTLIER * median),
        float(variances[-1] / variances.sum()),
    )


def _extremes(
    magnitude: NDArray[np.float64], extreme: NDArray[np.float64], times: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Largest magnitude of each unit so far, and how many frames have it."""
    here = magnitude.max(axis=0)
    count = (magnitude == here).sum(axis=0)
    times = np.where(here > extreme, count, np.where(here == extreme, times + count, times))
    return np.maximum(extreme, here), times


def _where(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(int(unit) for unit in np.flatnonzero(mask))
