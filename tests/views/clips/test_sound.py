"""An excerpt is the stretch that was asked for, at any rate; what is no sound is refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tonotopy.core.errors import InputError
from tonotopy.views.clips._sound import open_excerpt


def test_the_stretch_is_the_files_own(tmp_path: Path) -> None:
    """Samples of the file, from the start that was asked for; the mean of the channels."""
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, (8000, 2))
    soundfile.write(tmp_path / "a.wav", sound, 8000, subtype="FLOAT")
    excerpt = open_excerpt(tmp_path / "a.wav", start_s=0.25, seconds=0.5)
    assert excerpt.audio == pytest.approx(sound[2000:6000].mean(axis=1), abs=1e-7)
    assert (excerpt.seconds, excerpt.total_s, excerpt.name) == (0.5, 1.0, "a.wav")
    around, before = excerpt.at(8000, lead=1000, tail=5000)
    assert before == 1000
    assert around == pytest.approx(sound[1000:].mean(axis=1), abs=1e-7)
    assert len(excerpt.at(16_000)[0]) == 8000


def test_it_ends_where_the_sound_ends(tmp_path: Path) -> None:
    """More than is there is asked for; at the start there is nothing before."""
    soundfile.write(tmp_path / "a.wav", np.zeros(8000), 8000)
    assert open_excerpt(tmp_path / "a.wav", start_s=0.5).seconds == 0.5
    assert open_excerpt(tmp_path / "a.wav").at(8000, lead=100, tail=100)[1] == 0


@pytest.mark.parametrize(
    ("start_s", "seconds", "said"),
    [
        (0.0, 31.0, "30 seconds"),
        (0.0, 0.0, "0.2 to 30"),
        (0.0, float("nan"), "0.2 to 30"),
        (-1.0, 1.0, "a start from 0 s on"),
        (float("inf"), 1.0, "a start from 0 s on"),
        (5.0, 1.0, "before the end"),
    ],
)
def test_refuses_a_stretch_that_is_not_there(
    start_s: float, seconds: float, said: str, tmp_path: Path
) -> None:
    """Too long, empty, not a number, before the start, behind the end."""
    soundfile.write(tmp_path / "a.wav", np.zeros(8000), 8000)
    with pytest.raises(InputError, match=said):
        open_excerpt(tmp_path / "a.wav", start_s=start_s, seconds=seconds)


def test_refuses_what_is_no_sound(tmp_path: Path) -> None:
    """A run folder, a folder, nothing, text, a cut file, loud rubbish, hundreds of channels."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="a sound file; got a run folder, 'run'"):
        open_excerpt(tmp_path / "run")
    with pytest.raises(InputError, match="a sound file; got a folder"):
        open_excerpt(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        open_excerpt(tmp_path / "gone.wav")
    (tmp_path / "text.ogg").write_text("no music", encoding="utf-8")
    with pytest.raises(InputError, match="a readable audio file"):
        open_excerpt(tmp_path / "text.ogg")
    soundfile.write(tmp_path / "loud.wav", np.full(8000, 1e6), 8000, subtype="FLOAT")
    with pytest.raises(InputError, match="full scale"):
        open_excerpt(tmp_path / "loud.wav")
    soundfile.write(tmp_path / "nan.wav", np.full(8000, np.nan), 8000, subtype="FLOAT")
    with pytest.raises(InputError, match="full scale"):
        open_excerpt(tmp_path / "nan.wav")
    soundfile.write(tmp_path / "wide.wav", np.zeros((8000, 100)), 8000)
    with pytest.raises(InputError, match="at most 64 channels"):
        open_excerpt(tmp_path / "wide.wav")
    with pytest.raises(InputError, match="st-anne"):
        open_excerpt("scores:nonesuch")
