"""A run folder as tables: read once, checked at the door, never changed.

Conventions
-----------
Sites are in depth order everywhere. Frequencies are in Hz, levels in dB re L(f), shares between 0 and 1, views
in samples or seconds as the column says. Not-a-number is *undefined*; an audiogram of infinity is *never*. What
a run did not measure is an empty table.

Two things are undefined here whatever a file says. A site none of whose frequencies has a defined verdict has no
share of stable ones: 0 % would be a claim. And with fewer than eight pieces there is no probability of a verdict,
so that whether it is borderline is missing too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from tonotopy.core.errors import InputError, RunError
from tonotopy.views._cause_schema import CAUSE_TABLES, check_causes
from tonotopy.views._code_schema import CODE_TABLES, check_codes
from tonotopy.views._feature_checks import check_features, without_empty_shares
from tonotopy.views._reading import DTYPES, read_json, read_table, read_toml
from tonotopy.views._schema import (
    FEATURE_TABLES,
    LEGAL,
    NEEDED,
    TABLES,
    TEXT,
    VERDICTS,
    needed,
    share,
)

#: Fewer pieces leave intervals undefined.
LEAST_PIECES_FOR_INTERVALS = 8
#: The layout of run folders that this package reads.
SCHEMA = 1
#: Tables that stay as they lie: their sounds are read later, in the order of the file.
WITH_SOUNDS = ("players", "steered_sounds")


@dataclass(frozen=True)
class RunTables:
    """Everything a figure or a report is drawn from.

    Attributes
    ----------
    folder
        Where it was read from.
    plan, manifest, verdict, anatomy
        ``plan.toml`` and the three JSON records; ``anatomy`` is empty where the run has none.
    verdicts, sites, floor, ceiling, ladder, sparsity, view_curve, pieces, ledger
        The tables.
    features, feature_sites, kinds, readability, instantiation, transitions, ambiguity, players
        The tables of a study that asked which features there are; empty otherwise.
    codes, code_stages, code_peaks, code_swaps, head, head_sites
        The tables of a study that asked what codes and a head know; empty otherwise.
    steering, reuse, steered_sounds
        The tables of a study that asked what directions do; empty otherwise.
    claims
        What the study says of the ledger of claims; empty in earlier runs.
    """

    folder: Path
    plan: dict[str, Any] = field(repr=False)
    manifest: dict[str, Any] = field(repr=False)
    verdict: dict[str, Any] = field(repr=False)
    anatomy: dict[str, Any] = field(repr=False)
    verdicts: pd.DataFrame = field(repr=False)
    sites: pd.DataFrame = field(repr=False)
    floor: pd.DataFrame = field(repr=False)
    ceiling: pd.DataFrame = field(repr=False)
    ladder: pd.DataFrame = field(repr=False)
    sparsity: pd.DataFrame = field(repr=False)
    view_curve: pd.DataFrame = field(repr=False)
    pieces: pd.DataFrame = field(repr=False)
    ledger: pd.DataFrame = field(repr=False)
    features: pd.DataFrame = field(repr=False, default_factory=lambda: empty("features"))
    feature_sites: pd.DataFrame = field(repr=False, default_factory=lambda: empty("feature_sites"))
    kinds: pd.DataFrame = field(repr=False, default_factory=lambda: empty("kinds"))
    readability: pd.DataFrame = field(repr=False, default_factory=lambda: empty("readability"))
    pitch_decoding: pd.DataFrame = field(repr=False, default_factory=lambda: empty("pitch_decoding"))
    instantiation: pd.DataFrame = field(repr=False, default_factory=lambda: empty("instantiation"))
    transitions: pd.DataFrame = field(repr=False, default_factory=lambda: empty("transitions"))
    ambiguity: pd.DataFrame = field(repr=False, default_factory=lambda: empty("ambiguity"))
    players: pd.DataFrame = field(repr=False, default_factory=lambda: empty("players"))
    codes: pd.DataFrame = field(repr=False, default_factory=lambda: empty("codes"))
    code_stages: pd.DataFrame = field(repr=False, default_factory=lambda: empty("code_stages"))
    code_peaks: pd.DataFrame = field(repr=False, default_factory=lambda: empty("code_peaks"))
    code_swaps: pd.DataFrame = field(repr=False, default_factory=lambda: empty("code_swaps"))
    head: pd.DataFrame = field(repr=False, default_factory=lambda: empty("head"))
    head_sites: pd.DataFrame = field(repr=False, default_factory=lambda: empty("head_sites"))
    steering: pd.DataFrame = field(repr=False, default_factory=lambda: empty("steering"))
    reuse: pd.DataFrame = field(repr=False, default_factory=lambda: empty("reuse"))
    steered_sounds: pd.DataFrame = field(repr=False, default_factory=lambda: empty("steered_sounds"))
    claims: pd.DataFrame = field(repr=False, default_factory=lambda: empty("claims"))

    @classmethod
    def read(cls, folder: Path | str) -> RunTables:
        """Read and check a run folder.

        Parameters
        ----------
        folder : path
            The run folder.

        Returns
        -------
        RunTables
            Its tables.

        Raises
        ------
        RunError
            Where the folder is absent, incomplete, damaged, or of another version.
        """
        root = Path(folder)
        if not root.is_dir():
            raise RunError("a run folder", repr(root.name), "a misspelt path, or a run that never started")
        plan = read_toml(root, "plan.toml")
        _check_version(plan)
        manifest = read_json(root, "manifest.json")
        tables = {name: _table(root, name) for name in TABLES}
        verdict = read_json(root, "verdict.json")
        others = {"floor": tables["floor"], "ceiling": tables["ceiling"]}
        tables["sites"] = _without_empty_claims(_with_seconds(tables["sites"], manifest), others)
        tables["verdicts"] = _without_certainty(tables["verdicts"], verdict)
        tables["feature_sites"] = without_empty_shares(tables["feature_sites"])
        run = cls(
            folder=root,
            plan=plan,
            manifest=manifest,
            verdict=verdict,
            anatomy=read_json(root, "anatomy.json") if (root / "anatomy.json").exists() else {},
            **tables,
        )
        _validate(run)
        return run

    @property
    def encoder(self) -> str:
        """Name of the encoder."""
        return _word(self.verdict.get("encoder"))

    @property
    def weights(self) -> str:
        """Which weights, in words."""
        return _word(self.verdict.get("weights"))

    @property
    def music(self) -> str:
        """Which music, as it was asked for."""
        return _word(self.verdict.get("music"))

    @property
    def preset(self) -> str:
        """Name of the preset."""
        return _word(self.verdict.get("preset"))

    @property
    def n_pieces(self) -> int:
        """Held-out pieces, the unit of statistics."""
        return int(self.verdict["n_pieces"])

    @property
    def has_intervals(self) -> bool:
        """Whether there are pieces enough for intervals."""
        return self.n_pieces >= LEAST_PIECES_FOR_INTERVALS

    @property
    def site_names(self) -> tuple[str, ...]:
        """Sites in depth order."""
        return tuple(self.sites["site"])

    @property
    def has_features(self) -> bool:
        """Whether anything was measured of features, beyond what a population carries."""
        return any(not getattr(self, name).empty for name in FEATURE_TABLES)

    @property
    def has_codes(self) -> bool:
        """Whether anything was measured of codes or of a head."""
        return any(not getattr(self, name).empty for name in CODE_TABLES)

    @property
    def has_causes(self) -> bool:
        """Whether it was asked what directions do."""
        return any(not getattr(self, name).empty for name in CAUSE_TABLES)

    @property
    def frequencies_hz(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """The grid, ascending."""
        return np.unique(self.verdicts["frequency_hz"].to_numpy(dtype=np.float64))

    @property
    def floor_seeds(self) -> int:
        """How many untrained copies were measured."""
        return int(self.floor["seed"].nunique())

    @property
    def has_ceiling(self) -> bool:
        """Whether the architecture fitted to report partials was measured too."""
        return not self.ceiling.empty

    def chosen(self, site: str | None) -> tuple[str, ...]:
        """One site as a tuple, or all of them in depth order.

        Raises
        ------
        InputError
            For a site that the run does not have.
        """
        if site is None:
            return self.site_names
        if site not in self.site_names:
            raise InputError("a site of this run", repr(site), "a misspelt name", self.site_names)
        return (site,)

    def of(self, table: pd.DataFrame, sites: tuple[str, ...]) -> pd.DataFrame:
        """Rows of a table that belong to these sites, in their order, other order kept."""
        found = table[table["site"].isin(sites)]
        rank = found["site"].map({name: index for index, name in enumerate(sites)})
        return found.iloc[np.argsort(rank.to_numpy(dtype=np.int64), kind="stable")].reset_index(drop=True)


class InFolder(Protocol):
    """Anything that knows its run folder, such as an opened run."""

    @property
    def path(self) -> Path:
        """The run folder."""


def as_run(run: RunTables | InFolder | Path | str) -> RunTables:
    """A run as it is, or read from its folder."""
    if isinstance(run, RunTables):
        return run
    return RunTables.read(run if isinstance(run, Path | str) else run.path)


def empty(name: str) -> pd.DataFrame:
    """A table of this name in which nothing was measured.

    Examples
    --------
    >>> list(empty("ledger"))
    ['name', 'reason']
    """
    return pd.DataFrame({column: pd.Series(dtype=DTYPES[kind]) for column, kind in TABLES[name].items()})


def _word(value: object) -> str:
    return "undefined" if value is None or value == "" else str(value)


def _check_version(plan: dict[str, Any]) -> None:
    found = plan.get("schema", SCHEMA)
    if found != SCHEMA:
        cause = "a run written by another version of tonotopy"
        raise RunError("a run folder of a known schema", f"schema {found!r}", cause, [str(SCHEMA)])


def _table(root: Path, name: str) -> pd.DataFrame:
    """One table with its values checked; empty where the run has none."""
    columns = TABLES[name]
    file = f"tables/{name}.parquet"
    if name not in NEEDED and not (root / file).exists():
        return empty(name)
    read = read_table(root, file, columns | {"structure": TEXT}, needed(name))
    # Every figure and sentence is about partials; what further rungs read is told by verdict.json.
    table = read[read["structure"].isna() | (read["structure"] == "partial")].drop(columns="structure")
    table = table.reset_index(drop=True)
    if "site" in columns and bool(table["site"].isna().any()):
        raise RunError(f"a site in every row of {name}", "a gap")
    for column in (column for column, kind in columns.items() if kind == TEXT):
        legal = LEGAL.get((name, column))
        strange = [] if legal is None else sorted(set(table[column].dropna()) - set(legal))
        if strange:
            raise RunError(
                f"known words in column {column!r} of {name}", repr(strange[0])[:80], "", legal or ()
            )
    return table if name in WITH_SOUNDS else _sorted(table)


def _with_seconds(sites: pd.DataFrame, manifest: dict[str, Any]) -> pd.DataFrame:
    """Sites with their view in seconds too, ``view_s``."""
    rate_hz = manifest.get("sample_rate_hz")
    if not isinstance(rate_hz, int | float) or not rate_hz > 0:
        raise RunError("sample_rate_hz in manifest.json", repr(rate_hz)[:80])
    return sites.assign(view_s=sites["view"] / rate_hz)


def _without_empty_claims(sites: pd.DataFrame, others: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Sites whose verdicts are all undefined without their shares of the others; floor and ceiling likewise."""
    shares = [
        f"{part}_{share(verdict)}"
        for part in ("share", "low", "high")
        for verdict in VERDICTS
        if verdict != "undefined"
    ]
    claims = [*shares, "share_stable_resolvable", "stable_kappa_75", "stable_kappa_85", "shuffled_stable"]
    found = sites.copy()
    found.loc[found["share_undefined"] >= 1.0, claims] = float("nan")
    for name, table in others.items():
        known = table.loc[table["verdict"] != "undefined", "site"]
        empty = set(table["site"]) - set(known)
        columns = [column for column in map(str, found.columns) if column.startswith(f"{name}_stable")]
        found.loc[found["site"].isin(empty), columns] = float("nan")
    return found


