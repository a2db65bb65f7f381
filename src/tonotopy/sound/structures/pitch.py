"""The pitch: a harmonic complex of random spectral envelope, often without its fundamental, and its foils.

A target f0 lies on a grid evenly spaced in semitones. Half of the foils stand to it in a simple ratio
(:data:`RELATED`), so that they share harmonics: f0/2 has every partial of f0, and whoever listens for a single
partial takes it for f0. The other half are uniform in semitones over the whole range. In half of the trials
the spectrum of all sounds begins above the first or the second harmonic of the target: the fundamental is
missing, and its pitch is not.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tonotopy.sound.music import LevelFunction
from tonotopy.sound.structures._axis import relation
from tonotopy.sound.structures._contract import FAR_WIDTH, Floats, Items, Relation, Role, Structure, Voice
from tonotopy.sound.structures._harmonic import TOP_RATIO, Envelope, Notes, drowns

NAMES = ("pitch",)
CITATION = "SPEC of tonotopy, § 3; for the missing fundamental, Schouten 1940"
LICENCE = "MIT"

#: Range of targets, Hz, and how many harmonics fit above the highest.
LOWEST_HZ = 80.0
HIGHEST_HZ = 1000.0
LEAST_HARMONICS = 6
#: Foils and probes reach an octave beyond the targets at either end.
BEYOND = 2.0
#: Least distance of a foil from its target, distance within which items count as the target, of the
#: neighbour, and width (standard deviation) of the tuning that is planted: all in semitones.
FOIL_SEMITONES = 3.0
NEAR_SEMITONES = 1.5
NEIGHBOUR_SEMITONES = 2.0
TUNING_SEMITONES = 0.5
#: Ratios to the target of the foils that share harmonics with it, and their share of the trials.
RELATED = (1 / 3, 1 / 2, 2 / 3, 3 / 2, 2.0, 3.0)
RELATED_SHARE = 0.5
#: Probes, as ratios to the target.
PROBE_RATIOS = (1 / 2, 2 / 3, 3 / 2, 2.0)
#: Share of trials without a fundamental, and the largest number of harmonics that are then missing.
MISSING_SHARE = 0.5
MOST_MISSING = 2


def semitones(frequency_hz: float | Floats) -> Floats:
    """Semitones above 40 Hz."""
    return np.asarray(12 * np.log2(np.asarray(frequency_hz, dtype=np.float64) / 40.0))


def highest_hz(sample_rate_hz: int) -> float:
    """The highest target."""
    return min(HIGHEST_HZ, TOP_RATIO * sample_rate_hz / LEAST_HARMONICS)


def range_hz(sample_rate_hz: int) -> tuple[float, float]:
    """Lowest and highest item of any kind."""
    return LOWEST_HZ / BEYOND, highest_hz(sample_rate_hz) * BEYOND


class Pitch(Structure):
    """Harmonic complexes on the axis of their fundamental."""

    name = "pitch"
    plural = "pitches"
    n_probes = len(PROBE_RATIOS)
    chance_specificity = 1 / (1 + FAR_WIDTH)

    def targets(self, n: int, sample_rate_hz: int) -> Floats:
        """Evenly spaced in semitones from 80 Hz to 1 kHz, or as far as six harmonics fit, ends included."""
        return np.geomspace(LOWEST_HZ, highest_hz(sample_rate_hz), n)

    def label(self, item: float) -> str:
        """The fundamental in whole hertz."""
        return f"{item:.0f} Hz"

    def draw_foil(
        self, target: float, sample_rate_hz: int, *, rng: np.random.Generator, on_grid: int | None = None
    ) -> float:
        """Half the time in a simple ratio to the target, else anywhere at least 3 semitones from it."""
        low, high = range_hz(sample_rate_hz)
        if on_grid is not None:
            grid = self.targets(on_grid, sample_rate_hz)
            apart = np.abs(semitones(grid) - semitones(target)) >= FOIL_SEMITONES
            return float(rng.choice(grid[apart]))
        related = [target * ratio for ratio in RELATED if low <= target * ratio <= high]
        if related and rng.uniform() < RELATED_SHARE:
            return float(rng.choice(related))
        below = max(0.0, float(semitones(target / low)) - float(semitones(1.0)) - FOIL_SEMITONES)
        above = max(0.0, float(semitones(high / target)) - float(semitones(1.0)) - FOIL_SEMITONES)
        place = rng.uniform(0, below + above)
        distance = FOIL_SEMITONES + (place if place < above else place - above)
        return float(target * 2 ** ((distance if place < above else -distance) / 12))

    def probe(self, target: float, turn: int, sample_rate_hz: int) -> float:
        """An octave or a fifth above or below."""
        low, high = range_hz(sample_rate_hz)
        probe = target * PROBE_RATIOS[turn % len(PROBE_RATIOS)]
        return probe if low <= probe <= high else float("nan")

    def probe_kind(self, probe: Floats, target: Floats) -> NDArray[np.int64]:
        """Number of the nearest ratio."""
        return np.asarray(np.abs(np.log(probe / target)[:, None] - np.log(PROBE_RATIOS)).argmin(1))

    def neighbour(self, target: float, sign: int, sample_rate_hz: int) -> float:
        """A whole tone above or below."""
        return float(target * 2 ** (sign * NEIGHBOUR_SEMITONES / 12))

    def is_near(self, items: Floats, target: float) -> NDArray[np.bool_]:
        """Within 1.5 semitones."""
        return np.asarray(np.abs(semitones(items) - semitones(target)) <= NEAR_SEMITONES)

    def relation(self, items: Floats, targets: Floats, sample_rate_hz: int) -> Relation:
        """On the axis of semitones; the regions count as wide as on the axis of partials."""
        low, high = (float(semitones(edge)) for edge in range_hz(sample_rate_hz))
        found = relation(semitones(items), semitones(targets), low, high, near=NEAR_SEMITONES)
        one = np.ones(len(targets))
        return replace(found, near_width=one, far_width=FAR_WIDTH * one)

    def tuning(self, items: Floats, target: float) -> Floats:
        """Gaussian on the axis of semitones."""
        distance = semitones(items) - semitones(target)
        return np.asarray(np.exp(-0.5 * (distance / TUNING_SEMITONES) ** 2))

    def out_of_band(self, levels: LevelFunction, targets: Floats, sample_rate_hz: int) -> NDArray[np.bool_]:
        """Fewer than three harmonics stand out of the dither."""
        return np.array([drowns(levels, float(f), sample_rate_hz) for f in targets])

    def resolvable(self, targets: Floats, sample_rate_hz: int, view: int) -> NDArray[np.bool_]:
        """A period fits into the view, or what is the same, neighbouring harmonics can be told apart."""
        return np.asarray(targets >= sample_rate_hz / view)

    def voice(
        self, items: Items, levels: LevelFunction, sample_rate_hz: int, *, rng: np.random.Generator
    ) -> Voice:
        """One envelope for all items of the trial, in half of them from above the target's fundamental."""
        missing = int(rng.integers(1, MOST_MISSING + 1)) if rng.uniform() < MISSING_SHARE else 0
        edge = (missing + 0.5) * items.target if missing else 0.0
        roles: tuple[Role, ...] = ("target", "foil", "neighbour", "probe")
        notes: dict[Role, tuple[float, ...]] = {
            role: (items[role],) if np.isfinite(items[role]) else () for role in roles
        }
        return Notes(notes, Envelope(levels, rng=rng, edge_hz=edge), sample_rate_hz)


STRUCTURE = Pitch()
