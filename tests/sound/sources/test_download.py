"""One large file over http: taken up, verified, bounded, whole or not there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.shop import Shop, opened

from tonotopy.core.errors import InputError
from tonotopy.sound.sources import _download
from tonotopy.sound.sources._download import MIB, TRIES, retrieve

DATA = hashlib.shake_256(b"seed").digest(300_000)


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop with one file."""
    with opened(Shop({"big.zip": DATA})) as shop:
        yield shop


def get(shop: Shop, folder: Path, **words: Any) -> Path:
    """Fetch that file."""
    words = {
        "sha1": hashlib.sha1(shop.files["big.zip"]).hexdigest(),
        "limit_bytes": MIB,
        "pause_s": 0.0,
    } | words
    return retrieve(f"{shop.url}big.zip", folder / "big.zip", **words)


def alone(folder: Path) -> bool:
    """Whether the whole file is there, and nothing else."""
    file = folder / "big.zip"
    return list(folder.iterdir()) == [file] and not file.is_symlink() and file.read_bytes() == DATA


def test_a_file_arrives(shop: Shop, tmp_path: Path) -> None:
    """The file is fetched once; a second call only verifies it."""
    assert get(shop, tmp_path) == tmp_path / "big.zip"
    assert alone(tmp_path)
    get(shop, tmp_path)
    assert shop.ranges("big.zip") == [None]


def test_broken_connections_are_resumed(shop: Shop, tmp_path: Path) -> None:
    """A connection that breaks again and again is taken up where it ended, and no byte is sent twice."""
    shop.break_after = 100_000
    get(shop, tmp_path)
    assert alone(tmp_path)
    assert shop.ranges("big.zip") == [None, "bytes=100000-", "bytes=200000-"]
    assert shop.sent["big.zip"] == len(DATA)


def test_a_second_call_resumes(shop: Shop, tmp_path: Path) -> None:
    """After the last try the part stays, the line says so, and the next call goes on from it."""
    shop.break_after = 20_000
    with pytest.raises(InputError) as raised:
        get(shop, tmp_path)
    assert str(raised.value) == (
        f"expected big.zip from {shop.url}big.zip; got a broken connection (ProtocolError) after 100,000 bytes, "
        "5 times; likely cause: no network, or a server that is down; the same call goes on from there"
    )
    assert {path.name: path.stat().st_size for path in tmp_path.iterdir()} == {"big.zip.part": 100_000}
    shop.break_after = None
    get(shop, tmp_path)
    assert alone(tmp_path)
    assert shop.asked[-1] == ("big.zip", "bytes=100000-")
    assert shop.sent["big.zip"] == len(DATA)


def test_a_long_download_may_break_often(shop: Shop, tmp_path: Path) -> None:
    """Breaks are counted anew after each mebibyte that arrived."""
    shop.files["big.zip"] = bytes(10 * MIB)
    shop.break_after = MIB
    get(shop, tmp_path, limit_bytes=11 * MIB)
    assert len(shop.asked) == 10 > TRIES
    assert shop.sent["big.zip"] == 10 * MIB


