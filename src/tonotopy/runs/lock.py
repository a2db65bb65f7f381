"""One process at a time in a run folder: two would forget each other's unfinished units."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tonotopy.core.errors import RunError

try:
    import fcntl
except ImportError:  # Windows has no advisory locks of this kind; there the user is trusted
    fcntl = None  # type: ignore[assignment]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder's lock; the system lets go of it when the process ends, however it ends.

    Raises
    ------
    RunError
        Another process holds it.
    """
    if fcntl is None:
        yield
        return
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            came = f"another one at work in {folder.name!r}"
            raise RunError(
                "one process in a run folder", came, "wait for it, or choose another --out"
            ) from None
        yield
