"""Chords in words: given ones are read as they are, wherever they come from, or refused with the row that is wrong."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tonotopy.core.errors import InputError
from tonotopy.views.clips._prose import chords_of, sentence
from tonotopy.views.clips._sound import Excerpt, open_excerpt


@pytest.fixture
def excerpt(clip: Path) -> Excerpt:
    """From 0.5 s to 2 s."""
    return open_excerpt(clip, start_s=0.5)


def test_estimated(clip: Path) -> None:
    """The two chords that were played."""
    found = [chord.label for chord in chords_of(open_excerpt(clip), None)]
    assert found == ["C", "Am"]


def test_given_on_the_command_line(excerpt: Excerpt) -> None:
    """Lengths from the start of the stretch, cut at its end; no confidence is made up."""
    found = chords_of(excerpt, "C:1.0, A:min:2, G:5")
    assert [(chord.label, chord.start_s, chord.end_s) for chord in found] == [
        ("C", 0.0, 1.0),
        ("A:min", 1.0, 1.5),
    ]
    assert all(math.isnan(chord.confidence) for chord in found)
    assert sentence(found) == "C major for 1.0 s, then A minor for 0.5 s."


@pytest.mark.parametrize("heading", ["", "start,end,label\n"])
def test_given_in_a_file(heading: str, excerpt: Excerpt, tmp_path: Path) -> None:
    """Seconds from the start of the recording, in any order, with gaps."""
    path = tmp_path / "chords.csv"
    path.write_text(heading + "1.5,1.8,Am\n0,1,C\n\n9,10,G\n", encoding="utf-8-sig")
    found = chords_of(excerpt, str(path))
    assert [chord.label for chord in found] == ["C", "Am"]
    assert [value for chord in found for value in (chord.start_s, chord.end_s)] == pytest.approx(
        [0, 0.5, 1.0, 1.3]
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("0,1,C\n1,half,G\n", "in row 2"),
        ("0,1,C\n2,1,G\n", "in row 2"),
        ("0,1\n", "in row 1"),
        ("0,2,C\n1,3,G\n", "do not overlap"),
        ("0,inf,C\n", "in row 1"),
        ("90,91,C\n", "a chord within the stretch"),
        ("", "a chord within the stretch"),
        ("0,1,C" + "," * (1 << 20), "1 MiB"),
    ],
)
def test_refuses_a_file_that_is_none(content: str, said: str, excerpt: Excerpt, tmp_path: Path) -> None:
    """Not numbers, backwards, too short, overlapping, without end, elsewhere, empty, huge."""
    path = tmp_path / "chords.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        chords_of(excerpt, str(path))


def test_refuses_bytes_that_are_no_text(excerpt: Excerpt, tmp_path: Path) -> None:
    """A sound, say."""
    (tmp_path / "chords.csv").write_bytes(b"\xff\xfe\x00\x81" * 10)
    with pytest.raises(InputError, match="not text"):
        chords_of(excerpt, str(tmp_path / "chords.csv"))


@pytest.mark.parametrize("given", ["C:", ":1.0", "C:0", "C:-1", "C:nan", "C:2.0,,G:1"])
def test_refuses_words_that_are_none(given: str, excerpt: Excerpt) -> None:
    """No length, no label, no time."""
    with pytest.raises(InputError, match="label:seconds"):
        chords_of(excerpt, given)


@pytest.mark.parametrize("given", ["gone.csv", "C major"])
def test_refuses_a_file_that_is_not_there(given: str, excerpt: Excerpt) -> None:
    """With both ways to give chords."""
    with pytest.raises(InputError, match=r"C:2\.0,Am:1\.5"):
        chords_of(excerpt, given)
