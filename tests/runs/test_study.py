"""A study from outside: resume, refusals, no dependence on workers, what a floor leaves behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tonotopy.core.errors import InputError, RunError
from tonotopy.runs import open_run, study
from tonotopy.runs.run import TABLES
from tonotopy.runs.store import Store

CHEAP: dict[str, Any] = {"music": "scores", "preset": "quick", "frequencies": 3, "pieces": 4, "brief": True}


def cheap(out: Path, **words: Any) -> Any:
    """The cheapest study there is."""
    return study("phantom:raw-window", out=out, **(CHEAP | {"workers": 1} | words))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A cheap run in one process, for comparison."""
    return cheap(tmp_path_factory.mktemp("cheap") / "run")


def same_tables(a: Any, b: Any) -> None:
    """Every table of two runs is equal, number for number."""
    for name in TABLES:
        pd.testing.assert_frame_equal(a.table(name), b.table(name), check_exact=True)
    assert a.verdict == b.verdict


def written(folder: Path) -> dict[Path, int]:
    """When each file of a run was written, its lock apart."""
    return {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file() and p.name != ".lock"}


def test_a_second_call_runs_nothing(undisturbed: Any) -> None:
    """The same words again: no unit runs, no file changes."""
    times = written(undisturbed.path)
    calls: list[Any] = []
    again = cheap(undisturbed.path, progress=lambda *call: calls.append(call))
    assert calls == []
    assert written(again.path) == times


def test_a_run_killed_before_its_manifest_is_finished(undisturbed: Any, tmp_path: Path) -> None:
    """With every unit and even the verdict written but no manifest, the next call writes it; so for a lost table."""
    import shutil

    out = Path(shutil.copytree(undisturbed.path, tmp_path / "run"))
    (out / "manifest.json").unlink()
    with pytest.raises(RunError, match=r"^expected a finished run; got an unfinished one in 'run'"):
        open_run(out)
    calls: list[Any] = []
    same_tables(cheap(out, progress=lambda *call: calls.append(call)), undisturbed)
    assert calls == []


def test_a_damaged_unit_is_computed_anew(undisturbed: Any, tmp_path: Path) -> None:
    """A unit cut short on disk is run again, alone, and the run is what it was."""
    import shutil

    out = Path(shutil.copytree(undisturbed.path, tmp_path / "run"))
    address = next(iter(undisturbed.manifest["addresses"]["measures"].values()))
    table = Store(out / "units").path(address) / "verdicts.parquet"
    table.write_bytes(table.read_bytes()[:-10])
    calls: list[Any] = []
    same_tables(cheap(out, progress=lambda *call: calls.append(call)), undisturbed)
    assert [(done, of) for done, of, _ in calls] == [(1, 1)]


def test_one_process_in_a_folder(tmp_path: Path) -> None:
    """While another process works in a folder, a second is sent away; afterwards it is not."""
    from tonotopy.runs.lock import locked

    with (
        locked(tmp_path),
        pytest.raises(RunError, match=r"^expected one process in a run folder; got another"),
        locked(tmp_path),
    ):
        pass
    with locked(tmp_path):
        pass


def test_interrupted_at_any_unit_it_goes_on(undisturbed: Any, tmp_path: Path) -> None:
    """Stopped after each unit in turn, called again: finished units do not run twice, and the numbers are the same."""

    class Stopped(BaseException):
        pass

    def stop(*_: Any) -> None:
        raise Stopped

    attempts = 0
    while True:
        attempts += 1
        try:
            run = cheap(tmp_path / "run", progress=lambda _, of, __: None if of == 1 else stop())
            break
        except Stopped:
            continue
    assert (
        attempts == len(list((undisturbed.path / "units").glob("*/*"))) - 1
    )  # all but the music, and one the last
    same_tables(run, undisturbed)


