"""Unpack a zip file within bounds: what its headers say is checked first, and then not believed but counted.

Members are read here and not by `zipfile`, which unpacks bzip2 (FMA's method) a whole block at a time: one
mebibyte of a hostile file would fill the memory. `zipfile` reads the directory only.
"""

from __future__ import annotations

import bz2
import errno
import re
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from tonotopy.core.errors import InputError
from tonotopy.sound.sources._download import MIB, Progress, silent

_BLOCK = 1 << 18
_ENCRYPTED = 0x1
_LOCAL_HEADER = 30
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ValueError,
    OverflowError,
    NotImplementedError,
    OSError,
)
"""What `zipfile`, the decompressors and offsets that lead nowhere raise."""
BOMB = "a decompression bomb"
SLACK_BYTES = 16 * MIB
"""Below this size an archive's ratio says nothing."""


@dataclass(frozen=True)
class Bounds:
    """What an archive may hold.

    Parameters
    ----------
    names
        Every file's name, with its folder, matches this as a whole.
    members
        At most so many.
    unpacked_bytes
        At most so many bytes in all.
    ratio
        At most so many times the size of the archive.
    """

    names: re.Pattern[str]
    members: int
    unpacked_bytes: int
    ratio: float


def unzip(packed: Path, target: Path, bounds: Bounds, *, progress: Progress = silent) -> None:
    """Unpack the folder ``target.name`` of an archive, and give it its name when all of it is there.

    Until then it is ``NAME.part``, and a second call keeps the files in it whose checksums are right.

    Raises
    ------
    InputError
        The archive is damaged, too large, or holds other things than are expected: nothing of it stays, the
        archive does. A full disk leaves as `OSError`, with finished files kept.
    """
    staging = target.with_name(target.name + ".part")
    try:
        with zipfile.ZipFile(packed) as directory:
            members = _checked(directory.infolist(), target.name, packed.stat().st_size, bounds)
        _check_room(members, target, staging)
        with packed.open("rb") as file:
            _unpack(file, members, staging, progress)
    except InputError:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    except _DAMAGE as error:
        if (
            isinstance(error, OSError) and error.errno != errno.EINVAL
        ):  # EINVAL: an offset before the beginning
            raise
        shutil.rmtree(staging, ignore_errors=True)
        cause = f"a damaged archive, or not the released one ({error})"
        raise InputError(f"a sound zip file with {target.name}/ in it", repr(packed.name), cause) from error
    staging.replace(target)


# ---- before anything is written


def _checked(
    members: list[zipfile.ZipInfo], top: str, packed_bytes: int, bounds: Bounds
) -> list[zipfile.ZipInfo]:
    """The files of an archive, if all of its directory is as it should be."""
    if len(members) > bounds.members:
        raise InputError(f"at most {bounds.members:,} members in {top}.zip", f"{len(members):,}", BOMB)
    for info in members:
        _check_name(info, top)
        _check_kind(info, top)
    files = [info for info in members if not info.is_dir()]
    odd = next((info.filename for info in files if not bounds.names.fullmatch(info.filename)), None)
    if odd is not None:
        raise InputError(f"only the files of {top}", ascii(odd), "not the released archive")
    if not files or len({info.filename for info in files}) < len(files):
        came = "a name twice" if files else "none"
        raise InputError(f"files under {top}/, each once", came, "not the released archive")
    # Members that share their packed bytes make a bomb of any size without a high ratio in any of them.
    if sum(info.compress_size for info in files) > packed_bytes:
        raise InputError(f"members of {top}.zip side by side", "members that overlap", BOMB)
    total = sum(info.file_size for info in files)
    limit = min(bounds.unpacked_bytes, max(SLACK_BYTES, int(bounds.ratio * packed_bytes)))
    if total > limit:
        raise InputError(f"at most {limit:,} bytes unpacked from {top}.zip", f"{total:,}", BOMB)
    return files


def _check_name(info: zipfile.ZipInfo, top: str) -> None:
    """Refuse a name that leads elsewhere, or that `zipfile` understood otherwise than it is written."""
    name, path = info.filename, PurePosixPath(info.filename)
    astray = path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name
    if astray or path.parts[:1] != (top,) or name != info.orig_filename:
        cause = "an archive that would write outside its folder"
        raise InputError(f"plain files under {top}/", ascii(info.orig_filename), cause)


