"""Every structure, found by listing the folder, keeps the contract; a pitch or chord sounds as it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tonotopy.anatomy.resolvable import resolvable
from tonotopy.core.errors import InputError
from tonotopy.core.registry import plugins
from tonotopy.signal.spectrum import band_power
from tonotopy.sound.music import level_dbfs
from tonotopy.sound.structures import LADDER, check_names, chord, partial, pitch, structure
from tonotopy.sound.structures._harmonic import comb, octaves
from tonotopy.sound.trials import CORE, EXTRA, Design, Trial, render, trials

RATE = 16000
NAMES = sorted(plugins("tonotopy.sound.structures"))


def design(name: str, n: int = 12) -> Design:
    """A small set of trials of one second."""
    return Design(
        RATE, RATE, (4000, 16000), n_frequencies=n, n_train=3, n_test=3, n_pieces=6, seed=2, structure=name
    )


def sounds(trial: Trial, name: str, pool: Any, levels: Any) -> dict[str, np.ndarray]:
    """The sounds of a trial by name, in float64."""
    rendered = render(design(name), trial, pool, levels)
    return dict(zip(rendered.names, rendered.audio.astype(np.float64), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_contract(name: str, levels: Any) -> None:
    """Targets ascend and have names; foils are no targets; near, bins, probes and tuning agree with one another."""
    kind, rng = structure(name), np.random.default_rng(0)
    assert kind.name == name
    for rate, n in ((8000, 5), (16000, 24), (48000, 64)):
        targets = kind.targets(n, rate)
        assert 0 < len(targets) <= n
        assert (np.diff(targets) > 0).all()
        assert len({kind.label(float(t)) for t in targets}) == len(targets)
        foils = np.array([kind.draw_foil(float(t), rate, rng=rng) for t in targets for _ in range(8)])
        own = np.repeat(targets, 8)
        assert not any(kind.is_near(foils[k : k + 1], float(own[k]))[0] for k in range(len(foils)))
        lie = kind.relation(foils, targets, rate)
        assert lie.near.shape == lie.bins.shape == (len(foils), len(targets))
        np.testing.assert_array_equal(
            lie.near, np.stack([kind.is_near(foils, float(t)) for t in targets], axis=1)
        )
        np.testing.assert_array_equal(lie.bins < 0, lie.near)
        assert (lie.near_width > 0).all()
        chance = lie.near_width / (lie.near_width + lie.far_width)
        assert chance.mean() == pytest.approx(0.09, abs=0.06 if rate < 16000 else 0.03)
        probes = np.array(
            [[kind.probe(float(t), turn, rate) for turn in range(kind.n_probes)] for t in targets]
        )
        for turn in range(kind.n_probes):
            there = np.isfinite(probes[:, turn])
            np.testing.assert_array_equal(kind.probe_kind(probes[there, turn], targets[there]), turn)
        np.testing.assert_allclose(kind.tuning(targets, float(targets[0]))[:1], 1.0)
        assert kind.tuning(foils[:8], float(targets[0])).max() < 0.5
        assert kind.out_of_band(levels, targets, rate).shape == kind.resolvable(targets, rate, 64).shape
        assert kind.resolvable(targets, rate, 10 * rate).all()


@pytest.mark.parametrize("name", NAMES)
def test_foils_on_the_grid_are_on_the_grid(name: str) -> None:
    """The error made on purpose, by which the instrument is tested, can be made for every structure."""
    kind, rng = structure(name), np.random.default_rng(0)
    grid = kind.targets(24, RATE)
    for target in grid[::5]:
        foil = kind.draw_foil(float(target), RATE, rng=rng, on_grid=24)
        assert np.abs(grid - foil).min() < 1e-9
        assert foil != target


def test_names_of_a_study() -> None:
    """In the order of the ladder; unknown, double or partial-less names are refused in one line."""
    assert sorted(LADDER) == NAMES
    assert check_names(("chord", "pitch", "partial")) == LADDER
    for names, message in (
        (("partial", "pich"), r"^expected a known structure; got 'pich'; .*did you mean 'pitch'"),
        (("partial", "partial"), r"^expected each structure once; got partial,partial; "),
        (("pitch",), r"^expected structures with partial among them; got pitch; .*legal values: "),
        ((), r"^expected structures with partial among them; got none; "),
    ):
        with pytest.raises(InputError, match=message):
            check_names(names)


def test_partials_are_what_they_were() -> None:
    """The plug-in says what the functions of its file say, and resolvable what anatomy says."""
    kind, target = partial.STRUCTURE, 440.0
    np.testing.assert_array_equal(kind.targets(24, RATE), partial.grid_hz(24, RATE))
    foils = [
        draw(target, RATE, rng=np.random.default_rng(3)) for draw in (kind.draw_foil, partial.draw_foil_hz)
    ]
    assert foils[0] == foils[1]
    grid = kind.targets(24, RATE)
    for view in (7, 64, 512, 4096):
        np.testing.assert_array_equal(kind.resolvable(grid, RATE, view), resolvable(grid, RATE, view))


@pytest.mark.parametrize("name", ["pitch", "chord"])
def test_level_and_envelope_do_not_tell_the_foil(name: str, pool: Any, levels: Any) -> None:
    """Target, foil, neighbour, probe and noise are equally strong, and their centroids lie close together."""
    off, edge = [], []
    for family in ("silence", "music"):
        for trial in list(trials(design(name), family))[::5]:
            by_name = sounds(trial, name, pool, levels)
            added = {key: by_name[key] - by_name["absent"] for key in ("present", "foil")}
            if family == "music":
                added |= {"noise": by_name["noise"] - by_name["absent"]}
                if "neighbour" in by_name:
                    added |= {"neighbour": by_name["neighbour"] - by_name["absent"]}
                if "probe_present" in by_name:
                    added |= {"probe": by_name["probe_present"] - by_name["probe_absent"]}
            told = {key: level_dbfs(sound) for key, sound in added.items()}
            assert max(told.values()) - min(told.values()) < 1.0, (trial, told)
            centres = np.array([100.0, 200, 400, 800, 1600, 3200])
            power = {key: band_power(added[key], RATE, centres, width_erb=4.0) for key in ("present", "foil")}
            centroid = {key: np.sum(p * np.log2(centres)) / p.sum() for key, p in power.items()}
            off.append(centroid["present"] - centroid["foil"])
            edge.append(abs(off[-1]))
    # A complex begins at its fundamental, where that is there: centroids follow it by part of the way.
    assert np.median(edge) < 0.7  # octaves; f0 and g are apart by 1.5 in the median
    assert name == "pitch" or abs(np.mean(off)) < 0.25


@pytest.mark.parametrize("name", ["pitch", "chord"])
def test_the_ladder_climbs_by_6_db(name: str, pool: Any, levels: Any) -> None:
    """The same sound from -24 to +18 dB, and extra sounds are those of the axis."""
    for trial in list(trials(design(name), "music"))[::29]:
        by_name = sounds(trial, name, pool, levels)
        assert tuple(by_name)[:3] == CORE
        assert set(by_name) <= {*CORE, *EXTRA}
        reference = by_name["present"] - by_name["absent"]
        for db in (-24, 0, 18):
            sound = by_name[f"level{db:+d}"] - by_name["absent"]
            np.testing.assert_allclose(sound, reference * 10 ** ((db - 6) / 20), atol=3e-6)


def test_a_pitch_is_its_harmonics_and_sometimes_not_the_first(pool: Any, levels: Any) -> None:
    """Nothing lies between harmonics; in about half of the trials there is nothing at f0 either; f0 is in the foil."""
    missing, related = [], 0
    table = list(trials(design("pitch"), "silence"))
    for trial in table:
        related += min(abs(trial.foil_hz / trial.frequency_hz / r - 1) for r in pitch.RELATED) < 1e-9
    assert 0.3 < related / len(table) < 0.7
    for trial in table[::2]:
        by_name = sounds(trial, "pitch", pool, levels)
        sound = by_name["present"] - by_name["absent"]
        power = np.abs(np.fft.rfft(sound * np.blackman(len(sound)))) ** 2
        place = np.arange(len(power)) / trial.frequency_hz  # one second: a bin is a hertz
        between = np.abs(place - np.round(place)) * trial.frequency_hz > 5
        assert power[between].sum() < 1e-6 * power.sum()
        first = power[np.abs(np.arange(len(power)) - trial.frequency_hz) <= 4].sum()
        missing.append(first < 1e-6 * power.sum())
    assert 0.25 < np.mean(missing) < 0.75


def test_a_foil_of_a_chord_keeps_two_notes() -> None:
    """Two pitch classes are shared, and their notes stay; the third moves by at most an octave; voicings differ."""
    kind, rng = chord.STRUCTURE, np.random.default_rng(1)
    for item in range(len(chord.CATALOGUE)):
        foil = kind.draw_foil(float(item), RATE, rng=rng)
        assert chord.shared(item, foil) == 2
        classes = sorted(chord.CATALOGUE[item][2])
        notes = [48 + c + 12 * int(rng.integers(3)) for c in classes]
        moved = chord.revoiced(notes, foil)
        assert {note % 12 for note in moved} == set(chord.CATALOGUE[int(foil)][2])
        assert len(set(notes) & set(moved)) == 2
        assert 48 <= min(moved) <= max(moved) < 84
    assert len({entry[2] for entry in chord.CATALOGUE}) == 52  # no chord twice under another name


@pytest.mark.parametrize("name", ["pitch", "chord"])
def test_the_context_is_cleared_of_target_and_foil(name: str, pool: Any, levels: Any) -> None:
    """At the first harmonics of every note of both the absent sound is 40 dB below the present or the foil."""
    kind = structure(name)
    for trial in list(trials(design(name), "music"))[::13]:
        absent, other = (sounds(trial, name, pool, levels)[key] for key in ("absent", "foil"))
        window = np.blackman(len(absent))
        quiet, loud = (np.abs(np.fft.rfft(s * window)) ** 2 for s in (absent, other - absent))
        strongest = int(loud.argmax())
        near = slice(max(strongest - 1, 0), strongest + 2)
        classes = [chord.CATALOGUE[int(x)][2] for x in (trial.frequency_hz, trial.foil_hz) if name == "chord"]
        semitone = 12 * np.log2(strongest / 440.0) + 9
        # The third and fifth harmonics of a note are other notes, which stay.
        cleared = any(abs((semitone - c + 6) % 12 - 6) < 0.3 for notes in classes for c in notes)
        if cleared or (name == "pitch" and strongest < 5.5 * trial.foil_hz):
            assert quiet[near].sum() < 1e-4 * loud[near].sum(), (kind.label(trial.frequency_hz), strongest)


def test_gains_that_clear() -> None:
    """A comb takes the first six harmonics and no seventh; octaves are taken all; between them nothing is."""
    gain, every = comb(RATE, RATE, [200.0]), octaves(RATE, RATE, [200.0])
    assert gain[[200, 400, 600, 800, 1000, 1200]].max() == 0.0
    assert gain[[100, 300, 500, 700, 1400, 1600, 3200]].min() == 1.0
    assert every[[100, 200, 400, 800, 1600, 3200]].max() == 0.0
    assert every[[150, 300, 600, 1000, 1200, 7000]].min() == 1.0
