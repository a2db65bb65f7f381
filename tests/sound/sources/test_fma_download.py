"""Fetching FMA from beginning to end, against a small release served on loopback."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from urllib.parse import urlsplit

import pytest
from tests.shop import Shop, fma_shop, opened

from tonotopy.core.errors import InputError
from tonotopy.sound.sources import _download, _fma_download, _unzip, open_music
from tonotopy.sound.sources._fma_download import ARCHIVES, OFFICIAL, Archive, Fetched
from tonotopy.sound.sources.fma import download

TRACKS = ["000/000002.mp3", "000/000005.mp3", "001/001000.mp3"]


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop with a small set and its metadata, open for the length of a test."""
    with opened(fma_shop(tmp_path_factory.mktemp("release"))) as shop:
        yield shop


def get(shop: Shop, folder: Path, **words: Any) -> Fetched:
    """Download the small set from the shop."""
    archives = words.pop("archives", None) or shop.archives()
    return download("small", folder, base_url=shop.url, archives=archives, pause_s=0.0, **words)


def names(folder: Path) -> set[str]:
    """What lies in a folder."""
    return {path.name for path in folder.iterdir()}


def test_from_the_archive_to_music(shop: Shop, tmp_path: Path) -> None:
    """Both archives are fetched once, unpacked, deleted, and the folder opens as a source of music."""
    found = get(shop, tmp_path / "fma")
    assert found == Fetched(tmp_path / "fma", ("fma_metadata", "fma_small"), (), 3, 3)
    assert names(tmp_path / "fma") == {"fma_metadata", "fma_small"}
    clips = list(open_music(f"fma-small:{found.folder}").clips())
    assert [clip.name for clip in clips] == TRACKS
    assert [clip.piece for clip in clips] == ["artist 1", "artist 1", "artist 7"]
    assert shop.sent == {name: len(data) for name, data in shop.files.items()}


def test_a_second_call_does_nothing(shop: Shop, tmp_path: Path) -> None:
    """What is there is not asked for again, and the answer says so."""
    get(shop, tmp_path)
    shop.asked.clear()
    found = get(shop, tmp_path)
    assert (found.fetched, found.already_there, shop.asked) == ((), ("fma_metadata", "fma_small"), [])


def test_archives_can_be_kept(shop: Shop, tmp_path: Path) -> None:
    """Kept archives are whole, and serve a later call when what was unpacked is gone."""
    get(shop, tmp_path, keep_archives=True)
    assert (tmp_path / "fma_small.zip").read_bytes() == shop.files["fma_small.zip"]
    assert not (tmp_path / "fma_small.zip").is_symlink()
    shutil.rmtree(tmp_path / "fma_small")
    shop.asked.clear()
    assert get(shop, tmp_path).tracks == 3
    assert shop.asked == []
    assert names(tmp_path) == {"fma_metadata.zip", "fma_metadata", "fma_small"}


def test_progress_reaches_its_end(shop: Shop, tmp_path: Path) -> None:
    """Each step tells how far it is, never beyond its end."""
    told: list[tuple[int, int, str]] = []
    get(shop, tmp_path, progress=lambda *words: told.append(words))
    assert all(0 <= done <= total for done, total, _ in told)
    said = {label for _, _, label in told}
    assert {"MiB of fma_small.zip", "checking fma_small.zip", "MiB unpacked of fma_small"} <= said


def test_an_archive_of_another_layout(shop: Shop, tmp_path: Path) -> None:
    """An archive with files that the release does not have is refused whole."""
    from tests.shop import packed

    shop.files["fma_small.zip"] = packed("fma_small", {"000/000002.mp3": b"x", "setup.py": b"x"})
    message = "expected only the files of fma_small; got 'fma_small/setup.py'; likely cause: not the released"
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        get(shop, tmp_path)
    assert names(tmp_path) == {"fma_metadata", "fma_small.zip"}


# ---- interruptions


