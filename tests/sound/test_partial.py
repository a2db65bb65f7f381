"""The partial: its grid, its foils, its level, its band of noise."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from tonotopy.signal import erb
from tonotopy.signal.spectrum import band_power
from tonotopy.sound.structures import partial

RATE = 16000


def test_the_grid_is_even_in_erb() -> None:
    """From 55 Hz to .45 of the rate, ends included, in equal steps."""
    grid = partial.grid_hz(25, RATE)
    assert grid[0] == pytest.approx(55)
    assert grid[-1] == pytest.approx(7200)
    np.testing.assert_allclose(np.diff(erb.rate(grid)), np.diff(erb.rate(grid))[0], rtol=1e-9)
    np.testing.assert_allclose(grid, erb.grid(25, RATE), rtol=1e-9)  # the one of signal.erb


@pytest.mark.parametrize("index", [0, 11, 23])
def test_foils_are_uniform_in_erb_outside_the_target(index: int) -> None:
    """4,000 foils: none within 3 ERB, all in range, and Kolmogorov-Smirnov finds them uniform in what is left."""
    target = float(partial.grid_hz(24, RATE)[index])
    rng = np.random.default_rng(5)
    rates = np.array([erb.rate(partial.draw_foil_hz(target, RATE, rng=rng)) for _ in range(4000)])
    low, high = partial.range_erb(RATE)
    centre = float(erb.rate(target))
    assert np.abs(rates - centre).min() >= 3 - 1e-9
    assert low <= rates.min() < rates.max() <= high
    # Close the gap around the target: what is left must be one uniform stretch.
    gap_low, gap_high = max(low, centre - 3), min(high, centre + 3)
    closed = np.where(rates > centre, rates - (gap_high - gap_low), rates)
    width = (high - low) - (gap_high - gap_low)
    assert scipy.stats.kstest(closed, "uniform", args=(low, width)).pvalue > 0.01


def test_foils_stay_off_the_grid_unless_asked() -> None:
    """No foil lies on a target of the grid; with ``on_grid`` every foil does, still 3 ERB away."""
    grid = partial.grid_hz(24, RATE)
    rng = np.random.default_rng(1)
    for on_grid in (None, 24):
        foils = [partial.draw_foil_hz(grid[9], RATE, rng=rng, on_grid=on_grid) for _ in range(300)]
        nearest = np.abs(erb.rate(foils)[:, None] - erb.rate(grid)).min(axis=1)
        assert (nearest < 1e-9).mean() == (0.0 if on_grid is None else 1.0)
        assert np.abs(erb.rate(foils) - erb.rate(grid[9])).min() >= 3 - 1e-9


def test_a_partial_has_its_level() -> None:
    """A sine at -40 dBFS has that mean square, that frequency, that phase."""
    sine = partial.render(1000.0, -40.0, 0.5, RATE, RATE)
    assert 10 * np.log10(np.mean(sine**2)) == pytest.approx(-40, abs=1e-6)
    spectrum = np.fft.rfft(sine)
    assert np.abs(spectrum).argmax() == 1000
    assert np.angle(spectrum[1000]) == pytest.approx(0.5 - np.pi / 2)


def test_noise_has_the_power_of_the_partial_within_its_band() -> None:
    """±1 ERB of noise at f: mean square that of the sine, nothing outside, no two draws alike."""
    first, second = (
        partial.render_noise(1000.0, -40.0, RATE, RATE, rng=np.random.default_rng(seed)) for seed in (0, 1)
    )
    assert 10 * np.log10(np.mean(first**2)) == pytest.approx(-40, abs=1e-6)
    inside, below, above = band_power(
        first,
        RATE,
        np.array([1000.0, *erb.frequency_hz(erb.rate(1000.0) + np.array([-3, 3]))]),
        width_erb=2.2,
    )
    assert inside / np.mean(first**2) == pytest.approx(1, abs=0.03)
    assert max(below, above) < 1e-3 * inside
    assert np.abs(np.corrcoef(first, second)[0, 1]) < 0.3
