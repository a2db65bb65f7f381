"""A folder of recordings: what counts as a piece, and how each bad file is named in the ledger."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tonotopy.core.errors import InputError
from tonotopy.sound.sources import Source, open_music
from tonotopy.sound.sources.folder import FolderSource

RATE = 22050
FORMATS = ("wav", "flac", "ogg", "mp3", "aiff", "opus")


def noise(seconds: float = 0.5, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Noise ``[time, channel]``."""
    return 0.1 * np.random.default_rng(seed).standard_normal((int(seconds * RATE), channels))


def write(path: Path, sound: np.ndarray, *, rate: int = RATE, subtype: str | None = None) -> Path:
    """Write a file of any format by its extension."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".opus":
        soundfile.write(path, sound, 24000, format="OGG", subtype="OPUS")
    else:
        soundfile.write(path, sound, rate, subtype=subtype)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one good file, so that it can be opened."""
    write(tmp_path / "music" / "good.wav", noise(seed=99))
    return tmp_path / "music"


def opened(folder: Path) -> Source:
    """The folder as a source, run through once."""
    source = open_music(f"folder:{folder}")
    list(source.clips())
    return source


def ledger(folder: Path) -> dict[str, str]:
    """Reasons by name."""
    return {entry.name: entry.reason for entry in opened(folder).ledger()}


# mp3 holds at most two channels.
@pytest.mark.parametrize(
    ("suffix", "channels"), [(s, n) for s in FORMATS for n in (1, 2, 5) if (s, n) != ("mp3", 5)]
)
def test_every_format_and_channel_count(folder: Path, suffix: str, channels: int) -> None:
    """Each format is read with any number of channels it can hold."""
    write(folder / f"a.{suffix}", noise(channels=channels))
    clip = {clip.name: clip for clip in opened(folder).clips()}[f"a.{suffix}"]
    assert clip.channels == channels
    assert clip.duration_s == pytest.approx(0.5, abs=0.05)
    assert opened(folder).read(clip, 16000).shape[0] == 1


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 96000, 192000])
def test_a_tone_keeps_its_place(folder: Path, rate: int) -> None:
    """A 440 Hz tone of any sample rate reads back as itself, sample by sample, away from the edges."""
    time = np.arange(rate) / rate
    write(folder / "tone.wav", 0.3 * np.sin(2 * np.pi * 440 * time), rate=rate, subtype="FLOAT")
    source = opened(folder)
    clip = next(clip for clip in source.clips() if clip.name == "tone.wav")
    heard = source.read(clip, 24000)[0]
    wanted = 0.3 * np.sin(2 * np.pi * 440 * np.arange(24000) / 24000)
    np.testing.assert_allclose(heard[2000:-2000], wanted[2000:-2000], atol=1e-4)


def test_mp3_parts_are_exact_after_a_seek(folder: Path) -> None:
    """Parts of a quiet variable-rate mp3, whose frames borrow most from their past, equal the whole."""
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(4 * RATE) / RATE)
    soundfile.write(folder / "quiet.mp3", tone, RATE, bitrate_mode="VARIABLE")
    source = opened(folder)
    clip = next(clip for clip in source.clips() if clip.name == "quiet.mp3")
    whole = source.read(clip, RATE)
    for first in (11111, 23456, 50347, 59537):
        part = source.read(clip, RATE, start_s=first / RATE, duration_s=0.1)
        np.testing.assert_allclose(part, whole[:, first : first + part.shape[1]], atol=1e-5)


def test_text_under_an_audio_name(folder: Path) -> None:
    """A text file named mp3 goes to the ledger, without the path that the library's message would carry."""
    (folder / "words.mp3").write_text("no music here " * 500)
    assert ledger(folder) == {"words.mp3": "cannot be decoded: the content is of no format that is read"}


def test_lying_extension(folder: Path) -> None:
    """A wav file named mp3 is left out: nothing else about it can be believed."""
    write(folder / "x.wav", noise()).rename(folder / "x.mp3")
    assert ledger(folder) == {"x.mp3": "extension says mp3 but the content is WAV"}


@pytest.mark.parametrize(
    ("suffix", "reason"),
    [
        ("wav", r"truncated: the header promises \d+ bytes of sound, \d+ are there"),
        ("aiff", r"truncated: the header promises \d+ bytes of sound, \d+ are there"),
        ("ogg", "truncated: the stream ends without its end mark"),
        ("opus", "truncated: the stream ends without its end mark"),
        ("mp3", r"truncated: the header promises \d+ samples, \d+ can be decoded"),
        ("flac", "cannot be decoded: Error : flac decoder lost sync"),
    ],
)
def test_truncated(folder: Path, suffix: str, reason: str) -> None:
    """A file cut in half is recognised in every format."""
    path = write(folder / f"cut.{suffix}", noise(3.0))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert re.fullmatch(reason, ledger(folder)[f"cut.{suffix}"])


