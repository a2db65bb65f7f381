"""The ladder of structures on a terminal and on the page: there where a run has it, nowhere else, and never obeyed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from tests.views.seen import shown

from tonotopy.core.errors import RunError
from tonotopy.views import RunTables
from tonotopy.views.ladder import ladder_grid
from tonotopy.views.report import page

SHARES = {
    "stable": 0.25,
    "phase_locked": 0.0,
    "coincidental": 0.0,
    "entangled": 0.5,
    "absent": 0.25,
    "undefined": 0.0,
}
ENTRY = {
    "site": "<b>[red]end",
    "shares": SHARES,
    "intervals": {"stable": [0.1, 0.4]},
    "floor_stable": None,
    "shuffled_stable": None,
}


def with_rungs(folder: Path, rungs: Any) -> RunTables:
    """A run that asked about more than partials."""
    run = RunTables.read(folder)
    return dataclasses.replace(run, verdict=run.verdict | {"sites": [ENTRY], "structures": rungs})


def test_rungs_are_shown(run_folders: dict[str, Path]) -> None:
    """A row a structure and site, partials first, with interval; columns of verdicts that none has are left out."""
    run = with_rungs(run_folders["plain"], {"pitch": [ENTRY], "chord": [ENTRY]})
    grid = ladder_grid(run)
    assert grid is not None
    assert [row[0] for row in grid.rows] == ["partial", "pitch", "chord"]
    lines = shown(run).splitlines()
    head = next(line for line in lines if line.startswith("structure"))
    assert "stable" in head
    assert "entangled" in head
    assert "phase-locked" not in head
    pitch = next(line for line in lines if line.startswith("pitch"))
    assert "<b>[red]end" in pitch
    assert "25" in pitch
    assert "50 %" in pitch
    html = page(run, ())
    assert "The ladder of structures" in html
    assert "&lt;b&gt;[red]end" in html


def test_what_is_undefined_is_no_zero(run_folders: dict[str, Path]) -> None:
    """A rung whose every target is undefined has no share."""
    nothing = ENTRY | {
        "shares": dict.fromkeys(SHARES, 0.0) | {"undefined": 1.0},
        "intervals": {"stable": None},
    }
    grid = ladder_grid(with_rungs(run_folders["plain"], {"pitch": [nothing]}))
    assert grid is not None
    assert grid.rows[1][2] == "undefined"


def test_a_run_of_partials_has_no_ladder(run_folders: dict[str, Path]) -> None:
    """Nothing is said where nothing was asked."""
    run = RunTables.read(run_folders["plain"])
    assert ladder_grid(run) is None
    assert "The ladder of structures" not in page(run, ())


@pytest.mark.parametrize(
    "rungs", [["pitch"], {"pitch": 3}, {"pitch": [{}]}, {"pitch": [ENTRY | {"shares": None}]}]
)
def test_damage_is_one_line(run_folders: dict[str, Path], rungs: Any) -> None:
    """A hand-edited verdict.json is told as a damaged folder."""
    with pytest.raises(
        RunError, match=r"^expected [^\n]*in verdict\.json[^\n]*; got [^\n]*damaged run folder$"
    ):
        ladder_grid(with_rungs(run_folders["plain"], rungs))
