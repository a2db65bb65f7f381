"""Planted pitch is decoded, by one unit or by all; shuffled, loud or random it is not; equal weights differ by 0."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.measures.natural.planted_pitches import (
    HOP,
    RATE,
    SPAN,
    Made,
    channels,
    loudness,
    made,
    nothing,
    rotated,
    templates,
)

from tonotopy.core.errors import InputError
from tonotopy.features.sources import Activations, ArrayActivations, Features
from tonotopy.measures.natural.pitch_decoding import averaged, pitch_decoding, random_like
from tonotopy.measures.natural.pitch_scores import Estimate, Score, above_baselines, estimate

Key = tuple[str, str, str, str]


def read(given: Made, window_s: float = 0.0, seed: int = 0) -> dict[Key, Score]:
    scores = pitch_decoding(*given, channels, windows_s=(window_s,), seed=seed)
    return {(score.task, score.read, score.labels, score.probe): score for score in scores}


def value(scores: dict[Key, Score], *key: str) -> float:
    return estimate([scores[key]]).value  # type: ignore[index] # four words


@pytest.fixture(scope="module")
def planted() -> dict[Key, Score]:
    return read(made(templates))


def test_planted_templates_are_decoded(planted: dict[Key, Score]) -> None:
    """By all units and by single ones, far above the control task, shifted labels and the bare spectrum."""
    assert value(planted, "class", "features", "real", "all") > 0.95
    assert value(planted, "class", "features", "real", "best") > 0.95
    assert (
        value(planted, "note", "features", "real", "all") > 0.75
    )  # a class tells the note but for the octave
    for null in (("features", "shifted"), ("levels", "real")):
        assert abs(value(planted, "class", *null, "all") - 0.5) < 0.06, null
    # How many classes sound is in the control task too, and chords that recur can be memorised.
    assert value(planted, "class", "features", "control", "all") < 0.72
    assert value(planted, "class", "random", "real", "best") < 0.85


def test_rotated_templates_are_decoded_by_all_units_only() -> None:
    """As well as unrotated by all, by no single one; random directions of the site read as much."""
    turned = read(made(rotated))
    assert value(turned, "class", "features", "real", "all") > 0.95
    assert value(turned, "class", "features", "real", "best") < 0.85
    assert value(turned, "class", "random", "real", "all") > 0.9


def test_shuffled_frames_read_nothing() -> None:
    """The same frames in another order within their pieces lose it."""
    natural, lanes, pitches = made(templates)
    order = [np.random.default_rng(p).permutation(np.flatnonzero(natural.piece == p)) for p in range(9)]
    lost = read((replace(natural, frames=natural.frames[np.concatenate(order)]), lanes, pitches))
    for task in ("class", "note"):
        assert abs(value(lost, task, "features", "real", "all") - 0.5) < 0.05
    assert value(lost, "height", "features", "real", "all") < 0.1


def test_how_much_sounds_is_no_pitch() -> None:
    """Units that count notes read the labels, and the control task as well: no selectivity."""
    loud = read(made(loudness))
    real = value(loud, "class", "features", "real", "all")
    assert real > 0.6
    assert abs(real - value(loud, "class", "features", "control", "all")) < 0.05
    assert value(read(made(nothing)), "class", "features", "real", "all") == pytest.approx(0.5, abs=0.05)


def test_a_floor_equal_to_the_model_differs_by_nothing(planted: dict[Key, Score]) -> None:
    """Exactly 0 with an interval of nothing, and not above baselines; above noise it is."""
    key = ("class", "features", "real", "all")
    same = estimate([planted[key]], [planted[key], planted[key]])
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    selective = estimate([planted[key]], [planted["class", "features", "control", "all"]])
    assert above_baselines(same, selective) == "no"
    above = estimate([planted[key]], [read(made(nothing))[key]])
    assert above.low > 0.3
    assert above_baselines(above, selective) == "yes"


@pytest.mark.parametrize("delay", [0, SPAN])
def test_the_moment_of_a_frame_is_found(delay: int) -> None:
    """Whether the end or the beginning of the span is what a frame tells of."""
    assert value(read(made(templates, delay=delay)), "class", "features", "real", "all") > 0.95


def test_height_is_explained() -> None:
    """The lowest note planted as a unit, with noise of a tenth of its variance, is explained to nine tenths."""

    def bass(pitches: object, rows: np.ndarray, piece: int) -> np.ndarray:
        height = np.nan_to_num(pitches.height[rows], nan=55.0)  # type: ignore[attr-defined]
        own = height + np.sqrt(0.1) * height.std() * np.random.default_rng(piece).standard_normal(len(rows))
        return np.stack([own, np.random.default_rng([piece, 1]).standard_normal(len(rows))], axis=1)

    found = read(made(bass))
    assert value(found, "height", "features", "real", "all") == pytest.approx(0.9, abs=0.05)
    assert value(found, "height", "features", "shifted", "all") < 0.05


def test_nothing_is_fitted_on_held_out_pieces() -> None:
    """A source that fits its frames perfectly, and sees the held-out ones as noise, decodes nothing."""
    natural, lanes, pitches = made(templates)

    def memory(heard: Activations) -> Features:
        assert isinstance(heard, ArrayActivations)
        known = {row.tobytes() for row in heard.frames}

        def of(frames: np.ndarray) -> np.ndarray:
            seen = np.array([row.tobytes() in known for row in frames])
            return np.where(seen[:, None], frames, 0).astype(np.float32)

        return Features("memory", tuple(map(str, range(16))), 16, np.eye(16, dtype=np.float32), of)

    scores = pitch_decoding(natural, lanes, pitches, memory, windows_s=(0.0,))
    own = [s for s in scores if (s.read, s.task, s.labels) == ("features", "class", "real")]
    assert all(estimate([score]).value == 0.5 for score in own)


def test_random_directions_are_as_many_and_as_sparse() -> None:
    """As many values a frame as the features have on average, none below zero; of dense features all."""
    rng = np.random.default_rng(0)
    heard = ArrayActivations(rng.standard_normal((400, 8)))
    sparse = np.where(rng.random((400, 64)) < 1 / 16, 1.0, 0.0)
    training = np.ones(400, bool)
    drawn = random_like(sparse, heard, heard.frames, training, seed=0)
    assert drawn.shape == sparse.shape
    assert drawn.min() == 0
    assert set(np.count_nonzero(drawn, axis=1)) == {round(64 * (sparse != 0).mean())}
    dense = random_like(rng.standard_normal((400, 64)), heard, heard.frames, training, seed=0)
    assert (dense != 0).all()


def test_means_stay_within_pieces() -> None:
    """The mean of a window is that of the frames of the same piece within it, by a plain loop."""
    natural, _, _ = made(nothing, pieces=3)
    x = np.arange(len(natural.frames), dtype=np.float64)[:, None] ** 1.5
    found = averaged(x, natural, 0.31)
    for row in (0, 7, 117, 118, 200, len(x) - 1):
        near = np.abs(natural.start - natural.start[row]) <= 0.155 * RATE
        assert found[row, 0] == pytest.approx(x[near & (natural.piece == natural.piece[row])].mean())
    assert averaged(x, natural, 0.0) is x
    assert HOP < 0.155 * RATE


def test_windows_help_against_noise(planted: dict[Key, Score]) -> None:
    """A chord lasts: the mean of a few frames tells more of it than one."""
    longer = read(made(templates), window_s=0.2)
    key = ("note", "features", "real", "all")
    assert value(longer, *key) > value(planted, *key) - 0.01


def test_few_pieces_are_undefined() -> None:
    """Two pieces have no score, three a score, eight an interval."""
    assert not read(made(templates, pieces=2))
    for pieces, interval in ((3, False), (8, True)):
        found = estimate([read(made(templates, pieces=pieces))["class", "features", "real", "all"]])
        assert np.isfinite(found.value)
        assert bool(np.isfinite(found.low)) == interval


def test_other_pieces_are_refused() -> None:
    """Pitches of too few pieces."""
    natural, lanes, pitches = made(nothing, pieces=3)
    with pytest.raises(InputError, match="lanes and pitches of 3 pieces; got of 3 and 2"):
        pitch_decoding(natural, lanes, pitches[:2], channels)


def test_estimates_without_scores_are_refused() -> None:
    """No score has no mean; being above baselines needs intervals."""
    with pytest.raises(InputError, match="scores of the same pieces"):
        estimate([])
    nan, good = float("nan"), Estimate(0.3, 0.2, 0.4)
    assert above_baselines(Estimate(0.008, 0.001, 0.015), good) == "no"  # above 0, and too little to matter
    assert above_baselines(Estimate(0.03, -0.01, 0.07), good) == "undetermined"
    assert above_baselines(Estimate(0.3, nan, nan), Estimate(0.3, 0.2, 0.4)) == "undetermined"
