"""Where ``tonotopy study`` is given several things at once: snapshots of a training, or a study file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tonotopy.core.errors import InputError

#: Options that may take the place of what a study file says.
OF_A_FILE = ("music", "preset", "pieces", "frequencies", "workers", "device", "out", "trust", "no_floor")


def study_several(words: dict[str, Any], *, dry_run: bool, as_json: bool) -> bool:
    """Study what names several encoders; False where the words name one."""
    from tonotopy.runs.series import names_snapshots

    if str(words["encoder"]).endswith(".toml"):
        _file(words, dry_run=dry_run, as_json=as_json)
        return True
    if names_snapshots(words["encoder"], words.get("weights")):
        (_estimate if dry_run else _series)(words, as_json=as_json)
        return True
    return False


# ---- a series


def _series(words: dict[str, Any], *, as_json: bool) -> None:
    from tonotopy.cli._progress import progress
    from tonotopy.cli.show import show
    from tonotopy.runs.series import study_series

    with progress(str(words["weights"] or words["encoder"])) as callback:
        series = study_series(progress=callback, **words)
    show(series, as_json=as_json)


def _estimate(words: dict[str, Any], *, as_json: bool) -> None:
    """The cost of the first member, and how many there are."""
    from dataclasses import asdict

    from tonotopy.cli._output import say, write_json
    from tonotopy.runs import estimate
    from tonotopy.runs.series.snapshots import entries

    members, _ = entries(words["encoder"], words["weights"])
    first = members[0]
    own = words | {"encoder": first.encoder, "weights": first.weights, "floor": False}
    found = estimate(own.pop("encoder"), **own)
    if as_json:
        write_json({"members": len(members), "each": asdict(found)})
        return
    say(f"members    {len(members)}, from {first.folder} to {members[-1].folder}")
    say(f"sites      {', '.join(found.sites)}")
    say(f"time       about {len(members) * found.minutes:.0f} minutes, and once the floor")
    say(f"disk       about {len(members) * found.bytes / 1e6:,.0f} MB at most; members share what they can")


# ---- a study file


def _file(words: dict[str, Any], *, dry_run: bool, as_json: bool) -> None:
    from tonotopy.cli._progress import progress
    from tonotopy.runs.study_files import execute, read_study_file

    file = read_study_file(words["encoder"])
    if dry_run:
        _plan(file, as_json=as_json)
        return
    given = _given()
    strange = sorted(given - {*OF_A_FILE, "encoder", "as_json", "dry_run"})
    if strange:
        option = f"--{strange[0].replace('_', '-')}"
        legal = [f"--{name.replace('_', '-')}" for name in OF_A_FILE]
        raise InputError("an option beside a study file", option, "the file says it", legal)
    own = {key: words[key] for key in ("music", "preset", "pieces", "frequencies") if key in given}
    with progress(file.name) as callback:
        found = execute(
            file,
            out=words["out"],
            trust=words["trust"],
            workers=words["workers"],
            device=words["device"],
            floor=words["floor"],
            progress=callback,
            **own,
        )
    show_study(found.path, as_json=as_json)


def _given() -> set[str]:
    """Names of the options that were spelled out on the command line."""
    context = click.get_current_context()
    default = click.core.ParameterSource.DEFAULT
    return {name for name in context.params if context.get_parameter_source(name) is not default}


def _plan(file: Any, *, as_json: bool) -> None:
    """What a study file would do, one line each."""
    from dataclasses import asdict

    from tonotopy.cli._output import say, write_json

    if as_json:
        write_json(asdict(file))
        return
    say(file.title)
    for one in file.train:
        long = f"{one.minutes:g} minutes" if one.minutes is not None else f"{one.steps:,} steps"
        for member, told in one.members():
            words = ", ".join(f"{key} {value}" for key, value in told.items())
            say(f"train      {one.name}{'/' * bool(member)}{member}: {one.kind}, {long}, {words}")
    for one in file.encoder:
        say(
            f"study      {one.name}: {one.encoder or 'the last snapshot of ' + one.train}, preset {file.preset}"
        )
    for one in file.series:
        say(f"series     {one.name}: {one.kind} of {one.train}")


def show_study(folder: Path, *, as_json: bool) -> None:
    """Print what a study file found: the comparison, the series, and where the index is."""
    from tonotopy.cli._output import results, say, write_json
    from tonotopy.runs import open_run
    from tonotopy.runs.study_files import read_record
    from tonotopy.views import compare_table, render_compare, render_series, write_study_report

    told = read_record(folder)
    compared = [open_run(folder / name) for name in told["compare"]]
    if as_json:
        rows = compare_table(compared).to_dict(orient="records") if compared else []
        write_json(told | {"path": str(folder), "comparison": rows})
        return
    say(told.get("title") or folder.name)
    for name in told["runs"]:
        say("")
        say(f"{name}: {open_run(folder / name).verdict['sentence']}")
    if compared:
        say("")
        render_compare(compared, results())
    for name in told["series"]:
        say("")
        render_series(folder / name, results())
    say("")
    say(f"index      {write_study_report(folder)}")
