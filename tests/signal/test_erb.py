"""The ERB-rate scale against its published formulas and its own inverse."""

from __future__ import annotations

import numpy as np
import pytest

from tonotopy.core.errors import InputError
from tonotopy.signal import erb


def test_rate_and_frequency_are_inverse() -> None:
    """frequency_hz undoes rate over the whole range of hearing and beyond."""
    frequencies_hz = np.concatenate([[0.0], np.geomspace(1.0, 100_000.0, 200)])
    assert np.allclose(erb.frequency_hz(erb.rate(frequencies_hz)), frequencies_hz, rtol=1e-12, atol=1e-9)


def test_bandwidth_matches_published_values() -> None:
    """Bandwidths agree with the table of hearing textbooks: 24.7, 35.5, 132.6 and 456.5 Hz."""
    assert erb.bandwidth_hz([0.0, 100.0, 1000.0, 4000.0]).round(1).tolist() == [24.7, 35.5, 132.6, 456.5]


def test_rate_counts_bandwidths() -> None:
    """The slope of the ERB-rate number is one per bandwidth, to the 0.4 % that rounded constants leave."""
    frequencies_hz = np.linspace(50.0, 20_000.0, 400)
    slope = erb.rate(frequencies_hz + 0.5) - erb.rate(frequencies_hz - 0.5)
    assert np.all(np.abs(slope * erb.bandwidth_hz(frequencies_hz) - 1.0) < 0.004)


def test_grid_is_even_in_erb_rate_and_exact_at_its_ends() -> None:
    """Steps are equal in ERB-rate; the ends are 55 Hz and 0.45 of the rate to the last bit."""
    frequencies_hz = erb.grid(48, 24_000)
    assert (frequencies_hz[0], frequencies_hz[-1]) == (55.0, 10_800.0)
    assert np.ptp(np.diff(erb.rate(frequencies_hz))) < 1e-9


def test_grid_of_one_is_its_lower_end() -> None:
    """A grid of one frequency is the lowest one."""
    assert erb.grid(1, 16_000).tolist() == [55.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 16_000), "expected a grid of at least 1 frequency; got 0"),
        (
            (4, 100),
            (
                "expected a lowest frequency from 0 Hz to below 45 Hz; got 55 Hz; "
                "likely cause: a sampling rate too low for this grid"
            ),
        ),
        ((4, 16_000, 55.0, 0.6), "expected high_ratio between 0 and 0.5 of the sampling rate; got 0.6"),
    ],
)
def test_impossible_grids_say_why(arguments: tuple[float, ...], message: str) -> None:
    """A grid that cannot exist is an error that names what was expected."""
    with pytest.raises(InputError) as caught:
        erb.grid(*arguments)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_band_edges_are_one_unit_apart_around_the_centre() -> None:
    """Edges lie half a width each side in ERB-rate, and the band is about one bandwidth wide in Hz."""
    centres_hz = erb.grid(20, 44_100)
    low_hz, high_hz = erb.band_edges_hz(centres_hz)
    assert np.allclose(erb.rate(high_hz) - erb.rate(low_hz), 1.0)
    assert np.allclose((high_hz - low_hz) / erb.bandwidth_hz(centres_hz), 1.0, atol=0.01)


def test_band_edges_stop_at_zero_and_refuse_negative_widths() -> None:
    """A band cannot start below 0 Hz, and its width cannot be negative."""
    assert float(erb.band_edges_hz(5.0, 2.0)[0]) == 0.0
    with pytest.raises(InputError) as caught:
        erb.band_edges_hz(100.0, -1.0)
    assert str(caught.value) == "expected a band width of 0 ERB or more; got -1"
