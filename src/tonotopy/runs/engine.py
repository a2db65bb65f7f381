"""The engine: runs work units in order of need, in worker processes or in this one.

A :class:`Unit` is a pure function of (stage, parameters, the addresses of the units it needs, the code); its
address is the hash of these. The engine asks backwards from what is wanted: a unit that is in the store is
not run, and neither is what only it needed. Resume, folds, the floor and sharding are this one mechanism.

Every unit runs on one thread: numbers must not depend on how many cores a machine has, and two busy
processes with two threads each are many times slower than with one.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.metadata import version
from multiprocessing.connection import wait as wait_for_sentinel
from pathlib import Path
from typing import Any, Protocol

from tonotopy.core.errors import RunError

#: Folders whose code decides the numbers; their content is part of every address.
NUMERIC = (
    "core",
    "signal",
    "statistics",
    "sound",
    "encoders",
    "recording",
    "features",
    "readouts",
    "measures",
    "interventions",
    "judgement",
)
#: More processes than this are started only when asked for: each holds an encoder and the music.
MOST_WORKERS = 8
#: Libraries whose versions decide the numbers; the last two read and resample music.
LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "soundfile", "soxr")
#: Called after each unit: (units done, units in all, label).
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Unit:
    """One work unit."""

    stage: str
    parameters: tuple[tuple[str, Any], ...]
    needs: tuple[Unit, ...] = field(default=(), repr=False)
    label: str = ""

    @staticmethod
    def of(stage: str, *, needs: Sequence[Unit] = (), label: str = "", **parameters: Any) -> Unit:
        """A unit of a stage; parameters are plain values."""
        return Unit(stage, tuple(sorted(parameters.items())), tuple(needs), label)

    @property
    def values(self) -> dict[str, Any]:
        """The parameters as a dictionary."""
        return dict(self.parameters)

    @cached_property
    def address(self) -> str:
        """Content address."""
        content = [self.stage, self.parameters, [unit.address for unit in self.needs], code_version()]
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=list).encode()).hexdigest()


class Bench(Protocol):
    """What runs units: holds the encoder and the music, which no unit carries."""

    def run(self, unit: Unit) -> None:
        """Run one unit and write it to the store."""

    def has(self, unit: Unit) -> bool:
        """Whether the unit is in the store."""


def numeric_files() -> list[Path]:
    """The files whose code decides the numbers; what the graph decides is in the parameters of its units."""
    root = Path(__file__).resolve().parent.parent
    files = [p for folder in NUMERIC for p in (root / folder).rglob("*") if p.suffix in (".py", ".json")]
    # The bench chooses the pieces of music, and which part of each is heard.
    files += [*(root / "runs" / "stages").glob("*.py"), root / "runs" / "bench.py"]
    return sorted(files, key=lambda p: p.relative_to(root).as_posix())


@cache
def code_version() -> str:
    """Hash of the code that decides the numbers, and of the libraries under it."""
    digest = hashlib.sha256(" ".join(version(name) for name in LIBRARIES).encode())
    root = Path(__file__).resolve().parent.parent
    for path in numeric_files():
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def wanted(targets: Iterable[Unit], has: Callable[[Unit], bool]) -> list[Unit]:
    """The units to run for some targets, needs first, each once."""
    order: dict[str, Unit] = {}

    def visit(unit: Unit) -> None:
        if unit.address in order or has(unit):
            return
        for need in unit.needs:
            visit(need)
        order[unit.address] = unit

    for target in targets:
        visit(target)
    return list(order.values())


def run_units(
    targets: Sequence[Unit],
    bench: Bench,
    *,
    workers: int,
    make_bench: Callable[[], Bench] | None = None,
    progress: Progress | None = None,
    after: Callable[[Unit], None] | None = None,
) -> int:
    """Run what the targets want; the number of units run.

    ``make_bench`` builds a bench in a worker process and must be picklable; without it, or with one worker,
    units run in this process. ``after`` is called in this process when a unit is done.
    """
    order = wanted(targets, bench.has)
    done = 0

    def finished(unit: Unit) -> None:
        nonlocal done
        done += 1
        if after is not None:
            after(unit)
        if progress is not None:
            progress(done, len(order), unit.label or unit.stage)

    if workers <= 1 or make_bench is None or len(order) <= 1:
        with one_thread():
            for unit in order:
                bench.run(unit)
                finished(unit)
    else:
        _run_in_processes(order, workers, make_bench, finished)
    return done


def _run_in_processes(
    order: Sequence[Unit], workers: int, make_bench: Callable[[], Bench], finished: Callable[[Unit], None]
) -> None:
    """Submit each unit once what it needs is done; the first failure stops what has not begun."""
    pending = {unit.address: {n.address for n in unit.needs} for unit in order}
    missing = set(pending)
    waiting = {unit.address: unit for unit in order}
    running: dict[Future[None], Unit] = {}
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker, initargs=(make_bench,))
    try:
        while waiting or running:
            ready = [u for a, u in waiting.items() if not (pending[a] & missing)]
            with script_kept_out():  # submitting is what starts workers
                for unit in ready[: max(0, 2 * workers - len(running))]:
                    running[pool.submit(_run_in_worker, unit)] = waiting.pop(unit.address)
            complete, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in complete:
                unit = running.pop(future)
                future.result()
                missing.discard(unit.address)
                finished(unit)
    except BrokenProcessPool:
        cause = "a worker ran out of memory, or was killed; run the same command again: finished work is kept"
        raise RunError("all workers alive", "a worker process that died", cause) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def default_workers() -> int:
    """Processes where none are asked for: the cores that this process may use, at most :data:`MOST_WORKERS`."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_WORKERS)


