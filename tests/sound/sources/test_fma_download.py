"""The downloader, against a small archive served on loopback."""

from __future__ import annotations

import hashlib
import http.server
import io
import re
import stat
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tonotopy.core.errors import InputError
from tonotopy.sound.sources import _fma_download
from tonotopy.sound.sources._fma_download import ARCHIVES, Archive
from tonotopy.sound.sources.fma import download


@dataclass
class Shop:
    """A server of archives, with the ways in which it misbehaves."""

    files: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    break_after: int | None = None
    ignore_range: bool = False
    url: str = ""

    def archives(self) -> dict[str, Archive]:
        """What an honest list of these files says."""
        return {
            name.removeprefix("fma_").removesuffix(".zip"): Archive(
                name.removesuffix(".zip"), len(data), hashlib.sha1(data).hexdigest()
            )
            for name, data in self.files.items()
        }


def handler(shop: Shop) -> type[http.server.BaseHTTPRequestHandler]:
    """A request handler that serves the shop."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            shop.requests.append((self.path, asked))
            data = shop.files.get(self.path.strip("/"))
            if data is None:
                return self.send_error(404)
            first = int(asked.removeprefix("bytes=").rstrip("-")) if asked and not shop.ignore_range else 0
            if first >= len(data):
                return self.send_error(416)
            self.send_response(206 if first else 200)
            self.send_header("Content-Length", str(len(data) - first))
            self.end_headers()
            end = len(data) if shop.break_after is None else first + shop.break_after
            self.wfile.write(data[first:end])
            return None

    return Handler


def packed(name: str, members: dict[str, bytes]) -> bytes:
    """A zip file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for path, data in members.items():
            file.writestr(f"{name}/{path}", data)
    return buffer.getvalue()


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop with a small set and its metadata, open for the length of a test."""
    noise = hashlib.shake_256(b"seed").digest(300_000)
    shop = Shop({
        "fma_metadata.zip": packed("fma_metadata", {"tracks.csv": b"x"}),
        "fma_small.zip": packed("fma_small", {"000/000002.mp3": noise, "README.txt": b"y"}),
    })  # fmt: skip
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(shop))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    shop.url = f"http://127.0.0.1:{server.server_address[1]}/"
    yield shop
    server.shutdown()
    thread.join()
    server.server_close()


def get(shop: Shop, folder: Path, *, archives: dict[str, Archive] | None = None) -> Path:
    """Download the small set from the shop."""
    return download("small", folder, base_url=shop.url, archives=archives or shop.archives(), pause_s=0.0)


def test_download(shop: Shop, tmp_path: Path) -> None:
    """Both archives are fetched, verified, unpacked, with nothing else left; a second call fetches none."""
    get(shop, tmp_path / "fma")
    found = {str(p.relative_to(tmp_path / "fma")) for p in (tmp_path / "fma").rglob("*") if p.is_file()}
    assert found == {"fma_metadata/tracks.csv", "fma_small/000/000002.mp3", "fma_small/README.txt"}
    requests = len(shop.requests)
    get(shop, tmp_path / "fma")
    assert len(shop.requests) == requests


def test_broken_connections_are_resumed(shop: Shop, tmp_path: Path) -> None:
    """A connection that breaks again and again is taken up by Range where it ended."""
    shop.break_after = 100_000
    get(shop, tmp_path)
    ranges = [asked for path, asked in shop.requests if path == "/fma_small.zip"]
    assert ranges == [None, "bytes=100000-", "bytes=200000-", "bytes=300000-"]
    assert (tmp_path / "fma_small" / "000" / "000002.mp3").stat().st_size == 300_000


def test_a_second_call_resumes(shop: Shop, tmp_path: Path) -> None:
    """After the last try the part stays, the error says so, and the next call goes on from it."""
    shop.break_after = 20_000
    archives = shop.archives()
    message = "got IncompleteRead; likely cause: the connection breaks; call again to take up where it ended"
    with pytest.raises(InputError, match=f"^expected an archive at .*{re.escape(message)}$"):
        get(shop, tmp_path, archives=archives)
    assert (tmp_path / "fma_small.zip.part").stat().st_size == 5 * 20_000
    shop.break_after = None
    get(shop, tmp_path, archives=archives)
    assert shop.requests[-1] == ("/fma_small.zip", "bytes=100000-")


def test_a_server_without_ranges(shop: Shop, tmp_path: Path) -> None:
    """A server that answers a Range with the whole file is not appended to the part."""
    (tmp_path / "fma_small.zip.part").write_bytes(b"rubbish")
    shop.ignore_range = True
    get(shop, tmp_path)
    assert (tmp_path / "fma_small" / "README.txt").read_bytes() == b"y"


def test_a_complete_part(shop: Shop, tmp_path: Path) -> None:
    """A part that was complete when the last call ended is verified and used."""
    (tmp_path / "fma_small.zip.part").write_bytes(shop.files["fma_small.zip"])
    get(shop, tmp_path)
    assert (tmp_path / "fma_small" / "README.txt").exists()


def test_wrong_checksum(shop: Shop, tmp_path: Path) -> None:
    """A damaged archive is removed, and nothing of it is unpacked."""
    archives = shop.archives() | {"small": Archive("fma_small", 10**6, "0" * 40)}
    message = (
        f"^expected SHA-1 {'0' * 40} of fma_small.zip; got [0-9a-f]{{40}}; likely cause: a damaged download"
    )
    with pytest.raises(InputError, match=message):
        get(shop, tmp_path, archives=archives)
    assert {p.name for p in tmp_path.iterdir()} == {"fma_metadata"}


def test_absent_archive(shop: Shop, tmp_path: Path) -> None:
    """A withdrawn archive is an error at once, without retries."""
    archives = shop.archives()
    del shop.files["fma_small.zip"]
    with pytest.raises(InputError, match=r"got HTTP 404; likely cause: moved or withdrawn$"):
        get(shop, tmp_path, archives=archives)
    assert len(shop.requests) == 2


def test_more_bytes_than_announced(shop: Shop, tmp_path: Path) -> None:
    """A server cannot fill the disk."""
    archives = shop.archives() | {"small": Archive("fma_small", 1000, "0" * 40)}
    shop.files["fma_small.zip"] = bytes(3_000_000)
    with pytest.raises(
        InputError, match=r"^expected at most \d+ bytes at .*; got more; likely cause: another file"
    ):
        get(shop, tmp_path, archives=archives)


@pytest.mark.parametrize(
    "name", ["../evil", "/evil", "fma_small/../../evil", "fma_small\\..\\evil", "other/evil", "C:/evil"]
)
def test_names_that_lead_out(shop: Shop, tmp_path: Path, name: str) -> None:
    """A member that would be written elsewhere spoils the whole archive, before anything is written."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("fma_small/good", b"x")
        file.writestr(zipfile.ZipInfo(name), b"x")
    shop.files["fma_small.zip"] = buffer.getvalue()
    message = "likely cause: an archive that would write outside its folder"
    with pytest.raises(InputError, match=f"^expected plain files under fma_small/; got .*; {message}$"):
        get(shop, tmp_path / "fma")
    assert {p.name for p in tmp_path.rglob("*") if p.is_file()} == {"tracks.csv", "fma_small.zip"}


