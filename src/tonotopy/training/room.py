"""Writing into a folder of training: a full disk is named for what it is, a text is on the disk when it returns."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tonotopy.core.errors import RunError


def write_text(file: Path, text: str) -> None:
    """Write and wait until it is on the disk."""
    with file.open("w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())


@contextmanager
def room(folder: Path) -> Iterator[None]:
    """Name a full disk for what it is; what was saved before stays."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        cause = "make room and give the same command again: it goes on from the last checkpoint"
        raise RunError(f"room on the disk for {folder.name!r}", "a full disk", cause) from error
