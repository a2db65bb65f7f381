"""Fetch FMA from its official place: archives taken up where they broke off, verified, unpacked within bounds.

What the archives hold, and that they are compressed by bzip2, is known from the script that made them
(``creation.py`` in the repository mdeff/fma).
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from tonotopy.core.errors import InputError
from tonotopy.sound.sources._download import GIB, MIB, Progress, retrieve, silent
from tonotopy.sound.sources._unzip import Bounds, unzip

try:
    import fcntl
except ImportError:  # Windows has no advisory locks of this kind; there the user is trusted
    fcntl = None  # type: ignore[assignment]

OFFICIAL = "https://os.unil.cloud.switch.ch/fma/"
MAX_RATIO = 20.0
"""Bzip2 makes the tables about 5 times smaller, and music hardly at all."""


@dataclass(frozen=True)
class Archive:
    """One zip file of the release. Sizes are approximate: they bound what is accepted and tell what room it takes."""

    name: str
    size_bytes: int
    unpacked_bytes: int
    tracks: int
    sha1: str

    def bounds(self) -> Bounds:
        """What may be in it; a hundred members more than tracks, and twice the size, are still believed."""
        inside = r"\d{3}/\d{6}\.mp3" if self.tracks else r"not_found\.pickle|[a-z_]+\.csv"
        names = re.compile(rf"{re.escape(self.name)}/(?:README\.txt|checksums|{inside})")
        return Bounds(names, self.tracks + 100, 2 * self.unpacked_bytes + MIB, MAX_RATIO)


def _archive(name: str, size_bytes: float, unpacked_bytes: float, tracks: int, sha1: str) -> Archive:
    return Archive(f"fma_{name}", int(size_bytes), int(unpacked_bytes), tracks, sha1)


ARCHIVES = {
    "metadata": _archive("metadata", 342 * MIB, 1.7 * GIB, 0, "f0df49ffe5f2a6008d7dc83c6915b31835dfe733"),
    "small": _archive("small", 7.2 * GIB, 7.6 * GIB, 8_000, "ade154f733639d52e35e32f5593efe5be76c6d70"),
    "medium": _archive("medium", 22 * GIB, 23.2 * GIB, 25_000, "c67b69ea232021025fca9231fc1c7c1a063ab50b"),
    "large": _archive("large", 93 * GIB, 98 * GIB, 106_574, "497109f4dd721066b5ce5e5f250ec604dc78939e"),
    "full": _archive("full", 879 * GIB, 917 * GIB, 106_574, "0f0ace23fbe9ba30ecb7e95f763e435ea802b8ab"),
}
"""The official archives, with the checksums published beside them."""


@dataclass(frozen=True)
class Fetched:
    """What a call found and did: the folder for ``fma-small:FOLDER``, names of archives, numbers of tracks."""

    folder: Path
    fetched: tuple[str, ...]
    already_there: tuple[str, ...]
    tracks: int
    tracks_released: int


def default_folder() -> Path:
    """Where FMA goes unless another place is named: the user's cache. It need not exist."""
    from platformdirs import user_cache_path

    return user_cache_path("tonotopy") / "fma"