def test_an_interrupted_unzip_goes_on(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C amid unpacking, the next call downloads nothing and unpacks only what is missing."""
    real, unpacked = _unzip._unpack_one, []

    def unpack(file: Any, info: Any, path: Path) -> None:
        if info.filename == f"fma_small/{TRACKS[1]}" and TRACKS[1] not in unpacked:
            unpacked.append(TRACKS[1])
            path.with_name(path.name + ".part").write_bytes(b"half")
            raise KeyboardInterrupt
        unpacked.append(info.filename)
        real(file, info, path)

    monkeypatch.setattr(_unzip, "_unpack_one", unpack)
    with pytest.raises(KeyboardInterrupt):
        get(shop, tmp_path)
    assert names(tmp_path) == {"fma_metadata", "fma_small.part", "fma_small.zip"}
    kept = tmp_path / "fma_small.part" / TRACKS[0]
    kept_then = kept.stat().st_mtime_ns
    # A file that a failing machine left damaged is told from one that is whole.
    (tmp_path / "fma_small.part" / "README.txt").write_bytes(b"XXX")
    shop.asked.clear()
    unpacked[:] = [TRACKS[1]]
    get(shop, tmp_path)
    assert shop.asked == []
    assert unpacked[1:] == ["fma_small/README.txt", *(f"fma_small/{name}" for name in TRACKS[1:])]
    assert (tmp_path / "fma_small" / TRACKS[0]).stat().st_mtime_ns == kept_then
    assert names(tmp_path) == {"fma_metadata", "fma_small"}
    assert not list(tmp_path.rglob("*.part"))
    assert len(list(open_music(f"fma-small:{tmp_path}").clips())) == 3


def test_two_downloads_into_one_folder(shop: Shop, tmp_path: Path) -> None:
    """The second is told to wait; two would write into one file."""
    with _fma_download._locked(tmp_path), pytest.raises(InputError) as raised:
        get(shop, tmp_path)
    assert str(raised.value) == (
        f"expected one download at a time into {tmp_path}; got another at work; "
        "likely cause: wait for it, or name another folder"
    )
    get(shop, tmp_path)


# ---- a full disk


def test_too_little_room_is_known_before(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sizes are named before anything is fetched."""
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, 3 << 30))
    with pytest.raises(InputError) as raised:
        download("small", tmp_path, base_url=shop.url)
    assert str(raised.value) == (
        f"expected 16.5 GiB of free disk in {tmp_path} for fma_metadata (342 MiB packed, 1.7 GiB unpacked) "
        "and fma_small (7.2 GiB packed, 7.6 GiB unpacked); got 3.0 GiB; "
        "likely cause: a disk too full: make room, or name another folder"
    )
    assert shop.asked == []


def test_what_is_there_needs_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of an archive, and files that are unpacked, count as room already taken."""
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, 130))
    archive = Archive("fma_small", 100, 110, 1, "")
    with pytest.raises(InputError, match="free disk"):
        _fma_download._check_room(tmp_path, [archive], keep_archives=False)
    (tmp_path / "fma_small.zip.part").write_bytes(bytes(50))
    (tmp_path / "fma_small.part" / "000").mkdir(parents=True)
    (tmp_path / "fma_small.part" / "000" / "000002.mp3").write_bytes(bytes(30))
    _fma_download._check_room(tmp_path, [archive], keep_archives=False)


class Full:
    """A file on a disk with room for some more bytes."""

    def __init__(self, file: Any, room: int) -> None:
        self.file, self.room = file, room

    def __enter__(self) -> Full:
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()

    def truncate(self, size: int) -> None:
        self.file.truncate(size)

    def write(self, data: bytes) -> None:
        self.file.write(data[: self.room])
        if len(data) > self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= len(data)


@pytest.mark.parametrize(
    ("full", "kept"),
    [
        ("fma_small.zip.part", {"fma_metadata", "fma_small.zip.part"}),
        ("000005.mp3.part", {"fma_metadata", "fma_small.zip", "fma_small.part"}),
    ],
)
def test_a_disk_that_fills(
    full: str, kept: set[str], shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of the disk, in a download or while unpacking, is one line; the next call goes on from there."""
    real = Path.open
    with monkeypatch.context() as patch:
        patch.setattr(
            Path,
            "open",
            lambda path, *words, **named: (
                Full(real(path, *words, **named), 1000) if path.name == full else real(path, *words, **named)
            ),
        )
        with pytest.raises(InputError) as raised:
            get(shop, tmp_path)
    assert str(raised.value) == (
        f"expected room for fma_small in {tmp_path}; got a full disk; "
        "likely cause: finished work is kept: make room and give the same command again"
    )
    assert names(tmp_path) == kept
    get(shop, tmp_path)
    assert names(tmp_path) == {"fma_metadata", "fma_small"}
    assert shop.ranges("fma_small.zip") == ([None, "bytes=1000-"] if "zip" in full else [None])


