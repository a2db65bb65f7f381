"""From recordings to verdicts: folds that keep apart what must be kept apart, and reasons for undefined."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tonotopy.judgement import site as site_module
from tonotopy.judgement.site import Question, shuffle_labels, study_site, undefined_reasons
from tonotopy.measures import Measures, measure, tally
from tonotopy.readouts import fit
from tonotopy.recording import Recording
from tonotopy.statistics.bootstrap import piece_weights

RATE = 16000


def raw_measures(planted: Any, made: Any, *, resamples: int = 20) -> Measures:
    """A raw window that hears nothing: the plane on units of noise."""
    noise = planted(code="noise", units=8, n_frequencies=len(made.frequency_hz), seed=9)
    plane = fit(noise.training(), noise.frequency_hz, kinds=["plane"])["plane"]
    pieces = len(np.unique(made.families["music"].trials.piece))
    music = noise.families["music"]
    music = music.take(music.trials.piece < pieces)
    return measure(tally(plane, music, noise.frequency_hz, RATE), piece_weights(pieces, resamples, seed=0))


def asked(made: Any, **words: Any) -> Question:
    """What a study asks, with few resamples."""
    return Question(made.frequency_hz, RATE, 20, 0, **({"full": False} | words))


def line_of(made: Any, music: Recording) -> Measures:
    """The default line, tried on some music."""
    line = fit(made.training(), made.frequency_hz, kinds=["line"])["line"]
    sums = tally(line, music, made.frequency_hz, RATE)
    return measure(sums, np.ones((1, sums.n_pieces)))


def test_music_is_not_in_the_default_fit(planted: Any) -> None:
    """Other music leaves the fitted readouts as they are; other training contexts do not; other tests do not."""
    made = planted()
    raw = raw_measures(planted, made)
    base = study_site(made.families, raw, asked(made))

    def changed(family: str, rows: Any) -> Any:
        recording = made.families[family]
        core = recording.core.copy()
        core[rows(recording.trials)] *= 3.0
        families = made.families | {family: Recording(recording.trials, core, recording.extra)}
        return study_site(families, raw, asked(made)).line.weights

    np.testing.assert_array_equal(changed("music", lambda trials: trials.context >= 0), base.line.weights)
    np.testing.assert_array_equal(changed("tone", lambda trials: trials.test), base.line.weights)
    assert (
        np.abs(changed("tone", lambda trials: ~trials.test & (trials.context == 1)) - base.line.weights).max()
        > 0
    )


def test_in_family_and_pooled_are_tried_on_pieces_that_they_have_not_met(
    planted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every fold's tally gets held-out contexts only; the default one all pieces of music."""
    tried = []
    real = site_module.tally

    def spy(readout: Any, held_out: Recording, *rest: Any) -> Any:
        tried.append(held_out)
        return real(readout, held_out, *rest)

    made = planted(n_frequencies=5, contexts=8)
    raw = raw_measures(planted, made)
    monkeypatch.setattr(site_module, "tally", spy)
    found = study_site(made.families, raw, asked(made, full=True))
    assert set(found.measures) == {"line", "plane", "raw", "sparse", "pooled", "in_family", "shuffled"}
    line, plane, sparse, pooled, in_family, shuffled = tried[:6]
    for recording in (line, plane, shuffled):
        assert set(recording.trials.family) == {"music"}
        assert len(np.unique(recording.trials.piece)) == 8
    for recording in (pooled, in_family):
        assert set(recording.trials.family) == {"music"}
        assert set(recording.trials.piece) == {4, 5, 6, 7}
    assert set(sparse.trials.family) == {"silence", "tone"}
    assert sparse.trials.test.all()


def test_shuffled_labels_move_within_a_context(planted: Any) -> None:
    """Labels are permuted within each context of each family; sounds, foils and counts stay."""
    training = planted().training()
    shuffled = shuffle_labels(training, seed=3)
    assert (shuffled.trials.frequency_index != training.trials.frequency_index).mean() > 0.7
    np.testing.assert_array_equal(shuffled.core, training.core)
    np.testing.assert_array_equal(shuffled.trials.foil_hz, training.trials.foil_hz)
    for family in ("silence", "tone", "chord"):
        for context in range(4):
            rows = (training.trials.family == family) & (training.trials.context == context)
            assert sorted(shuffled.trials.frequency_index[rows]) == sorted(
                training.trials.frequency_index[rows]
            )
    pairs = set(zip(shuffled.trials.frequency_index, shuffled.trials.frequency_hz, strict=True))
    assert len(pairs) == len(np.unique(training.trials.frequency_hz))  # index and Hz move together


