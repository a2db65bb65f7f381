"""Unpacking within bounds: hostile and damaged archives leave nothing, and never write elsewhere."""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tests.shop import packed

from tonotopy.core.errors import InputError
from tonotopy.sound.sources import _unzip
from tonotopy.sound.sources._unzip import Bounds, unzip

METHODS = {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED, "bzip2": zipfile.ZIP_BZIP2}
NOISE = np.random.default_rng(0).bytes(400_000)
MUSIC = {
    "README.txt": b"read",
    "000/000002.mp3": NOISE,
    "000/000005.mp3": b"",
    "001/001000.mp3": NOISE[:1000],
}
BOUNDS = Bounds(
    re.compile(r"top/(?:README\.txt|\d{3}/\d{6}\.mp3)"), members=5, unpacked_bytes=10**7, ratio=20.0
)


def unpack(data: bytes, folder: Path, bounds: Bounds = BOUNDS) -> Path:
    """Unpack an archive given as bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "top.zip").write_bytes(data)
    unzip(folder / "top.zip", folder / "top", bounds)
    return folder / "top"


def refused(data: bytes, folder: Path, message: str, bounds: Bounds = BOUNDS) -> None:
    """An archive is refused with one line, and nothing but itself is left, inside its folder or outside."""
    with pytest.raises(InputError, match=message) as raised:
        unpack(data, folder / "in", bounds)
    assert "\n" not in str(raised.value)
    assert [path for path in folder.rglob("*") if path.is_file()] == [folder / "in" / "top.zip"]


def one(info: zipfile.ZipInfo, data: bytes = b"x") -> bytes:
    """An archive of one good member and a given one."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("top/README.txt", b"x")
        file.writestr(info, data)
    return buffer.getvalue()


def redeclared(
    data: bytes, *, size: int | None = None, crc: int | None = None, packed: int | None = None
) -> bytes:
    """An archive whose directory says something else of its last member."""
    changed = bytearray(data)
    entry = data.rindex(b"PK\1\2")
    for offset, value in ((16, crc), (20, packed), (24, size)):
        if value is not None:
            struct.pack_into("<I", changed, entry + offset, value)
    return bytes(changed)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_what_was_packed_is_unpacked(method: int, tmp_path: Path) -> None:
    """Every byte of every file, by each method, and nothing beside them."""
    top = unpack(packed("top", MUSIC, method), tmp_path)
    found = {path.relative_to(top).as_posix(): path.read_bytes() for path in top.rglob("*") if path.is_file()}
    assert found == MUSIC
    assert {path.name for path in tmp_path.iterdir()} == {"top", "top.zip"}


def test_entries_for_folders(tmp_path: Path) -> None:
    """Archives that name their folders as well are unpacked."""
    assert (unpack(one(zipfile.ZipInfo("top/000/")), tmp_path) / "README.txt").read_bytes() == b"x"


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/evil",
        "top/../../evil",
        "top\\..\\evil",
        "other/evil",
        "C:/evil",
        "../evil/",
        "top/x\0.mp3",
    ],
)
def test_names_that_lead_out(name: str, tmp_path: Path) -> None:
    """A member that would be written elsewhere spoils the whole archive, before anything is written."""
    info = zipfile.ZipInfo("x")
    info.filename = name  # as it is: the constructor would cut and turn it
    message = r"^expected plain files under top/; got '.*'; likely cause: an archive that would write outside"
    refused(one(info, b"" if name.endswith("/") else b"x"), tmp_path, message)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR])
def test_links_and_devices(kind: int, tmp_path: Path) -> None:
    """Only plain files are written, whatever their name."""
    info = zipfile.ZipInfo("top/000/000002.mp3")
    info.external_attr = (kind | 0o777) << 16
    message = (
        r"got a link or device, 'top/000/000002\.mp3'; likely cause: an archive that would write outside"
    )
    refused(one(info, b"/etc/passwd"), tmp_path, message)


def test_a_link_in_the_way(tmp_path: Path) -> None:
    """A link that lies where a file will be is replaced, not written through."""
    (tmp_path / "outside").write_bytes(b"precious")
    (tmp_path / "top.part").mkdir()
    (tmp_path / "top.part" / "README.txt").symlink_to(tmp_path / "outside")
    unpack(packed("top", MUSIC), tmp_path)
    assert (tmp_path / "outside").read_bytes() == b"precious"
    assert not (tmp_path / "top" / "README.txt").is_symlink()


@pytest.mark.parametrize(
    "name", ["top/evil.sh", "top/000/2.mp3", "top/000/000002.mp3/x", "top/000/00000²2.mp3"]
)
def test_unexpected_names(name: str, tmp_path: Path) -> None:
    """Harmless names that the archive should not have are refused as well."""
    message = r"^expected only the files of top; got '.*'; likely cause: not the released archive$"
    refused(one(zipfile.ZipInfo(name)), tmp_path, message)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice(tmp_path: Path) -> None:
    """Of two files with one name, neither is right."""
    refused(
        one(zipfile.ZipInfo("top/README.txt")), tmp_path, "^expected files under top/, each once; got a name"
    )


def test_encryption_and_other_methods(tmp_path: Path) -> None:
    """What is not read here is said to be."""
    data = bytearray(packed("top", MUSIC))
    data[data.rindex(b"PK\1\2") + 8] |= 1
    message = "^expected top.zip stored, deflated or bzip2; got another method or encryption in 'top/001/001000.mp3'"
    refused(bytes(data), tmp_path / "encrypted", message)
    refused(
        packed("top", {"README.txt": b"x"}, zipfile.ZIP_LZMA), tmp_path / "lzma", "^expected top.zip stored"
    )


