"""Sounds that figures are drawn from: a short one with known partials, with hostile words in its tags and name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE = 16_000
HANDLER = '"><img src=x onerror=alert(2)>'
SCRIPT = "<script>alert(1)</script>"


def chords_sound(seconds: float = 2.0) -> np.ndarray:
    """C major, then A minor, of three harmonics a note."""
    time = np.arange(round(seconds * RATE)) / RATE
    sound = np.zeros(len(time))
    for k, notes in enumerate(((60, 64, 67), (57, 60, 64))):
        here = (time >= k * seconds / 2) & (time < (k + 1) * seconds / 2)
        for midi in notes:
            for harmonic in (1, 2, 3):
                frequency = 440 * 2 ** ((midi - 69) / 12) * harmonic
                sound[here] += 0.06 / harmonic * np.sin(2 * np.pi * frequency * time[here])
    return sound


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An audio file whose title, artist and name try to be markup."""
    path = tmp_path_factory.mktemp("clip") / "<b onclick=alert(3)>.flac"
    with soundfile.SoundFile(path, "w", RATE, 1, format="FLAC") as file:
        file.title, file.artist = HANDLER, SCRIPT
        file.write(chords_sound())
    return path


@pytest.fixture(scope="session")
def click(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """Silence with one click in it, and when that is, in seconds."""
    sound = np.zeros(2 * RATE)
    at = 1.1
    sound[round(at * RATE)] = 0.9
    path = tmp_path_factory.mktemp("click") / "click.wav"
    soundfile.write(path, sound, RATE, subtype="FLOAT")
    return path, at
