"""A series from outside: members are ordinary runs, the same command goes on, what is hostile is refused."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tonotopy.core.errors import InputError, RunError
from tonotopy.judgement.verdict import VERDICTS
from tonotopy.runs import open_run, study
from tonotopy.runs.series import collect, is_series, open_series, study_series
from tonotopy.runs.series.folder import write_series
from tonotopy.runs.series.lend import lend, weightless
from tonotopy.runs.store import Store

SMALL: dict[str, Any] = {
    "music": "scores", "preset": "quick", "frequencies": 3, "pieces": 8, "workers": 1, "sample_rate": 8000,
    "sites": ["0", "2"], "trust": True, "device": "cpu",
}  # fmt: skip


def again(
    series: Any, checkpoints: Path, out: Path, pattern: str = "*.pth", **words: Any
) -> tuple[Any, list[Any]]:
    """The same command in a folder, and what ran."""
    calls: list[Any] = []
    found = study_series(
        f"{checkpoints / 'net.py'}:Net",
        weights=str(checkpoints / pattern),
        out=out,
        progress=lambda *call: calls.append(call),
        **(SMALL | words),
    )
    return found, calls


def test_members_are_ordinary_runs(series: Any, checkpoints: Path, tmp_path: Path) -> None:
    """A member reads as the same study by itself, number for number, though units were lent to it."""
    last = series.run(series.members[-1])
    alone = study(
        f"{checkpoints / 'net.py'}:Net",
        weights=str(checkpoints / "net-200.pth"),
        out=tmp_path / "alone",
        floor=False,
        **SMALL,
    )
    for name in ("verdicts", "sites", "ladder", "view_curve"):
        pd.testing.assert_frame_equal(last.table(name), alone.table(name), check_exact=True)


def test_the_floor_is_measured_once(series: Any) -> None:
    """The first member carries it; what depends on no weights is on the disk once."""
    floors = [bool(series.run(member).plan.floor_seeds) for member in series.members]
    assert floors == [True, False, False]
    assert series.told["floor_member"] == series.members[0].folder
    first, second = (series.path / member.folder / "units" for member in series.members[:2])
    lent = [home for home in second.glob("*/*") if weightless(home)]
    assert len(lent) > 4
    for home in lent:
        assert (home / "unit.json").samefile(first / home.parent.name / home.name / "unit.json")


def test_tables(series: Any) -> None:
    """Steps ascend; the last snapshot overlaps with itself; shares are the members' own."""
    assert [member.step for member in series.members] == [0, 10, 200]
    shares, dimension = series.table("shares"), series.table("dimension")
    assert len(shares) == len(dimension) == 6
    final = dimension[dimension["step"] == 200]
    np.testing.assert_allclose(final["overlap"], 1.0)
    first = dimension[dimension["step"] == 0]
    assert (first["overlap"] < 0.95).all()
    near = dimension[dimension["step"] == 10].set_index("site")["effective_dimension"]
    np.testing.assert_allclose(near, first.set_index("site")["effective_dimension"], rtol=0.2)
    assert (dimension["effective_dimension"] <= dimension["units"]).all()
    assert len(series.table("pieces")) == 6 * 8
    own = series.run(series.members[1]).sites()
    pd.testing.assert_series_equal(
        shares[shares["step"] == 10]["share_absent"].reset_index(drop=True), own["share_absent"]
    )


def test_coverage_is_counted_over_sites(series: Any) -> None:
    """By hand from the stored verdicts: stable anywhere, detected anywhere but stable nowhere, and both."""
    run = series.run(series.members[0])
    row = collect.anywhere_row(run)
    names = run.verdicts().pivot_table(
        index="frequency_hz", columns="site", values="verdict", aggfunc="first"
    )
    stable = (names == "stable").any(axis=1)
    detected = names.isin(["stable", "phase-locked", "entangled"]).any(axis=1)
    assert row["stable"] == stable.mean()
    assert row["coverage"] == detected.mean()
    assert row["entangled"] == (detected & ~stable).mean()
    assert row["stable_low"] <= row["stable"] <= row["stable_high"]
    own = series.table("shares").query("step == 0")
    added = own[["share_stable", "share_phase_locked", "share_entangled"]].sum(axis=1)
    np.testing.assert_allclose(own["coverage"], added)


