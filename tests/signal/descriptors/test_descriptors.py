"""Families of descriptors: each says what it says of sounds made for it, and all are finite, alike and independent."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tonotopy.core import registry
from tonotopy.core.errors import InputError
from tonotopy.signal import descriptors, erb
from tonotopy.signal.descriptors import Descriptors, Sounds, describe, families, says
from tonotopy.signal.descriptors.shape import oscillations, polynomials

RATE = 16_000
AROUND = 768
BANDS = np.asarray(erb.frequency_hz(np.arange(2.0, 30.0)))


def sounds(around: np.ndarray, *, fragment: int = 256, **given: np.ndarray) -> Sounds:
    """Sounds ``[frame, time]`` with the fragment in their middle, and lanes of nothing unless given."""
    n = len(around)
    start = (around.shape[1] - fragment) // 2
    lanes = {
        "band_db": np.full((n, len(BANDS)), -100.0),
        "partial_db": np.full((n, len(BANDS)), -100.0),
        "chroma": np.zeros((n, 12)),
        "chord": np.full(n, -1, np.int64),
    } | given
    return Sounds(RATE, around[:, start : start + fragment], around, BANDS, **lanes)


def column(found: Descriptors, name: str) -> np.ndarray:
    """One column by its name."""
    return found.values[:, found.names.index(name)]


def noise(n: int, samples: int = AROUND, *, seed: int = 0) -> np.ndarray:
    """White noise at -20 dB."""
    return 0.1 * np.random.default_rng(seed).standard_normal((n, samples))


@pytest.mark.parametrize("family", families())
@pytest.mark.parametrize("fragment", [1, 3, 7, 64, 768])
def test_every_family_keeps_the_contract(family: str, fragment: int) -> None:
    """Finite on silence, a constant, clipped noise and an impulse; the same columns for any frames, each by itself."""
    around = np.stack([np.zeros(AROUND), np.full(AROUND, 0.5), np.sign(noise(1)[0]), np.eye(AROUND)[384]])
    given = sounds(around, fragment=fragment)
    found = describe(given, [family])
    assert np.isfinite(found.values).all()
    assert len(set(found.names)) == len(found.names) == found.values.shape[1]
    assert found.families == (family,)
    for row in range(len(around)):
        alone = describe(sounds(around[row : row + 1], fragment=fragment), [family])
        assert alone.names == found.names
        np.testing.assert_allclose(alone.values[0], found.values[row], rtol=1e-5, atol=1e-6)
    assert says(family)
    plugin = registry.find(descriptors.__name__, family, kind="descriptor family")
    assert plugin.licence
    assert plugin.summary


def test_families_stand_beside_each_other() -> None:
    """All families together are each family's columns, numbered as they are listed."""
    given = sounds(noise(5))
    found = describe(given)
    for number, family in enumerate(found.families):
        np.testing.assert_array_equal(
            found.values[:, found.family == number], describe(given, [family]).values
        )
    assert len(found.names) < 300


def test_level_in_decibels_and_as_amplitude() -> None:
    """Half the amplitude is 6.02 dB less and half the amplitude; what has no unit of level stays."""
    found = describe(sounds(noise(1)[0] * np.array([[1.0], [0.5]])))
    assert np.diff(column(found, "level.level_db"))[0] == pytest.approx(-6.02, abs=0.01)
    assert np.divide(*column(found, "level.amplitude")) == pytest.approx(2.0, rel=1e-5)
    for name in ("level.fluctuation", "level.crest_db", "periodicity.strength", "shape.zero_crossings"):
        assert np.ptp(column(found, name)) < 1e-4, name


def test_onsets_and_ends() -> None:
    """What starts rises in every region and attacks, what ends falls; what lasts does neither."""
    steady = noise(1)[0]
    gate = np.arange(AROUND) >= AROUND // 2
    found = describe(sounds(np.stack([steady * gate, steady * ~gate, steady])), ["onset"])
    for region in ("low", "middle", "high"):
        start, end, _ = column(found, f"onset.change_{region}")
        assert start > 20
        assert end < -20
    assert column(found, "onset.attack")[0] > 20 > column(found, "onset.attack")[2]
    assert column(found, "onset.rising_flux").argmax() == 0
    assert column(found, "onset.falling_flux").argmax() == 1


def test_shape_is_signed_and_knows_slopes() -> None:
    """A line has a value, a slope and no curvature; upside down, signed columns change sign and others stay."""
    line = 0.2 + 0.01 * np.arange(-384, 384.0)
    found = describe(sounds(np.stack([line, -line]), fragment=7), ["shape"])
    assert found.values.shape[1] == 10
    for name in ("value", "slope"):
        up, down = column(found, f"shape.{name}")
        assert up == pytest.approx(-down, rel=1e-6)
        assert up > 0
        assert np.ptp(column(found, f"shape.absolute_{name}")) < 1e-6
    assert np.abs(column(found, "shape.curvature")).max() < 1e-6


