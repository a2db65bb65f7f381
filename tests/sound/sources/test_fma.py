"""FMA: its layout, its table, its known faults."""

from __future__ import annotations

import gzip
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tonotopy.core.errors import InputError
from tonotopy.sound.sources import _fma_tracks, fma, open_music

HEAD = (
    ",artist,artist,set,set,track,track,track\n"
    ",id,name,split,subset,genre_top,license,title\n"
    "track_id,,,,,,,\n"
)


def put(root: Path, number: int, *, folder: str = "fma_small", seconds: float = 0.5) -> Path:
    """Write a small mp3 where FMA keeps a track."""
    path = root / folder / f"{number // 1000:03d}" / f"{number:06d}.mp3"
    path.parent.mkdir(parents=True, exist_ok=True)
    sound = 0.1 * np.random.default_rng(number).standard_normal(int(44100 * seconds))
    soundfile.write(path, sound, 44100)
    return path


def table(root: Path, *rows: str, name: str = "tracks.csv") -> None:
    """Write a table of tracks with the given rows."""
    (root / "fma_metadata").mkdir(parents=True, exist_ok=True)
    data = (HEAD + "".join(row + "\n" for row in rows)).encode()
    (root / "fma_metadata" / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)


@pytest.mark.parametrize("name", ["tracks.csv", "tracks.csv.gz"])
def test_metadata(tmp_path: Path, name: str) -> None:
    """Artist, genre, split and licence come from the table, plain or gzipped, quoted newlines and all."""
    put(tmp_path, 2)
    table(tmp_path, '2,1,AWOL,validation,small,Hip-Hop,CC BY,"Two\n<b>lines</b>, quoted"', name=name)
    clip = next(open_music(f"fma-small:{tmp_path}").clips())
    assert (clip.piece, clip.name, clip.artist) == ("artist 1", "000/000002.mp3", "AWOL")
    assert (clip.group, clip.split, clip.licence) == ("Hip-Hop", "validation", "CC BY")
    assert clip.title == "Two <b>lines</b>, quoted"


def test_one_artist_is_one_piece(tmp_path: Path) -> None:
    """Tracks of one artist share the piece; artists of one name and two numbers do not."""
    for number in (2, 3, 4):
        put(tmp_path, number)
    table(tmp_path, "2,1,A,,small,,,", "3,1,A,,small,,,", "4,9,A,,small,,,")
    assert [clip.piece for clip in open_music(f"fma-small:{tmp_path}").clips()] == [
        "artist 1",
        "artist 1",
        "artist 9",
    ]


def test_without_metadata(tmp_path: Path) -> None:
    """Without a table every track is a piece, and the ledger says so."""
    put(tmp_path, 2)
    put(tmp_path, 140)
    source = open_music(f"fma-small:{tmp_path}")
    assert [clip.piece for clip in source.clips()] == ["track 2", "track 140"]
    reasons = [(entry.name, entry.reason) for entry in source.ledger()]
    assert reasons == [("fma_metadata", "no tracks.csv: each track counts as a piece of its own")]


def test_sizes_are_nested(tmp_path: Path) -> None:
    """Medium holds small; large holds both; the folder of a larger set serves a smaller one."""
    for number in (1, 2, 3):
        put(tmp_path, number, folder="fma_large")
    table(tmp_path, "1,1,A,,small,,,", "2,2,B,,medium,,,", "3,3,C,,large,,,")
    for size, numbers in (("small", [1]), ("medium", [1, 2]), ("large", [1, 2, 3])):
        clips = open_music(f"fma-{size}:{tmp_path}").clips()
        assert [int(clip.name[4:10]) for clip in clips] == numbers
    with pytest.raises(
        InputError, match=r"^expected a folder with FMA's full set; got .*; legal values: fma_full/$"
    ):
        open_music(f"fma-full:{tmp_path}")


def test_the_audio_folder_itself(tmp_path: Path) -> None:
    """PATH may be fma_small itself; its metadata are found beside it."""
    put(tmp_path, 2)
    table(tmp_path, "2,1,AWOL,training,small,Hip-Hop,,")
    assert next(open_music(f"fma-small:{tmp_path / 'fma_small'}").clips()).piece == "artist 1"


