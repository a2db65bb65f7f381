"""The engine on units made by hand: order, what is not run, what an address depends on, workers."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tonotopy.core.errors import InputError, RunError
from tonotopy.runs import engine
from tonotopy.runs.engine import Unit, run_units, wanted
from tonotopy.runs.graph import build
from tonotopy.runs.plan import Plan


@dataclass
class Notes:
    """A bench that notes what it ran."""

    ran: list[str] = field(default_factory=list)
    there: set[str] = field(default_factory=set)
    fails: str = ""

    def has(self, unit: Unit) -> bool:
        return unit.address in self.there

    def run(self, unit: Unit) -> None:
        if unit.label == self.fails:
            raise InputError("a unit that works", unit.label)
        assert all(need.address in self.there for need in unit.needs), "a need came late"
        self.ran.append(unit.label)
        self.there.add(unit.address)


def diamond() -> tuple[Unit, Unit, Unit, Unit]:
    """Two units need one, and a fourth needs both."""
    base = Unit.of("s", label="base", n=0)
    left, right = (Unit.of("s", needs=[base], label=name, n=k) for k, name in ((1, "left"), (2, "right")))
    return base, left, right, Unit.of("s", needs=[left, right], label="top", n=3)


def test_needs_come_first_and_once() -> None:
    """A diamond runs its base once, before both sides, before its top."""
    bench, calls = Notes(), []
    top = diamond()[3]
    n = run_units([top, top], bench, workers=1, progress=lambda *call: calls.append(call))
    assert bench.ran == ["base", "left", "right", "top"]
    assert n == 4
    assert calls == [(k + 1, 4, name) for k, name in enumerate(bench.ran)]


def test_finished_units_are_not_run_nor_what_only_they_needed() -> None:
    """With one side finished its base still runs, for the other; with both, only the top; with the top, nothing."""
    base, left, right, top = diamond()
    for there, expected in (
        ([left], ["base", "right", "top"]),
        ([left, right], ["top"]),
        ([top], []),
        ([base], ["left", "right", "top"]),
    ):
        bench = Notes(there={unit.address for unit in there})
        assert [unit.label for unit in wanted([top], bench.has)] == expected
        assert run_units([top], bench, workers=1) == len(expected)
        assert bench.ran == expected


def test_a_failure_stops_and_keeps_what_was_done() -> None:
    """The error of a unit comes out as it is; what ran before it stays, and the next attempt goes on from there."""
    bench = Notes(fails="right")
    with pytest.raises(InputError, match=r"^expected a unit that works; got right$"):
        run_units([diamond()[3]], bench, workers=1)
    assert bench.ran == ["base", "left"]
    bench.fails = ""
    run_units([diamond()[3]], bench, workers=1)
    assert bench.ran == ["base", "left", "right", "top"]


def test_an_address_is_of_everything_but_the_label(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stage, any parameter, any need however far down, and the code change the address; label and order do not."""
    unit = Unit.of("s", needs=[Unit.of("t", x=1)], a=1, b="two")
    assert (
        Unit.of("s", needs=[Unit.of("t", x=1, label="other")], label="new", b="two", a=1).address
        == unit.address
    )
    others = [
        Unit.of("r", needs=[Unit.of("t", x=1)], a=1, b="two"),
        Unit.of("s", needs=[Unit.of("t", x=1)], a=2, b="two"),
        Unit.of("s", needs=[Unit.of("t", x=1)], a=1, b="two", c=None),
        Unit.of("s", needs=[Unit.of("t", x=2)], a=1, b="two"),
        Unit.of("s", needs=[], a=1, b="two"),
    ]
    monkeypatch.setattr(engine, "code_version", lambda: "another version")
    others.append(Unit.of("s", needs=[Unit.of("t", x=1)], a=1, b="two"))
    assert len({unit.address, *(other.address for other in others)}) == 1 + len(others)


def test_every_number_of_a_plan_reaches_the_addresses() -> None:
    """Change what a plan asks, and the unit that measures a site is another one."""
    from tonotopy.encoders import load_encoder

    encoder = load_encoder("phantom:raw-window")
    plan = Plan(
        encoder="phantom:raw-window",
        weights="seed 0",
        weights_id=encoder.weights_id,
        encoder_id=encoder.identity,
        device="cpu",
        music="scores",
        music_fingerprint="ab",
        sites=("raw-window",),
        preset="quick",
        seed=0,
        n_frequencies=5,
        families=("silence", "tone", "music"),
        n_train=2,
        n_test=2,
        n_pieces=4,
        n_frames=2,
        floor_seeds=(),
        n_resamples=50,
    )

    def address(changed: Plan, pieces: int = 4) -> str:
        return build(changed, encoder, pieces).measures[None, "raw-window"].address

    changes: list[dict[str, Any]] = [
        {"encoder_id": "sha256:other"},
        {"device": "cuda"},
        {"music_fingerprint": "cd"},
        {"seed": 1},
        {"n_frequencies": 6},
        {"families": ("silence", "tone", "chord", "music")},
        {"n_train": 3},
        {"n_test": 3},
        {"n_pieces": 5},
        {"n_frames": 3},
        {"n_resamples": 60},
        {"brief": True},
    ]
    found = [address(replace(plan, **change)) for change in changes]
    assert len({address(plan), address(plan, 3), *found}) == 2 + len(changes)
    assert address(replace(plan)) == address(plan)


def test_the_code_that_decides_numbers_is_in_the_address() -> None:
    """Every module below the verdict is hashed; so are the stages and the bench that reads the music."""
    hashed = {path.as_posix() for path in engine.numeric_files()}
    root = Path(engine.__file__).resolve().parent.parent
    for name in (
        "sound/trials.py",
        "measures/tally.py",
        "encoders/phantoms/cochlea.py",
        "runs/stages/measure.py",
    ):
        assert (root / name).as_posix() in hashed
    assert (root / "runs/bench.py").as_posix() in hashed
    assert (root / "runs/graph.py").as_posix() not in hashed  # what it decides is in the parameters


@dataclass(frozen=True)
class Suicidal:
    """Builds benches whose worker is killed by the unit called 'bad'."""

    folder: Path

    def __call__(self) -> Any:
        return FileBench(self.folder)


@dataclass
class FileBench:
    """Keeps units as files, so that processes share them."""

    folder: Path

    def has(self, unit: Unit) -> bool:
        return (self.folder / unit.address).exists()

    def run(self, unit: Unit) -> None:
        if unit.label == "bad":
            os.kill(os.getpid(), signal.SIGKILL)
        assert all(self.has(need) for need in unit.needs)
        (self.folder / unit.address).write_text(unit.label)


@pytest.mark.timeout(120)
def test_a_worker_that_dies_is_reported(tmp_path: Path) -> None:
    """Out of memory or killed: one line that says so, no hang, and finished units stay."""
    base = Unit.of("s", label="good", n=0)
    bad = [Unit.of("s", needs=[base], label="bad", n=k) for k in (1, 2)]
    bench = FileBench(tmp_path)
    with pytest.raises(RunError) as caught:
        run_units(bad, bench, workers=2, make_bench=Suicidal(tmp_path))
    assert str(caught.value) == (
        "expected all workers alive; got a worker process that died; likely cause: a worker ran out of memory, "
        "or was killed; run the same command again: finished work is kept"
    )
    assert bench.has(base)