def download(
    kind: str,
    destination: Path | None = None,
    *,
    base_url: str | None = None,
    archives: dict[str, Archive] | None = None,
    keep_archives: bool = False,
    progress: Progress = silent,
    pause_s: float = 2.0,
) -> Fetched:
    """Download one size of FMA and its metadata, and unpack both; what is unpacked already is not fetched again.

    Parameters
    ----------
    kind
        ``small`` (8,000 clips of 30 s), ``medium`` (25,000), ``large`` (106,574) or ``full`` (whole tracks).
    destination
        Folder that will hold ``fma_metadata/`` and, for instance, ``fma_small/``; the user's cache by default.
    base_url, archives
        Another place to fetch from, and what is there.
    keep_archives
        Leave the zip files beside what was unpacked from them.
    progress
        Told MiB done, MiB in all, and of what.
    pause_s
        Seconds before a broken connection is tried again, longer after each failure.

    Raises
    ------
    InputError
        Too little room, no connection, a damaged or hostile archive, another download into the same folder.
        Finished work is kept: the same call goes on from there.
    """
    known = ARCHIVES if archives is None else archives
    sizes = [name for name in known if name != "metadata"]
    if kind not in sizes:
        raise InputError("a size of FMA", repr(kind), legal=sizes)
    wanted = (known["metadata"], known[kind])
    folder = (default_folder() if destination is None else destination.expanduser()).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        missing = [archive for archive in wanted if not (folder / archive.name).is_dir()]
        _check_room(folder, missing, keep_archives=keep_archives)
        for archive in missing:
            with _full_disk_explained(archive, folder):
                _fetch(archive, folder, base_url or OFFICIAL, progress, pause_s)
            if not keep_archives:
                (folder / f"{archive.name}.zip").unlink()
    tracks = sum(1 for _ in (folder / wanted[1].name).glob("[0-9][0-9][0-9]/*.mp3"))
    there = tuple(archive.name for archive in wanted if archive not in missing)
    return Fetched(
        folder, tuple(archive.name for archive in missing), there, tracks, tracks_released=wanted[1].tracks
    )


def _fetch(archive: Archive, folder: Path, base_url: str, progress: Progress, pause_s: float) -> None:
    """One archive, downloaded and unpacked."""
    name = f"{archive.name}.zip"
    packed = retrieve(
        urljoin(base_url, name),
        folder / name,
        sha1=archive.sha1,
        # The size is known to three digits or two.
        limit_bytes=int(1.1 * archive.size_bytes) + MIB,
        progress=progress,
        pause_s=pause_s,
    )
    unzip(packed, folder / archive.name, archive.bounds(), progress=progress)


# ---- room and rights


def _check_room(folder: Path, missing: list[Archive], *, keep_archives: bool) -> None:
    """An archive and what is unpacked from it lie side by side for a while; what is there already counts."""
    used = need = 0
    for archive in missing:
        packed = max(0, archive.size_bytes - _size_of(folder, f"{archive.name}.zip"))
        unpacked = max(0, archive.unpacked_bytes - _size_of(folder, f"{archive.name}.part"))
        need = max(need, used + packed + unpacked)
        used += unpacked + packed * keep_archives
    free = shutil.disk_usage(folder).free
    if free < need:
        parts = " and ".join(
            f"{archive.name} ({_gib(archive.size_bytes)} packed, {_gib(archive.unpacked_bytes)} unpacked)"
            for archive in missing
        )
        expected = f"{_gib(need)} of free disk in {folder} for {parts}"
        raise InputError(expected, _gib(free), "a disk too full: make room, or name another folder")


def _size_of(folder: Path, name: str) -> int:
    """Bytes of an archive (or the part of it that arrived), or of a folder that is being unpacked."""
    path, part = folder / name, folder / f"{name}.part"
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return next((file.stat().st_size for file in (path, part) if file.is_file()), 0)


def _gib(size_bytes: float) -> str:
    """A size for people.

    Examples
    --------
    >>> _gib(7.2 * 2**30), _gib(342 * 2**20)
    ('7.2 GiB', '342 MiB')
    """
    return f"{size_bytes / GIB:,.1f} GiB" if size_bytes >= GIB else f"{size_bytes / MIB:,.0f} MiB"


@contextmanager
def _full_disk_explained(archive: Archive, folder: Path) -> Iterator[None]:
    """A disk that fills on the way is the user's to mend, and nothing that is finished is lost."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EFBIG:
            cause = "a file system such as FAT32, or a limit on the size of files; name another folder"
            raise InputError(
                f"files of {_gib(archive.size_bytes)} in {folder}", "too large a file", cause
            ) from error
        if error.errno not in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
            raise
        cause = "finished work is kept: make room and give the same command again"
        raise InputError(f"room for {archive.name} in {folder}", "a full disk", cause) from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One download into a folder at a time: two would write into one file."""
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            cause = "wait for it, or name another folder"
            raise InputError(f"one download at a time into {folder}", "another at work", cause) from None
        except OSError:  # some network file systems lock no folders; there the user is trusted
            pass
        yield
    finally:
        os.close(handle)