def _without_certainty(verdicts: pd.DataFrame, verdict: dict[str, Any]) -> pd.DataFrame:
    """Verdicts in which borderline is missing where the probability is undefined."""
    pieces = verdict.get("n_pieces")
    few = isinstance(pieces, int) and pieces < LEAST_PIECES_FOR_INTERVALS
    probability = verdicts["probability"].mask(pd.Series(few, index=verdicts.index))
    borderline = verdicts["borderline"].astype("boolean").mask(probability.isna())
    return verdicts.assign(probability=probability, borderline=borderline)


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    keys = [key for key in ("order", "seed", "frequency_hz", "number") if key in table.columns]
    return table.sort_values(keys, kind="stable", ignore_index=True) if keys else table


def _validate(run: RunTables) -> None:
    """Refuse tables that contradict one another or cannot be true."""
    if not isinstance(run.verdict.get("n_pieces"), int):
        raise RunError("n_pieces in verdict.json", repr(run.verdict.get("n_pieces"))[:80])
    if len(set(run.site_names)) != len(run.site_names) or not run.site_names:
        raise RunError("one row for each of one or more sites in sites", f"{len(run.sites)} rows")
    for name in ("verdicts", "floor", "ceiling", "ladder", "sparsity", "view_curve"):
        table = getattr(run, name)
        stray = sorted(set(table["site"]) - set(run.site_names))
        if stray:
            raise RunError(f"sites of the run in {name}", repr(stray[0])[:80], "", run.site_names[:20])
        if "frequency_hz" in table and not bool((table["frequency_hz"] > 0.0).all()):
            raise RunError(f"frequencies above 0 Hz in {name}", "one that is not")
    if bool(run.verdicts.duplicated(["site", "frequency_hz"]).any()):
        raise RunError("one verdict for each site and frequency", "two for the same")
    for verdict in VERDICTS:
        values = run.sites[f"share_{share(verdict)}"].dropna()
        if not bool(values.between(-1e-9, 1.0 + 1e-9).all()):
            raise RunError("shares between 0 and 1 in sites", f"{float(values.abs().max()):g}")
    check_causes({name: getattr(run, name) for name in CAUSE_TABLES}, run.site_names, run.pieces)
    check_features({name: getattr(run, name) for name in FEATURE_TABLES}, run.site_names, run.pieces)
    check_codes({name: getattr(run, name) for name in CODE_TABLES}, run.site_names)
