"""A bounded pool of music: an excerpt of each piece at the encoder's rate, with natural levels.

Aim: give trials stretches of real pieces, and L(f), the level that a partial at f has in this music
(SPEC § 3). Memory is bounded by the number of pieces times :data:`EXCERPT_S`, whatever the source holds.

Conventions: mono float32, full scale 1; a stretch is returned as it is, the trial scales it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.signal import erb
from tonotopy.signal.spectrum import band_power

#: Seconds kept of each piece, from its middle.
EXCERPT_S = 30.0
#: A stretch below this RMS (dBFS) is silence: it has no level to be scaled from.
SILENT_DBFS = -60.0
#: Every context is scaled to this RMS (SPEC § 3).
CONTEXT_DBFS = -26.0
#: Length of the segments over which L(f) is averaged, seconds.
LEVEL_SEGMENT_S = 1.0
#: Places tried for a stretch that is not silent.
TRIES = 32


@dataclass(frozen=True)
class Piece:
    """One piece of the pool: its identity, what may be published about it, and its excerpt ``[time]``."""

    name: str
    title: str | None
    artist: str | None
    licence: str | None
    group: str | None
    audio: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True)
class MusicPool:
    """Excerpts of pieces at one sampling rate."""

    sample_rate_hz: int
    pieces: tuple[Piece, ...]

    def stretch(self, index: int, n_samples: int, *, rng: np.random.Generator) -> NDArray[np.float64]:
        """``n_samples`` of piece ``index`` (modulo the number of pieces), not silent, ``[time]`` float64."""
        piece = self.pieces[index % len(self.pieces)]
        room = len(piece.audio) - n_samples
        if room < 0:
            came = f"{len(piece.audio) / self.sample_rate_hz:.2f} s in {piece.name!r}"
            wanted = f"at least {n_samples / self.sample_rate_hz:.2f} s of music a piece"
            raise InputError(wanted, came, "a clip shorter than the encoder's view and the notch need")
        for _ in range(TRIES):
            start = int(rng.integers(0, room + 1))
            stretch = piece.audio[start : start + n_samples].astype(np.float64)
            if level_dbfs(stretch) > SILENT_DBFS:
                return stretch
        raise InputError("music that sounds", f"near silence in {piece.name!r}", "a piece with long rests")

    def levels_dbfs(self, frequency_hz: NDArray[np.floating]) -> NDArray[np.float64]:
        """L(f) (SPEC § 3): mean power in the 1-ERB band at f over segments scaled to -26 dBFS RMS, in dBFS."""
        n = int(LEVEL_SEGMENT_S * self.sample_rate_hz)
        total, count = np.zeros(len(frequency_hz)), 0
        for piece in self.pieces:
            segments = piece.audio[: len(piece.audio) // n * n].reshape(-1, n).astype(np.float64)
            level = 10 * np.log10(np.mean(segments**2, axis=1) + 1e-30)
            segments, level = segments[level > SILENT_DBFS], level[level > SILENT_DBFS]
            scaled = segments * 10 ** ((CONTEXT_DBFS - level) / 20)[:, None]
            if len(scaled):
                total += band_power(scaled, self.sample_rate_hz, frequency_hz).sum(axis=0)
                count += len(scaled)
        if count == 0:
            raise InputError(
                "music that sounds", f"{len(self.pieces)} silent pieces", "empty or muted recordings"
            )
        # A band without any energy (a low-pass in the recording) would ask for a level of -inf.
        return np.asarray(10 * np.log10(np.maximum(total / count, 1e-12)))

    def level_function(self) -> LevelFunction:
        """L as a function, tabulated every quarter ERB from 20 Hz to 0.49 of the rate."""
        rates = np.arange(float(erb.rate(20.0)), float(erb.rate(0.49 * self.sample_rate_hz)), 0.25)
        return LevelFunction(rates, self.levels_dbfs(erb.frequency_hz(rates)))


@dataclass(frozen=True)
class LevelFunction:
    """L(f) in dBFS, interpolated on the ERB-rate scale."""

    rate_erb: NDArray[np.float64] = field(repr=False)
    level_dbfs: NDArray[np.float64] = field(repr=False)

    def __call__(self, frequency_hz: float) -> float:
        """Natural level of a partial at ``frequency_hz``, dBFS (mean square)."""
        return float(np.interp(erb.rate(frequency_hz), self.rate_erb, self.level_dbfs))


def level_dbfs(sound: NDArray[np.floating]) -> float:
    """RMS level of a sound in dBFS (10 log10 of its mean square); -300 for digital silence."""
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-30))