def test_a_disk_too_small_for_what_is_unpacked(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before unpacking, room is asked for again, now by the exact size; the archive is kept."""
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(_fma_download, "_check_room", lambda *_, **__: None)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, 10))
    with pytest.raises(InputError, match=r"^expected room for fma_metadata in .*; got a full disk; likely"):
        get(shop, tmp_path)
    assert names(tmp_path) == {"fma_metadata.zip"}


def test_a_file_system_for_small_files(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some file systems end at 4 GiB a file; other faults of the machine pass as they are."""
    message = (
        r"^expected files of \d+ MiB in .*; got too large a file; likely cause: a file system such as FAT32"
    )
    for number, kind, said in ((errno.EFBIG, InputError, message), (errno.EROFS, OSError, "Read-only")):
        error = OSError(number, os.strerror(number))
        monkeypatch.setattr(_fma_download, "retrieve", Mock(side_effect=error))
        with pytest.raises(kind, match=said):
            get(shop, tmp_path)


# ---- doors


def test_an_unknown_size(tmp_path: Path) -> None:
    """The metadata alone are no size."""
    for name in ("tiny", "metadata"):
        message = f"^expected a size of FMA; got '{name}'; legal values: small, medium, large, full$"
        with pytest.raises(InputError, match=message):
            download(name, tmp_path)


def test_the_official_list() -> None:
    """Five archives with distinct, well-formed checksums, the larger the later, from one place over https."""
    assert list(ARCHIVES) == ["metadata", "small", "medium", "large", "full"]
    sums = [archive.sha1 for archive in ARCHIVES.values()]
    assert len(set(sums)) == 5
    assert all(re.fullmatch("[0-9a-f]{40}", one) for one in sums)
    sizes = [archive.size_bytes for archive in ARCHIVES.values()]
    assert sizes == sorted(sizes)
    assert urlsplit(OFFICIAL).scheme == "https"


def test_no_other_host_is_named() -> None:
    """The code that fetches music knows one address."""
    for module in (_download, _unzip, _fma_download):
        text = Path(module.__file__ or "").read_text(encoding="utf-8")
        assert set(re.findall(r"https?://[\w.]+", text)) <= {OFFICIAL.removesuffix("/fma/")}


@pytest.mark.parametrize(
    ("kind", "name", "fits"),
    [
        ("metadata", "fma_metadata/raw_tracks.csv", True),
        ("metadata", "fma_metadata/not_found.pickle", True),
        ("metadata", "fma_metadata/sub/tracks.csv", False),
        ("small", "fma_small/098/098565.mp3", True),
        ("small", "fma_small/checksums", True),
        ("small", "fma_small/98/98565.mp3", False),
        ("small", "fma_small/098/098565.mp3.exe", False),
        ("small", "fma_large/098/098565.mp3", False),
    ],
)
def test_names_in_the_release(kind: str, name: str, fits: bool) -> None:
    """The names that the script which made the archives writes, and no others."""
    assert bool(ARCHIVES[kind].bounds().names.fullmatch(name)) is fits