def test_too_few_pieces_and_frames_are_undefined(planted: Any) -> None:
    """Two pieces, or eleven frames a side, are undefined with the number in the reason, not a zero."""
    made = planted(n_frequencies=5)
    music = made.families["music"]
    two = music.take(music.trials.piece < 2)
    assert set(undefined_reasons(two, line_of(made, two), asked(made))) == {"2 pieces, fewer than 3"}
    few = music.take((music.trials.frequency_index != 2) | (music.trials.piece < 5))
    reasons = undefined_reasons(few, line_of(made, few), asked(made))
    assert reasons == ("", "", "10 valid frames a side, fewer than 12", "", "")


def test_dead_sites_are_undefined(planted: Any) -> None:
    """Units that never vary, and units that do not respond, are dead; one that only just does is not."""
    made = planted(n_frequencies=5)
    music = made.families["music"]
    line = line_of(made, music)
    frozen = np.full_like(music.core, 3.0)
    still = Recording(music.trials, frozen, music.extra)
    assert set(undefined_reasons(still, line, asked(made))) == {"dead site: its units do not vary over music"}
    deaf = Recording(music.trials, np.repeat(music.core[:, :1], 3, axis=1), music.extra)
    assert set(undefined_reasons(deaf, line, asked(made))) == {"dead site: it does not respond"}
    core = np.repeat(music.core[:, :1], 3, axis=1)
    core[:, 1] *= 1 + 1e-4
    assert set(undefined_reasons(Recording(music.trials, core, music.extra), line, asked(made))) == {""}
    nothing = Recording(music.trials, np.full_like(music.core, np.nan), music.extra)
    assert set(undefined_reasons(nothing, line, asked(made))) == {"no finite activations"}


def test_a_dead_site_is_studied_in_full_without_a_number(planted: Any) -> None:
    """Units that never move, in every family: every frequency undefined, no power, no division by nothing."""
    made = planted(n_frequencies=5)
    dead = {
        name: Recording(r.trials, np.ones_like(r.core), None if r.extra is None else np.ones_like(r.extra))
        for name, r in made.families.items()
    }
    result = study_site(dead, raw_measures(planted, made), asked(made, full=True))
    assert set(result.judgement.names) == {"undefined"}
    assert result.power is None


def test_out_of_band_is_undefined(planted: Any) -> None:
    """Where the music has no power, nothing is said of a partial, and its neighbours keep their verdicts."""
    made = planted(n_frequencies=5)
    music, silent = made.families["music"], np.arange(5) == 4
    reasons = undefined_reasons(music, line_of(made, music), asked(made, out_of_band=silent))
    assert reasons[:4] == ("",) * 4
    assert reasons[4].startswith("out of band")


def test_undefined_reaches_the_verdict(planted: Any) -> None:
    """With two pieces every verdict is undefined, and so is every share but that one."""
    made = planted(n_frequencies=5)
    music = made.families["music"]
    few = music.take(music.trials.piece < 2)
    families = made.families | {"music": few}
    shortened = replace(made, families=families)
    found = study_site(families, raw_measures(planted, shortened), asked(made))
    assert found.judgement.names == ["undefined"] * 5


def test_encoders_that_scale_frames_are_not_asked_for_coincidence(
    planted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The evidence has no sparse line where the encoder normalises each frame, and has one elsewhere."""
    seen = []
    real = site_module.judge
    monkeypatch.setattr(
        site_module, "judge", lambda evidence: (seen.append(evidence.sparse_line), real(evidence))[1]
    )
    made = planted(n_frequencies=5)
    raw = raw_measures(planted, made)
    study_site(made.families, raw, asked(made))
    study_site(made.families, raw, asked(made, normalises_frames=True))
    assert seen[0] is not None
    assert seen[1] is None