@contextmanager
def script_kept_out() -> Iterator[None]:
    """Start processes without running the caller's script in them.

    Workers need nothing of it, and a script without ``if __name__ == "__main__"`` would begin its study anew
    in each of them: they would all die. Interrupts are left to the parent from the first moment: a worker
    that is still importing would otherwise print a traceback of its own.
    """
    main = sys.modules["__main__"]
    names = ("__file__", "__spec__")
    kept: dict[str, Any] = {name: vars(main)[name] for name in names if name in vars(main)}
    in_main = threading.current_thread() is threading.main_thread()  # only there may handlers be set
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if in_main else None
    try:
        vars(main).pop("__file__", None)
        vars(main)["__spec__"] = None
        yield
    finally:
        if in_main:
            signal.signal(signal.SIGINT, before)
        vars(main).update(kept)


_bench: Bench | None = None


def _start_worker(make_bench: Callable[[], Bench]) -> None:
    """Set up a worker: a well-behaved process with a bench of its own."""
    global _bench  # noqa: PLW0603 - a process pool offers no other place for what a worker keeps
    start_process()
    _bench = make_bench()


def start_process() -> None:
    """Set up a started process: one thread, deaf to interrupts, an end when the parent ends."""
    os.environ["OMP_NUM_THREADS"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interruption means
    threading.Thread(target=_end_with_parent, daemon=True).start()
    one_thread().__enter__()


def _end_with_parent() -> None:
    """A killed parent must not leave workers behind."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for_sentinel([parent.sentinel])
        os._exit(1)


def _run_in_worker(unit: Unit) -> None:
    assert _bench is not None
    _bench.run(unit)


class one_thread:  # noqa: N801 - read as a verb: with one_thread():
    """One thread for torch and BLAS inside, what was before afterwards."""

    def __enter__(self) -> None:
        import torch
        from threadpoolctl import threadpool_limits

        self._torch = torch.get_num_threads()
        torch.set_num_threads(1)
        self._limits = threadpool_limits(1)

    def __exit__(self, *_: object) -> None:
        import torch

        torch.set_num_threads(self._torch)
        self._limits.restore_original_limits()
