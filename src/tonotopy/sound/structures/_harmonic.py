"""Notes of many harmonics under one random spectral envelope: what pitches and chords are made of.

Within a trial all items share one envelope, a function of frequency and not of the number of a harmonic: the
natural level L(f) plus a random curve (normal with :data:`ENVELOPE_DB` at knots :data:`KNOT_ERB` apart, linear
between them), without anything below ``edge_hz``. A harmonic that has its 1-ERB band to itself stands at the
level at which a lone partial would; where several share a band, their powers add to that level. Every item is
then scaled to the mean square of the target. So neither level nor envelope nor where the spectrum begins says
which item it is, and no single harmonic does: every partial of f is a partial of f/2.

A context is *cleared* of notes by a comb: no energy within :data:`CLEAR_SEMITONES` of their first
:data:`CLEAR_HARMONICS` harmonics. Notching bands of ±1 ERB, as for a partial, would leave no context.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from tonotopy.signal import erb
from tonotopy.sound.music import LevelFunction
from tonotopy.sound.structures._contract import DITHER_DBFS, REFERENCE_DB, Floats, Role, Voice

#: Share of the sampling rate above which no harmonic lies.
TOP_RATIO = 0.45
#: The random envelope: distance of its knots, and their standard deviation.
KNOT_ERB = 4.0
ENVELOPE_DB = 6.0
#: A natural level: one voice of four, in dB re the music as a whole.
VOICE_DB = -5.0
#: The comb that clears a context: half width of a tooth and of the slope beside it, and how many teeth.
CLEAR_SEMITONES = 0.5
SLOPE_SEMITONES = 0.25
CLEAR_HARMONICS = 6
#: In the noise trial harmonics are moved by up to this share of the fundamental, which leaves no pitch.
JITTER = 0.4
#: An item whose audible harmonics at the reference level are fewer than this is out of band.
LEAST_HARMONICS = 3


class Envelope:
    """A random spectral envelope: power of a harmonic at a frequency."""

    def __init__(self, levels: LevelFunction, *, rng: np.random.Generator, edge_hz: float = 0.0) -> None:
        self.levels, self.edge_hz = levels, edge_hz
        self.knots = np.arange(0.0, 48.0, KNOT_ERB)
        self.gain_db = rng.normal(0.0, ENVELOPE_DB, len(self.knots))

    def power(self, frequency_hz: Floats, spacing_hz: float) -> Floats:
        """Mean square of each harmonic of a note whose harmonics lie ``spacing_hz`` apart."""
        gain_db = np.interp(erb.rate(frequency_hz), self.knots, self.gain_db)
        return self.natural(frequency_hz, spacing_hz) * np.asarray(10 ** (gain_db / 10))

    def natural(self, frequency_hz: Floats, spacing_hz: float) -> Floats:
        """The same without the random curve."""
        level = np.array([self.levels(float(f)) for f in frequency_hz]) + VOICE_DB
        alone = np.minimum(1.0, spacing_hz / erb.bandwidth_hz(frequency_hz))
        return np.asarray(np.where(frequency_hz >= self.edge_hz, alone * 10 ** (level / 10), 0.0))


class Notes(Voice):
    """Items that are one note or several, each a harmonic complex, under one envelope."""

    def __init__(
        self,
        notes_hz: Mapping[Role, Sequence[float]],
        envelope: Envelope,
        sample_rate_hz: int,
        *,
        every_octave: bool = False,
    ) -> None:
        self.notes_hz, self.envelope, self.rate = notes_hz, envelope, sample_rate_hz
        self.every_octave = every_octave
        target = [(note, self._harmonics(note)) for note in notes_hz["target"]]
        natural = sum(float(envelope.natural(hz, note).sum()) for note, hz in target)
        self.total = natural / len(target)
        self._made: dict[tuple[Role, int], Floats] = {}

    def _partials(self, role: Role) -> list[tuple[Floats, Floats]]:
        """Frequencies and powers of the harmonics of every note, before the item is scaled."""
        found = []
        for note in self.notes_hz[role]:
            frequency = self._harmonics(note)
            found.append((frequency, self.envelope.power(frequency, note)))
        return found

    def _harmonics(self, note_hz: float) -> Floats:
        return np.asarray(note_hz * np.arange(1, int(TOP_RATIO * self.rate / note_hz) + 1))

    def clear(self, context: NDArray[np.floating], roles: Sequence[Role]) -> Floats:
        """Without the first harmonics of every note of the items, or without its octaves."""
        spectrum = scipy.fft.rfft(np.asarray(context, dtype=np.float64))
        notes = {note for role in roles for note in self.notes_hz[role]}
        gain = octaves if self.every_octave else comb
        spectrum *= gain(len(context), self.rate, sorted(notes))
        return np.asarray(scipy.fft.irfft(spectrum, len(context)))

    def draw(self, rng: np.random.Generator) -> None:
        """Seeds of the phases and of the noise."""
        self.seed = int(rng.integers(2**31))

    def sound(self, role: Role, level_db: float, n_samples: int) -> Floats:
        """An item as strong as the target, ``level_db`` above its natural level."""
        if (role, n_samples) not in self._made:
            self._made[role, n_samples] = self._render(role, n_samples, jitter=0.0)
        return np.asarray(10 ** (level_db / 20) * self._made[role, n_samples])

    def noise(self, n_long: int, crop: slice) -> Floats:
        """The target with every harmonic moved at random: the same envelope and level, and no pitch."""
        sound = self._render("target", crop.stop - crop.start, jitter=JITTER)
        return np.asarray(10 ** (REFERENCE_DB / 20) * sound)

    def _render(self, role: Role, n_samples: int, *, jitter: float) -> Floats:
        order: tuple[Role, ...] = ("target", "foil", "neighbour", "probe")
        rng = np.random.default_rng([self.seed, order.index(role), int(jitter > 0)])
        total = np.zeros(n_samples)
        partials = self._partials(role)
        scale = np.sqrt(2 * self.total / max(float(sum(p.sum() for _, p in partials)), 1e-300))
        for (frequency, power), note in zip(partials, self.notes_hz[role], strict=True):
            moved = frequency + jitter * note * rng.uniform(-1, 1, len(frequency))
            phase = rng.uniform(0, 2 * np.pi, len(frequency))
            amplitude = np.where(moved < 0.49 * self.rate, scale * np.sqrt(power), 0.0)
            total += additive(moved, amplitude, phase, n_samples, self.rate)
        return total


def additive(
    frequency_hz: Floats, amplitude: Floats, phase_rad: Floats, n_samples: int, rate_hz: int
) -> Floats:
    """A sum of steady sines, ``[time]``; silent ones cost nothing."""
    heard = amplitude > 0
    # One complex rotation each, in blocks: sin of a matrix [partial, time] would take ten times as long.
    block = 256
    turn = np.exp(2j * np.pi * np.outer(frequency_hz[heard], np.arange(block)) / rate_hz)
    start = amplitude[heard] * np.exp(1j * phase_rad[heard])
    n_blocks = -(-n_samples // block)
    step = np.exp(2j * np.pi * np.outer(np.arange(n_blocks) * block / rate_hz, frequency_hz[heard]))
    return np.asarray(((step * start) @ turn).imag.ravel()[:n_samples])


def comb(n_samples: int, rate_hz: float, notes_hz: Sequence[float]) -> Floats:
    """Gain that clears the first harmonics of some notes, ``[frequency]`` for a transform of ``n_samples``."""
    frequency = scipy.fft.rfftfreq(n_samples, 1.0 / rate_hz)
    gain = np.ones_like(frequency)
    for note in notes_hz:
        number = np.clip(np.round(frequency / note), 1, CLEAR_HARMONICS)
        gain *= _tooth(12 * np.log2(np.maximum(frequency, 1e-3) / (number * note)))
    return np.asarray(gain)


def octaves(n_samples: int, rate_hz: float, notes_hz: Sequence[float]) -> Floats:
    """Gain that clears some notes and all their octaves, ``[frequency]`` for a transform of ``n_samples``."""
    frequency = scipy.fft.rfftfreq(n_samples, 1.0 / rate_hz)
    gain = np.ones_like(frequency)
    for note in notes_hz:
        semitone = 12 * np.log2(np.maximum(frequency, 1e-3) / note)
        gain *= _tooth((semitone + 6) % 12 - 6)
    return np.asarray(gain)


def _tooth(away_semitones: Floats) -> Floats:
    """0 within half a semitone, 1 beyond three quarters."""
    beyond = (np.abs(away_semitones) - CLEAR_SEMITONES) / SLOPE_SEMITONES
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(beyond, 0.0, 1.0)))


def drowns(levels: LevelFunction, note_hz: float, sample_rate_hz: int) -> bool:
    """Whether fewer than three harmonics of a note at the reference level stand out of the dither."""
    frequency = note_hz * np.arange(1, int(TOP_RATIO * sample_rate_hz / note_hz) + 1)
    bandwidth = erb.bandwidth_hz(frequency)
    level = np.array([levels(float(f)) for f in frequency]) + REFERENCE_DB
    level += 10 * np.log10(np.minimum(1.0, note_hz / bandwidth))
    dither = DITHER_DBFS + 10 * np.log10(2 * bandwidth / sample_rate_hz)
    return int(np.sum(level > dither)) < LEAST_HARMONICS
