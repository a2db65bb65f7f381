"""What was recorded: the trials of a family and the activations of their sounds at one site.

Conventions: ``core`` is ``[trial, sound, frame, unit]`` with the sounds absent, present, foil; ``extra`` is
the same for the further sounds of trials in music (:data:`tonotopy.sound.trials.EXTRA`), NaN where a trial
does not present one. Activations are float32 and raw: nothing is centred or scaled here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonotopy.encoders._contract import Encoder, Site
from tonotopy.recording.frames import record
from tonotopy.sound.music import LevelFunction, MusicPool
from tonotopy.sound.trials import CORE, EXTRA, Design, Trial, render


@dataclass(frozen=True)
class TrialTable:
    """Columns about trials, each ``[trial]``."""

    family: NDArray[np.str_]
    context: NDArray[np.int64]
    frequency_index: NDArray[np.int64]
    frequency_hz: NDArray[np.float64]
    foil_hz: NDArray[np.float64]
    piece: NDArray[np.int64]
    test: NDArray[np.bool_]
    probe_hz: NDArray[np.float64]
    neighbour_hz: NDArray[np.float64]
    occupancy: NDArray[np.float64]

    @staticmethod
    def of(trials: Sequence[Trial], occupancy: Sequence[float]) -> TrialTable:
        """The table of some trials."""
        columns = {
            f.name: np.array([getattr(trial, f.name) for trial in trials])
            for f in fields(TrialTable)
            if f.name != "occupancy"
        }
        return TrialTable(**columns, occupancy=np.array(occupancy, dtype=np.float64))

    def take(self, index: NDArray[Any]) -> TrialTable:
        """Rows by index or mask."""
        return TrialTable(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    @staticmethod
    def concatenate(tables: Sequence[TrialTable]) -> TrialTable:
        """Rows of several tables, in order."""
        return TrialTable(
            **{f.name: np.concatenate([getattr(t, f.name) for t in tables]) for f in fields(TrialTable)}
        )

    def __len__(self) -> int:
        return len(self.context)


@dataclass(frozen=True)
class Recording:
    """Trials and their activations at one site."""

    trials: TrialTable
    core: NDArray[np.float32] = field(repr=False)  # [trial, sound, frame, unit]
    extra: NDArray[np.float32] | None = field(default=None, repr=False)  # [trial, sound, frame, unit]

    def take(self, index: NDArray[Any]) -> Recording:
        """Trials by index or mask."""
        extra = None if self.extra is None else self.extra[index]
        return Recording(self.trials.take(index), self.core[index], extra)

    @staticmethod
    def concatenate(parts: Sequence[Recording]) -> Recording:
        """Trials of several recordings; they all have extra sounds or none has."""
        extra = None
        if all(part.extra is not None for part in parts):
            extra = np.concatenate([part.extra for part in parts if part.extra is not None])
        table = TrialTable.concatenate([part.trials for part in parts])
        return Recording(table, np.concatenate([part.core for part in parts]), extra)

    @property
    def absent(self) -> NDArray[np.float32]:
        """``[trial, frame, unit]``."""
        return self.core[:, CORE.index("absent")]

    def sound(self, name: str) -> NDArray[np.float32]:
        """Activations of one sound by name, ``[trial, frame, unit]``; NaN where it was not presented."""
        if name in CORE:
            return self.core[:, CORE.index(name)]
        assert self.extra is not None, f"{name} is presented in music only"
        return self.extra[:, EXTRA.index(name)]

    def delta(self, name: str) -> NDArray[np.float32]:
        """Change against the absent sound, ``[trial, frame, unit]``."""
        return self.sound(name) - self.absent


def record_family(
    encoder: Encoder,
    sites: Sequence[Site],
    design: Design,
    trials: Sequence[Trial],
    music: MusicPool,
    levels: LevelFunction,
    *,
    raw_windows: Sequence[int] = (),
    lags: Mapping[str, NDArray[np.int64]] | None = None,
) -> tuple[dict[str, Recording], dict[str, NDArray[np.float32]]]:
    """Record some trials of one family at some sites, in one encoder pass.

    Returns
    -------
    recordings : site -> Recording; a raw window of n samples is the site ``raw:n``
    windows : site -> ``[trial, sound, lag, unit]``, for the sites in ``lags``, core sounds only
    """
    rendered = [render(design, trial, music, levels) for trial in trials]
    audio = np.concatenate([r.audio for r in rendered])
    ends = np.concatenate([np.repeat(r.frame_ends[None], len(r.names), axis=0) for r in rendered])
    frames, windows = record(encoder, sites, audio, ends, lags=lags) if sites else ({}, {})
    for n in raw_windows:
        rows = np.arange(len(audio))[:, None, None]
        frames[f"raw:{n}"] = audio[rows, ends[..., None] + np.arange(-n, 0)]
    table = TrialTable.of(trials, [r.occupancy for r in rendered])
    names = [r.names for r in rendered]
    recordings = {site: _arranged(table, names, values) for site, values in frames.items()}
    window_parts = {site: _core(names, values) for site, values in windows.items()}
    return recordings, window_parts


def _core(names: Sequence[tuple[str, ...]], values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The core sounds of each trial from sounds in presentation order, ``[trial, sound, ...]``."""
    first = np.cumsum([0] + [len(n) for n in names[:-1]])
    return values[first[:, None] + np.arange(len(CORE))]


def _arranged(table: TrialTable, names: Sequence[tuple[str, ...]], values: NDArray[np.float32]) -> Recording:
    """Sounds in presentation order, ``[sound, frame, unit]``, put on the axes of a Recording."""
    core = _core(names, values)
    if all(len(n) == len(CORE) for n in names):
        return Recording(table, core)
    extra = np.full((len(names), len(EXTRA), *values.shape[1:]), np.nan, dtype=np.float32)
    first = 0
    for trial, present in enumerate(names):
        for offset, name in enumerate(present[len(CORE) :], start=len(CORE)):
            extra[trial, EXTRA.index(name)] = values[first + offset]
        first += len(present)
    return Recording(table, core, extra)
