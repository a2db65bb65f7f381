"""Progress on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tonotopy.cli._output import remark, remarks
from tonotopy.cli._text import one_line

Progress = Callable[[int, int, str], None]

#: Seconds between lines where there is no terminal.
QUIET_S = 20.0


@contextmanager
def progress(title: str) -> Iterator[Progress]:
    """A callback ``(done, total, label)`` that shows how far the work is."""
    if sys.stderr.isatty():
        with _bar(title) as callback:
            yield callback
    else:
        yield _lines(title)


@contextmanager
def _bar(title: str) -> Iterator[Progress]:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    # No markup: labels hold names of sites and files.
    label = TextColumn("{task.description}", markup=False)
    columns = (label, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=remarks(), transient=True) as bar:
        task = bar.add_task(one_line(title), total=None)

        def callback(done: int, total: int, label: str) -> None:
            text = one_line(f"{title}  {label}")[:60]
            bar.update(task, completed=done, total=total, description=text)

        yield callback


def _lines(title: str) -> Progress:
    last = time.monotonic()

    def callback(done: int, total: int, label: str) -> None:
        nonlocal last
        if time.monotonic() - last >= QUIET_S:
            last = time.monotonic()
            remark(f"{title}: {done} of {total}  {label}")

    return callback
