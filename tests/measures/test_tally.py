"""A tally under weights of pieces is a tally of pieces repeated; every measure is its formula, in loops."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.stats

from tonotopy.measures import JUDGED, Tally, measure, tally
from tonotopy.measures.measures import LEAST_LOBE_FRAMES, Measures, audiogram
from tonotopy.readouts import Readout, fit
from tonotopy.recording import Recording
from tonotopy.signal import erb
from tonotopy.sound.structures.partial import LADDER_DB, PROBE_RATIOS

RATE = 16000


@pytest.fixture(scope="module")
def made(planted: Any) -> tuple[np.ndarray, Recording, dict[str, Readout]]:
    """Music with so much background that no measure is at its ceiling, and readouts fitted without it."""
    recordings = planted(background=1.2, n_frequencies=8, contexts=6, frames=2, units=40)
    return (
        recordings.frequency_hz,
        recordings.families["music"],
        fit(recordings.training(), recordings.frequency_hz),
    )


def weighed(sums: Tally, weights: list[float]) -> Measures:
    """Measures under one set of weights."""
    return measure(sums, np.array([weights], dtype=np.float64))


@pytest.mark.parametrize("kind", ["line", "plane"])
def test_weights_are_repeated_pieces(made: Any, kind: str) -> None:
    """A piece of weight 2 counts as the same piece recorded twice, a piece of weight 0 as one never met."""
    grid, music, fits = made
    drawn = [2, 0, 1, 0, 3, 0]
    rows = np.concatenate(
        [np.flatnonzero(music.trials.piece == p) for p, n in enumerate(drawn) for _ in range(n)]
    )
    copies = tally(fits[kind], music.take(rows), grid, RATE)
    weights, ones = weighed(tally(fits[kind], music, grid, RATE), drawn), weighed(copies, [1, 1, 1])
    for name in (*JUDGED, "tonality", "audiogram_db", "ladder"):
        np.testing.assert_allclose(getattr(weights, name), getattr(ones, name), rtol=1e-9, err_msg=name)
        assert np.isfinite(getattr(weights, name)).any(), name
    other = weighed(tally(fits[kind], music, grid, RATE), [1] * 6)
    assert np.abs(other.detection - weights.detection).max() > 0.01  # the weights matter


def answers(readout: Readout, music: Recording, f: int, name: str) -> np.ndarray:
    """Answers of target f's readout to one sound of its own trials, frame by frame, trial by trial."""
    rows = music.sound(name)[music.trials.frequency_index == f].astype(np.float64)
    seen = (rows - readout.centre[:, f]) @ readout.weights[:, :, f]
    return seen[..., 0] if readout.kind == "line" else np.linalg.norm(seen, axis=-1)


