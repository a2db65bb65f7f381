"""Files written into a run folder: inside it, whole, and never through a link.

A run folder may come from anywhere, with links in it that lead elsewhere. Each folder on the way to a file and
the file itself must be no link; the file is written beside its place and then put there, which replaces a
second name of a file from elsewhere (a hard link) and leaves that file alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from tonotopy.core.errors import InputError, RunError


def write_inside(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder, in their order; none of them where one would leave it.

    Parameters
    ----------
    folder : pathlib.Path
        The run folder. It may be a link itself: its path is the user's word.
    files : mapping of str to bytes
        Contents by name, relative to the folder, with forward slashes.

    Raises
    ------
    RunError
        Where a file or a folder on the way to it is a link.
    InputError
        Where the machine refuses to write.
    """
    for name in files:
        _refuse_links(folder, name)
    for name, content in files.items():
        try:
            _put(folder / name, content)
        except OSError as error:
            raise InputError("a run folder that can be written", repr(name), error.strerror or "") from error


def _refuse_links(folder: Path, name: str) -> None:
    """Refuse a name of which any part, from the folder on, is a link."""
    parts = PurePosixPath(name)
    for part in (*reversed(parts.parents[:-1]), parts):
        if (folder / part).is_symlink():
            raise RunError(
                f"{part} of the run folder to be no link", "a link", "a folder from an unsafe source"
            )


def _put(path: Path, content: bytes) -> None:
    """Write beside the place, then put there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    beside.unlink(missing_ok=True)
    try:
        with beside.open("xb") as stream:  # exclusively: a link of that name is not followed either
            stream.write(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