def test_empty_file_and_no_samples(folder: Path) -> None:
    """A file of no bytes and one of no samples are told apart."""
    (folder / "bytes.wav").touch()
    write(folder / "samples.wav", np.zeros((0, 1)))
    assert ledger(folder) == {"bytes.wav": "empty file", "samples.wav": "no samples"}


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite(folder: Path, bad: float) -> None:
    """A single sample that is no number is enough."""
    sound = noise()
    sound[7777] = bad
    write(folder / "nan.wav", sound, subtype="FLOAT")
    assert ledger(folder) == {"nan.wav": "samples that are not finite numbers"}


def test_silence_constant_and_other_scales(folder: Path) -> None:
    """Silence, a constant, and samples in the scale of integers are named; a mere offset is no fault."""
    write(folder / "dc.wav", np.full(RATE, 0.25), subtype="FLOAT")
    write(folder / "offset.wav", noise() + 0.25, subtype="FLOAT")
    write(folder / "scale.wav", noise() * 32768, subtype="FLOAT")
    write(folder / "silent.wav", np.zeros(RATE))
    reasons = ledger(folder)
    assert reasons.keys() == {"dc.wav", "scale.wav", "silent.wav"}
    assert reasons["dc.wav"] == "a constant of 0.25 all through"
    assert reasons["silent.wav"] == "silent all through"
    assert re.fullmatch(r"a peak of 1\.\d+e\+04 times full scale", reasons["scale.wav"])


def test_implausible_rate(folder: Path) -> None:
    """A header with a sample rate that no recording has is not believed."""
    write(folder / "slow.wav", noise(), rate=7)
    assert ledger(folder) == {"slow.wav": "implausible sample rate of 7 Hz"}


def test_the_same_recording_twice(folder: Path) -> None:
    """A copy, byte for byte, is no second piece."""
    shutil.copy(folder / "good.wav", folder / "zz.wav")
    assert ledger(folder) == {"zz.wav": "the same content as good.wav"}
    source = opened(folder)
    assert list(source.clips()) == list(source.clips())


def test_unreadable_formats_are_named_and_hidden_files_are_not(folder: Path) -> None:
    """A format that is not decoded here has an entry; hidden files and other papers have none."""
    (folder / "song.m4a").write_bytes(b"x")
    (folder / "README.txt").write_text("x")
    write(folder / ".hidden.wav", noise())
    write(folder / ".cache" / "x.wav", noise())
    source = opened(folder)
    assert [(e.name, e.reason) for e in source.ledger()] == [("song.m4a", "m4a is not decoded here")]
    assert [clip.name for clip in source.clips()] == ["good.wav"]


def test_links_do_not_lead_out(folder: Path, tmp_path: Path) -> None:
    """Links out of the folder, to folders, and to nothing are entered and not followed."""
    write(tmp_path / "secret" / "s.wav", noise(seed=5))
    (folder / "out.wav").symlink_to(tmp_path / "secret" / "s.wav")
    (folder / "gone.wav").symlink_to(folder / "nowhere.wav")
    (folder / "loop").symlink_to(folder)
    assert ledger(folder) == {
        "gone.wav": "a link to nothing",
        "loop": "a link to a folder is not followed",
        "out.wav": "a link out of the folder is not followed",
    }


def test_stems_are_one_piece(folder: Path) -> None:
    """A subfolder of files named as stems is one clip, and its sound is their sum."""
    guitar, song = noise(channels=1, seed=1), noise(channels=2, seed=2)
    write(folder / "track" / "guitar.wav", guitar, subtype="FLOAT")
    write(folder / "track" / "song.wav", song, subtype="FLOAT")
    source = opened(folder)
    clip = next(clip for clip in source.clips() if clip.name == "track")
    assert (clip.piece, clip.channels, clip.group) == ("track", 2, None)
    np.testing.assert_allclose(source.read(clip, RATE, channels=2), (guitar + song).T, atol=1e-6)


def test_stems_by_folder_name_and_with_a_mix(folder: Path) -> None:
    """A folder named stems needs no stem names; a full mix beside its stems is read alone."""
    for index, name in enumerate(("a", "b")):
        write(folder / "live_stems" / f"{name}.wav", noise(seed=index))
    write(folder / "mixed" / "drums.wav", noise(seed=3))
    mix = noise(seed=4)
    write(folder / "mixed" / "mixture.wav", mix, subtype="FLOAT")
    source = opened(folder)
    clips = {clip.name: clip for clip in source.clips()}
    assert clips.keys() == {"good.wav", "live_stems", "mixed"}
    np.testing.assert_allclose(source.read(clips["mixed"], RATE), mix.T, atol=1e-6)


def test_equal_lengths_do_not_make_stems(folder: Path) -> None:
    """A subfolder of excerpts of equal length stays as many pieces, grouped by folder."""
    for index in range(3):
        write(folder / "album" / f"excerpt{index}.wav", noise(seed=index))
    clips = [clip for clip in opened(folder).clips() if clip.group == "album"]
    assert [clip.piece for clip in clips] == [f"album/excerpt{i}.wav" for i in range(3)]


