"""The partial: one steady sine at its natural level, and its foil.

A target f lies on a grid evenly spaced in ERB-rate; a *foil* g is drawn afresh for each trial, uniform in
ERB-rate over the whole range, at least :data:`FOIL_DISTANCE_ERB` from f (SPEC § 3: foils on the grid let a
readout null exactly the grid, and a random network then passes).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tonotopy.signal import erb

NAMES = ("partial",)
CITATION = "SPEC of tonotopy, § 3"
LICENCE = "MIT"

#: Least distance of a foil from its target, in ERB.
FOIL_DISTANCE_ERB = 3.0
#: Half width of the notch around target and foil, in ERB.
NOTCH_ERB = 1.0
#: Reference level above L(f), and the ladder of levels, in dB re L(f).
REFERENCE_DB = 6
LADDER_DB = (-24, -18, -12, -6, 0, 6, 12, 18)
#: Harmonic probes, as ratios to f: a grid rarely lands on an octave.
PROBE_RATIOS = (1 / 3, 1 / 2, 2.0, 3.0)
#: Distance of the neighbour in the separability trial, in ERB.
NEIGHBOUR_ERB = 2.0
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