def test_links_in_an_archive(shop: Shop, tmp_path: Path) -> None:
    """A symbolic link in an archive is refused."""
    link = zipfile.ZipInfo("fma_small/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(link, "/etc/passwd")
    shop.files["fma_small.zip"] = buffer.getvalue()
    with pytest.raises(InputError, match=r"^expected plain files under fma_small/; got 'fma_small/link'"):
        get(shop, tmp_path)


def test_a_decompression_bomb(shop: Shop, tmp_path: Path) -> None:
    """An archive that declares to unpack to many times its size is refused."""
    shop.files["fma_small.zip"] = packed("fma_small", {"zeros": bytes(40_000_000)})
    with pytest.raises(
        InputError, match=r"^expected at most \d+ bytes unpacked; got 40000000; likely cause: a decom"
    ):
        get(shop, tmp_path)


@pytest.mark.parametrize("data", [b"no zip at all", packed("other", {})])
def test_no_archive(shop: Shop, tmp_path: Path, data: bytes) -> None:
    """What is not the released archive leaves nothing behind in its place."""
    shop.files["fma_small.zip"] = data
    with pytest.raises(
        InputError, match=r"^expected a sound zip file with fma_small/ in it; got 'fma_small.zip'; likely"
    ):
        get(shop, tmp_path)
    assert not (tmp_path / "fma_small").exists()


def test_full_disk(shop: Shop, tmp_path: Path) -> None:
    """Too little room is found out before the download."""
    archives = shop.archives() | {"small": Archive("fma_small", 10**18, "0" * 40)}
    with pytest.raises(
        InputError, match=r"MiB of free disk for fma_small; got \d+ MiB; likely cause: a full disk$"
    ):
        get(shop, tmp_path, archives=archives)


def test_doors(tmp_path: Path) -> None:
    """An unknown set and a plain connection are refused."""
    with pytest.raises(
        InputError, match=r"^expected a part of FMA; got 'tiny'; legal values: full, large, medium, m"
    ):
        download("tiny", tmp_path)
    with pytest.raises(
        InputError, match=r"^expected an https address; got 'http://example.org/'; likely cause: data"
    ):
        download("small", tmp_path, base_url="http://example.org/")


def test_official_list() -> None:
    """The official list has five archives with distinct, well-formed checksums, over https."""
    sums = [archive.sha1 for archive in ARCHIVES.values()]
    assert len(set(sums)) == 5
    assert all(re.fullmatch("[0-9a-f]{40}", one) for one in sums)
    assert _fma_download.OFFICIAL.startswith("https://")
