"""Fetch FMA from its official archive: resumed, verified by SHA-1, unpacked within bounds.

An archive is downloaded to ``NAME.zip.part`` (a second call takes up where a broken one ended), verified as a
whole, and unpacked into a temporary folder that takes its final name only when everything is there.
"""

from __future__ import annotations

import hashlib
import http.client
import shutil
import stat
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tonotopy.core.errors import InputError

OFFICIAL = "https://os.unil.cloud.switch.ch/fma/"
TRIES = 5
TIMEOUT_S = 60.0
_BLOCK = 1 << 20
_MIB = 1 << 20


@dataclass(frozen=True)
class Archive:
    """One zip file of the release: its size is approximate and only bounds what is accepted."""

    name: str
    size_bytes: int
    sha1: str


ARCHIVES = {
    "metadata": Archive("fma_metadata", 342 * _MIB, "f0df49ffe5f2a6008d7dc83c6915b31835dfe733"),
    "small": Archive("fma_small", 7373 * _MIB, "ade154f733639d52e35e32f5593efe5be76c6d70"),
    "medium": Archive("fma_medium", 22528 * _MIB, "c67b69ea232021025fca9231fc1c7c1a063ab50b"),
    "large": Archive("fma_large", 95232 * _MIB, "497109f4dd721066b5ce5e5f250ec604dc78939e"),
    "full": Archive("fma_full", 900096 * _MIB, "0f0ace23fbe9ba30ecb7e95f763e435ea802b8ab"),
}
"""The official archives, with the checksums published beside them."""


def download(
    kind: str,
    destination: Path,
    *,
    base_url: str = OFFICIAL,
    archives: dict[str, Archive] | None = None,
    pause_s: float = 2.0,
) -> Path:
    """Download one size of FMA and its metadata into a folder, and return that folder.

    What is already unpacked is not fetched again.
    """
    known = ARCHIVES if archives is None else archives
    if kind not in known:
        raise InputError("a part of FMA", repr(kind), legal=sorted(known))
    url = urllib.parse.urlsplit(base_url)
    if url.scheme != "https" and url.hostname not in ("127.0.0.1", "localhost"):
        raise InputError("an https address", repr(base_url), "data are never fetched over a plain connection")
    destination.mkdir(parents=True, exist_ok=True)
    for part in dict.fromkeys(("metadata", kind)):
        archive = known[part]
        if not (destination / archive.name).is_dir():
            packed = _fetch(archive, destination, base_url, pause_s)
            _unpack(packed, archive, destination)
            packed.unlink()
    return destination


def _fetch(archive: Archive, destination: Path, base_url: str, pause_s: float) -> Path:
    """The verified zip file."""
    packed, part = destination / f"{archive.name}.zip", destination / f"{archive.name}.zip.part"
    if packed.is_file() and _sha1(packed) == archive.sha1:
        return packed
    _check_room(archive, destination)
    url = urllib.parse.urljoin(base_url, packed.name)
    for attempt in range(TRIES):
        try:
            _fetch_rest(url, part, limit=int(1.1 * archive.size_bytes) + _MIB)
            break
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, urllib.error.HTTPError) and error.code < 500:
                raise InputError(
                    f"an archive at {url}", f"HTTP {error.code}", "moved or withdrawn"
                ) from error
            if attempt == TRIES - 1:
                cause = "the connection breaks; call again to take up where it ended"
                raise InputError(f"an archive at {url}", type(error).__name__, cause) from error
            time.sleep(pause_s * 2**attempt)
    if (found := _sha1(part)) != archive.sha1:
        part.unlink()
        raise InputError(f"SHA-1 {archive.sha1} of {packed.name}", found, "a damaged download, now removed")
    return part.replace(packed)


def _fetch_rest(url: str, part: Path, *, limit: int) -> None:
    """Append to ``part`` what is missing of it."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_S)  # noqa: S310 - https, checked at the door
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            return  # nothing is missing; the checksum will tell whether it is right
        raise
    with response, part.open("ab") as file:
        # A server that ignores the range sends everything from the start.
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            file.truncate(0)
            have = 0
        promised = response.headers.get("Content-Length")
        wanted = have + int(promised) if promised else None
        while block := response.read(_BLOCK):
            have += len(block)
            if have > limit:
                raise InputError(f"at most {limit} bytes at {url}", "more", "another file of that name")
            file.write(block)
    if wanted is not None and have < wanted:
        raise http.client.IncompleteRead(b"", wanted - have)


def _check_room(archive: Archive, destination: Path) -> None:
    """Packed and unpacked data lie side by side for a while."""
    free = shutil.disk_usage(destination).free
    if free < 2 * archive.size_bytes:
        needed = f"{2 * archive.size_bytes / _MIB:.0f} MiB of free disk for {archive.name}"
        raise InputError(needed, f"{free / _MIB:.0f} MiB", "a full disk")


def _sha1(path: Path) -> str:
    """SHA-1, which is what the archive publishes: it guards against damage, https against forgery."""
    digest = hashlib.sha1(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _unpack(packed: Path, archive: Archive, destination: Path) -> None:
    """Unpack into place, or leave nothing."""
    staging = destination / f"{archive.name}.part"
    shutil.rmtree(staging, ignore_errors=True)
    try:
        with zipfile.ZipFile(packed) as file:
            members = [info for info in file.infolist() if not info.is_dir()]
            _check_members(members, archive)
            for info in members:
                _unpack_one(file, info, staging.joinpath(*PurePosixPath(info.filename).parts))
        (staging / archive.name).replace(destination / archive.name)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, FileNotFoundError) as error:
        cause = f"not the released archive ({type(error).__name__})"
        raise InputError(f"a sound zip file with {archive.name}/ in it", repr(packed.name), cause) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _check_members(members: list[zipfile.ZipInfo], archive: Archive) -> None:
    """Refuse names that lead elsewhere, links, and more than such an archive can hold."""
    for info in members:
        path = PurePosixPath(info.filename)
        astray = path.is_absolute() or ".." in path.parts or "\\" in info.filename or ":" in info.filename
        if astray or path.parts[:1] != (archive.name,) or stat.S_ISLNK(info.external_attr >> 16):
            cause = "an archive that would write outside its folder"
            raise InputError(f"plain files under {archive.name}/", ascii(info.filename), cause)
    total, limit = sum(info.file_size for info in members), 8 * archive.size_bytes + 16 * _MIB
    if total > limit:
        raise InputError(f"at most {limit} bytes unpacked", f"{total}", "a decompression bomb")


def _unpack_one(file: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> None:
    """One member in blocks, never more than it declared (zipfile itself checks its CRC at the end)."""
    target.parent.mkdir(parents=True, exist_ok=True)
    left = info.file_size
    with file.open(info) as source, target.open("xb") as sink:
        while block := source.read(min(_BLOCK, left + 1)):
            left -= len(block)
            if left < 0:
                raise zipfile.BadZipFile("more than declared")
            sink.write(block)