def test_faulty_stems(folder: Path) -> None:
    """Unequal stems and a broken one spoil the piece by name; one silent stem does not."""
    write(folder / "long" / "bass.wav", noise(0.5, seed=1))
    write(folder / "long" / "drums.wav", noise(0.8, seed=2))
    write(folder / "bad" / "bass.wav", noise(seed=3))
    (folder / "bad" / "vocals.wav").touch()
    write(folder / "quiet" / "bass.wav", noise(seed=4))
    write(folder / "quiet" / "vocals.wav", np.zeros(RATE // 2))
    assert ledger(folder) == {
        "bad": "vocals.wav: empty file",
        "long": "stems of unequal length: 0.50 s to 0.80 s",
    }


def test_tags_are_tidied(folder: Path) -> None:
    """Tags come as one line of bounded, printable text, and the licence is found under either name."""
    with soundfile.SoundFile(folder / "tagged.flac", "w", RATE, 1) as file:
        file.title, file.artist = "A \x1b[31m red\n title", "x" * 5000
        file.license = "CC0"
        file.write(noise(seed=8))
    clip = next(clip for clip in opened(folder).clips() if clip.name == "tagged.flac")
    assert (clip.title, clip.licence) == ("A [31m red title", "CC0")
    assert clip.artist == "x" * 200


def test_odd_names(folder: Path) -> None:
    """Names with spaces, accents, control characters and undecodable bytes are listed and can be read."""
    write(folder / "Für Elise (live).wav", noise(seed=1))
    write(folder / "line\nbreak.wav", noise(seed=2))
    os.rename(  # noqa: PTH104 - a name of raw bytes
        os.fsencode(write(folder / "raw.wav", noise(seed=3))), os.fsencode(folder) + b"/raw\xff.wav"
    )
    source = opened(folder)
    names = [clip.name for clip in source.clips()]
    assert names == ["Für Elise (live).wav", "good.wav", "line\\nbreak.wav", "raw\\udcff.wav"]
    assert all(source.read(clip, 8000).any() for clip in source.clips())
    assert source.fingerprint() == opened(folder).fingerprint()


def test_fingerprint_follows_content_and_names_not_places(folder: Path, tmp_path: Path) -> None:
    """A copy elsewhere has the same fingerprint; a renamed or changed file does not."""
    copy = tmp_path / "elsewhere" / "music"
    shutil.copytree(folder, copy)
    first = opened(folder).fingerprint()
    assert opened(copy).fingerprint() == first
    (copy / "good.wav").rename(copy / "other.wav")
    assert opened(copy).fingerprint() != first
    write(folder / "good.wav", noise(seed=100))
    assert opened(folder).fingerprint() != first


def test_a_file_that_goes_bad_between_listing_and_reading(folder: Path) -> None:
    """Reading a file that was damaged since it was listed raises, naming the file and no path."""
    path = write(folder / "late.mp3", noise(3.0))
    source = opened(folder)
    clip = next(clip for clip in source.clips() if clip.name == "late.mp3")
    path.write_bytes(path.read_bytes()[:8000])
    message = (
        "expected a readable audio file; got 'late.mp3'; likely cause: damaged or gone since it was listed"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        source.read(clip, 16000)


def test_empty_and_absent_folders(tmp_path: Path) -> None:
    """No folder, and a folder without audio, are errors at the door."""
    with pytest.raises(
        InputError, match=r"^expected a folder of audio files; got .*; likely cause: no such folder$"
    ):
        FolderSource(tmp_path / "nowhere")
    with pytest.raises(
        InputError, match=r"likely cause: no file of a format that is read; legal values: aif, "
    ):
        FolderSource(tmp_path)


def test_recorded_game_music(data_dir: Path) -> None:
    """Real recordings: two pieces with their tags, and two stems of a third as one."""
    source = open_music(f"folder:{data_dir / 'game_music'}")
    clips = {clip.name: clip for clip in source.clips()}
    assert clips.keys() == {"chimes_they_fade.ogg", "hr3-crossroads.ogg", "metal_madness"}
    assert clips["chimes_they_fade.ogg"].artist == "Maxstack"
    assert clips["chimes_they_fade.ogg"].licence == "http://creativecommons.org/licenses/by-sa/3.0/"
    part = source.read(clips["metal_madness"], 44100, start_s=60.0, duration_s=1.0, channels=2)
    alone = [
        soundfile.read(
            data_dir / "game_music" / "metal_madness" / f"{name}.ogg", start=2646000, frames=44100
        )[0]
        for name in ("guitar", "song")
    ]
    np.testing.assert_allclose(part, (alone[0] + alone[1]).T, atol=1e-5)


def test_twelve_recorded_pieces(data_dir: Path) -> None:
    """The twelve held-out recordings are twelve pieces of 30 s, with nothing in the ledger."""
    source = open_music(f"folder:{data_dir / 'music12'}")
    clips = list(source.clips())
    assert len({clip.piece for clip in clips}) == 12
    assert all(clip.duration_s == pytest.approx(30.0, abs=0.05) for clip in clips)
    assert source.ledger() == ()
