"""Trials are what they say: checked on the rendered sounds, from outside, by Fourier analysis."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tonotopy.signal import erb
from tonotopy.signal.spectrum import band_power
from tonotopy.sound.contexts import FAMILIES
from tonotopy.sound.music import level_dbfs
from tonotopy.sound.structures.partial import LADDER_DB, PROBE_RATIOS
from tonotopy.sound.trials import CORE, EXTRA, Design, Rendered, Trial, render, trials

RATE = 16000
DESIGN = Design(
    RATE, RATE, (4000, 16000), n_frequencies=12, n_train=3, n_test=3, n_frames=4, n_pieces=6, seed=2
)


def some(family: str, step: int = 17, design: Design = DESIGN) -> list[Trial]:
    """A few trials of a family, over contexts and targets."""
    return list(trials(design, family))[::step]


def sounds(
    trial: Trial, pool: Any, levels: Any, design: Design = DESIGN
) -> tuple[Rendered, dict[str, np.ndarray]]:
    """The rendered trial, and its sounds by name in float64."""
    rendered = render(design, trial, pool, levels)
    return rendered, dict(zip(rendered.names, rendered.audio.astype(np.float64), strict=True))


def power_near(sound: np.ndarray, hz: float, half_width_erb: float) -> float:
    """Power within a band, through a window whose side lobes are under -90 dB."""
    window = np.blackman(len(sound))
    spectrum = np.abs(np.fft.rfft(sound * window)) ** 2 * 2 / (len(sound) * np.sum(window**2))
    near = np.abs(erb.rate(np.fft.rfftfreq(len(sound), 1 / RATE)) - erb.rate(hz)) <= half_width_erb
    return float(spectrum[near].sum())


@pytest.mark.parametrize("family", FAMILIES)
def test_absent_lacks_target_and_foil(family: str, pool: Any, levels: Any) -> None:
    """Around f and around g the absent sound is at least 50 dB below the partial, dither apart."""
    dither = 0.0 if family == "music" else 10 ** (-86 / 10)
    for trial in some(family):
        _, by_name = sounds(trial, pool, levels)
        for hz in (trial.frequency_hz, trial.foil_hz):
            partial = 10 ** ((levels(hz) + 6) / 10)
            # White dither spreads over all bins; the band holds its share of it.
            low, high = erb.band_edges_hz(hz, 1.6)
            share = dither * 2 * (float(high) - float(low)) / RATE
            assert power_near(by_name["absent"], hz, 0.7) < 1e-5 * partial + 2 * share, (trial, hz)


@pytest.mark.parametrize("family", FAMILIES)
def test_present_is_absent_plus_exactly_the_partial(family: str, pool: Any, levels: Any) -> None:
    """Present minus absent, and foil minus absent, are one steady sine at L + 6 dB, to single precision."""
    t = np.arange(RATE) / RATE
    for trial in some(family, 29):
        _, by_name = sounds(trial, pool, levels)
        for name, hz in (("present", trial.frequency_hz), ("foil", trial.foil_hz)):
            difference = by_name[name] - by_name["absent"]
            basis = np.stack([np.sin(2 * np.pi * hz * t), np.cos(2 * np.pi * hz * t)], axis=1)
            (a, b), *_ = np.linalg.lstsq(basis, difference, rcond=None)
            np.testing.assert_allclose(difference, basis @ [a, b], atol=2e-7)
            assert 10 * np.log10((a**2 + b**2) / 2) == pytest.approx(levels(hz) + 6, abs=0.01)


def test_the_ladder_climbs_by_6_db(pool: Any, levels: Any) -> None:
    """The same sine from L - 24 to L + 18 dB in steps of 6, in phase; the reference is the present sound."""
    for trial in some("music"):
        _, by_name = sounds(trial, pool, levels)
        reference = by_name["present"] - by_name["absent"]
        for db in LADDER_DB:
            sound = by_name["present" if db == 6 else f"level{db:+d}"] - by_name["absent"]
            np.testing.assert_allclose(sound, reference * 10 ** ((db - 6) / 20), atol=3e-7)
            assert level_dbfs(sound) == pytest.approx(levels(trial.frequency_hz) + db, abs=0.1)


def test_the_noise_trial_has_the_power_of_the_partial(pool: Any, levels: Any) -> None:
    """A band of ±1 ERB at f, as strong as the sine (a cut of it nearly, their mean surely), and not a sine."""
    above = []
    for trial in some("music", 7):
        _, by_name = sounds(trial, pool, levels)
        noise = by_name["noise"] - by_name["absent"]
        above.append(level_dbfs(noise) - level_dbfs(by_name["present"] - by_name["absent"]))
        assert abs(above[-1]) < 2.5
        assert power_near(noise, trial.frequency_hz, 1.2) > 0.99 * power_near(noise, trial.frequency_hz, 50)
        if trial.frequency_hz > 100:
            assert power_near(noise, trial.frequency_hz, 0.15) < 0.6 * power_near(
                noise, trial.frequency_hz, 50
            )
    assert np.mean(above) == pytest.approx(0, abs=0.5)


def test_probes(pool: Any, levels: Any) -> None:
    """Each is at f/3, f/2, 2f or 3f, all of them occur; its context lacks f and the probe; its level is L + 6 dB."""
    ratios = []
    for trial in some("music", 5):
        if not np.isfinite(trial.probe_hz):
            assert "probe_present" not in trial.sounds
            continue
        ratio = trial.probe_hz / trial.frequency_hz
        ratios.append(min(PROBE_RATIOS, key=lambda r, x=ratio: abs(r - x)))
        assert ratio == pytest.approx(ratios[-1])
        assert 55 <= trial.probe_hz <= 7200
        _, by_name = sounds(trial, pool, levels)
        added = by_name["probe_present"] - by_name["probe_absent"]
        assert level_dbfs(added) == pytest.approx(levels(trial.probe_hz) + 6, abs=0.1)
        for hz in (trial.frequency_hz, trial.probe_hz):
            partial = 10 ** ((levels(hz) + 6) / 10)
            assert power_near(by_name["probe_absent"], hz, 0.7) < 1e-5 * partial
        # Away from f, the probe and the foil the context is the one of the trial.
        place = [erb.rate(x) for x in (trial.frequency_hz, trial.probe_hz, trial.foil_hz)]
        free = next(r for r in np.arange(6.0, 30.0) if min(abs(r - p) for p in place) > 2.5)
        bands = [
            band_power(by_name[name], RATE, np.array([float(erb.frequency_hz(free))]))[0]
            for name in ("probe_absent", "absent")
        ]
        assert bands[0] == pytest.approx(bands[1], rel=1e-3)
    assert set(ratios) == set(PROBE_RATIOS)


def test_neighbours(pool: Any, levels: Any) -> None:
    """Two ERB from f, in range; the pair differs by exactly the partial."""
    met = 0
    for trial in some("music", 5):
        if not trial.has_neighbour:
            assert "neighbour" not in trial.sounds
            continue
        met += 1
        assert abs(erb.rate(trial.neighbour_hz) - erb.rate(trial.frequency_hz)) == pytest.approx(2)
        assert 55 - 1e-6 <= trial.neighbour_hz <= 7200 + 1e-6
        _, by_name = sounds(trial, pool, levels)
        pair = by_name["neighbour_present"] - by_name["neighbour"]
        np.testing.assert_allclose(pair, by_name["present"] - by_name["absent"], atol=3e-7)
        added = level_dbfs(by_name["neighbour"] - by_name["absent"])
        assert added == pytest.approx(levels(trial.neighbour_hz) + 6, abs=0.1)
    assert met >= 5


def test_contexts_are_at_minus_26(pool: Any, levels: Any) -> None:
    """Before the notch: a context without energy near target and foil keeps -26 dBFS; none is louder than that."""
    for family in ("tone", "note", "chord", "noise", "music"):
        found = [level_dbfs(sounds(trial, pool, levels)[1]["absent"]) for trial in some(family, 7)]
        assert max(found) < -26 + (
            3 if family == "music" else 0.5
        )  # a second of music may be louder than its mean
        assert np.median(found) == pytest.approx(-26.5, abs=2.5)


def test_dither_lies_under_synthetic_contexts_only(pool: Any, levels: Any) -> None:
    """Silence is white noise at -86 dBFS RMS; the notched bands of music are digitally empty."""
    for trial in some("silence"):
        absent = sounds(trial, pool, levels)[1]["absent"]
        assert level_dbfs(absent) == pytest.approx(-86, abs=0.15)
        halves = [
            np.sum(np.abs(np.fft.rfft(absent))[part] ** 2) for part in (slice(1, 4000), slice(4000, 8000))
        ]
        assert halves[0] == pytest.approx(halves[1], rel=0.1)
    for trial in some("music"):
        absent = sounds(trial, pool, levels)[1]["absent"]
        low, high = erb.band_edges_hz(trial.frequency_hz, 1.0)
        share = 10 ** (-86 / 10) * 2 * (float(high) - float(low)) / RATE
        assert power_near(absent, trial.frequency_hz, 0.5) < 0.1 * share


def test_sounds_of_a_trial(pool: Any, levels: Any) -> None:
    """Core sounds everywhere, further ones in music only, in the order of the axis."""
    for family in FAMILIES:
        for trial in some(family):
            assert trial.sounds[:3] == CORE
            further = trial.sounds[3:]
            assert further == (tuple(name for name in EXTRA if name in further) if family == "music" else ())


def test_a_trial_does_not_depend_on_who_asks(pool: Any, levels: Any) -> None:
    """Alone, after others, in reverse order, from a fresh design, with another split: the same samples."""
    family = "chord"
    chosen = some(family, 13)
    first = [sounds(trial, pool, levels)[0] for trial in chosen]
    again = [sounds(trial, pool, levels, replace(DESIGN))[0] for trial in reversed(chosen)][::-1]
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.audio, b.audio)
        np.testing.assert_array_equal(a.frame_ends, b.frame_ends)
    more = replace(DESIGN, n_test=9)  # more contexts leave the first ones as they are
    assert repr([t for t in trials(more, family) if t.context < 6]) == repr(list(trials(DESIGN, family)))


def test_another_seed_is_another_trial(pool: Any, levels: Any) -> None:
    """Foils, contexts, phases and frames all change with the seed, and between trials."""
    other = replace(DESIGN, seed=3)
    for family in ("silence", "note", "music"):
        one, two = some(family)[1], some(family, design=other)[1]
        assert one.foil_hz != two.foil_hz
        a, b = sounds(one, pool, levels)[0], sounds(two, pool, levels, other)[0]
        assert np.abs(a.audio[0] - b.audio[0]).max() > 0
        assert np.abs((a.audio[1] - a.audio[0]) - (b.audio[1] - b.audio[0])).max() > 1e-6
        assert (a.frame_ends != b.frame_ends).any()
    foils = [t.foil_hz for t in trials(DESIGN, "note")]
    assert len(set(foils)) == len(foils)


def test_frames_end_in_the_steady_part(pool: Any, levels: Any) -> None:
    """One in each quarter of the range, ascending, and drawn anew for each trial."""
    ends = np.array([sounds(trial, pool, levels)[0].frame_ends for trial in some("tone", 5)])
    edges = np.linspace(4000, 16000, 5)
    assert (ends >= edges[:-1]).all()
    assert (ends < edges[1:]).all()
    assert (ends.std(axis=0) > 300).all()


def test_pieces_are_apart() -> None:
    """Contexts of music are pieces; half are held out, and no piece is on both sides."""
    for n_pieces in (3, 5, 6, 12):
        table = list(trials(replace(DESIGN, n_pieces=n_pieces), "music"))
        train, test = ({t.piece for t in table if t.test == held} for held in (False, True))
        assert train
        assert test
        assert not train & test
        assert len(train | test) == n_pieces
