"""Models of instruments: from a note to its partials, for the additive synthesiser.

Each is a sketch of the instrument it is named for: enough to differ in the spacing, decay, movement and
spectral envelope of partials, and not meant to be mistaken for a recording. Frequencies in Hz, times in s.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonotopy.signal.additive import Floats, Partials


@dataclass(frozen=True)
class Instrument:
    """A recipe for the partials of a note.

    Partial n stands at ``ratios[n - 1]`` if given, else at n sqrt((1 + B n^2) / (1 + B)), the stiff string of
    Fletcher (1964) scaled so that the first partial stays in tune. Its amplitude is n^-slope, times
    ``even_gain`` for even n, times |sin(pi n pluck)| (a string plucked at that part of its length), times the
    formants' resonances; it decays at ``decay_per_s`` (1 + ``decay_growth`` (n - 1)).
    """

    count: int
    slope: float
    attack_s: float
    release_s: float
    even_gain: float = 1.0
    inharmonicity: float = 0.0
    pluck: float = 0.0
    decay_per_s: float = 0.0
    decay_growth: float = 0.0
    vibrato_hz: float = 0.0
    vibrato_depth: float = 0.0
    formants: tuple[tuple[float, float, float], ...] = ()
    """Centre in Hz, bandwidth in Hz, gain."""
    ratios: tuple[float, ...] = ()

    def note(
        self, frequency_hz: float, onset_s: float, offset_s: float, *, level: float, rng: np.random.Generator,
        voice: int = 0, index: int = 0,
    ) -> Partials:  # fmt: skip
        """Partials of one note with random phases, at an RMS of ``level`` while nothing has decayed."""
        number = np.arange(1, (len(self.ratios) or self.count) + 1)
        frequency = frequency_hz * self._ratios(number)
        amplitude = self._amplitudes(number, frequency)
        amplitude *= level / np.sqrt(0.5 * np.sum(amplitude**2))
        full = np.ones(len(number))
        return Partials(
            onset_s=onset_s * full,
            offset_s=offset_s * full,
            frequency_hz=frequency,
            amplitude=amplitude,
            phase_rad=rng.uniform(0, 2 * np.pi, len(number)),
            attack_s=self.attack_s * full,
            release_s=self.release_s * full,
            decay_per_s=self.decay_per_s * (full + self.decay_growth * (number - 1)),
            vibrato_hz=self.vibrato_hz * rng.uniform(0.92, 1.08) * full,
            vibrato_depth=self.vibrato_depth * full,
            vibrato_phase_rad=rng.uniform(0, 2 * np.pi) * full,
            voice=np.full(len(number), voice),
            note=np.full(len(number), index),
            number=number,
        )

    def _ratios(self, number: NDArray[np.int64]) -> Floats:
        if self.ratios:
            return np.asarray(self.ratios)
        stiff = (1 + self.inharmonicity * number**2) / (1 + self.inharmonicity)
        return np.asarray(number * np.sqrt(stiff))

    def _amplitudes(self, number: NDArray[np.int64], frequency_hz: Floats) -> Floats:
        amplitude = np.where(number % 2 == 0, self.even_gain, 1.0) * number**-self.slope
        if self.pluck:
            amplitude = amplitude * np.abs(np.sin(np.pi * number * self.pluck))
        if self.formants:
            centre, width, gain = np.array(self.formants).T[:, :, None]
            amplitude = amplitude * np.sum(gain / np.hypot(1, (frequency_hz - centre) / (width / 2)), axis=0)
        return np.asarray(amplitude)


VOWEL_A = ((700.0, 130.0, 1.0), (1150.0, 140.0, 0.6), (2600.0, 200.0, 0.25), (3300.0, 250.0, 0.15))
"""Formants near those of a sung [a], after the averages of Peterson and Barney (1952)."""

# A minor-third bell's first partials relative to its prime, after Lehr (1986), rounded.
BELL = (0.5, 1.0, 1.183, 1.506, 2.0, 2.514, 2.662, 3.011, 4.166, 5.433, 6.796, 8.215)

INSTRUMENTS = {
    "flute": Instrument(8, 2.2, 0.06, 0.08, even_gain=0.5),
    "principal": Instrument(16, 1.1, 0.03, 0.08),
    "reed": Instrument(30, 0.6, 0.02, 0.06, formants=((500.0, 900.0, 1.0), (1800.0, 1200.0, 0.7))),
    "clarinet": Instrument(24, 0.9, 0.04, 0.06, even_gain=0.06),
    "bowed": Instrument(26, 1.0, 0.09, 0.12, vibrato_hz=5.6, vibrato_depth=0.006),
    "choir": Instrument(28, 0.9, 0.10, 0.15, vibrato_hz=5.1, vibrato_depth=0.008, formants=VOWEL_A),
    "plucked": Instrument(
        24, 0.7, 0.002, 0.20, inharmonicity=2e-4, pluck=0.13, decay_per_s=1.2, decay_growth=0.35
    ),
    "bell": Instrument(len(BELL), 0.5, 0.002, 0.60, decay_per_s=0.9, decay_growth=0.4, ratios=BELL),
}
"""Eight models by name."""
