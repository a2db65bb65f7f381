"""One large file over https: taken up where it broke off, verified, and under its own name only when it is whole.

pooch retrieves and verifies. It starts every download anew, so the downloader that it is given here keeps what
arrived in ``NAME.part`` and asks the server for the rest.
"""

from __future__ import annotations

import http
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tonotopy.core.errors import InputError

if TYPE_CHECKING:
    from requests import Response

Progress = Callable[[int, int, str], None]
"""Told how far the work is: MiB done, MiB in all, and of what."""

MIB = 1 << 20
GIB = 1 << 30
TRIES = 5
"""Tries in a row that bring less than 1 MiB: a long download may break more often than that."""
TIMEOUT_S = (20.0, 60.0)
"""To connect, and between two bytes."""
LONGEST_PAUSE_S = 60.0
_BLOCK = 1 << 18
_LOOPBACK = ("127.0.0.1", "localhost")
_WORTH_A_RETRY = (http.HTTPStatus.REQUEST_TIMEOUT, http.HTTPStatus.TOO_MANY_REQUESTS)


class _Broken(Exception):
    """A connection that failed in a way that another try may mend."""


def silent(done: int, total: int, label: str) -> None:
    """Progress that nobody watches."""


def retrieve(
    url: str,
    target: Path,
    *,
    sha1: str,
    limit_bytes: int,
    progress: Progress = silent,
    pause_s: float = 2.0,
) -> Path:
    """Download a file unless it is there, whole and right; a second call goes on where the first broke off.

    Parameters
    ----------
    url
        Where it is, by https (or on this machine).
    target
        The file's name. ``NAME.part`` beside it holds what arrived so far.
    sha1
        Checksum as 40 hexadecimal digits. It guards against damage; https guards against forgery.
    limit_bytes
        More than this is not written, whatever the server sends.
    progress
        Told how far the download is.
    pause_s
        Seconds before the second try; each further pause is twice as long, up to a minute.

    Raises
    ------
    InputError
        No connection after all tries, no such file, too large a file, or another checksum: then the file is
        removed. A full disk leaves as `OSError`, with what arrived kept.
    """
    import pooch

    address = urlsplit(url)
    if address.scheme != "https" and address.hostname not in _LOOPBACK:
        raise InputError("an https address", repr(url), "data are never fetched over a plain connection")
    part = target.with_name(target.name + ".part")
    downloader = _Resuming(part, limit_bytes, progress, pause_s)
    if target.exists():
        progress(0, 1, f"checking {target.name}")
    with _hushed(pooch.get_logger()):
        try:
            pooch.retrieve(url, f"sha1:{sha1}", fname=target.name, path=target.parent, downloader=downloader)
        except ValueError as error:  # which is how pooch says that the checksum differs
            part.unlink(missing_ok=True)
            came = re.findall(r"\b[0-9a-f]{40}\b", str(error))
            cause = "a damaged download or a file that was replaced; it is removed, the same call starts anew"
            raise InputError(
                f"SHA-1 {sha1} of {target.name}", came[-1] if came else "another", cause
            ) from None
    if target.is_symlink() and target.resolve() == part.resolve():  # see _Resuming
        part.replace(target)
    part.unlink(missing_ok=True)
    return target


@contextmanager
def _hushed(logger: logging.Logger) -> Iterator[None]:
    """Pooch announces each download on stderr, where the progress bar is."""
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


@dataclass(frozen=True)
class _Resuming:
    """A downloader for pooch that goes on from ``part`` and is not discouraged by broken connections."""

    part: Path
    limit_bytes: int
    progress: Progress
    pause_s: float

    @property
    def name(self) -> str:
        return self.part.name.removesuffix(".part")

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        """Bring the file to where pooch will verify it."""
        self._fetch(url)
        self.progress(1, 1, f"checking {self.name}")
        # Pooch deletes its file when it is interrupted, and the checksum of the largest archive takes an hour:
        # it gets a link, so that what was downloaded stays. Some file systems have none; there it gets the data.
        output = Path(output_file)
        output.unlink(missing_ok=True)
        try:
            output.symlink_to(self.part.name)
        except (OSError, NotImplementedError):
            self.part.replace(output)

    def _have(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _fetch(self, url: str) -> None:
        failures, reached = 0, self._have()
        while True:
            try:
                return self._fetch_rest(url)
            except _Broken as error:
                failures = 1 if self._have() >= reached + MIB else failures + 1
                reached = self._have()
                if failures >= TRIES:
                    cause = "no network, or a server that is down; the same call goes on from there"
                    came = f"{error} after {reached:,} bytes, {TRIES} times"
                    raise InputError(f"{self.name} from {url}", came, cause) from None
            time.sleep(min(self.pause_s * 2 ** (failures - 1), LONGEST_PAUSE_S))

    def _fetch_rest(self, url: str) -> None:
        """Append to ``part`` what is missing of it, or say that the connection broke."""
        import requests
        import urllib3

        have = self._have()
        # Compressed on the way, a range would count other bytes.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        try:
            # Whoever is redirected would trust another place than the one that is named here.
            with requests.get(
                url, headers=headers, stream=True, timeout=TIMEOUT_S, allow_redirects=False
            ) as response:
                start = self._start(response, have)
                if start is not None:
                    self._append(response, start, url)
        except requests.exceptions.SSLError as error:
            cause = "a wrong clock, or a proxy that opens connections"
            raise InputError(f"a valid certificate of {url}", "none", cause) from error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise _Broken(f"a broken connection ({type(error).__name__})") from error

    def _start(self, response: Response, have: int) -> int | None:
        """The byte at which an answer begins, or None where nothing is missing."""
        status, ranges = response.status_code, response.headers.get("Content-Range", "")
        if status == http.HTTPStatus.OK:  # also how a server answers that knows no ranges
            return 0
        if status == http.HTTPStatus.PARTIAL_CONTENT:
            found = re.match(r"bytes (\d+)-", ranges)
            start = int(found[1]) if found else have
            if start <= have:
                return start
        elif status == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            if ranges in ("", f"bytes */{have}"):  # nothing is missing; the checksum will tell if it is right
                return None
        elif status < http.HTTPStatus.INTERNAL_SERVER_ERROR and status not in _WORTH_A_RETRY:
            came = f"HTTP {status}" + (f" to {response.headers['Location']}" if response.is_redirect else "")
            raise InputError(f"{self.name} at {response.url}", came, "moved or withdrawn")
        else:
            raise _Broken(f"HTTP {status}")
        self.part.unlink(missing_ok=True)
        raise _Broken(f"HTTP {status} with another range than asked for")

    def _append(self, response: Response, start: int, url: str) -> None:
        length = response.headers.get("Content-Length", "")
        total = start + int(length) if length.isdigit() else self.limit_bytes
        done, told = start, -1
        with self.part.open("ab") as file:
            file.truncate(start)
            # read1 hands over what has arrived: of a connection that breaks, every byte is kept.
            while block := response.raw.read1(_BLOCK, decode_content=False):
                done += len(block)
                if done > self.limit_bytes:
                    break
                file.write(block)
                if done // MIB > told:
                    told = done // MIB
                    self.progress(told, max(1, total // MIB), f"MiB of {self.name}")
        if done > self.limit_bytes:
            self.part.unlink()
            came = f"more than {self.limit_bytes:,} bytes"
            raise InputError(f"{self.name} of its known size at {url}", came, "another file of that name")
