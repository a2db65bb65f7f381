"""A server on loopback that offers archives, and misbehaves as it is told to."""

from __future__ import annotations

import hashlib
import http.server
import io
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tonotopy.sound.sources._fma_download import Archive


@dataclass
class Shop:
    """Files by name, the ways in which the server misbehaves, and what it was asked."""

    files: dict[str, bytes]
    url: str = ""
    break_after: int | None = None
    """Bytes after which each connection breaks."""
    ignore_range: bool = False
    shift: int = 0
    """How far beside the wanted byte an answer begins."""
    answers: list[int] = field(default_factory=list)
    """Status codes of the next answers, in place of the file."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)

    def archives(self, **changes: Archive) -> dict[str, Archive]:
        """What an honest list of these files says, with changes."""
        found = {}
        for file, data in self.files.items():
            name = file.removesuffix(".zip")
            tracks = data.count(b".mp3") // 2  # each is named twice: where it lies, and in the directory
            sha1 = hashlib.sha1(data).hexdigest()
            found[name.removeprefix("fma_")] = Archive(name, len(data), 2 * len(data), tracks, sha1)
        return found | changes

    def ranges(self, name: str) -> list[str | None]:
        """The ranges that a file was asked for."""
        return [asked for path, asked in self.asked if path == name]


def _handler(shop: Shop) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            name, asked = self.path.strip("/"), self.headers.get("Range")
            shop.asked.append((name, asked))
            data = shop.files.get(name)
            if shop.answers or data is None:
                self.send_response(shop.answers.pop(0) if data is not None else 404)
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
                self.send_header("Content-Length", "0")
                return self.end_headers()
            first = int(asked.removeprefix("bytes=").rstrip("-")) if asked and not shop.ignore_range else 0
            self._answer(name, data, first)
            return None

        def _answer(self, name: str, data: bytes, first: int) -> None:
            if first and first >= len(data):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(data)}")
                self.send_header("Content-Length", "0")
                return self.end_headers()
            if first:
                first += shop.shift
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(data) - first))
            self.end_headers()
            end = len(data) if shop.break_after is None else first + shop.break_after
            shop.sent[name] += len(data[first:end])
            self.wfile.write(data[first:end])
            return None

    return Handler


@contextmanager
def opened(shop: Shop) -> Iterator[Shop]:
    """Serve a shop's files as long as this lasts."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(shop))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    shop.url = f"http://127.0.0.1:{server.server_address[1]}/"
    try:
        yield shop
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def packed(name: str, members: dict[str, bytes], method: int = zipfile.ZIP_BZIP2) -> bytes:
    """A zip file as FMA's are made: bzip2, no entries for folders, regular files that are read only."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for path, data in members.items():
            info = zipfile.ZipInfo(f"{name}/{path}", (2017, 4, 1, 0, 0, 0))
            info.external_attr = 0o100444 << 16
            file.writestr(info, data, method)
    return buffer.getvalue()


def fma_shop(folder: Path) -> Shop:
    """A shop with the source's own example of a small set (three tracks, two artists) and its metadata."""
    from tonotopy.sound.sources.fma import write_example

    write_example(folder, name="fma-small")
    archives = {}
    for name in ("fma_metadata", "fma_small"):
        root = folder / name
        files = sorted(path for path in root.rglob("*") if path.is_file())
        members = {"README.txt": b"FMA", "checksums": b"-"}
        members |= {path.relative_to(root).as_posix(): path.read_bytes() for path in files}
        archives[f"{name}.zip"] = packed(name, members)
    return Shop(archives)
