"""The chorales: known partials, honest music, nothing hidden."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonotopy.core.errors import InputError
from tonotopy.sound.sources import Clip
from tonotopy.sound.sources.scores import VOICES, ScoresSource, _chorales

SOURCE = ScoresSource()
CLIPS = list(SOURCE.clips())
TOOLS = Path(__file__).parents[3] / "tools" / "chorales"


def timeline(line: tuple[tuple[int, float], ...]) -> list[int]:
    """MIDI number at each half beat."""
    return [midi for midi, beats in line for _ in range(int(2 * beats))]


def test_number_and_length() -> None:
    """There are at least twenty pieces of 30 to 60 seconds."""
    assert len(CLIPS) >= 20
    assert all(30 <= clip.duration_s <= 60 for clip in CLIPS)
    assert len({clip.piece for clip in CLIPS}) == len(CLIPS)


def test_every_instrument_is_heard() -> None:
    """All eight instruments occur, in consorts of one kind and in mixed ones."""
    groups = [clip.group.split("+") for clip in CLIPS if clip.group]
    assert len({name for group in groups for name in group}) == 8
    assert {1, 4} == {len(group) for group in groups}


@pytest.mark.parametrize("clip", CLIPS[::5], ids=lambda clip: clip.name)
def test_sound_is_the_sum_of_the_truth(clip: Clip) -> None:
    """A second from the middle of a piece equals the sum over its table of partials, to 1e-4 and better."""
    rate, start_s = 16000, 12.5
    heard = SOURCE.read(clip, rate, start_s=start_s, duration_s=1.0)[0]
    time = (round(start_s * rate) + np.arange(rate)) / rate
    truth = SOURCE.truth(clip).rendered_at(rate)
    alive = truth.where((truth.onset_s < start_s + 1) & (truth.end_s > start_s))
    total = sum(track.amplitude_at(time) * np.sin(track.phase_at(time)) for track in alive)
    np.testing.assert_allclose(heard, total, atol=1e-6)


@given(data=st.data(), rate=st.sampled_from([8000, 16000, 22050]))
def test_any_split_gives_the_same_samples(data: st.DataObject, rate: int) -> None:
    """Consecutive parts of any lengths are bit for bit the stretch they make up."""
    clip = data.draw(st.sampled_from(CLIPS))
    start = data.draw(st.integers(0, 25 * rate))
    cuts = sorted(data.draw(st.lists(st.integers(1, 2 * rate), max_size=3)))
    whole = SOURCE.read(clip, rate, start_s=start / rate, duration_s=2.0)
    edges = [0, *cuts, 2 * rate]
    parts = [
        SOURCE.read(clip, rate, start_s=(start + a) / rate, duration_s=(b - a) / rate)
        for a, b in pairwise(edges)
    ]
    assert np.array_equal(np.concatenate(parts, axis=1), whole)


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.name)
def test_nothing_clips(clip: Clip) -> None:
    """Sound stays within full scale, is heard, and ends in silence."""
    sound = SOURCE.read(clip, 8000)[0]
    assert 0.1 < np.abs(sound).max() < 0.95
    assert not sound[-100:].any()


@pytest.mark.parametrize("name", list(_chorales()))
def test_voices_keep_the_rules(name: str) -> None:
    """Voices are equally long, in range, do not cross, and make no parallel fifths or octaves."""
    lines = [timeline(line) for line in _chorales()[name].voices]
    assert len({len(line) for line in lines}) == 1
    for line, (low, high) in zip(lines, ((57, 81), (53, 74), (48, 67), (40, 62)), strict=True):
        assert low <= min(line)
        assert max(line) <= high
    for upper, lower in pairwise(lines):
        # A passing soprano may dip below a held alto for half a beat; the chords themselves never cross.
        assert sum(u < v for u, v in zip(upper, lower, strict=True)) <= 2
    for (_, upper), (_, lower) in combinations(enumerate(lines), 2):
        for now in range(0, len(upper) - 2, 2):
            gaps = [(upper[t] - lower[t]) % 12 for t in (now, now + 2)]
            moved = upper[now] != upper[now + 2] and lower[now] != lower[now + 2]
            assert not (moved and gaps[0] == gaps[1] and gaps[0] in (0, 7)), f"{name} at beat {now / 2}"


def test_note_data_are_what_the_tool_makes(tmp_path: Path) -> None:
    """The committed note data are, byte for byte, the output of the committed harmoniser."""
    if not TOOLS.is_dir():
        pytest.skip("no tools beside the tests: an installed package")
    shutil.copytree(TOOLS, tmp_path / "tools" / "chorales")
    made = tmp_path / "src" / "tonotopy" / "signal" / "chorales"
    made.mkdir(parents=True)
    subprocess.run([sys.executable, str(tmp_path / "tools" / "chorales" / "make_chorales.py")], check=True)
    committed = TOOLS.parents[1] / "src" / "tonotopy" / "signal" / "chorales"
    assert {p.name: p.read_bytes() for p in made.iterdir()} == {
        p.name: p.read_bytes() for p in committed.iterdir()
    }


def test_note_data_are_readable() -> None:
    """A file of note data is JSON with four named voices of [MIDI, beats]."""
    for path in sorted((TOOLS.parents[1] / "src" / "tonotopy" / "signal" / "chorales").glob("*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        assert set(data["voices"]) == set(VOICES)
        assert all(len(note) == 2 for line in data["voices"].values() for note in line)


def test_truth_names_the_notes() -> None:
    """Partials of one note share voice and note number, and note numbers count through the piece."""
    truth = SOURCE.truth(CLIPS[0])
    assert set(truth.voice.tolist()) == {0, 1, 2, 3}
    assert np.array_equal(np.unique(truth.note), np.arange(truth.note.max() + 1))
    first = truth.where(truth.note == 0)
    np.testing.assert_allclose(first.frequency_hz, first.number * first.frequency_hz[0])


def test_truth_of_a_foreign_clip_is_refused() -> None:
    """Asking for the truth of another source's clip is an error that lists the chorales."""
    names = ", ".join(clip.name for clip in CLIPS)
    message = f"expected a chorale; got 'x'; likely cause: a clip of another source; legal values: {names}"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        SOURCE.truth(Clip("x", "x", 1.0, 16000, 1))
