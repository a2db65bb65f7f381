"""Tracks: partials as found in a sound, one point for every frame of a track's life."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonotopy.core.errors import InputError
from tonotopy.signal import erb

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Tracks:
    """A table of points, sorted by (track, frame).

    Frame ``k`` is centred on sample ``k * hop``. A track has one point in every frame from its first to its
    last. Amplitude is the peak amplitude of the sine, full scale 1; the phase is that of a sine, at the centre
    of the frame, in ``[0, 2 pi)``: at sample ``n`` near it the partial is
    ``amplitude * sin(phase_rad + 2 pi frequency_hz (n - k * hop) / sample_rate_hz)``.

    Raises
    ------
    InputError
        Where the columns do not make such a table.
    """

    sample_rate_hz: int
    hop: int
    n_samples: int
    n_frames: int
    track: Ints
    """``[point]``, from 0, no number left out."""
    frame: Ints
    frequency_hz: Floats
    amplitude: Floats
    phase_rad: Floats

    def __post_init__(self) -> None:
        columns = (self.track, self.frame, self.frequency_hz, self.amplitude, self.phase_rad)
        if any(np.shape(column) != np.shape(self.track) or np.ndim(column) != 1 for column in columns):
            raise InputError("five columns of one length", f"shapes {[np.shape(c) for c in columns]}")
        if not len(self.track):
            return
        step, onward = np.diff(self.track), np.diff(self.frame)
        runs = self.track[0] == 0 and bool(np.all(((step == 0) & (onward == 1)) | (step == 1)))
        if not runs:
            raise InputError("rows sorted by (track, frame) with no number left out", "other rows")
        if self.frame.min() < 0 or self.frame.max() >= self.n_frames:
            raise InputError(
                f"frames from 0 to {self.n_frames - 1}", f"{self.frame.min()} to {self.frame.max()}"
            )

    def __len__(self) -> int:
        return len(self.track)

    @property
    def n_tracks(self) -> int:
        """Number of tracks."""
        return int(self.track[-1]) + 1 if len(self.track) else 0

    @property
    def time_s(self) -> Floats:
        """Time of each point ``[point]``, in seconds from the first sample."""
        return np.asarray(self.frame * (self.hop / self.sample_rate_hz), np.float64)

    @property
    def first_row(self) -> Ints:
        """Row of each track's first point, and one past the last row: ``[track + 1]``."""
        return np.searchsorted(self.track, np.arange(self.n_tracks + 1))

    def duration_s(self) -> Floats:
        """From the first to the last frame of each track, both counted: ``[track]``."""
        return np.diff(self.first_row) * (self.hop / self.sample_rate_hz)

    def mean_frequency_hz(self) -> Floats:
        """Mean frequency of each track, weighted with power: ``[track]``."""
        power = self.amplitude**2
        weighted = np.bincount(self.track, power * self.frequency_hz, self.n_tracks)
        return np.asarray(weighted / np.bincount(self.track, power, self.n_tracks))

    def level_db(self) -> Floats:
        """Mean power of each track in dB, 0 for a full-scale square wave: ``[track]``."""
        power = np.bincount(self.track, 0.5 * self.amplitude**2, self.n_tracks)
        return np.asarray(10 * np.log10(power / np.diff(self.first_row)))

    def take(self, tracks: ArrayLike) -> Tracks:
        """Chosen tracks, by a mask ``[track]`` or by their numbers in any order, numbered anew from 0.

        Raises
        ------
        InputError
            For a mask of another length, or a number that is no track or comes twice.
        """
        chosen = np.asarray(tracks)
        if chosen.dtype == np.bool_:
            if chosen.shape != (self.n_tracks,):
                raise InputError(f"a mask of {self.n_tracks} tracks", f"shape {chosen.shape}")
            chosen = np.flatnonzero(chosen)
        chosen = chosen.astype(np.int64)
        if chosen.ndim != 1 or len(np.unique(chosen)) != chosen.size:
            raise InputError("distinct numbers of tracks in one dimension", repr(chosen.tolist()))
        if chosen.size and not 0 <= chosen.min() <= chosen.max() < self.n_tracks:
            raise InputError(f"tracks from 0 to {self.n_tracks - 1}", repr(chosen.tolist()))
        edges = self.first_row
        rows = np.concatenate([np.empty(0, np.int64), *(np.arange(edges[t], edges[t + 1]) for t in chosen)])
        counts = np.diff(edges)[chosen]
        return replace(
            self,
            track=np.repeat(np.arange(len(chosen)), counts),
            frame=self.frame[rows],
            frequency_hz=self.frequency_hz[rows],
            amplitude=self.amplitude[rows],
            phase_rad=self.phase_rad[rows],
        )

    def band_power(self, centres_hz: ArrayLike, *, width_erb: float = 1.0) -> Floats:
        """Power of the partials within a band around each centre: ``[frame, centre]``, 0 where there is none.

        The mean square of a sine of amplitude a is a²/2. Powers add, as those of partials of different
        frequency do on average.
        """
        order = np.lexsort((self.frequency_hz, self.frame))
        place = self.frame[order] * 1e3 + erb.rate(self.frequency_hz[order])
        total = np.concatenate([[0.0], np.cumsum(0.5 * self.amplitude[order] ** 2)])
        rates = np.atleast_1d(erb.rate(centres_hz))
        frames = np.arange(self.n_frames)[:, None] * 1e3
        low, high = (np.searchsorted(place, frames + rates + half * width_erb) for half in (-0.5, 0.5))
        power = total[high] - total[low]
        # A difference of running sums leaves a rounding error where nothing lies between.
        return np.where(high > low, np.maximum(power, 0.0), 0.0)

    def band_level_db(self, centres_hz: ArrayLike, *, width_erb: float = 1.0) -> Floats:
        """`band_power` in dB, ``[frame, centre]``: NaN where there is no partial."""
        power = self.band_power(centres_hz, width_erb=width_erb)
        return np.asarray(10 * np.log10(np.where(power > 0, power, np.nan)))