def test_ledger(tmp_path: Path) -> None:
    """Known bad clips, missing files, unlisted files, damaged files and rows without number are entered."""
    for number in (1, 7, 98565, 99134):
        put(tmp_path, number)
    put(tmp_path, 3).write_text("not music")
    rows = [f"{number},1,A,,small,,," for number in (1, 3, 5, 98565, 99134, "x")]
    table(tmp_path, *rows)
    source = open_music(f"fma-small:{tmp_path}")
    assert [clip.name for clip in source.clips()] == ["000/000001.mp3"]
    assert {entry.name: entry.reason for entry in source.ledger()} == {
        "000/000003.mp3": "cannot be decoded: the content is of no format that is read",
        "000/000005.mp3": "listed in tracks.csv, but there is no such file",
        "000/000007.mp3": "not listed in tracks.csv",
        "098/098565.mp3": "a known bad clip of FMA: 1.6 s or less",
        "099/099134.mp3": "a known bad clip of FMA: no audio",
        "tracks.csv row 9": "no track number of its own",
    }


def test_a_truncated_clip_is_entered_when_read(tmp_path: Path) -> None:
    """A clip whose header lies raises when its missing end is read, and is in the ledger from then on."""
    path = put(tmp_path, 2, seconds=5.0)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    source = open_music(f"fma-small:{tmp_path}")
    clip = next(source.clips())
    message = (
        "expected a readable audio file; got '000002.mp3'; likely cause: damaged or gone since it was listed"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        source.read(clip, 16000)
    assert ("000/000002.mp3", "damaged or gone since it was listed") in {
        (e.name, e.reason) for e in source.ledger()
    }


@pytest.mark.parametrize("text", ["", "a,b\n", "\0\0\0", "x,y\nz,w\n,\n1,2\n"])
def test_a_table_that_is_none(tmp_path: Path, text: str) -> None:
    """A damaged table is an error at the door, not a set without metadata."""
    put(tmp_path, 2)
    (tmp_path / "fma_metadata").mkdir()
    (tmp_path / "fma_metadata" / "tracks.csv").write_text(text)
    message = (
        r"^expected FMA's table of tracks; got 'tracks.csv'; likely cause: damaged, or another file of that"
    )
    with pytest.raises(InputError, match=message):
        open_music(f"fma-small:{tmp_path}")


def test_a_table_that_unpacks_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compressed table may not unpack to more than its bound."""
    put(tmp_path, 2)
    table(tmp_path, "2,1,A,,small,,," + "x" * 3_000_000, name="tracks.csv.gz")
    monkeypatch.setattr(_fma_tracks, "LONGEST_BYTES", 1_000_000)
    with pytest.raises(InputError, match=r"^expected FMA's table of tracks; got 'tracks.csv.gz'"):
        open_music(f"fma-small:{tmp_path}")


def test_a_real_clip_and_its_row(data_dir: Path, tmp_path: Path) -> None:
    """The first track of FMA, with a real cut of its table: artist, genre, licence, 30 s of stereo."""
    (tmp_path / "fma_small" / "000").mkdir(parents=True)
    shutil.copy(data_dir / "fma" / "000002.mp3", tmp_path / "fma_small" / "000")
    (tmp_path / "fma_metadata").mkdir()
    shutil.copy(data_dir / "fma" / "tracks_head682.csv.gz", tmp_path / "fma_metadata" / "tracks.csv.gz")
    source = open_music(f"fma-small:{tmp_path}")
    (clip,) = source.clips()
    assert (clip.piece, clip.artist, clip.title, clip.group) == ("artist 1", "AWOL", "Food", "Hip-Hop")
    assert clip.licence == "Attribution-NonCommercial-ShareAlike 3.0 International"
    assert clip.duration_s == pytest.approx(29.98, abs=0.01)
    assert len(source.ledger()) == 57
    whole, part = source.read(clip, 24000), source.read(clip, 24000, start_s=20.0, duration_s=2.0)
    np.testing.assert_allclose(part, whole[:, 480000:528000], atol=1e-6)


def test_a_real_index_of_all_small_tracks(data_dir: Path) -> None:
    """An index of fma_small has 8,000 tracks in eight genres of a thousand."""
    tracks, bad = _fma_tracks.read_tracks(data_dir / "fma" / "fma_small_index.csv.gz")
    genres = [track.genre for track in tracks.values()]
    assert len(tracks) == 8000
    assert not bad
    assert {genres.count(genre) for genre in set(genres)} == {1000}
    assert tracks.keys() >= (fma.TOO_SHORT | fma.NO_AUDIO)