def changes(readout: Readout, music: Recording, f: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(distance from f in ERB, whether the target is f, r per frame) of every target and foil."""
    trials, rows = music.trials, []
    for t in range(len(trials)):
        for hz, name in ((trials.frequency_hz[t], "present"), (trials.foil_hz[t], "foil")):
            seen = (music.sound(name)[t] - music.absent[t]).astype(np.float64) @ readout.weights[:, :, f]
            r = seen[..., 0] if readout.kind == "line" else np.linalg.norm(seen, axis=-1)
            mine = name == "present" and trials.frequency_index[t] == f
            rows.append((float(erb.rate(hz) - erb.rate(grid_of(music)[f])), mine, r))
    return np.array([x[0] for x in rows]), np.array([x[1] for x in rows]), np.array([x[2] for x in rows])


def grid_of(music: Recording) -> np.ndarray:
    """The grid of targets, from the trials."""
    return np.unique(music.trials.frequency_hz)


@pytest.mark.parametrize("kind", ["line", "plane"])
def test_measures_are_their_formulas(made: Any, kind: str) -> None:
    """AUCs by scipy, consistency, specificity, gradedness and tonality by hand, for every target."""
    grid, music, fits = made
    readout = fits[kind]
    values = weighed(tally(readout, music, grid, RATE), [1] * 6)
    low, high = float(erb.rate(55.0)), float(erb.rate(0.45 * RATE))
    for f, hz in enumerate(grid):
        seen = {name: answers(readout, music, f, name) for name in ("present", "absent", "foil", "noise")}
        for name, other in (("detection", "absent"), ("identification", "foil"), ("tonality", "noise")):
            u = scipy.stats.mannwhitneyu(seen["present"].ravel(), seen[other].ravel()).statistic
            expected = u / (seen["present"].size * seen[other].size)
            assert values.point(name)[f] == pytest.approx(expected, abs=0.005), (
                name
            )  # single precision may tie
        distance, mine, r = changes(readout, music, f)
        own = r[mine].ravel()
        assert values.point("consistency")[f] == pytest.approx(
            max(own.mean(), 0) ** 2 / np.mean(own**2), rel=1e-4
        )
        near = np.abs(distance) <= 1.5
        width = min(erb.rate(hz) + 1.5, high) - max(erb.rate(hz) - 1.5, low)
        r_near, r_far = np.mean(r[near] ** 2) * width, np.mean(r[~near] ** 2) * (high - low - width)
        assert values.point("specificity")[f] == pytest.approx(r_near / (r_near + r_far), rel=1e-4)
        steps = [f"level{db:+d}" if db != 6 else "present" for db in LADDER_DB]
        by_level = np.stack([answers(readout, music, f, name).mean(axis=1) for name in steps], axis=1)
        rho = [scipy.stats.spearmanr(row, LADDER_DB).statistic for row in by_level]
        assert values.point("gradedness")[f] == pytest.approx(np.mean(rho), abs=0.01)


def test_largest_lobe(made: Any) -> None:
    """The largest rms answer over 1-ERB bins beyond 1.5 ERB and over the probes, by hand, line and plane."""
    grid, music, fits = made
    low, high = float(erb.rate(55.0)), float(erb.rate(0.45 * RATE))
    for readout in fits.values():
        values = weighed(tally(readout, music, grid, RATE), [1] * 6).point("largest_lobe")
        for f, hz in enumerate(grid):
            distance, mine, r = changes(readout, music, f)
            lobes = [0.0]
            for side, room in ((-1, erb.rate(hz) - low), (1, high - erb.rate(hz))):
                edges = [*np.arange(1.5, room, 1.0), room + 1e-9]
                if len(edges) > 2 and edges[-1] - edges[-2] < 0.5:
                    del edges[-2]
                for start, stop in itertools.pairwise(edges):
                    inside = (side * distance > start) & (side * distance <= stop)
                    lobes += [np.sqrt(np.mean(r[inside] ** 2))] if r[inside].size >= LEAST_LOBE_FRAMES else []
            ratio = music.trials.probe_hz / hz
            for wanted in PROBE_RATIOS:
                rows = (music.trials.frequency_index == f) & (np.abs(ratio - wanted) < 1e-9)
                change = (music.sound("probe_present") - music.sound("probe_absent"))[rows].astype(np.float64)
                seen = np.linalg.norm(change @ readout.weights[:, :, f], axis=-1)  # |w·Δ| for a line
                lobes += [np.sqrt(np.mean(seen**2))] if seen.size >= LEAST_LOBE_FRAMES else []
            assert values[f] == pytest.approx(max(lobes) / np.sqrt(np.mean(r[mine] ** 2)), rel=1e-3)


def test_a_probe_can_be_the_largest_lobe(made: Any) -> None:
    """An octave that answers as loudly as the target is a lobe of 1, though no foil ever meets it."""
    grid, music, fits = made
    extra = music.extra.copy()
    extra[:, -1] = extra[:, -2] + (music.core[:, 1] - music.core[:, 0])
    # Every trial has a probe an octave above, and each probe says what the target says.
    octave = replace(music.trials, probe_hz=2 * music.trials.frequency_hz)
    loud = Recording(octave, music.core, extra)
    before = weighed(tally(fits["line"], music, grid, RATE), [1] * 6).point("largest_lobe")
    after = weighed(tally(fits["line"], loud, grid, RATE), [1] * 6).point("largest_lobe")
    np.testing.assert_array_less(1 - 1e-5, after)
    assert (before < 0.95).any()


def test_separability(made: Any) -> None:
    """The median over frames of the answer beside a neighbour over the answer alone."""
    grid, music, fits = made
    found = tally(fits["line"], music, grid, RATE).separability
    assert found is not None
    for f in range(len(grid)):
        both, one, present, absent = (
            answers(fits["line"], music, f, name)
            for name in ("neighbour_present", "neighbour", "present", "absent")
        )
        assert found[f] == pytest.approx(np.median((both - one) / (present - absent)), rel=1e-3)


def test_a_negative_mean_is_no_consistency(made: Any) -> None:
    """A readout turned round answers as much, but never consistently; and detects nothing."""
    grid, music, fits = made
    line = fits["line"]
    turned = Readout("line", -line.weights, line.centre, line.valid)
    values = weighed(tally(turned, music, grid, RATE), [1] * 6)
    np.testing.assert_array_equal(values.consistency, 0)
    straight = weighed(tally(line, music, grid, RATE), [1] * 6)
    np.testing.assert_allclose(values.detection, 1 - straight.detection, atol=1e-9)
    np.testing.assert_allclose(values.specificity, straight.specificity)


def test_undefined_is_nan(made: Any) -> None:
    """A readout that could not be fitted has no measures: NaN, never 0; its neighbours keep theirs."""
    grid, music, fits = made
    line = fits["line"]
    broken = Readout("line", line.weights, line.centre, np.arange(len(grid)) != 2)
    values = weighed(tally(broken, music, grid, RATE), [1] * 6)
    for name in JUDGED:
        np.testing.assert_array_equal(np.isnan(getattr(values, name)[0]), np.arange(len(grid)) == 2)


def test_without_the_further_sounds(made: Any) -> None:
    """On synthetic trials there is no ladder: gradedness, tonality and audiogram are NaN, the others are not."""
    grid, music, fits = made
    values = weighed(tally(fits["line"], Recording(music.trials, music.core), grid, RATE), [1] * 6)
    for name in ("gradedness", "tonality", "audiogram_db"):
        assert np.isnan(getattr(values, name)).all()
    whole = weighed(tally(fits["line"], music, grid, RATE), [1] * 6)
    np.testing.assert_array_equal(values.detection, whole.detection)


@pytest.mark.parametrize(
    ("detection", "level"),
    [
        ([0.5, 0.5, 0.5, 0.5, 0.8, 1.0, 1.0, 1.0], 3.0),  # .9 lies half way between .8 at 0 and 1.0 at 6 dB
        ([0.5, 0.6, 0.7, 0.88, 0.92, 0.95, 0.97, 1.0], -3.0),
        ([0.95] * 8, -24.0),  # detected on the lowest step: an upper bound
        ([0.5] * 8, np.inf),  # never
        (
            [0.5, 0.95, 0.5, 0.5, 0.5, 0.7, 1.0, 1.0],
            -18 - 6 * 5 / 45,
        ),  # the lowest, even where it is lost again
        ([0.5] * 7 + [0.95], 12 + 6 * 40 / 45),  # only at the top
        ([np.nan] * 8, np.nan),
    ],
)
def test_audiogram(detection: list[float], level: float) -> None:
    """The lowest level at which detection reaches .9, interpolated by hand."""
    found = audiogram(np.array(detection)[None, :, None])[0, 0]
    np.testing.assert_allclose(found, level)


def test_lobe_bins_tile_what_is_far(planted: Any) -> None:
    """Every far place is in one bin, no near one is in any; bins are an ERB wide, the last between .5 and 1.5."""
    made = planted(n_frequencies=8, contexts=2, units=1)
    trials = made.families["silence"].trials
    low, high = float(erb.rate(55.0)), float(erb.rate(7200.0))
    places = np.arange(low, high, 0.01)
    rows = np.arange(len(places)) % len(trials)
    swept = replace(trials.take(rows), foil_hz=np.asarray(erb.frequency_hz(places)))
    core = np.zeros((len(places), 3, 1, 1), dtype=np.float32)
    core[:, 2] = 1.0  # only foils answer, each by 1: sums of squares count places
    one = Readout("line", np.ones((1, 1, 8)), np.zeros((1, 8)), np.ones(8, dtype=bool))
    found = tally(one, Recording(swept, core), made.frequency_hz, RATE).lobe_square.sum(axis=-1)
    distance = np.abs(places[:, None] - erb.rate(made.frequency_hz))
    np.testing.assert_array_equal(found.sum(axis=0), (distance > 1.5).sum(axis=0))
    widths = found * 0.01
    assert np.all((widths == 0) | ((widths > 0.47) & (widths < 1.53)))
    assert np.median(widths[widths > 0]) == pytest.approx(1.0, abs=0.011)
    assert (widths > 1.02).any()  # somewhere a rest joined its neighbour
