"""The partial: one steady sine at its natural level, and its foil.

A target f lies on a grid evenly spaced in ERB-rate; a *foil* g is drawn afresh for each trial, uniform in
ERB-rate over the whole range, at least :data:`FOIL_DISTANCE_ERB` from f (SPEC § 3: foils on the grid let a
readout null exactly the grid, and a random network then passes).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tonotopy.signal import erb
from tonotopy.signal.notch import notch
from tonotopy.sound.music import LevelFunction, level_dbfs
from tonotopy.sound.structures._axis import relation
from tonotopy.sound.structures._contract import (
    DITHER_DBFS,
    LADDER_DB,
    REFERENCE_DB,
    Floats,
    Items,
    Relation,
    Role,
    Structure,
    Voice,
)

NAMES = ("partial",)
CITATION = "SPEC of tonotopy, § 3"
LICENCE = "MIT"

__all__ = [
    "BOTTOM_HZ",
    "FOIL_DISTANCE_ERB",
    "LADDER_DB",
    "NEAR_ERB",
    "PROBE_RATIOS",
    "REFERENCE_DB",
    "STRUCTURE",
    "TOP_RATIO",
    "Partial",
    "amplitude",
    "draw_foil_hz",
    "grid_hz",
    "range_erb",
    "render",
    "render_noise",
]

#: Least distance of a foil from its target, in ERB.
FOIL_DISTANCE_ERB = 3.0
#: Half width of the notch around target and foil, in ERB.
NOTCH_ERB = 1.0
#: Items nearer to f than this (ERB) count as f itself.
NEAR_ERB = 1.5
#: Harmonic probes, as ratios to f: a grid rarely lands on an octave.
PROBE_RATIOS = (1 / 3, 1 / 2, 2.0, 3.0)
#: Distance of the neighbour in the separability trial, in ERB.
NEIGHBOUR_ERB = 2.0
#: Width of the tuning that the measure of power plants, ERB (standard deviation).
TUNING_ERB = 0.5
#: f is resolvable where this many ERB are at least one over the view.
RESOLVABLE_ERB = 3.0
#: Share of the sampling rate that bounds the range from above.
TOP_RATIO = 0.45
#: Lower bound of the range, Hz.
BOTTOM_HZ = 55.0


def range_erb(sample_rate_hz: int) -> tuple[float, float]:
    """ERB-rate numbers of the bottom and the top of the range."""
    return float(erb.rate(BOTTOM_HZ)), float(erb.rate(TOP_RATIO * sample_rate_hz))


def grid_hz(n_frequencies: int, sample_rate_hz: int) -> NDArray[np.float64]:
    """Targets in Hz, evenly spaced in ERB-rate, ends included.

    Examples
    --------
    >>> grid_hz(3, 16000).round(1).tolist()
    [55.0, 1223.3, 7200.0]
    """
    low, high = range_erb(sample_rate_hz)
    return np.asarray(erb.frequency_hz(np.linspace(low, high, n_frequencies)))


def draw_foil_hz(
    frequency_hz: float, sample_rate_hz: int, *, rng: np.random.Generator, on_grid: int | None = None
) -> float:
    """A foil for a target: off the grid, uniform in ERB-rate outside target ± 3 ERB.

    ``on_grid`` puts foils on the grid of that many targets instead: an error made on purpose, by which the
    tests see the instrument fail.
    """
    low, high = range_erb(sample_rate_hz)
    centre = float(erb.rate(frequency_hz))
    if on_grid is not None:
        choices = np.linspace(low, high, on_grid)
        return float(erb.frequency_hz(rng.choice(choices[np.abs(choices - centre) >= FOIL_DISTANCE_ERB])))
    below = max(0.0, centre - FOIL_DISTANCE_ERB - low)
    above = max(0.0, high - centre - FOIL_DISTANCE_ERB)
    place = rng.uniform(0, below + above)
    rate = low + place if place < below else centre + FOIL_DISTANCE_ERB + place - below
    return float(erb.frequency_hz(rate))


def amplitude(level_dbfs: float) -> float:
    """Amplitude of a sine whose mean square is ``level_dbfs``."""
    return float(np.sqrt(2.0) * 10 ** (level_dbfs / 20))


def render(
    frequency_hz: float, level_dbfs: float, phase_rad: float, n_samples: int, sample_rate_hz: int
) -> NDArray[np.float64]:
    """A steady sine, ``[time]``."""
    t = np.arange(n_samples) / sample_rate_hz
    return np.asarray(amplitude(level_dbfs) * np.sin(2 * np.pi * frequency_hz * t + phase_rad))


def render_noise(
    frequency_hz: float, level_dbfs: float, n_samples: int, sample_rate_hz: int, *, rng: np.random.Generator
) -> NDArray[np.float64]:
    """A ±1 ERB band of noise at f with the power of the partial, ``[time]``."""
    frequencies = np.fft.rfftfreq(n_samples, 1 / sample_rate_hz)
    inside = np.abs(erb.rate(frequencies) - erb.rate(frequency_hz)) <= NOTCH_ERB
    spectrum = np.where(inside, rng.standard_normal(len(inside)) + 1j * rng.standard_normal(len(inside)), 0)
    noise = np.fft.irfft(spectrum, n_samples)
    return np.asarray(noise * 10 ** (level_dbfs / 20) / np.sqrt(np.mean(noise**2)))


class Partial(Structure):
    """Steady sines on the axis of frequency."""

    name = "partial"
    plural = "partials"
    n_probes = len(PROBE_RATIOS)
    chance_specificity = 0.09

    def targets(self, n: int, sample_rate_hz: int) -> Floats:
        """As :func:`grid_hz`."""
        return grid_hz(n, sample_rate_hz)

    def label(self, item: float) -> str:
        """The frequency in whole hertz."""
        return f"{item:.0f} Hz"

    def draw_foil(
        self, target: float, sample_rate_hz: int, *, rng: np.random.Generator, on_grid: int | None = None
    ) -> float:
        """As :func:`draw_foil_hz`."""
        return draw_foil_hz(target, sample_rate_hz, rng=rng, on_grid=on_grid)

    def probe(self, target: float, turn: int, sample_rate_hz: int) -> float:
        """A harmonic or subharmonic of f, where it is in range."""
        probe = target * PROBE_RATIOS[turn % len(PROBE_RATIOS)]
        return probe if BOTTOM_HZ <= probe <= TOP_RATIO * sample_rate_hz else float("nan")

    def probe_kind(self, probe: Floats, target: Floats) -> NDArray[np.int64]:
        """Number of the nearest ratio."""
        return np.asarray(np.abs(np.log(probe / target)[:, None] - np.log(PROBE_RATIOS)).argmin(1))

    def neighbour(self, target: float, sign: int, sample_rate_hz: int) -> float:
        """2 ERB above or below f, on the other side where that is out of range."""
        low, high = range_erb(sample_rate_hz)
        place = float(erb.rate(target)) + sign * NEIGHBOUR_ERB
        if not low <= place <= high:
            place = float(erb.rate(target)) - sign * NEIGHBOUR_ERB
        return float(erb.frequency_hz(place))

    def is_near(self, items: Floats, target: float) -> NDArray[np.bool_]:
        """Within 1.5 ERB."""
        return np.asarray(np.abs(erb.rate(items) - erb.rate(target)) <= NEAR_ERB)

    def relation(self, items: Floats, targets: Floats, sample_rate_hz: int) -> Relation:
        """On the ERB-rate scale."""
        low, high = range_erb(sample_rate_hz)
        return relation(erb.rate(items), erb.rate(targets), low, high, near=NEAR_ERB)

    def tuning(self, items: Floats, target: float) -> Floats:
        """Gaussian on the ERB-rate scale."""
        distance = erb.rate(items) - erb.rate(target)
        return np.asarray(np.exp(-0.5 * (distance / TUNING_ERB) ** 2))

    def out_of_band(self, levels: LevelFunction, targets: Floats, sample_rate_hz: int) -> NDArray[np.bool_]:
        """Weaker at L(f) + 6 dB than the dither in its 1-ERB band."""
        natural = np.array([levels(float(f)) for f in targets]) + REFERENCE_DB
        dither = DITHER_DBFS + 10 * np.log10(2 * erb.bandwidth_hz(targets) / sample_rate_hz)
        return np.asarray(natural < dither)

    def resolvable(self, targets: Floats, sample_rate_hz: int, view: int) -> NDArray[np.bool_]:
        """3 ERB(f) are at least one over the view (SPEC § 2)."""
        return np.asarray(RESOLVABLE_ERB * erb.bandwidth_hz(targets) >= sample_rate_hz / view)

    def voice(
        self, items: Items, levels: LevelFunction, sample_rate_hz: int, *, rng: np.random.Generator
    ) -> Voice:
        """Sines of random phase."""
        return _Sines(items, levels, sample_rate_hz)


class _Sines(Voice):
    """One sine an item."""

    def __init__(self, items: Items, levels: LevelFunction, sample_rate_hz: int) -> None:
        self.items, self.levels, self.rate = items, levels, sample_rate_hz

    def clear(self, context: NDArray[np.floating], roles: Sequence[Role]) -> Floats:
        """Without ±1 ERB around each item."""
        return notch(context, self.rate, [self.items[role] for role in roles], half_width_erb=NOTCH_ERB)

    def draw(self, rng: np.random.Generator) -> None:
        """A phase for each item, and the seed of the noise."""
        roles: tuple[Role, ...] = ("target", "foil", "neighbour", "probe")
        self.phase = dict(zip(roles, rng.uniform(0, 2 * np.pi, len(roles)), strict=True))
        self.noise_seed = int(rng.integers(2**31))

    def sound(self, role: Role, level_db: float, n_samples: int) -> Floats:
        """A sine at ``level_db`` above the natural level of its frequency."""
        frequency = self.items[role]
        level = self.levels(frequency) + level_db
        return render(frequency, level, self.phase[role], n_samples, self.rate)

    def noise(self, n_long: int, crop: slice) -> Floats:
        """A ±1 ERB band at f, drawn as long as the context: a short stretch has no bin, or one, in the band."""
        target = self.items.target
        level = self.levels(target) + REFERENCE_DB
        rng = np.random.default_rng(self.noise_seed)
        noise = render_noise(target, level, n_long, self.rate, rng=rng)[crop]
        return np.asarray(noise * 10 ** ((level - level_dbfs(noise)) / 20))


STRUCTURE = Partial()