def test_seven_samples_are_all_but_three_dimensions_of_themselves() -> None:
    """The four signed columns are an orthonormal projection: exact for cubics, independent of numpy's QR."""
    time = np.arange(7) - 3.0
    basis = polynomials(7, 4)
    np.testing.assert_allclose(basis.T @ basis, np.eye(4), atol=1e-12)
    cubic = np.polynomial.polynomial.polyval(time, [0.3, -0.2, 0.1, 0.05])
    np.testing.assert_allclose(basis @ (basis.T @ cubic), cubic, atol=1e-12)


def test_an_oscillation_is_fitted_at_any_phase() -> None:
    """Cosine and sine of its frequency hold the same energy of a tone whatever its phase, and most of all pairs."""
    waves, hz = oscillations(512, RATE)
    at = int(np.argmin(np.abs(np.array(hz) - 1000)))
    phase = np.linspace(0, 2 * np.pi, 9)[:, None]
    tones = np.cos(2 * np.pi * hz[at] * np.arange(512) / RATE + phase)
    energy = ((tones @ waves) ** 2).reshape(9, -1, 2).sum(axis=2)
    assert np.ptp(energy[:, at]) < 0.02 * energy[:, at].mean()
    assert (energy.argmax(axis=1) == at).all()


def test_periodicity_of_notes_and_of_noise() -> None:
    """A note repeats itself at its f0 whatever its harmonics, noise hardly does."""
    time = np.arange(AROUND) / RATE
    notes = [sum(np.sin(2 * np.pi * 220 * k * time + k) for k in ks) for ks in ((1, 2, 3), (3, 4, 5))]
    found = describe(sounds(np.stack([*notes, noise(1)[0]])), ["periodicity"])
    strength = column(found, "periodicity.strength")
    assert (strength[:2] > 0.95).all()
    assert strength[2] < 0.5
    octaves = column(found, "periodicity.octaves")[:2] / strength[:2]
    np.testing.assert_allclose(62.5 * 2**octaves, 220, rtol=0.02)


def test_noise_is_flatter_than_a_tone() -> None:
    """Flatness of noise lies far above that of a tone; energy without partials is left over."""
    time = np.arange(AROUND) / RATE
    band_db = np.full((2, len(BANDS)), -30.0)
    found = describe(
        sounds(np.stack([np.sin(2 * np.pi * 1000 * time), noise(1)[0]]), band_db=band_db), ["noisiness"]
    )
    tone, flat = column(found, "noisiness.flatness_middle")
    assert flat > -4 > -20 > tone
    assert (column(found, "noisiness.untracked") == 30).all()
    np.testing.assert_allclose(column(found, "noisiness.occupancy"), np.log(len(BANDS)), rtol=1e-5)


def test_lanes_are_passed_on() -> None:
    """Bands and partials are compressed amplitudes of their own lane; the chord is one column of many, none is none."""
    n, rng = 3, np.random.default_rng(0)
    lanes = {name: rng.uniform(-90, 0, (n, len(BANDS))) for name in ("band_db", "partial_db")}
    chord = np.array([0, 23, -1])
    found = describe(sounds(noise(n), chroma=np.eye(12)[:n], chord=chord, **lanes))
    for family, name in (("bands", "band_db"), ("partials", "partial_db")):
        own = found.values[:, found.family == found.families.index(family)]
        np.testing.assert_allclose(own, 10 ** (lanes[name] / 50), rtol=1e-5)
    harmony = found.values[:, found.family == found.families.index("harmony")]
    np.testing.assert_array_equal(harmony[:, :12], np.eye(12)[:n])
    assert harmony[:, 12:].argmax(axis=1).tolist() == [0, 23, 0]
    assert harmony[:, 12:].sum(axis=1).tolist() == [1, 1, 0]


def test_parts_are_put_together() -> None:
    """Frames described in parts are the frames described at once; other columns are refused."""
    whole = sounds(noise(6))
    parts = [describe(sounds(noise(6)[low : low + 3])) for low in (0, 3)]
    np.testing.assert_allclose(
        Descriptors.concatenate(parts).values, describe(whole).values, rtol=1e-4, atol=1e-5
    )
    with pytest.raises(InputError, match="same columns"):
        Descriptors.concatenate([parts[0], describe(whole, ["level"])])


def test_what_does_not_fit_is_refused() -> None:
    """Other numbers of frames, surroundings too short, lanes of other bands, families that there are not."""
    good = sounds(noise(2))
    for wrong in (
        {"chroma": np.zeros((3, 12))},
        {"around": np.zeros((2, 10))},
        {"band_db": np.zeros((2, 5))},
        {"fragment": np.zeros((0, 7))},
    ):
        with pytest.raises(InputError):
            dataclasses.replace(good, **wrong)
    with pytest.raises(InputError, match="levle"):
        describe(good, ["levle"])
