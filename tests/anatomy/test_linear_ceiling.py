"""The ceiling of a first convolution in closed form: against least squares, against a search, and in the limits."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from tonotopy.anatomy.linear_ceiling import (
    LinearCeiling,
    Spectrum,
    band_response,
    explained_by_filters,
    largest_specificity,
    linear_ceiling,
    linear_ceiling_of,
)
from tonotopy.core.errors import InputError
from tonotopy.encoders import load_encoder
from tonotopy.signal import erb
from tonotopy.sound.music import MusicPool, Piece
from tonotopy.sound.structures.partial import range_erb

RATE = 16_000
FREQUENCY_HZ = np.arange(0, RATE / 2 + 1, 2.0)


def falling(slope: float = 1.0) -> Spectrum:
    """Noise whose power falls with frequency, at -26 dBFS RMS."""
    power = 1 / (FREQUENCY_HZ + 100) ** slope
    return Spectrum(FREQUENCY_HZ, power / power.sum() * 10**-2.6)


def noise(spectrum: Spectrum, seconds: float, seed: int) -> np.ndarray:
    """Gaussian noise of a spectrum, as the bins of its one-sided transform, ``[bin]``."""
    rng = np.random.default_rng(seed)
    n = int(seconds * RATE)
    power = np.interp(np.fft.rfftfreq(n, 1 / RATE), spectrum.frequency_hz, spectrum.power / 2.0)  # per Hz
    z = (rng.standard_normal(len(power)) + 1j * rng.standard_normal(len(power))) * np.sqrt(power / 2)
    return z * np.sqrt(RATE / n) * n / np.sqrt(2 * RATE)


@pytest.mark.parametrize("taps", [1, 7, 32])
def test_the_wiener_filter_is_least_squares(taps: int) -> None:
    """R^2 equals that of a numerical least-squares fit of the band's analytic signal on noise, within .02."""
    spectrum, centres = falling(), np.array([300.0, 1000.0, 3000.0, 6000.0])
    bins = [noise(spectrum, 20, seed) for seed in (0, 1)]
    n = 2 * (len(bins[0]) - 1)
    frequencies = np.fft.rfftfreq(n, 1 / RATE)
    told = explained_by_filters(taps, RATE, centres, spectrum, spectrum)
    for band, centre in enumerate(centres):
        response = band_response(frequencies, np.array([centre]))[0]
        rows, target = [], []
        for z in bins:
            sound = np.fft.irfft(z, n)
            # The middle of an even kernel lies between samples: there the band is moved by half a sample.
            half = np.exp(1j * np.pi * frequencies / RATE) if taps % 2 == 0 else 1.0
            analytic = np.fft.ifft(np.concatenate([z * response * half, np.zeros(n - len(z))]))
            windows = np.lib.stride_tricks.sliding_window_view(sound, taps)[::5]
            rows.append(windows)
            target.append(analytic[(taps - 1) // 2 :][: n - taps + 1][::5])
        fit = np.linalg.lstsq(rows[0].astype(complex), target[0], rcond=None)[0]
        left = np.mean(np.abs(target[1] - rows[1] @ fit) ** 2)
        assert told[band] == pytest.approx(1 - left / np.mean(np.abs(target[1]) ** 2), abs=0.02)


def test_filters_from_other_music_do_no_better() -> None:
    """On some music the filters that are from it explain at least as much as those from music of another slope."""
    spectrum, centres = falling(), np.array([500.0, 4000.0])
    own = explained_by_filters(16, RATE, centres, spectrum, spectrum)
    other = explained_by_filters(16, RATE, centres, falling(0.2), spectrum)
    assert np.all(own >= other - 1e-9)
    assert np.all((own > 0) & (own < 1))


def test_longer_kernels_do_no_worse() -> None:
    """R^2 and specificity rise with the kernel's length; one sample tells no band from another."""
    spectrum, centres = falling(), np.array([200.0, 800.0, 3000.0])
    lengths = (1, 4, 16, 64, 256)
    r2 = [explained_by_filters(taps, RATE, centres, spectrum, spectrum) for taps in lengths]
    kappa = [largest_specificity(taps, RATE, centres, spectrum) for taps in lengths]
    assert np.all(np.diff(r2, axis=0) > -1e-6)
    assert np.all(np.diff(kappa, axis=0) > -1e-6)
    assert r2[0].max() < 0.1
    assert kappa[-1].min() > 0.8


def test_no_filter_is_more_specific() -> None:
    """None of many filters, windowed sines among them, has a specificity above the bound; the best come near it."""
    spectrum, taps = falling(), 24
    low, high = range_erb(RATE)
    rates = np.arange(low, high, 0.05)
    frequency = erb.frequency_hz(rates)
    level = spectrum.natural_level(frequency)
    rng = np.random.default_rng(0)
    for centre in (500.0, 2500.0):
        near = np.abs(rates - erb.rate(centre)) <= 1.5
        (bound,) = largest_specificity(taps, RATE, np.array([centre]), spectrum)
        turn = 2j * np.pi * centre * np.arange(taps) / RATE
        windows = [scipy.signal.get_window(name, taps) for name in ("boxcar", "hann", ("kaiser", 4))]
        filters = [np.exp(turn).real * w for w in windows] + [rng.standard_normal(taps) for _ in range(200)]
        waves = np.exp(2j * np.pi * np.outer(frequency, np.arange(taps)) / RATE)
        energy = np.abs(waves @ np.array(filters).T) ** 2 * level[:, None]
        kappa = energy[near].sum(axis=0) / energy.sum(axis=0)
        assert kappa.max() <= bound + 1e-9
        assert kappa.max() > 0.5 * bound


def test_seven_samples_cannot() -> None:
    """7 samples at 24 kHz isolate nothing but the top of the axis, whatever they learn; 1,024 isolate everything."""
    spectrum = Spectrum(np.arange(0, 12_001.0), 1 / (np.arange(0, 12_001.0) + 100))
    short = linear_ceiling(7, 24_000, spectrum, spectrum)
    assert not short.could[short.centre_hz < 6000].any()
    assert short.r2[short.centre_hz < 6000].max() < 0.5
    assert linear_ceiling(1024, 24_000, spectrum, spectrum).could.all()
    assert "7 samples at 24 kHz, whatever filters are learned" in short.sentence


def test_it_reads_an_encoder_and_its_music() -> None:
    """Pieces take turns: filters are from one half and tried on the other; what cannot be asked is undefined."""
    rng = np.random.default_rng(1)
    pieces = tuple(
        Piece(f"p{k}", None, None, None, None, rng.standard_normal(2 * RATE).astype(np.float32) * 0.1)
        for k in range(4)
    )
    found = linear_ceiling_of(load_encoder("crepe-tiny", weights="random:0"), MusicPool(RATE, pieces))
    assert isinstance(found, LinearCeiling)
    assert found.taps == 512
    assert found.could.all()
    told = found.to_json()
    assert {len(told[key]) for key in ("centre_hz", "r2", "kappa", "verdict")} == {len(found.centre_hz)}
    assert linear_ceiling_of(load_encoder("phantom:cochlea"), MusicPool(RATE, pieces)) is None
    with pytest.raises(InputError, match=r"^expected two pieces of music or more; got 1; "):
        linear_ceiling_of(load_encoder("crepe-tiny", weights="random:0"), MusicPool(RATE, pieces[:1]))


def test_a_kernel_of_no_length_is_refused() -> None:
    """The whole message."""
    message = "^expected a kernel of 1 to 1024 samples; got 0; likely cause: longer windows pass everywhere$"
    with pytest.raises(InputError, match=message):
        linear_ceiling(0, RATE, falling(), falling())
