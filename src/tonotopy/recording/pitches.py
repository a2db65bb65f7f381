"""Which notes sound in a piece, and how strongly: exact where a score is known, estimated where sound is all there is.

*Exact* (music of `scores`): a note sounds from its onset to its offset, its release left out; its level is the root
of the power of its partials. *Estimated* (recordings): the notes that explain the peaks of the tracked partials
(`tonotopy.recording.harmony`), as levels of a non-negative fit; a note sounds where its level is at least
`SOUNDING` of the strongest of its moment. How far the two agree is measured in the documentation.

Conventions: note k has MIDI number `tonotopy.signal.chroma.LOWEST` + k, in the tuning of the piece: a piece that is
tuned between two semitones has two right answers a semitone apart. Point t lies at ``t / rate_hz`` seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonotopy.core.errors import InputError
from tonotopy.recording.harmony import HOP_S, _levels
from tonotopy.signal.additive import Partials
from tonotopy.signal.chroma import HIGHEST, LOWEST
from tonotopy.signal.sinusoids import analyse

Floats = NDArray[np.float64]

#: How many notes there are.
N_NOTES: Final = HIGHEST - LOWEST + 1
#: A note that is weaker than this share of the strongest of its moment counts as none, where notes are estimated.
SOUNDING: Final = 0.3


@dataclass(frozen=True)
class Pitches:
    """The notes of one piece on a time grid."""

    rate_hz: float
    level: NDArray[np.float32] = field(repr=False)  # [time, note], 0 where it does not sound
    exact: bool

    def __post_init__(self) -> None:
        if self.level.ndim != 2 or self.level.shape[1] != N_NOTES:
            raise InputError(f"levels of {N_NOTES} notes, [time, note]", f"shape {self.level.shape}")

    def __len__(self) -> int:
        return len(self.level)

    @property
    def notes(self) -> NDArray[np.bool_]:
        """Whether each note sounds, ``[time, note]``."""
        return self.level > 0

    @property
    def classes(self) -> NDArray[np.bool_]:
        """Whether each pitch class sounds, ``[time, 12]``; 0 is C."""
        found = np.zeros((len(self), 12), bool)
        for note in range(N_NOTES):
            found[:, (LOWEST + note) % 12] |= self.level[:, note] > 0
        return found

    @property
    def height(self) -> Floats:
        """MIDI number of the lowest note, ``[time]``; NaN where none sounds.

        Of the notes of a chord the lowest is the one that an estimate gets right most often; which is the strongest
        or the most salient, estimates and scores seldom agree on.

        Examples
        --------
        >>> level = np.zeros((2, N_NOTES), np.float32)
        >>> level[0, [69 - LOWEST, 76 - LOWEST]] = 0.2, 0.5
        >>> Pitches(100.0, level, True).height.tolist()
        [69.0, nan]
        """
        return np.where(self.level.any(axis=1), LOWEST + self.notes.argmax(axis=1), np.nan)

    def rows(self, sample: ArrayLike, sample_rate_hz: int) -> NDArray[np.int64]:
        """Points of the grid that are nearest to samples, of any shape; ends held."""
        nearest = np.rint(np.asarray(sample) * (self.rate_hz / sample_rate_hz)).astype(np.int64)
        return np.clip(nearest, 0, len(self) - 1)


def pitches_of(audio: ArrayLike, sample_rate_hz: int) -> Pitches:
    """Notes of one piece, estimated from its tracked partials every `tonotopy.recording.harmony.HOP_S` seconds.

    Parameters
    ----------
    audio : array-like of float, [time]
        Mono, full scale 1.

    Raises
    ------
    InputError
        As `tonotopy.signal.sinusoids.analyse`, or for no samples.

    Examples
    --------
    >>> time = np.arange(16_000) / 16_000
    >>> sound = sum(0.7**k * 0.1 * np.sin(2 * np.pi * 440 * (k + 1) * time) for k in range(6))
    >>> float(pitches_of(sound, 16_000).height[5])
    69.0
    """
    tracks = analyse(np.asarray(audio), sample_rate_hz)
    if not tracks.n_frames:
        raise InputError("a piece with samples", "none")
    step = max(1, round(HOP_S * tracks.sample_rate_hz / tracks.hop))
    level = _levels(tracks, step, -(-tracks.n_frames // step))
    strongest = level.max(axis=1, keepdims=True)
    kept = np.where((level >= SOUNDING * strongest) & (strongest > 0), level, 0.0)
    return Pitches(sample_rate_hz / (step * tracks.hop), kept.astype(np.float32), False)


def pitches_of_score(partials: Partials, *, start_s: float, duration_s: float) -> Pitches:
    """Notes of a stretch of a piece whose partials are all known, every `tonotopy.recording.harmony.HOP_S` seconds.

    Notes outside the range of `Pitches` are left out.

    Parameters
    ----------
    partials : of the whole piece; number 1 of each note is its fundamental
    start_s, duration_s : the stretch
    """
    grid = np.arange(0.0, max(duration_s, HOP_S), HOP_S) + start_s
    fundamental = partials.number == 1
    midi = 69.0 + 12.0 * np.log2(partials.frequency_hz / 440.0)
    tuning = np.angle(np.sum(np.exp(2j * np.pi * midi[fundamental]))) / (2 * np.pi)  # on the circle
    note_of = dict(
        zip(
            partials.note[fundamental].tolist(),
            np.rint(midi[fundamental] - tuning).astype(int).tolist(),
            strict=True,
        )
    )
    power = np.zeros((len(grid), N_NOTES))
    heard = (partials.onset_s <= grid[-1]) & (partials.offset_s > grid[0])
    for row in np.flatnonzero(heard).tolist():
        midi_number = note_of.get(int(partials.note[row]), -1)
        inside = (grid >= partials.onset_s[row]) & (grid < partials.offset_s[row])
        if LOWEST <= midi_number <= HIGHEST:
            power[inside, midi_number - LOWEST] += partials[row].amplitude_at(grid[inside]) ** 2
    return Pitches(1.0 / HOP_S, np.sqrt(power / 2).astype(np.float32), True)
