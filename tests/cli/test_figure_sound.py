"""Figures of a sound from the command line: the name says what is drawn from, and the wrong kind is told so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second of a tone."""
    path = tmp_path_factory.mktemp("figure") / "tone.wav"
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * 440 * np.arange(8000) / 16_000), 16_000)
    return path


@pytest.mark.parametrize("ending", ["svg", "html", "csv"])
def test_partials(ending: str, call, clip: Path, tmp_path: Path) -> None:
    """The path of the file is what is printed."""
    target = tmp_path / f"a.{ending}"
    result = call("figure", "partials", clip, "--partials", "1", "--out", target)
    assert (result.exit_code, result.stdout.strip()) == (0, str(target))
    assert target.stat().st_size > 100


def test_representations(call, clip: Path, tmp_path: Path) -> None:
    """With an encoder, a site, a channel, chords that are given, and a stretch."""
    target = tmp_path / "a.csv"
    words = ("--encoder", "samplecnn-toy", "--site", "conv2", "--channel", "3", "--chords", "A:0.3")
    result = call(
        "figure", "representations", clip, *words, "--start", "0.1", "--seconds", "0.3", "--out", target
    )
    assert (result.exit_code, result.stdout.strip()) == (0, str(target))
    rows = target.read_text(encoding="utf-8").splitlines()
    assert rows[1].startswith("0.1,0.4,A,")


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("verdict-map", ("CLIP",), "expected a run folder; got a file, 'tone.wav'"),
        ("partials", ("RUN",), "expected a sound file; got a run folder"),
        ("partials", ("CLIP", "--site", "first_conv"), "got --site"),
        (
            "verdict-map",
            ("RUN", "--seconds", "3"),
            "got --seconds; likely cause: it is for figures of a sound",
        ),
        ("nonesuch", ("CLIP",), "representations"),
        ("partials", ("CLIP", "--seconds", "31"), "0.2 to 30 seconds"),
        ("partials", ("CLIP", "--start", "9"), "before the end of 'tone.wav'"),
        ("partials", ("CLIP", "--out", "a.gif"), ".html"),
        ("verdict-map", ("RUN", "--out", "a.html"), ".svg"),
    ],
)
def test_the_wrong_kind(
    name: str, words: tuple[str, ...], said: str, call, clip: Path, small_run: Path
) -> None:
    """One line that says what was expected and what came."""
    named = {"CLIP": clip, "RUN": small_run}
    result = call("figure", name, *(named.get(word, word) for word in words))
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_help_says_what_is_drawn_from_what(call) -> None:
    """Sounds for two figures, run folders for all others."""
    text = " ".join(call("figure", "--help").output.split())
    assert "representations and partials are drawn from a sound" in text
