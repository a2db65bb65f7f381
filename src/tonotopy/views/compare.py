"""Several runs side by side: as a table of numbers, and on a terminal with one column a run.

Runs are compared site by site, by name. Where plans differ in what they measured (music, preset, seed), the
difference is named: shares of different music are not differences between models.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console

from tonotopy.core.errors import InputError
from tonotopy.views.tables import InFolder, RunTables, as_run
from tonotopy.views.terminal import plain_text, print_whole, short, table_of, thresholds, width_of
from tonotopy.views.words import DASH, listed, missing, share_with_interval

#: What must be equal for a difference to be the model's.
SAME = ("music", "preset", "seed", "n_pieces", "n_frequencies", "families")
COPIED = (
    "share_stable",
    "low_stable",
    "high_stable",
    "stable_kappa_75",
    "stable_kappa_85",
    "share_phase_locked",
    "share_coincidental",
    "share_entangled",
    "share_absent",
    "share_undefined",
    "share_stable_resolvable",
    "n_resolvable",
    "floor_stable_mean",
    "floor_stable_min",
    "floor_stable_max",
    "shuffled_stable",
)


def compare_table(runs: Sequence[RunTables | InFolder | Path | str]) -> pd.DataFrame:
    """One row for each run and site, in the order of the runs and in depth order.

    Parameters
    ----------
    runs : sequence of RunTables, opened runs or paths
        One run or more.

    Returns
    -------
    pandas.DataFrame
        Columns ``run`` (its label), ``encoder``, ``weights``, ``music``, ``preset``, ``n_pieces``, ``site``,
        ``role``, then shares, intervals and nulls; not-a-number where undefined.

    Raises
    ------
    InputError
        For no run at all.
    """
    opened = _opened(runs)
    parts = []
    for run, label in zip(opened, labels(opened), strict=True):
        head: dict[str, str | int] = {
            "run": label,
            "encoder": run.encoder,
            "weights": run.weights,
            "music": run.music,
            "preset": run.preset,
            "n_pieces": run.n_pieces,
        }
        table = run.sites[["site", "role", *COPIED]].copy()
        for place, (name, value) in enumerate(head.items()):
            table.insert(place, name, value)
        parts.append(table)
    return pd.concat(parts, ignore_index=True)


def render_compare(runs: Sequence[RunTables | InFolder | Path | str], console: Console) -> None:
    """Print runs side by side: one row a site, one column a run, its nulls in a row below.

    Parameters
    ----------
    runs : sequence of RunTables, opened runs or paths
        One run or more.
    console : rich.console.Console
        Where to.
    """
    opened = _opened(runs)
    names = labels(opened)
    _print_wide(opened, names, console) if _same_sites(opened) else _print_long(opened, names, console)
    for line in differences(opened):
        console.print(plain_text(line, style="dim"))


def labels(runs: Sequence[RunTables]) -> list[str]:
    """A short name for each run: encoder and weights, and the folder where that does not tell them apart."""
    names = [f"{run.encoder} · {run.weights}" for run in runs]
    names = [
        f"{name} · {run.music}" if names.count(name) > 1 else name
        for name, run in zip(names, runs, strict=True)
    ]
    return [
        f"{name} · {run.folder.name}" if names.count(name) > 1 else name
        for name, run in zip(names, runs, strict=True)
    ]


def differences(runs: Sequence[RunTables]) -> list[str]:
    """What the plans do not share, in words."""
    differ = [key for key in SAME if len({repr(run.plan.get(key)) for run in runs}) > 1]
    if not differ:
        return []
    words = listed([key.replace("_", " ") for key in differ])
    return [f"the runs differ in {words}: a difference between columns need not be the model's"]


def _opened(runs: Sequence[RunTables | InFolder | Path | str]) -> list[RunTables]:
    if not runs:
        raise InputError("one run or more to compare", "none")
    return [as_run(run) for run in runs]


def _same_sites(runs: Sequence[RunTables]) -> bool:
    """Whether runs share a site, so that rows can be theirs together."""
    return bool(set.intersection(*(set(run.site_names) for run in runs)))


def _print_wide(runs: list[RunTables], names: list[str], console: Console) -> None:
    sites = list(dict.fromkeys(site for run in runs for site in run.site_names))
    rows = [[site, *(_stable(run, site) for run in runs)] for site in sites]
    head = ["site: stable [interval], floor", *names]
    if width_of(head, rows) > console.width:  # names of runs are long: they go above, numbered
        for number, name in enumerate(names, start=1):
            console.print(plain_text(f"{number}  {name}"))
        head = ["site", *(str(number) for number in range(1, len(names) + 1))]
        console.print(plain_text("stable [interval], floor", style="dim"))
    print_whole(table_of(head, rows), console)


def _print_long(runs: list[RunTables], names: list[str], console: Console) -> None:
    """Run by run, each under its name."""
    head = ["site", "stable", "κ ± .05", "floor", "shuffled"]
    for run, name in zip(runs, names, strict=True):
        rows = [
            [
                row["site"],
                share_with_interval(row["share_stable"], row["low_stable"], row["high_stable"]),
                thresholds(row["stable_kappa_75"], row["stable_kappa_85"]),
                short(row["floor_stable_mean"]),
                short(row["shuffled_stable"]),
            ]
            for _, row in run.sites.iterrows()
        ]
        console.print(plain_text(name, style="bold"))
        print_whole(table_of(head, rows), console)


def _stable(run: RunTables, site: str) -> str:
    """A run's answer at a site, with its floor; a dash where it has no such site."""
    found = run.sites[run.sites["site"] == site]
    if found.empty:
        return DASH
    row = found.iloc[0]
    share = share_with_interval(row["share_stable"], row["low_stable"], row["high_stable"])
    return share if missing(row["floor_stable_mean"]) else f"{share}, {short(row['floor_stable_mean'])}"
