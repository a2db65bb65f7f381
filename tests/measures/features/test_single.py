"""A feature that is a line reads exactly what the verdict's instrument reads for that line, resamples included."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from tonotopy.measures import Measures, measure, tally
from tonotopy.measures.features import single as module
from tonotopy.measures.features.responses import evaluate, responses
from tonotopy.measures.features.single import single
from tonotopy.readouts import fit
from tonotopy.recording import Recording
from tonotopy.sound.structures import partial
from tonotopy.statistics.bootstrap import piece_weights

RATE = 16000


def both(made: Any, *, of: Any = None) -> tuple[Measures, Measures]:
    """Measures of all lines by the reference, and as features, each at its own target."""
    line = fit(made.training(), made.frequency_hz, kinds=["line"])["line"]
    music, weights = made.families["music"], piece_weights(8, 10, seed=0)
    rows = line.weights[:, 0]
    function = of or (lambda frames: frames.astype(np.float64) @ rows)
    best = np.arange(len(made.frequency_hz))
    found = single(
        function,
        music,
        responses(function, music),
        best=best,
        sign=np.ones(len(best)),
        targets=made.frequency_hz,
        sample_rate_hz=RATE,
        structure=partial.STRUCTURE,
        weights=weights,
    )
    return measure(tally(line, music, made.frequency_hz, RATE), weights), found.measures


def test_a_line_as_a_feature_reads_what_the_line_reads(planted: Any) -> None:
    """Every measure, on the data and on resamples of pieces."""
    reference, found = both(planted(background=0.5, jitter=0.4))
    for f in fields(Measures):
        np.testing.assert_allclose(
            getattr(found, f.name), getattr(reference, f.name), rtol=2e-4, atol=2e-4, err_msg=f.name
        )
    assert 0.5 < reference.specificity[0].min() < 0.99
    assert reference.detection[0].min() < 1.0  # nothing compared here is all ones


def test_frames_that_are_not_finite_take_no_part(planted: Any) -> None:
    """A broken trial is left out as the reference leaves it out, and a dictionary does not make numbers of it."""
    made = planted(background=0.5, jitter=0.4)
    music = made.families["music"]
    core = music.core.copy()
    core[3, 1, 0, 5] = np.nan
    core[40, 2] = np.nan
    made.families["music"] = Recording(music.trials, core, music.extra)
    reference, found = both(made)
    for name in ("detection", "consistency", "specificity", "largest_lobe"):
        np.testing.assert_allclose(getattr(found, name), getattr(reference, name), rtol=2e-4, err_msg=name)
    assert np.isnan(evaluate(lambda frames: np.zeros((*frames.shape[:-1], 2)), core[3, 1, 0])).all()


def test_features_do_not_depend_on_their_neighbours(planted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of three features give what one chunk gives."""
    made = planted(n_frequencies=7, background=0.5, jitter=0.4)
    whole = both(made)[1]
    monkeypatch.setattr(module, "CHUNK", 3)
    parts = both(made)[1]
    for f in fields(Measures):
        np.testing.assert_allclose(getattr(parts, f.name), getattr(whole, f.name), rtol=1e-6, err_msg=f.name)


def test_a_falling_feature_is_read_with_its_sign(planted: Any) -> None:
    """The negative of a feature with the negative sign has the same measures; with the wrong one it detects nothing."""
    made = planted(n_frequencies=7)
    music, n = made.families["music"], 7
    rows = fit(made.training(), made.frequency_hz, kinds=["line"])["line"].weights[:, 0]
    best, weights = np.arange(n), piece_weights(8, 0, seed=0)
    found = []
    for turn, sign in ((1.0, 1.0), (-1.0, -1.0), (-1.0, 1.0)):
        function = lambda frames, turn=turn: turn * (frames @ rows)  # noqa: E731
        found.append(
            single(
                function,
                music,
                responses(function, music),
                best=best,
                sign=np.full(n, sign),
                targets=made.frequency_hz,
                sample_rate_hz=RATE,
                structure=partial.STRUCTURE,
                weights=weights,
            ).measures
        )
    up, down, wrong = found
    np.testing.assert_allclose(down.detection, up.detection)
    np.testing.assert_allclose(down.gradedness, up.gradedness)
    assert up.detection.min() > 0.95
    assert wrong.detection.max() < 0.05
    assert wrong.consistency.max() == 0.0