def test_frequencies_undefined_everywhere_do_not_count(series: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Undefined is not absent: it leaves the denominator."""
    run = series.run(series.members[0])
    codes = np.full((4, 3), VERDICTS.index("stable"))
    codes[:, 0] = VERDICTS.index("undefined")

    class Planted:
        def __enter__(self) -> dict[str, Any]:
            return {"verdict": type("A", (), {"values": codes})}

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(Store, "arrays", lambda *_: Planted())
    row = collect.anywhere_row(run)
    assert (row["stable"], row["n_frequencies"]) == (1.0, 2)


def test_the_same_command_runs_nothing(series: Any, checkpoints: Path) -> None:
    """No unit runs and no file of the series changes."""
    before = {p: p.stat().st_mtime_ns for p in series.path.rglob("*") if p.is_file() and p.name != ".lock"}
    found, calls = again(series, checkpoints, series.path)
    assert calls == []
    after = {p: p.stat().st_mtime_ns for p in series.path.rglob("*") if p.is_file() and p.name != ".lock"}
    assert (found, after) == (series, before)


def test_it_goes_on_where_it_was_interrupted(series: Any, checkpoints: Path, tmp_path: Path) -> None:
    """Killed before its third member: the others run nothing, and the tables are the same."""
    out = tmp_path / "series"
    shutil.copytree(series.path, out, ignore=shutil.ignore_patterns("tables", series.members[2].folder))
    write_series(replace(series, path=out, members=(), told={}, complete=False))
    assert is_series(out)
    with pytest.raises(RunError, match=r"^expected a finished series; got an unfinished one in 'series'; "):
        open_series(out).table("shares")
    found, calls = again(series, checkpoints, out)
    assert calls
    assert all("(3 of 3)" in label for _, _, label in calls)
    for name in ("shares", "dimension"):
        pd.testing.assert_frame_equal(found.table(name), series.table(name), check_exact=True)
    # A checkpoint that is gone stays part of the series, since its run is there.
    fewer, calls = again(series, checkpoints, out, pattern="*[1-9]*.pth")
    assert calls == []
    assert fewer.members == found.members


def test_what_is_another_series(series: Any, checkpoints: Path, tmp_path: Path) -> None:
    """Another plan, another order, a folder of something else: refused, nothing changed."""
    with pytest.raises(RunError, match=r"whose plan differs in: seed"):
        again(series, checkpoints, series.path, seed=3)
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(
        RunError, match=r"^expected an empty folder at .*; got a folder with files that are no series"
    ):
        again(series, checkpoints, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 9}, r"^expected a series of schema 1; got schema 9; "),
        ({"kind": "party"}, r"^expected a kind of series \(emergence, scaling\); got 'party'"),
        ({"members": {}}, r"^expected members in a list; got dict"),
        ({"folder": "../../etc"}, r"^expected the plain name of a member's folder; got '\.\./\.\./etc'"),
        ({"folder": "."}, r"^expected the plain name"),
        ({"step": -1}, r"^expected a whole number for step; got -1"),
        ({"step": True}, r"^expected a whole number for step; got True"),
        ({"hours": 1e999}, r"^expected a number of hours; got inf"),
        ({"extra": 1}, r"^expected members with the keys "),
        ({"weights": 3}, r"^expected text for weights; got 3"),
    ],
)
def test_a_hostile_series_is_refused(
    series: Any, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    """What cannot be is named in one line; nothing outside the folder is opened."""
    told = json.loads((series.path / "series.json").read_text())
    if set(change) <= {"schema", "kind", "members"}:
        told |= change
    else:
        told["members"][0] |= change
    (tmp_path / "series.json").write_text(json.dumps(told))
    with pytest.raises(RunError, match=message):
        open_series(tmp_path)


def test_no_path_is_stored(series: Any, checkpoints: Path) -> None:
    """Neither the folder of the checkpoints nor that of the series is in any text of it."""
    for file in [*series.path.rglob("*.json"), *series.path.rglob("*.toml")]:
        text = file.read_text(encoding="utf-8")
        assert str(checkpoints) not in text, file
        assert str(series.path) not in text, file


def test_damaged_units_are_not_lent(series: Any, tmp_path: Path) -> None:
    """A unit that cannot be read is left; where there are no hard links nothing is lent."""
    lender = tmp_path / "a"
    shutil.copytree(series.path / series.members[0].folder / "units", lender)
    homes = [home for home in sorted(lender.glob("*/*")) if weightless(home)]
    (homes[0] / "unit.json").write_text("{")
    assert lend(lender, tmp_path / "b") == len(homes) - 1
    assert lend(lender, tmp_path / "b") == 0


def test_without_hard_links(series: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that refuses links leaves no rest behind."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    assert lend(series.path / series.members[0].folder / "units", tmp_path / "b") == 0
    assert not [p for p in (tmp_path / "b").rglob("*") if p.is_file()]


def test_a_table_by_another_name(series: Any) -> None:
    """Misspelt tables list the legal ones."""
    with pytest.raises(InputError, match=r"^expected a table of a series; got 'share'; .*shares, anywhere"):
        series.table("share")
    assert open_run(series.path / series.members[0].folder).verdict["n_pieces"] == 8
