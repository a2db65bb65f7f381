"""Calibration: the phantoms through the same instrument, expected against observed (SPEC § 8).

A phantom reads X when at least 80 % of its resolvable frequencies carry X (of all frequencies where fewer
than 8 are resolvable). Phantoms that share a computation run as sites of one encoder; each (family, seed)
is a task of its own, so that calibration uses as many processes as there are.
"""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from tonotopy.core import registry
from tonotopy.core.errors import InputError
from tonotopy.encoders.phantoms._base import Expectation
from tonotopy.measures.measures import JUDGED
from tonotopy.runs.engine import Progress, default_workers, one_thread, script_kept_out, start_process
from tonotopy.runs.run import Run
from tonotopy.runs.study import study

PACKAGE = "tonotopy.encoders.phantoms"
#: With fewer resolvable frequencies than this, all frequencies are counted.
LEAST_RESOLVABLE = 8


@dataclass(frozen=True)
class Task:
    """Some phantoms that one encoder shows, at one seed."""

    module: str
    phantoms: tuple[str, ...]
    seed: int
    music: str
    preset: str
    overrides: tuple[tuple[str, Any], ...] = ()


def calibrate(
    *,
    seeds: Sequence[int] = (0,),
    preset: str = "standard",
    phantoms: Sequence[str] | None = None,
    music: str = "scores",
    progress: Progress | None = None,
    workers: int | None = None,
    **overrides: Any,
) -> list[dict[str, Any]]:
    """Run the phantoms and compare.

    Parameters
    ----------
    seeds : of the phantoms' random parts and of the trials
    preset, overrides : as for a study (``frequencies=…``, ``pieces=…``)
    phantoms : names without ``phantom:``; all by default

    Returns
    -------
    One row an expectation and seed: phantom, site, structure, readout, expected, observed, share, pass, seed, measures
    (medians over frequencies of the line's judged measures).
    """
    tasks = plan_tasks(seeds, phantoms, music, preset, overrides)
    rows: list[dict[str, Any]] = []
    n = min(workers or default_workers(), len(tasks))
    if n <= 1:
        for done, task in enumerate(tasks, start=1):
            rows += run_task(task)
            if progress:
                progress(done, len(tasks), f"{task.phantoms[0]} …, seed {task.seed}")
        return _sorted(rows)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(n, mp_context=context, initializer=start_process) as pool:
        with script_kept_out():
            futures = {pool.submit(run_task, task): task for task in tasks}
        for done, future in enumerate(as_completed(futures), start=1):
            rows += future.result()
            if progress:
                progress(done, len(tasks), f"{futures[future].phantoms[0]} …, seed {futures[future].seed}")
    return _sorted(rows)


def plan_tasks(
    seeds: Sequence[int], phantoms: Sequence[str] | None, music: str, preset: str, overrides: dict[str, Any]
) -> list[Task]:
    """The tasks, the longest first."""
    known = registry.plugins(PACKAGE)
    chosen = [name.removeprefix("phantom:") for name in (phantoms or known)]
    groups: dict[tuple[str, str], list[str]] = {}
    for name in chosen:
        plugin = registry.find(PACKAGE, name, kind="phantom")
        module = import_module(plugin.module)
        # A phantom with several sites of its own cannot be a site of its family's encoder.
        alone = not hasattr(module, "open_family") or name in getattr(module, "ALONE", ())
        groups.setdefault((plugin.module, name if alone else ""), []).append(name)
    if not seeds:
        raise InputError("at least one seed", "none", "an empty list")
    order = sorted(groups.items(), key=lambda item: (not item[0][1], item[0]))
    extra = tuple(sorted(overrides.items()))
    return [
        Task(module, tuple(names), seed, music, preset, extra)
        for (module, _), names in order
        for seed in seeds
    ]


def run_task(task: Task) -> list[dict[str, Any]]:
    """One study of some phantoms, and its rows."""
    module = import_module(task.module)
    family = len(task.phantoms) > 1
    encoder = (
        module.open_family(seed=task.seed)
        if family
        else module.open_encoder(task.phantoms[0], seed=task.seed)
    )
    with tempfile.TemporaryDirectory(prefix="tonotopy-calibrate-") as folder, one_thread():
        run = study(
            encoder,
            music=task.music,
            preset=task.preset,
            seed=task.seed,
            sites=list(task.phantoms) if family else None,
            out=Path(folder) / "run",
            floor=False,
            brief=True,
            workers=1,
            device="cpu",
            structures=structures_of(module.EXPECTED, task.phantoms),
            **dict(task.overrides),
        )
        return [row for name in task.phantoms for row in read(run, name, module.EXPECTED[name], task.seed)]


def structures_of(expected: dict[str, Sequence[Expectation]], phantoms: Sequence[str]) -> tuple[str, ...]:
    """The structures that the phantoms' rules are about, partials always among them."""
    named = {rule.structure for name in phantoms for rule in expected[name]}
    return tuple(sorted({"partial", *named}))


def read(run: Run, phantom: str, expected: Sequence[Expectation], seed: int) -> list[dict[str, Any]]:
    """Rows of one phantom: each expectation against what was observed."""
    sites_of = set(run.verdicts()["site"])
    own = [phantom] if phantom in sites_of else sorted(sites_of)
    rows = []
    for rule in expected:
        table = run.verdicts(rule.structure)
        shares = [share(table[table["site"] == site], rule) for site in own]
        groups = (
            [(own, shares)]
            if rule.mean_over_sites
            else [([s], [v]) for s, v in zip(own, shares, strict=True)]
        )
        for sites, values in groups:
            mean = sum(values) / len(values)
            ok = mean >= rule.least if rule.least is not None else mean <= (rule.most or 0.0)
            spread = f" (single {min(values):.2f} to {max(values):.2f})" if len(values) > 1 else ""
            rows.append(
                {
                    "phantom": phantom,
                    "site": sites[0] if len(sites) == 1 else f"{len(sites)} projections",
                    "structure": rule.structure,
                    "readout": rule.readout,
                    "expected": rule.sentence,
                    "observed": f"{rule.verdict} {mean:.0%}{spread}",
                    "share": mean,
                    "pass": bool(ok),
                    "seed": seed,
                    "measures": medians(table[table["site"].isin(sites)]),
                }
            )
    return rows


def share(table: pd.DataFrame, rule: Expectation) -> float:
    """Share of the counted frequencies of one site that carry the verdict."""
    if rule.below_hz is not None:
        table = table[table["frequency_hz"] < rule.below_hz]
    elif table["resolvable"].sum() >= LEAST_RESOLVABLE:
        table = table[table["resolvable"]]
    column = "verdict" if rule.readout == "site" else rule.readout
    return float((table[column] == rule.verdict).mean())


def medians(table: pd.DataFrame) -> dict[str, float]:
    """Medians over frequencies of the line's judged measures."""
    return {name: round(float(table[f"line_{name}"].median()), 3) for name in JUDGED}


def _sorted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["phantom"], row["readout"], row["expected"], row["seed"]))
