"""Every source of music keeps the contract, whichever file declares it."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from tonotopy.core.errors import InputError
from tonotopy.core.registry import load, plugins
from tonotopy.sound import sources
from tonotopy.sound.sources import Clip, Source, open_music

NAMES = sorted(plugins(sources.__name__))


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The spelling of a small example of each source, written by the plug-in itself."""
    spellings = {}
    for name in NAMES:
        folder = tmp_path_factory.mktemp(name)
        argument = load(sources.__name__, name, kind="source").write_example(folder, name=name)
        spellings[name] = name if argument is None else f"{name}:{argument}"
    return spellings


@pytest.fixture(params=NAMES)
def spelling(request: pytest.FixtureRequest, examples: dict[str, str]) -> str:
    """The spelling of each source's example in turn."""
    return examples[request.param]


@pytest.fixture
def source(spelling: str) -> Source:
    """Each source in turn, freshly opened."""
    return open_music(spelling)


def test_clips_restart(source: Source) -> None:
    """Two runs through a source give equal clips in equal order, and so does a fresh source."""
    first = list(source.clips())
    assert first
    assert first == list(source.clips())


def test_two_sources_agree(spelling: str) -> None:
    """Two openings of the same data agree in clips, ledger, fingerprint and samples."""
    one, two = open_music(spelling), open_music(spelling)
    clips = list(one.clips())
    assert clips == list(two.clips())
    assert one.ledger() == two.ledger()
    assert one.fingerprint() == two.fingerprint()
    assert np.array_equal(
        one.read(clips[0], 16000, duration_s=0.5), two.read(clips[0], 16000, duration_s=0.5)
    )


def test_clip_records(source: Source) -> None:
    """Names are unique and relative, numbers are positive, tags are None or short printable text."""
    clips = list(source.clips())
    assert len({clip.name for clip in clips}) == len(clips)
    for clip in clips:
        assert clip.duration_s > 0
        assert clip.sample_rate_hz > 0
        assert clip.channels > 0
        assert not Path(clip.name).is_absolute()
        assert ".." not in clip.name
        texts = [getattr(clip, field.name) for field in fields(clip)]
        assert all(t.isprintable() and 0 < len(t) <= 200 for t in texts if isinstance(t, str))


def test_nothing_published_has_an_absolute_path(
    source: Source, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Spelling, clips and ledger do not tell where the data lie."""
    published = repr((source.spelling, list(source.clips()), source.ledger()))
    assert str(tmp_path_factory.getbasetemp()) not in published
    assert re.fullmatch(r"[0-9a-f]{64}", source.fingerprint())


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 44100, 48000])
def test_length_is_exact(source: Source, rate: int) -> None:
    """A clip of d seconds has round(d r) samples at rate r, finite and float32."""
    clip = next(source.clips())
    sound = source.read(clip, rate)
    assert sound.shape == (1, round(clip.duration_s * rate))
    assert sound.dtype == np.float32
    assert np.isfinite(sound).all()


@pytest.mark.parametrize("rate", [16000, 22050, 44100, 48000])
@pytest.mark.parametrize(("start_s", "duration_s"), [(0.0, 0.25), (0.3701, 0.41), (0.6, None)])
def test_part_equals_whole(source: Source, rate: int, start_s: float, duration_s: float | None) -> None:
    """A part holds the samples of the same stretch of the whole, to the resampler's rounding."""
    for clip in list(source.clips())[:2]:
        whole = source.read(clip, rate)
        part = source.read(clip, rate, start_s=start_s, duration_s=duration_s)
        first = round(start_s * rate)
        count = whole.shape[1] - first if duration_s is None else round(duration_s * rate)
        assert part.shape == (1, count)
        np.testing.assert_allclose(part, whole[:, first : first + count], atol=2e-6)


def test_mono_is_the_mean(source: Source) -> None:
    """One channel is the mean of all channels; copies of mono are equal."""
    clip = next(source.clips())
    own = source.read(clip, 16000, channels=clip.channels)
    assert own.shape[0] == clip.channels
    np.testing.assert_allclose(source.read(clip, 16000)[0], own.mean(axis=0), atol=1e-6)
    if clip.channels == 1:
        two = source.read(clip, 16000, channels=2)
        assert np.array_equal(two[0], two[1])


def test_impossible_parts_are_refused(source: Source) -> None:
    """A part that leaves the clip, a foreign clip and an impossible number of channels are errors."""
    clip = next(source.clips())
    end = f"{clip.duration_s:g}"
    message = f"expected a part of {clip.name!r} within 0 s to {end} s; got -1 s to 0 s"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        source.read(clip, 16000, start_s=-1.0, duration_s=1.0)
    with pytest.raises(InputError, match=r"^expected a part of"):
        source.read(clip, 16000, start_s=clip.duration_s, duration_s=1.0)
    with pytest.raises(InputError, match=r"^expected a part of"):
        source.read(clip, 16000, start_s=float("nan"))
    with pytest.raises(InputError, match=r"^expected a sample rate between 1 and 1000000 Hz; got 0 Hz$"):
        source.read(clip, 0)
    with pytest.raises(InputError, match=r"^expected a number of channels that"):
        source.read(clip, 16000, channels=0)
    with pytest.raises(InputError, match="likely cause: a clip of another source"):
        source.read(replace(clip, name="999/not-here"), 16000)


def test_clip_records_are_frozen() -> None:
    """A clip cannot be changed after it was made."""
    clip = Clip("p", "c", 1.0, 16000, 1)
    with pytest.raises(AttributeError, match=r"^cannot assign to field 'name'$"):
        clip.name = "d"  # type: ignore[misc]


def test_spelling_errors() -> None:
    """A misspelt source names the nearest one and lists all; a colon wants an argument."""
    listing = ", ".join(NAMES)
    message = (
        "expected a known source of music; got 'scoers'; "
        "likely cause: a misspelt name (did you mean 'scores'?); legal values: " + listing
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        open_music("scoers")
    message = "expected a source spelled name or name:argument; got 'folder:'; likely cause: nothing after "
    message += "the colon"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        open_music("folder:")
    with pytest.raises(
        InputError, match=r"^expected folder:PATH; got 'folder'; likely cause: the path is missing$"
    ):
        open_music("folder")
    with pytest.raises(InputError, match=r"^expected fma-full:PATH; got 'fma-full'; likely cause: the path"):
        open_music("fma-full")
    with pytest.raises(
        InputError, match=r"^expected 'scores' alone; got scores:x; likely cause: this source is"
    ):
        open_music("scores:x")
