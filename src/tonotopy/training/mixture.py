"""What a ceiling is trained and tried on: music and the synthetic contexts, with partials added to most of it.

Half of the rows are stretches of music, half are drawn from the synthetic families of SPEC § 3 (silence, tone,
note, chord, texture, noise, over white dither), all at -26 dBFS RMS. To three rows in four up to three partials
are added, uniform in ERB-rate and phase, at levels uniform over the ladder (-24 … +18 dB re L(f)); in half of
these the context is notched around them first, as the trials do it. So the ceiling has met what the instrument
will play to it; the pieces it is tried on it has not.

Everything is a function of the generator: the same generator gives the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonotopy.signal import erb
from tonotopy.signal.notch import EDGE_S, notch
from tonotopy.sound.contexts import FAMILIES, ContextRequest, renderer
from tonotopy.sound.music import CONTEXT_DBFS, SILENT_DBFS, LevelFunction, level_dbfs
from tonotopy.sound.structures import partial
from tonotopy.sound.trials import DITHER_DBFS
from tonotopy.training.excerpts import Excerpts

#: Share of the rows that are music, and of the others with partials that are notched first.
MUSIC_SHARE = 0.5
NOTCHED_SHARE = 0.5
#: A row has 0 … this many partials, each number as likely.
MOST_PARTIALS = 3
SYNTHETIC = tuple(name for name in FAMILIES if name != "music")


@dataclass(frozen=True)
class Mixture:
    """Rows of sound of one length at one rate."""

    music: Excerpts
    levels: LevelFunction = field(repr=False)
    n_samples: int
    music_share: float = MUSIC_SHARE

    @property
    def sample_rate_hz(self) -> int:
        """Hz."""
        return self.music.sample_rate_hz

    def rows(self, rng: np.random.Generator, count: int) -> tuple[NDArray[np.float32], list[str]]:
        """Rows ``[row, time]``, full scale 1, and where each is from: a clip's name or a family's."""
        drawn = [self._row(rng) for _ in range(count)]
        return np.stack([sound for sound, _ in drawn]), [name for _, name in drawn]

    def _row(self, rng: np.random.Generator) -> tuple[NDArray[np.float32], str]:
        # As the trials have it: the notch is made on a longer stretch, whose ends are cut.
        edge = int(EDGE_S * self.sample_rate_hz)
        sound, name = self._context(rng, self.n_samples + 2 * edge)
        count = int(rng.integers(0, MOST_PARTIALS + 1))
        low, high = partial.range_erb(self.sample_rate_hz)
        frequency_hz = erb.frequency_hz(rng.uniform(low, high, count))
        if count and rng.random() < NOTCHED_SHARE:
            sound = notch(sound, self.sample_rate_hz, frequency_hz.tolist(), half_width_erb=partial.NOTCH_ERB)
        sound = sound[edge : edge + self.n_samples]
        if name in SYNTHETIC:
            sound = sound + rng.standard_normal(self.n_samples) * 10 ** (DITHER_DBFS / 20)
        for frequency in frequency_hz:
            level = self.levels(frequency) + rng.uniform(partial.LADDER_DB[0], partial.LADDER_DB[-1])
            phase = rng.uniform(0, 2 * np.pi)
            sound = sound + partial.render(frequency, level, phase, self.n_samples, self.sample_rate_hz)
        return sound.astype(np.float32), name

    def _context(self, rng: np.random.Generator, n_samples: int) -> tuple[NDArray[Any], str]:
        if rng.random() < self.music_share:
            sound, tracks = self.music.draw(rng, 1, n_samples)
            name, context = tracks[0].name, sound[0].astype(np.float64)
        else:
            name = str(rng.choice(SYNTHETIC))
            context = renderer(name)(ContextRequest(n_samples, self.sample_rate_hz, rng))
        if name == "silence":
            return context, name
        # A stretch that is nearly silent stays so: what is raised to a level would be its noise.
        gain = CONTEXT_DBFS - max(level_dbfs(context), SILENT_DBFS)
        return context * 10 ** (gain / 20), name