def test_pauses_grow(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pause is twice the one before, up to a minute."""
    pauses: list[float] = []
    monkeypatch.setattr(_download.time, "sleep", pauses.append)
    shop.answers = [503, 429, 500, 408]
    get(shop, tmp_path, pause_s=10.0)
    assert alone(tmp_path)
    assert pauses == [10.0, 20.0, 40.0, 60.0]


def test_a_server_without_ranges(shop: Shop, tmp_path: Path) -> None:
    """A server that answers a range with the whole file is not appended to the part."""
    (tmp_path / "big.zip.part").write_bytes(b"rubbish" * 1000)
    shop.ignore_range = True
    get(shop, tmp_path)
    assert alone(tmp_path)
    assert shop.ranges("big.zip") == ["bytes=7000-"]


@pytest.mark.parametrize("shift", [-10, 10])
def test_another_range_than_asked_for(shift: int, shop: Shop, tmp_path: Path) -> None:
    """An answer that begins earlier overwrites; one that leaves a gap starts the file anew."""
    (tmp_path / "big.zip.part").write_bytes(DATA[:1000])
    shop.shift = shift
    get(shop, tmp_path)
    assert alone(tmp_path)
    assert shop.ranges("big.zip") == ["bytes=1000-"] + [None] * (shift > 0)


def test_a_part_that_was_complete(shop: Shop, tmp_path: Path) -> None:
    """A call that ended after the last byte has nothing left to fetch."""
    (tmp_path / "big.zip.part").write_bytes(DATA)
    get(shop, tmp_path)
    assert alone(tmp_path)
    assert shop.sent["big.zip"] == 0


def test_a_part_that_is_too_long(shop: Shop, tmp_path: Path) -> None:
    """A part of something else is thrown away."""
    (tmp_path / "big.zip.part").write_bytes(DATA + b"more")
    get(shop, tmp_path)
    assert alone(tmp_path)
    assert shop.ranges("big.zip") == ["bytes=300004-", None]


def test_a_wrong_checksum(shop: Shop, tmp_path: Path) -> None:
    """A damaged file is removed, and both checksums are named."""
    found = hashlib.sha1(DATA).hexdigest()
    with pytest.raises(InputError) as raised:
        get(shop, tmp_path, sha1="0" * 40)
    assert str(raised.value) == (
        f"expected SHA-1 {'0' * 40} of big.zip; got {found}; likely cause: a damaged download or a file that "
        "was replaced; it is removed, the same call starts anew"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_replaced(shop: Shop, tmp_path: Path) -> None:
    """A file that is there under the right name with other content is fetched again."""
    (tmp_path / "big.zip").write_bytes(b"other")
    get(shop, tmp_path)
    assert alone(tmp_path)


def test_an_interrupted_checksum(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while a file is verified does not cost what was downloaded."""
    import pooch

    def interrupted(*_: object, **__: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pooch.core, "hash_matches", interrupted)
        with pytest.raises(KeyboardInterrupt):
            get(shop, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["big.zip.part"]
    get(shop, tmp_path)
    assert alone(tmp_path)
    assert shop.sent["big.zip"] == len(DATA)


def test_a_file_system_without_links(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are no symbolic links, the file arrives as well."""

    def refused(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "symlink_to", refused)
    get(shop, tmp_path)
    assert alone(tmp_path)


@pytest.mark.parametrize(
    ("status", "came"), [(403, "HTTP 403"), (302, "HTTP 302 to http://127.0.0.1:9/elsewhere")]
)
def test_no_such_file(status: int, came: str, shop: Shop, tmp_path: Path) -> None:
    """A withdrawn file is an error at once; a redirection to another place is named, not followed."""
    shop.answers = [status] * 2
    url = f"{shop.url}big.zip"
    message = f"expected big.zip at {url}; got {came}; likely cause: moved or withdrawn"
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        get(shop, tmp_path)
    assert len(shop.asked) == 1


def test_no_server(shop: Shop, tmp_path: Path) -> None:
    """No connection at all is one line after the last try."""
    url = "http://127.0.0.1:9/big.zip"
    message = r"got a broken connection \(ConnectionError\) after 0 bytes, 5 times; likely cause: no network"
    with pytest.raises(InputError, match=message):
        retrieve(url, tmp_path / "big.zip", sha1="0" * 40, limit_bytes=MIB, pause_s=0.0)
    assert list(tmp_path.iterdir()) == []


def test_more_bytes_than_expected(shop: Shop, tmp_path: Path) -> None:
    """A server cannot fill the disk."""
    with pytest.raises(
        InputError, match=r"got more than 200,000 bytes; likely cause: another file of that name$"
    ):
        get(shop, tmp_path, limit_bytes=200_000)
    assert list(tmp_path.iterdir()) == []


def test_plain_connections_are_refused(tmp_path: Path) -> None:
    """Nothing is fetched without encryption from another machine."""
    message = r"^expected an https address; got 'http://example.org/big.zip'; likely cause: data are never"
    with pytest.raises(InputError, match=message):
        retrieve("http://example.org/big.zip", tmp_path / "big.zip", sha1="", limit_bytes=1)
