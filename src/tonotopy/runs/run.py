"""A finished run, opened from its folder: tables, activations, directions, figures.

Opening a run imports and unpickles nothing: JSON, TOML, Parquet and Zarr are read as data.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from tonotopy.core.errors import InputError, RunError
from tonotopy.runs.plan import Plan
from tonotopy.runs.store import Store

#: Tables that every run has.
TABLES = (
    "verdicts",
    "sites",
    "floor",
    "ceiling",
    "ladder",
    "sparsity",
    "view_curve",
    "pieces",
    "ledger",
    "claims",
)
#: Tables that a run has whose plan names sources of features; the last where there is a first convolution.
FEATURE_TABLES = (
    "features",
    "feature_sites",
    "kinds",
    "players",
    "readability",
    "pitch_decoding",
    "instantiation",
    "ambiguity",
    "transitions",
)
#: Tables that a run has whose plan asks for codes: those of codes where there is a quantiser, the last of them
#: where there is a decoder too, and those of a head.
CODE_TABLES = ("codes", "code_stages", "code_peaks", "code_swaps", "head", "head_sites")
#: Tables that a run has whose plan asks for causes; empty where nothing of the kind could be asked.
CAUSE_TABLES = ("steering", "reuse", "steered_sounds")
#: Columns of a trial that activations carry as coordinates.
TRIAL_COLUMNS = ("context", "frequency_hz", "foil_hz", "piece", "test", "occupancy")
#: Files larger than this are no part of a run.
LARGEST_JSON = 64 * 2**20
LARGEST_TABLE = 512 * 2**20
LARGEST_PLAN = 2**20


@dataclass(frozen=True)
class Run:
    """One finished study."""

    path: Path
    plan: Plan
    manifest: dict[str, Any] = field(repr=False)
    verdict: dict[str, Any] = field(repr=False)

    def table(self, name: str, structure: str = "partial") -> pd.DataFrame:
        """One table of the run by name: of partials, or of another structure that the plan names."""
        known = (*TABLES, *FEATURE_TABLES) if self.plan.features else TABLES
        known = (*known, *CODE_TABLES) if self.plan.codes else known
        known = (*known, *CAUSE_TABLES) if self.plan.causes else known
        if name not in known:
            asked = "causes" if name in CAUSE_TABLES else "features"
            cause = f"a misspelt name, or a study that did not ask for {asked}"
            raise InputError("a table of a run", repr(name), cause, known)
        if structure not in self.plan.structures:
            cause = "a misspelt name, or a study that did not ask about it"
            raise InputError("a structure of this run", repr(structure), cause, self.plan.structures)
        file = self.path / "tables" / f"{name}.parquet"
        try:
            if file.stat().st_size > LARGEST_TABLE or file.resolve().parent.parent != self.path.resolve():
                raise ValueError("a table of another size or place")
            table = pd.read_parquet(file)
        except Exception as error:
            raise RunError(
                f"a readable table {name!r}", type(error).__name__, "a damaged run folder"
            ) from error

        # Runs that were written before there were structures have partials alone.
        return table[table["structure"] == structure] if "structure" in table else table

    def verdicts(self, structure: str = "partial") -> pd.DataFrame:
        """One row a site and target: verdict, probability, every measure with its null."""
        return self.table("verdicts", structure)

    def sites(self, structure: str = "partial") -> pd.DataFrame:
        """One row a site: shares with intervals, floor, nulls, power."""
        return self.table("sites", structure)

    def activations(self, site: str) -> xr.DataArray:
        """Recorded activations of the core sounds, lazily: ``[trial, sound, frame, unit]``.

        Coordinates of a trial: family, context, frequency_hz, foil_hz, piece, test, occupancy.
        """
        number = self._number(site)
        parts = []
        for address in self._addresses("records"):
            if not self._store.has(address):
                raise RunError(
                    "the recorded activations", "a run without them", "they were removed to save space"
                )
            with self._store.arrays(address, chunks={}) as arrays:
                core = arrays[f"core_{number}"].rename({f"unit_{number}": "unit"})
                columns = {name: arrays[name] for name in TRIAL_COLUMNS}
                family = ("trial", [arrays.attrs["family"]] * arrays.sizes["trial"])
                parts.append(core.assign_coords(columns | {"family": family}))
        joined = xr.concat(parts, dim="trial", coords="minimal", compat="override", join="override")
        return joined.assign_coords(sound=["absent", "present", "foil"]).rename(site)

    def directions(self, site: str) -> xr.Dataset:
        """The fitted readouts: ``line [unit, frequency]``, ``plane [unit, component, frequency]``, ``centre``."""
        self._number(site)
        address = self._addresses("measures").get(site)
        with self._store.arrays(address) as arrays:
            return arrays[["line", "plane", "centre"]].load()

    def figure(self, name: str, site: str | None = None) -> Any:
        """A figure of the run by name, as a matplotlib Figure."""
        return import_module("tonotopy.views").figure(name, self.path, site=site)

    def report(self) -> Path:
        """Write the report; the path of its first page."""
        return Path(import_module("tonotopy.views").write_report(self.path))

    def _addresses(self, kind: str) -> Any:
        """Where units are, as the manifest tells."""
        found = self.manifest.get("addresses")
        if not isinstance(found, dict) or kind not in found:
            raise RunError(
                f"addresses of {kind} in manifest.json", "none", "a damaged or hand-edited manifest"
            )
        return found[kind]

    def _number(self, site: str) -> int:
        if site not in self.plan.sites:
            raise InputError("a site of this run", repr(site), "a misspelt name", self.plan.sites)
        return self.plan.sites.index(site)

    @cached_property
    def _store(self) -> Store:
        return Store(self.path / "units")

    def _repr_html_(self) -> str:
        """Notebook display: the answer and the table of sites."""
        from html import escape

        columns = [
            "site",
            "share_stable",
            "low_stable",
            "high_stable",
            "floor_stable_mean",
            "shuffled_stable",
        ]
        columns += [
            "share_phase_locked",
            "share_coincidental",
            "share_entangled",
            "share_absent",
            "share_undefined",
        ]
        table = self.sites()[columns].round(2).to_html(index=False, escape=True, na_rep="undefined")
        return f"<p>{escape(str(self.verdict['question']))}</p><p>{escape(str(self.verdict['sentence']))}</p>{table}"


def open_run(path: Path | str) -> Run:
    """Open a finished run.

    Raises
    ------
    RunError
        The folder is absent, unfinished or damaged.
    """
    folder = Path(path)
    if not (folder / "plan.toml").is_file():
        raise RunError("a run folder", f"no plan.toml in {folder.name!r}", "a mistyped path")
    if not (folder / "manifest.json").is_file():
        raise RunError(
            "a finished run", f"an unfinished one in {folder.name!r}", "run the same study again: it resumes"
        )
    return Run(folder, read_plan(folder), _json(folder / "manifest.json"), _json(folder / "verdict.json"))


def read_plan(folder: Path) -> Plan:
    """The plan of a run folder, from a bounded file."""
    file = folder / "plan.toml"
    try:
        if file.stat().st_size > LARGEST_PLAN:
            raise RunError(
                f"plan.toml under {LARGEST_PLAN} bytes", f"{file.stat().st_size}", "a damaged run folder"
            )
        return Plan.from_toml(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RunError("a readable plan.toml", type(error).__name__, "a damaged run folder") from None


def _json(path: Path) -> dict[str, Any]:
    """A JSON object from a bounded file."""
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise RunError(
                f"{path.name} under {LARGEST_JSON} bytes", f"{path.stat().st_size}", "a damaged run folder"
            )
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RunError(f"a readable {path.name}", type(error).__name__, "a damaged run folder") from None
    if not isinstance(value, dict):
        raise RunError(f"an object in {path.name}", type(value).__name__, "a damaged run folder")
    return value
