"""Every context family, found by listing the folder, keeps the contract; together they fill a ladder of occupancy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tonotopy.core.errors import InputError
from tonotopy.core.registry import plugins
from tonotopy.signal import erb
from tonotopy.sound.contexts import FAMILIES, ContextRequest, renderer
from tonotopy.sound.music import LevelFunction, MusicPool, Piece
from tonotopy.sound.trials import Design, render, trials

NAMES = sorted(plugins("tonotopy.sound.contexts"))
POOL = MusicPool(
    16000,
    tuple(
        Piece(
            f"p{k}",
            None,
            None,
            None,
            None,
            np.random.default_rng(k).standard_normal(64000).astype(np.float32),
        )
        for k in range(2)
    ),
)


def asked(seed: int, *, rate: int = 16000, n: int = 16000, index: int = 0) -> ContextRequest:
    """A request for one context."""
    return ContextRequest(n, rate, np.random.default_rng(seed), index, POOL)


def test_families_are_the_plugins() -> None:
    """The order of SPEC § 3 names every family file, and music is last: verdicts hold it out."""
    assert sorted(FAMILIES) == NAMES
    assert FAMILIES[0] == "silence"
    assert FAMILIES[-1] == "music"
    with pytest.raises(
        InputError, match=r"^expected a known context family; got 'tones'; .*did you mean 'tone'"
    ):
        renderer("tones")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rate", [16000, 24000])
def test_contract(name: str, rate: int) -> None:
    """The asked length, float64, finite, sounding (but for silence), and within the range of targets."""
    for n in (rate, rate + 1, 1000):
        sound = renderer(name)(asked(1, rate=rate, n=n))
        assert sound.shape == (n,)
        assert sound.dtype == np.float64
        assert np.isfinite(sound).all()
        assert np.any(sound) == (name != "silence")


@pytest.mark.parametrize("name", NAMES)
def test_deterministic_under_the_generator(name: str) -> None:
    """The same generator gives the same samples, another gives others (silence is always the same)."""
    draw = renderer(name)
    np.testing.assert_array_equal(draw(asked(1)), draw(asked(1)))
    assert np.array_equal(draw(asked(1)), draw(asked(2))) == (name == "silence")


@pytest.mark.parametrize("name", [n for n in NAMES if n not in ("music", "noise", "silence")])
@pytest.mark.parametrize("rate", [8000, 16000])
def test_nothing_folds(name: str, rate: int) -> None:
    """No partial above .45 of the rate: power up there is what the window leaks."""
    for seed in range(5):
        sound = renderer(name)(asked(seed, rate=rate, n=rate))
        power = np.abs(np.fft.rfft(sound * np.blackman(rate))) ** 2
        assert power[int(0.47 * rate) :].sum() < 1e-3 * power.sum()


def test_pink_noise_has_equal_power_in_octaves() -> None:
    """From 100 Hz to 6.4 kHz octaves hold the same power to 1 dB."""
    sound = renderer("noise")(asked(0, n=20 * 16000))
    power = np.abs(np.fft.rfft(sound)) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / 16000)
    octaves = [power[(hz >= 100 * 2**k) & (hz < 200 * 2**k)].sum() for k in range(6)]
    assert np.ptp(10 * np.log10(octaves)) < 1


def test_a_tone_is_uniform_in_erb() -> None:
    """Half of many tones lie below the middle of the range on the ERB-rate scale."""
    rates = []
    for seed in range(200):
        sound = renderer("tone")(asked(seed, n=4000))
        rates.append(float(erb.rate(np.abs(np.fft.rfft(sound * np.hanning(4000))).argmax() * 4.0)))
    middle = (erb.rate(55.0) + erb.rate(7200.0)) / 2
    assert np.mean(np.array(rates) < middle) == pytest.approx(0.5, abs=0.1)


def test_music_takes_turns() -> None:
    """The index chooses the piece, modulo the number of pieces."""
    draw = renderer("music")
    np.testing.assert_array_equal(draw(asked(1, index=0)), draw(asked(1, index=2)))
    assert np.abs(draw(asked(1, index=0)) - draw(asked(1, index=1))).max() > 0


def test_the_ladder_of_occupancy() -> None:
    """Median occupancy of trials climbs from silence over tone, note and chord to noise, near SPEC's numbers."""
    flat = LevelFunction(np.array([1.0, 40.0]), np.array([-45.0, -45.0]))
    design = Design(16000, 8000, (4000, 8000), n_frequencies=10, n_train=2, n_test=2, n_pieces=2)

    def median(name: str) -> float:
        found: list[Any] = [
            render(design, trial, POOL, flat).occupancy for trial in list(trials(design, name))[::2]
        ]
        return float(np.median(found))

    ladder = {name: median(name) for name in ("silence", "tone", "note", "chord", "noise")}
    assert list(ladder.values()) == sorted(ladder.values()), ladder
    assert ladder["silence"] == pytest.approx(1.2, abs=0.3)
    assert ladder["tone"] < 2.5
    assert ladder["noise"] > 10