def test_a_folder_with_another_plan_is_refused(undisturbed: Any) -> None:
    """The differing keys are named, and nothing in the folder changes."""
    before = (undisturbed.path / "plan.toml").read_text()
    with pytest.raises(RunError) as caught:
        cheap(undisturbed.path, seed=5, frequencies=4)
    assert str(caught.value) == (
        "expected an empty folder, or one that holds this plan, at 'run'; got a run whose plan differs in: "
        "weights, weights_id, encoder_id, seed, n_frequencies; likely cause: another study was run here; "
        "choose another --out"
    )
    assert (undisturbed.path / "plan.toml").read_text() == before


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    """A folder with foreign files, and a file, are left alone."""
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(
        RunError, match=r"^expected an empty folder at .*; got a folder with files that are no run; "
    ):
        cheap(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(RunError, match=r"^expected an empty folder at 'thesis\.txt'; got a file; "):
        cheap(tmp_path / "thesis.txt")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            {"pieces": 2},
            r"^expected at least 3 pieces; got 2; likely cause: verdicts are undefined below that$",
        ),
        ({"frequencies": 0}, r"^expected frequencies of 1 or more; got 0$"),
        ({"floor_seeds": -1}, r"^expected floor_seeds of 0 or more; got -1$"),
        ({"seed": -1}, r"^expected a seed of 0 or more; got -1$"),
        ({"preset": "slow"}, r"^expected a preset; got 'slow'; .*quick, standard, thorough$"),
        ({"sites": ["raw-window", "raw-window"]}, r"^expected each site once; got raw-window, raw-window; "),
        (
            {"sites": ["first"]},
            r"^expected a site of phantom:raw-window; got 'first'; .*legal values: raw-window$",
        ),
        ({"device": "tpu"}, r"^expected a device; got 'tpu'; "),
    ],
)
def test_words_that_cannot_be_used(tmp_path: Path, words: dict[str, Any], message: str) -> None:
    """Refused in one line before anything is written."""
    with pytest.raises(InputError, match=message):
        cheap(tmp_path / "run", **words)
    assert not (tmp_path / "run").exists()


def test_too_little_music_is_refused(tmp_path: Path) -> None:
    """Two recordings are too few; the message counts what was usable."""
    import numpy as np
    import soundfile

    (tmp_path / "music").mkdir()
    for name, hz in (("a.wav", 440), ("b.wav", 550)):
        tone = 0.1 * np.sin(2 * np.pi * hz * np.arange(3 * 16000) / 16000)
        soundfile.write(tmp_path / "music" / name, tone, 16000)
    with pytest.raises(
        InputError, match=r"^expected at least 3 pieces of music; got 2 usable of 2 in folder:music"
    ):
        cheap(tmp_path / "run", music=f"folder:{tmp_path / 'music'}")


def test_a_module_needs_a_rate_and_code_needs_trust(tmp_path: Path) -> None:
    """A module does not say its rate; a file of code is not opened without trust, and its plan says that it is code."""
    import torch

    with pytest.raises(InputError, match=r"^expected sample_rate, in Hz, for a module; got none; "):
        study(torch.nn.Conv1d(1, 4, 16, 16), music="scores", out=tmp_path / "a")
    mark, file = tmp_path / "ran", tmp_path / "net.py"
    file.write_text(
        f"import pathlib, torch\npathlib.Path({str(mark)!r}).write_text('x')\n"
        "class Net(torch.nn.Conv1d):\n    def __init__(self): super().__init__(1, 4, 64, 32)\n"
    )
    words = CHEAP | {"workers": 1, "sample_rate": 16000, "floor": False}
    with pytest.raises(InputError, match=r"^expected leave to run a file; got '.*net\.py:Net'"):
        study(f"{file}:Net", out=tmp_path / "b", **words)
    assert not mark.exists()
    run = study(f"{file}:Net", out=tmp_path / "b", trust=True, **words)
    assert mark.exists()
    assert run.plan.names_code
    assert str(tmp_path) not in (run.path / "plan.toml").read_text()


def test_floor_activations_are_dropped_and_those_of_the_weights_are_kept(finished: Any) -> None:
    """After a study with a floor the store holds recordings of the weights under study and of raw samples only."""
    store = Store(finished.path / "units")
    kept = set(finished.manifest["addresses"]["records"])
    assert all(store.has(address) for address in kept)
    stages = [json.loads(p.read_text()) for p in (finished.path / "units").glob("*/*/unit.json")]
    recorded = [about for about in stages if about["stage"] == "record"]
    raw = [about for about in recorded if about["sites"][0].startswith("raw:")]
    assert len(recorded) - len(raw) == len(kept)
    assert sum(about["stage"] == "measure" for about in stages) == 4  # two sites, trained and random
