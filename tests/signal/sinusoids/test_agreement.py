"""The comparison with known partials counts as it says; the analysis does well by it, and not on another piece."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tonotopy.signal.additive import Partials, render_partials
from tonotopy.signal.instruments import INSTRUMENTS
from tonotopy.signal.sinusoids import Tracks, agreement, analyse
from tonotopy.signal.sinusoids.agreement import Points, audible, sample_partials
from tonotopy.sound.sources.scores import ScoresSource

RATE, SECONDS = 24000, 4.0


@pytest.fixture(scope="module")
def truths() -> list[Partials]:
    """The first seconds of three chorales: mixed instruments, bells, and bowed strings with vibrato."""
    source = ScoresSource()
    clips = {clip.name: clip for clip in source.clips()}
    found = [source.truth(clips[name]) for name in ("dundee", "innsbruck", "nun-danket")]
    return [truth.where(truth.onset_s < SECONDS) for truth in found]


def sound_of(truth: Partials) -> np.ndarray:
    """The first seconds."""
    return render_partials(truth, RATE, round(SECONDS * RATE)).astype(np.float64)


def as_tracks(truth: Partials, n_frames: int) -> Tracks:
    """The truth itself as tracks."""
    points = sample_partials(truth, RATE, 240, n_frames)
    order = np.lexsort((points.frame, points.partial))
    _, track = np.unique(points.partial[order], return_inverse=True)
    return Tracks(
        RATE, 240, 240 * n_frames, n_frames, track, points.frame[order], points.frequency_hz[order],
        points.amplitude[order], np.zeros(len(points)),
    )  # fmt: skip


def test_truth_agrees_with_itself(truths: list[Partials]) -> None:
    """Tracks that are the truth find all of it, with no error."""
    melody = truths[0].where(truths[0].voice == 0)
    found = agreement(as_tracks(melody, 400), melody)
    assert (found.precision, found.recall, found.coverage) == (1, 1, 1)
    assert found.energy == pytest.approx(1)
    assert found.cents == found.level_db == 0


def test_errors_are_read_as_planted(truths: list[Partials]) -> None:
    """Three cents sharp and a decibel loud is what it says; a semitone away is nothing."""
    tracks = as_tracks(truths[0], 400)
    bent = replace(
        tracks, frequency_hz=tracks.frequency_hz * 2 ** (3 / 1200), amplitude=tracks.amplitude * 10**0.05
    )
    found = agreement(bent, truths[0])
    assert found.cents == pytest.approx(3, abs=0.01)
    assert found.level_bias_db == pytest.approx(1, abs=0.01)
    note = INSTRUMENTS["flute"].note(440.0, 0.1, 0.9, level=0.1, rng=np.random.default_rng(0))
    one = as_tracks(note, 100)
    away = replace(one, frequency_hz=one.frequency_hz * 2 ** (1 / 12))
    assert agreement(away, note).precision == agreement(away, note).energy == 0


def test_audible() -> None:
    """A weak neighbour above is masked, the same farther away or as loud is not."""

    def heard(*partials: tuple[float, float]) -> list[bool]:
        hz, level = np.array(partials).T
        zero = np.zeros(len(hz), np.int64)
        return audible(Points(zero, hz, 10 ** (level / 20), zero)).tolist()

    assert heard((1000, 0), (1060, -20)) == [True, False]
    assert heard((1000, 0), (1060, -5)) == [True, True]
    assert heard((1000, 0), (2000, -50)) == [True, True]
    assert heard((1000, 0), (2000, -61)) == [True, False]
    assert heard((940, -25), (1000, 0)) == [False, True]
    assert heard((700, -40), (1000, 0)) == [True, True]


def test_nothing() -> None:
    """Shares of nothing are undefined; nothing found of something is 0."""
    note = INSTRUMENTS["flute"].note(440.0, 0.1, 0.9, level=0.1, rng=np.random.default_rng(0))
    silent = analyse(np.zeros(RATE), RATE)
    missed = agreement(silent, note)
    assert np.isnan(missed.precision)
    assert missed.recall == missed.energy == 0
    assert np.isnan(missed.cents)
    invented = agreement(as_tracks(note, 100), note.where(note.number < 0))
    assert invented.precision == 0
    assert np.isnan(invented.recall)


def test_chorales(truths: list[Partials]) -> None:
    """Nearly every point is right; most of the audible truth and almost all of its energy is there."""
    for truth in truths:
        found = agreement(analyse(sound_of(truth), RATE), truth)
        assert found.precision > 0.985
        assert found.coverage > 0.75
        assert found.energy > 0.85
        assert found.cents < 0.5
        assert found.level_db < 0.1


def test_one_voice_is_easier(truths: list[Partials]) -> None:
    """A melody alone is found whole: recall falls with the number of voices."""
    truth = truths[0]
    recalls = [
        agreement(analyse(sound_of(some), RATE), some).recall
        for some in (truth.where(truth.voice < voices) for voices in (1, 2, 4))
    ]
    assert recalls[0] > 0.95
    assert recalls[0] > recalls[1] > recalls[2]


def test_noise_takes_recall_and_leaves_precision(truths: list[Partials]) -> None:
    """At 0 dB of white noise little is found, and what is found is right."""
    sound = sound_of(truths[0])
    ground = np.random.default_rng(0).standard_normal(len(sound)) * sound.std()
    clean, noisy = (agreement(analyse(s, RATE), truths[0]) for s in (sound, sound + ground))
    assert noisy.recall < 0.7 * clean.recall
    assert noisy.precision > 0.95
    assert noisy.energy > 0.5


def test_another_piece_does_not_agree(truths: list[Partials]) -> None:
    """Against the truth of another chorale the shares fall to those of chance."""
    found = agreement(analyse(sound_of(truths[0]), RATE), truths[1])
    assert found.precision < 0.45
    assert found.energy < 0.45
    assert found.recall < 0.35