def _check_kind(info: zipfile.ZipInfo, top: str) -> None:
    """Refuse links, devices, encryption, and methods that are not read here."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFDIR if info.is_dir() else stat.S_IFREG):
        cause = "an archive that would write outside its folder"
        raise InputError(f"plain files under {top}/", f"a link or device, {info.filename!a}", cause)
    if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
        came = f"another method or encryption in {info.filename!a}"
        raise InputError(f"{top}.zip stored, deflated or bzip2", came, "not the released archive")


def _check_room(members: list[zipfile.ZipInfo], target: Path, staging: Path) -> None:
    """Now that the exact size is known, ask again whether it fits."""
    there = sum(path.stat().st_size for path in staging.rglob("*") if path.is_file())
    need = sum(info.file_size for info in members) - there
    free = shutil.disk_usage(target.parent).free
    if free < need:
        # The archive is not at fault: what is unpacked already stays.
        raise OSError(errno.ENOSPC, f"{need / MIB:,.0f} MiB needed, {free / MIB:,.0f} MiB free")


# ---- writing


def _unpack(file: BinaryIO, members: list[zipfile.ZipInfo], staging: Path, progress: Progress) -> None:
    total, done = sum(info.file_size for info in members), 0
    for info in members:
        path = staging.joinpath(*PurePosixPath(info.filename).parts[1:])
        if not _is_there(path, info):
            path.parent.mkdir(parents=True, exist_ok=True)
            _unpack_one(file, info, path)
        done += info.file_size
        progress(done // MIB, max(1, total // MIB), f"MiB unpacked of {staging.stem}")


def _is_there(path: Path, info: zipfile.ZipInfo) -> bool:
    """Whether an earlier call unpacked a member, whole and right."""
    if not path.is_file() or path.stat().st_size != info.file_size:
        return False
    checksum = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            checksum = zlib.crc32(block, checksum)
    return checksum == info.CRC


def _unpack_one(file: BinaryIO, info: zipfile.ZipInfo, path: Path) -> None:
    """One member under a temporary name, given its own once it is whole.

    All members together stay within the bounds because the sizes that they declare do, and because none is
    let write more than it declares.
    """
    temporary = path.with_name(path.name + ".part")
    written = checksum = 0
    try:
        with temporary.open("wb") as sink:
            for block in _content(file, info):
                written += len(block)
                if written > info.file_size:
                    came = f"more, from {info.filename}"
                    raise InputError(f"{info.file_size:,} bytes, as declared", came, BOMB)
                checksum = zlib.crc32(block, checksum)
                sink.write(block)
        if (written, checksum) != (info.file_size, info.CRC):
            raise zipfile.BadZipFile(f"another size or checksum of {info.filename} than declared")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _content(file: BinaryIO, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """A member's bytes, in blocks of bounded size however well it was compressed."""
    blocks = _packed_blocks(file, info)
    if info.compress_type == zipfile.ZIP_DEFLATED:
        return _inflated(blocks)
    if info.compress_type == zipfile.ZIP_BZIP2:
        return _bunzipped(blocks)
    return blocks


def _packed_blocks(file: BinaryIO, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The bytes of a member as they lie in the archive, after a header that must name it again."""
    file.seek(info.header_offset)
    header = file.read(_LOCAL_HEADER)
    if len(header) < _LOCAL_HEADER or not header.startswith(b"PK\3\4"):
        raise zipfile.BadZipFile(f"no header of {info.filename}")
    name_length, extra_length = struct.unpack("<HH", header[26:])
    if file.read(name_length) != info.filename.encode("ascii"):
        raise zipfile.BadZipFile(f"another name in the header of {info.filename}")
    file.seek(extra_length, 1)
    left = info.compress_size
    while left:
        block = file.read(min(_BLOCK, left))
        if not block:
            raise zipfile.BadZipFile(f"the archive ends within {info.filename}")
        left -= len(block)
        yield block


def _inflated(blocks: Iterator[bytes]) -> Iterator[bytes]:
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    for packed in blocks:
        rest = packed
        while rest and not engine.eof:
            yield engine.decompress(rest, _BLOCK)
            rest = engine.unconsumed_tail
    yield engine.flush()
    if not engine.eof:
        raise zipfile.BadZipFile("a deflated member without an end")


def _bunzipped(blocks: Iterator[bytes]) -> Iterator[bytes]:
    engine = bz2.BZ2Decompressor()
    for packed in blocks:
        rest = packed
        while not engine.eof and (rest or not engine.needs_input):
            try:
                block = engine.decompress(rest, _BLOCK)
            except OSError as error:  # which is what bz2 raises, and would look like a fault of the disk
                raise zipfile.BadZipFile("a damaged bzip2 member") from error
            yield block
            rest = b""
    if not engine.eof:
        raise zipfile.BadZipFile("a bzip2 member without an end")
