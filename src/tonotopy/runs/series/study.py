"""A series of studies: every member is an ordinary study in a folder of its own, then what runs across them.

Interrupted, the same command goes on: finished members run nothing. New members (a training that went on) are
added; what compares with the final snapshot is then measured anew. Floor and ceiling depend on the architecture
and not on the weights, so one member carries them for all: the first, or the one that already has them. Beside it,
the snapshot at step 0 *is* the floor of that training's own seed, with the statistics of normalisation
layers as the training began.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tonotopy.core.errors import InputError, RunError
from tonotopy.runs.asked import Asked
from tonotopy.runs.engine import Progress
from tonotopy.runs.lock import locked
from tonotopy.runs.plan import Plan
from tonotopy.runs.run import Run, open_run, read_plan
from tonotopy.runs.series import collect
from tonotopy.runs.series.folder import FILE, TABLES, Member, Series, is_series, open_series, write_series
from tonotopy.runs.series.lend import lend
from tonotopy.runs.series.snapshots import Entry, entries
from tonotopy.runs.store import full_disk_is_an_error, write_tables
from tonotopy.runs.study import Session

#: What a member may have of its own; the rest of its plan is the series'.
OWN = ("encoder", "weights", "weights_id", "encoder_id", "floor_seeds", "ceiling", "ceiling_id", "names_code")
#: Beside these, models of another size may have other sites.
OWN_IN_A_GRID = (*OWN, "sites")


def study_series(
    encoder: str,
    *,
    weights: str | None = None,
    music: Any,
    out: Path | str | None = None,
    progress: Progress | None = None,
    **words: Any,
) -> Series:
    """Study every checkpoint of a training with one plan: what emerges, and when.

    Parameters
    ----------
    encoder : a pattern or folder of checkpoints that say what they are (``RUN/*.safetensors``), or, with
        ``weights``, an encoder as :func:`tonotopy.study` takes it by name
    weights : a pattern or folder of that encoder's checkpoints; a step is the last number in a file's name
    music, words : as for :func:`tonotopy.study`; ``floor`` is measured once for all members
    out : folder of the series; an interrupted or a grown series in it goes on
    progress : called with (units done, units in all, label) of the member under way

    Returns
    -------
    Series

    Raises
    ------
    TonotopyError
        Whatever cannot be used, in one line.
    """
    asked, coordinate = entries(encoder, weights)
    return run_series(
        asked, kind="emergence", coordinate=coordinate, music=music, out=out, progress=progress, **words
    )


def run_series(
    asked: Sequence[Entry],
    *,
    kind: str,
    coordinate: str,
    music: Any,
    out: Path | str | None = None,
    floor: bool = True,
    ceiling: Any = None,
    progress: Progress | None = None,
    **words: Any,
) -> Series:
    """Study the members of a series, in order, and what runs across them.

    Parameters
    ----------
    asked : the members, in order
    kind : ``emergence`` (snapshots of one training) or ``scaling`` (a grid of models)
    coordinate : what orders them: step, order or parameters
    floor : measure untrained copies once: they depend on the architecture only. In a grid every member has
        its own architecture, and its own floor
    ceiling : of the architecture, as :func:`tonotopy.study` takes it; measured once, beside the floor
    """
    if not asked:
        raise InputError("one member or more of a series", "none")
    folder = Path(out) if out is not None else Path("runs") / _name(asked, kind, words)
    before = _claim(folder, kind, coordinate)
    with locked(folder):
        bearer = _bearer(folder, asked) if kind == "emergence" else None
        runs: list[Run] = []
        for place, entry in enumerate(asked):
            carries = bearer is None or entry.folder == bearer
            callback = _named(progress, f"{entry.folder} ({place + 1} of {len(asked)})")
            common = {"music": music, "floor": floor and carries, **words}
            if ceiling is not None and carries:
                common["ceiling"] = ceiling
            runs.append(_study(entry, folder / entry.folder, runs, common, kind, callback))
        runs_by_folder = {run.path.name: run for run in runs}
        found = [_member(entry, runs_by_folder[entry.folder]) for entry in asked]
        kept, kept_runs = _kept(folder, before, found, runs[0].plan, kind)
        members = _ordered([*kept, *found], coordinate)
        runs_by_folder |= kept_runs
        ordered = [runs_by_folder[member.folder] for member in members]
        return _finish(folder, kind, coordinate, members, ordered, bearer if floor else None)


def _study(
    entry: Entry,
    out: Path,
    before: Sequence[Run],
    words: dict[str, Any],
    kind: str,
    progress: Progress | None,
) -> Run:
    """One member: an ordinary study, which takes what depends on no weights from the member before it."""
    asked = Asked(entry.encoder, weights=entry.weights, out=out, **(words | dict(entry.words)))
    session = Session.open(asked)
    if before:
        _refuse_other_plan(session.plan, before[0].plan, entry.folder, kind)
    session.claim_folder()
    if before:
        lend(before[-1].path / "units", out / "units")
    session.execute(progress, keep_floor=False)
    return open_run(out)


def _claim(folder: Path, kind: str, coordinate: str) -> Series | None:
    """Make the folder of the series, or take up the one that is there."""
    if is_series(folder):
        held = open_series(folder)
        if (held.kind, held.coordinate) != (kind, coordinate):
            expected = f"an empty folder, or a series of {kind} by {coordinate}, at {folder.name!r}"
            raise RunError(expected, f"one of {held.kind} by {held.coordinate}", "choose another --out")
        return held
    if folder.exists() and (not folder.is_dir() or _strangers(folder)):
        came = "a file" if not folder.is_dir() else "a folder with files that are no series"
        raise RunError(f"an empty folder at {folder.name!r}", came, "a mistyped --out")
    with full_disk_is_an_error(folder):
        folder.mkdir(parents=True, exist_ok=True)
        # From the start, so that an interrupted series is known as one.
        write_series(Series(folder, kind, coordinate, {}, (), complete=False))
    return None


def _strangers(folder: Path) -> bool:
    """Whether a folder holds anything but what a series writes before its first member."""
    return any(path.name not in {".lock", FILE} for path in folder.iterdir())


def _bearer(folder: Path, asked: Sequence[Entry]) -> str:
    """The member that carries floor and ceiling: the one that already does, or the first."""
    for path in sorted(folder.glob("*/plan.toml")):
        if read_plan(path.parent).floor_seeds:
            return path.parent.name
    return asked[0].folder


def _refuse_other_plan(plan: Plan, first: Plan, name: str, kind: str) -> None:
    own = OWN if kind == "emergence" else OWN_IN_A_GRID
    differing = [key for key in plan.differences(first) if key not in own]
    if differing:
        raise RunError("members of one plan", f"{name}, which differs in: {', '.join(differing)}")


def _kept(
    folder: Path, before: Series | None, found: Sequence[Member], plan: Plan, kind: str
) -> tuple[list[Member], dict[str, Run]]:
    """Members of an earlier call whose checkpoints are gone: finished runs stay part of the series."""
    present = {member.folder for member in found}
    kept, runs = [], {}
    for member in before.members if before is not None else ():
        if member.folder not in present and (folder / member.folder / "manifest.json").is_file():
            run = open_run(folder / member.folder)
            _refuse_other_plan(run.plan, plan, member.folder, kind)
            kept.append(member)
            runs[member.folder] = run
    return kept, runs


def _ordered(members: Sequence[Member], coordinate: str) -> list[Member]:
    """Members by step, or as they came, those of an earlier call first."""
    if coordinate == "step":
        return sorted(members, key=lambda member: -1 if member.step is None else member.step)
    if coordinate == "parameters":
        return sorted(members, key=lambda m: (m.hours or 0.0, m.parameters or 0))
    return list(members)


def _member(entry: Entry, run: Run) -> Member:
    return Member(
        entry.folder,
        run.plan.weights,
        run.plan.weights_id,
        step=entry.step,
        parameters=collect.parameters_of(run),
        hours=entry.hours,
    )


def _finish(
    folder: Path,
    kind: str,
    coordinate: str,
    members: Sequence[Member],
    runs: Sequence[Run],
    bearer: str | None,
) -> Series:
    """Write tables, then the series as complete; nothing is written where nothing has changed."""
    last = runs[-1]
    told = {
        "encoder": last.plan.encoder,
        "music": last.plan.music,
        "preset": last.plan.preset,
        "seed": last.plan.seed,
        "n_pieces": last.verdict["n_pieces"],
        "floor_member": bearer,
        "finished": [run.manifest["finished"] for run in runs],
    }
    series = Series(folder, kind, coordinate, told, tuple(members), complete=True)
    held = open_series(folder)
    there = all((folder / "tables" / f"{name}.parquet").is_file() for name in TABLES)
    if there and held.complete and _told(held) == _told(series):
        return series
    with full_disk_is_an_error(folder):
        # Members first and incomplete: a kill from here on leaves no old table under new members.
        write_series(replace(series, complete=False))
        write_tables(folder / "tables", collect.tables(folder, runs, members, kind))
        write_series(series)
    return series


def _told(series: Series) -> dict[str, Any]:
    return asdict(replace(series, path=Path()))


def _named(progress: Progress | None, name: str) -> Progress | None:
    """Progress that says which member is under way."""
    if progress is None:
        return None
    tell: Callable[[int, int, str], None] = progress
    return lambda done, total, label: tell(done, total, f"{name}: {label}")


def _name(asked: Sequence[Entry], kind: str, words: dict[str, Any]) -> str:
    """A folder name where none was given: encoder or folder of checkpoints, kind, preset, seed."""
    first = asked[0]
    path = Path(str(first.encoder))
    home = path.resolve().parent.name if path.suffix == ".safetensors" else str(first.encoder)
    parts = [home, kind, str(words.get("preset", "standard")), f"seed{words.get('seed', 0)}"]
    return "_".join(
        "".join(c if c.isalnum() or c in ".-" else "-" for c in part).strip("-.")[:40] for part in parts
    )
