"""What features answer to: partials, mixtures, regions and nothing are told apart, and higher rungs come first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tonotopy.core.errors import InputError
from tonotopy.judgement import site, verdict
from tonotopy.judgement.verdict import Thresholds
from tonotopy.measures.features import LABELS, answers, tune
from tonotopy.measures.features import tuned as module
from tonotopy.recording import Recording
from tonotopy.signal import erb

RATE = 16000
CENTRES = np.linspace(1.0, 33.0, 60)  # of the planted units, ERB-rate


def read(made: Any, rows: np.ndarray | None = None, **words: Any) -> Any:
    of = (lambda x: x) if rows is None else (lambda x: x @ rows.T.astype(np.float32))
    return tune(of, made.families, made.frequency_hz, RATE, **({"resamples": 20, "vary": False} | words))


def beside(made: Any) -> np.ndarray:
    """The unit nearest to each target."""
    return np.abs(CENTRES[:, None] - erb.rate(made.frequency_hz)).argmin(axis=0)


def rotation(n: int) -> np.ndarray:
    q, r = np.linalg.qr(np.random.default_rng(4).standard_normal((n, n)))
    return q * np.sign(np.diagonal(r))


def test_channels_are_partials_and_rotated_ones_are_not(planted: Any) -> None:
    """Tuned units beside a target answer to one partial, surely; the same in a random rotation, none does."""
    made = planted(n_frequencies=12, background=0.2)
    found = answers(read(made), limits=Thresholds())
    assert (found.label[beside(made)] == "partial").all()
    assert found.probability["partial"][beside(made)].min() > 0.9
    turned = answers(read(planted(n_frequencies=12, background=0.2, mix=rotation(60))), limits=Thresholds())
    assert turned.counts["partial"] == 0
    assert sum(turned.counts.values()) == 60
    assert set(turned.counts) == set(LABELS)


def test_shuffled_labels_leave_no_partial(planted: Any) -> None:
    """The same activations under permuted targets answer to none."""
    made = planted(n_frequencies=12, background=0.2)
    for name, recording in made.families.items():
        order = np.random.default_rng(1).permutation(len(recording.trials))
        columns = ("frequency_index", "frequency_hz", "foil_hz")
        moved = {key: getattr(recording.trials, key)[order] for key in columns}
        made.families[name] = Recording(replace(recording.trials, **moved), recording.core, recording.extra)
    assert answers(read(made), limits=Thresholds()).counts["partial"] == 0


def test_sums_of_units_are_mixtures_with_their_components(planted: Any) -> None:
    """A feature that adds two or three tuned units up is a mixture of just these, the same in every family."""
    made = planted(n_frequencies=16, background=0.1)
    units = beside(made)
    rows = np.zeros((2, 60))
    rows[0, units[[3, 9]]] = 1.0
    rows[1, units[[2, 7, 12]]] = 1.0
    tuned = read(made, rows, vary=True)
    found = answers(tuned, limits=Thresholds())
    assert found.label.tolist() == ["mixture", "mixture"]
    for shapes in tuned.family_shapes.values():
        assert shapes.lobes.tolist() == [2, 3]
        np.testing.assert_allclose(np.sort(shapes.component_hz[0, :2]), made.frequency_hz[[3, 9]])
    assert tuned.variation is not None
    assert abs(tuned.variation.mean(found.label == "mixture")[0]) < 0.05
    assert "specificity" in found.failing[0]


def test_loudness_is_broad_and_noise_is_nothing(planted: Any) -> None:
    """Level alone is a region, detected or drowned; units that answer at random are nothing."""
    assert answers(read(planted(code="loudness", background=0.3)), limits=Thresholds()).counts["broad"] >= 55
    assert (
        answers(read(planted(code="loudness", background=0.001)), limits=Thresholds()).counts["broad"] == 60
    )
    assert answers(read(planted(code="noise", background=1.0)), limits=Thresholds()).counts["none"] >= 58


def test_the_higher_rung_comes_first(planted: Any) -> None:
    """What passes on pitches and partials is a pitch; on chords too, a chord; undefined before all."""
    tuned = read(planted(n_frequencies=12, background=0.2))
    limits = Thresholds()
    alone = answers(tuned, limits=limits).label
    pitch = answers(tuned, limits=limits, pitch=tuned).label
    chord = answers(tuned, limits=limits, pitch=tuned, chord=tuned).label
    passing = alone == "partial"
    assert passing.sum() >= 12
    assert (pitch[passing] == "pitch").all()
    assert (chord[passing] == "chord").all()
    np.testing.assert_array_equal(pitch[~passing], alone[~passing])
    dead = replace(tuned, undefined=("dead",) * len(tuned))
    assert set(answers(dead, limits=limits, chord=tuned).label[~passing]) == {"undefined"}


def test_dead_features_and_few_pieces_are_undefined(planted: Any) -> None:
    """A value that never changes, one that changes with the music only, two pieces: each with its reason."""
    made = planted(n_frequencies=6)
    rows = np.zeros((2, 60))
    rows[1, 30] = 1.0
    assert read(made, rows).undefined == ("dead: its value does not vary over music", "")
    music = made.families["music"]
    deaf = music.core.copy()
    deaf[:, 1:, :, 30] = deaf[:, :1, :, 30]
    made.families["music"] = Recording(music.trials, deaf, music.extra)
    assert read(made, rows).undefined[1] == "dead: it does not respond in music"
    two = music.take(music.trials.piece < 2)
    made.families["music"] = two
    assert set(read(made, rows).undefined) == {"2 pieces, fewer than 3"}
    five = music.take(music.trials.piece < 5)
    made.families["music"] = five
    assert read(made, rows).undefined[1] == "10 valid frames a side, fewer than 12"
    with pytest.raises(InputError, match="music"):
        tune(lambda x: x, {"tone": made.families["tone"]}, made.frequency_hz, RATE)


def test_columns_are_one_row_a_feature(planted: Any) -> None:
    """Every column has a value for every feature; what is undefined is NaN there and not a number."""
    made = planted(n_frequencies=6)
    rows = np.eye(60)[28:31] * np.array([1.0, 0.0, 1.0])[:, None]
    found = read(made, rows, vary=True).columns()
    assert {"best", "width_erb", "lobes", "specificity", "variation_excess", "component_1_hz"} <= set(found)
    assert {len(column) for column in found.values()} == {3}
    assert np.isnan(found["specificity"]).tolist() == [False, True, False]
    assert np.isnan(found["width_erb"]).tolist() == [False, True, False]


def test_limits_are_those_of_the_verdict_on_sites() -> None:
    """Fewest frames, and what counts as dead, are the same numbers."""
    mine = module.LEAST_FRAMES, module.DEAD
    assert mine == (verdict.LEAST_FRAMES, site.DEAD)