# ---- bombs


def test_too_many_members(tmp_path: Path) -> None:
    """The number of members is bounded."""
    data = packed("top", {f"000/{number:06d}.mp3": b"" for number in range(6)})
    refused(
        data, tmp_path, "^expected at most 5 members in top.zip; got 6; likely cause: a decompression bomb$"
    )


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
@pytest.mark.parametrize(
    ("limit", "ratio", "said"), [(10**7, 1e9, "10,000,000"), (10**9, 20.0, "16,777,216")]
)
def test_an_honest_bomb(method: int, limit: int, ratio: float, said: str, tmp_path: Path) -> None:
    """An archive that declares more than its bounds, in bytes or as a ratio, is refused before it is unpacked."""
    data = packed("top", {"000/000002.mp3": bytes(20_000_000)}, method)
    message = f"^expected at most {said} bytes unpacked from top.zip; got 20,000,000; likely cause: a decomp"
    refused(data, tmp_path, message, Bounds(BOUNDS.names, 5, limit, ratio))


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_lying_bomb(method: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member that declares less than it holds is stopped there, even if its checksum fits what it declares."""
    data = redeclared(packed("top", {"000/000002.mp3": bytes(50_000_000)}, method), size=10, crc=0xE38A6876)
    assert zipfile.crc32(bytes(10)) == 0xE38A6876
    unpacked: list[int] = []
    real = _unzip._content
    monkeypatch.setattr(
        _unzip, "_content", lambda *words: (unpacked.append(len(block)) or block for block in real(*words))
    )
    refused(
        data,
        tmp_path,
        r"^expected 10 bytes, as declared; got more, from top/000/000002\.mp3; likely cause: a de",
    )
    assert sum(unpacked) <= _unzip._BLOCK


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_blocks_stay_small(method: int, tmp_path: Path) -> None:
    """However well a member is compressed, it passes through little memory."""
    path = tmp_path / "top.zip"
    path.write_bytes(packed("top", {"000/000002.mp3": bytes(5_000_000)}, method))
    with zipfile.ZipFile(path) as directory, path.open("rb") as file:
        sizes = [len(block) for block in _unzip._content(file, directory.infolist()[0])]
    assert sum(sizes) == 5_000_000
    assert max(sizes) <= _unzip._BLOCK


def test_members_that_overlap(tmp_path: Path) -> None:
    """Members that share their packed bytes are refused."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("top/000/000002.mp3", NOISE)
        again = zipfile.ZipInfo("top/000/000003.mp3")
        first = file.filelist[0]
        for name in ("CRC", "file_size", "compress_size", "header_offset"):
            setattr(again, name, getattr(first, name))
        file.filelist.append(again)
    refused(
        buffer.getvalue(),
        tmp_path,
        "^expected members of top.zip side by side; got members that overlap; likely",
    )


# ---- damage


@pytest.mark.parametrize(
    "data", [b"", b"no zip at all", packed("top", MUSIC)[:-30], packed("top", MUSIC)[:2000]], ids=range(4)
)
def test_no_archive(data: bytes, tmp_path: Path) -> None:
    """What is no archive, or only the beginning of one, is said to be damaged."""
    refused(
        data,
        tmp_path,
        "^expected a sound zip file with top/ in it; got 'top.zip'; likely cause: a damaged archive",
    )


def test_an_empty_archive(tmp_path: Path) -> None:
    """An archive without files is not the released one."""
    refused(
        packed("top", {}),
        tmp_path,
        "^expected files under top/, each once; got none; likely cause: not the rel",
    )


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_damage_in_the_middle(method: int, tmp_path: Path) -> None:
    """A byte that flipped on the way is noticed by each method."""
    data = bytearray(packed("top", MUSIC, method))
    data[200_000] ^= 0xFF
    refused(
        bytes(data),
        tmp_path,
        "^expected a sound zip file with top/ in it; got 'top.zip'; likely cause: a damaged",
    )


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("change", [{"size": 2000}, {"packed": 500}, {"crc": 1}])
def test_headers_that_lie(method: int, change: dict[str, int], tmp_path: Path) -> None:
    """A member with less in it than declared, without its end, or with another checksum is damaged."""
    refused(
        redeclared(packed("top", MUSIC, method), **change),
        tmp_path,
        "^expected a sound zip file with top/ in it",
    )


def test_headers_that_disagree(tmp_path: Path) -> None:
    """A member is named twice in an archive, and both must say the same."""
    data = packed("top", MUSIC).replace(b"top/README.txt", b"../../evil.txt", 1)
    refused(data, tmp_path, "likely cause: .*another name in the header of top/README.txt")


def test_any_flipped_byte(tmp_path: Path) -> None:
    """Whatever byte of the headers is wrong, the archive is unpacked as packed or refused; nothing else happens."""
    small = {"README.txt": b"read me", "000/000002.mp3": b"music" * 20}
    sound = packed("top", small)
    draw = np.random.default_rng(1)
    outcomes = {"refused": 0, "unpacked": 0}
    for number in range(400):
        data = bytearray(sound)
        data[draw.integers(len(data))] = draw.integers(256)
        folder = tmp_path / str(number)
        try:
            top = unpack(bytes(data), folder)
        except InputError:
            outcomes["refused"] += 1
            assert not (folder / "top").exists()
        else:
            outcomes["unpacked"] += 1
            found = {path.relative_to(top).as_posix(): path.read_bytes() for path in top.rglob("*.*")}
            assert set(found.items()) <= set(small.items())
        assert {path.name for path in folder.iterdir()} <= {"top", "top.zip"}
    assert min(outcomes.values()) > 20
