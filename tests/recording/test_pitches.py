"""Notes of a score are those written; estimates from its sound agree with them; silence has none."""

from __future__ import annotations

import numpy as np
import pytest

from tonotopy.core.errors import InputError
from tonotopy.recording.pitches import N_NOTES, Pitches, pitches_of, pitches_of_score
from tonotopy.signal.additive import render_partials
from tonotopy.signal.chroma import LOWEST
from tonotopy.sound.sources import open_music
from tonotopy.sound.sources.scores import _chorales

RATE = 16_000


def test_notes_of_a_score_are_those_written() -> None:
    """At the middle of every melody note each voice's note sounds, up to one shift of the whole for its tuning."""
    source = open_music("scores")
    clip = next(iter(source.clips()))
    chorale, truth = _chorales()[clip.name], source.truth(clip)
    found = pitches_of_score(truth, start_s=0.0, duration_s=clip.duration_s)
    beat_s = 60.0 / chorale.tempo_bpm
    onsets = [
        np.concatenate([[0.0], np.cumsum([beats * beat_s for _, beats in line])]) for line in chorale.voices
    ]
    shifts = set()
    for at in onsets[0][:-1] + 0.06:
        row = int(found.rows(at * RATE, RATE))
        time_s = row / found.rate_hz
        wanted = {
            line[int(np.searchsorted(onset, time_s, side="right")) - 1][0]
            for line, onset in zip(chorale.voices, onsets, strict=True)
        }
        came = (LOWEST + np.flatnonzero(found.notes[row])).tolist()
        shifts.add(min(came) - min(wanted))
        assert {note - min(came) for note in came} == {note - min(wanted) for note in wanted}
    assert len(shifts) == 1
    assert abs(shifts.pop()) <= 1
    assert not found.notes[-1].any()  # the tail is no note
    assert found.exact


def test_a_stretch_is_that_stretch_of_the_whole() -> None:
    """Beginning later gives the later rows."""
    source = open_music("scores")
    truth = source.truth(next(iter(source.clips())))
    whole = pitches_of_score(truth, start_s=0.0, duration_s=12.0)
    later = pitches_of_score(truth, start_s=4.0, duration_s=3.0)
    assert np.allclose(whole.level[40:70], later.level[:30], atol=1e-6)


def test_estimates_agree_with_a_score() -> None:
    """On a chorale's sound most classes that sound are found, and most that are found sound."""
    source = open_music("scores")
    truth = source.truth(next(iter(source.clips())))
    sound = render_partials(truth.rendered_at(RATE), RATE, 8 * RATE, start_sample=4 * RATE)
    known = pitches_of_score(truth, start_s=4.0, duration_s=8.0)
    found = pitches_of(sound, RATE)
    assert not found.exact
    n = min(len(known), len(found))
    both = (known.classes[:n] & found.classes[:n]).sum()
    assert both / known.classes[:n].sum() > 0.8
    assert both / found.classes[:n].sum() > 0.8
    shuffled = found.classes[np.random.default_rng(0).permutation(n)]
    assert (known.classes[:n] & shuffled).sum() < 0.75 * both


def test_silence_has_no_notes() -> None:
    """Nothing sounds, no height is defined."""
    found = pitches_of(np.zeros(RATE), RATE)
    assert not found.notes.any()
    assert np.isnan(found.height).all()


def test_classes_fold_octaves() -> None:
    """Note and octave are one class, numbered from C; the lower is the height."""
    level = np.zeros((1, N_NOTES), np.float32)
    level[0, [60 - LOWEST, 72 - LOWEST, 67 - LOWEST]] = 1.0
    found = Pitches(10.0, level, True)
    assert np.flatnonzero(found.classes[0]).tolist() == [0, 7]
    assert found.height[0] == 60


def test_wrong_levels_are_refused() -> None:
    """Another number of notes, or a sound of no samples."""
    with pytest.raises(InputError, match=f"levels of {N_NOTES} notes"):
        Pitches(10.0, np.zeros((3, 12), np.float32), True)
    with pytest.raises(InputError):
        pitches_of(np.zeros(0), RATE)
