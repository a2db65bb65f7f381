"""A series folder as tables: what the figures and the page of a series are drawn from.

Conventions as in `tonotopy.views.tables`: shares between 0 and 1, not-a-number is *undefined*, sites in depth
order. Members are in the order of the series.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pandas as pd

from tonotopy.core.errors import InputError, RunError
from tonotopy.runs.series.folder import Member, Series, is_series, open_series, unfinished
from tonotopy.views._reading import read_table
from tonotopy.views._schema import NUMBER, TEXT, VERDICTS, WHOLE, share
from tonotopy.views.tables import LEAST_PIECES_FOR_INTERVALS, InFolder, RunTables, as_run
from tonotopy.views.words import count, number

_PLACE: Final = {"member": TEXT, "step": NUMBER, "parameters": NUMBER, "hours": NUMBER}


def _numbers(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, NUMBER)


def _intervals(*names: str) -> dict[str, str]:
    return _numbers(*(name + end for name in names for end in ("", "_low", "_high")))


#: Columns of the tables of a series.
COLUMNS: Final[dict[str, dict[str, str]]] = {
    "shares": {
        **_PLACE,
        "site": TEXT,
        "order": WHOLE,
        "role": TEXT,
        **_numbers("units", *(f"{p}_{share(v)}" for p in ("share", "low", "high") for v in VERDICTS)),
        **_intervals("coverage"),
        **_numbers("floor_stable_mean", "floor_stable_min", "floor_stable_max", "shuffled_stable"),
    },
    "anywhere": {
        **_PLACE,
        **_intervals("stable", "entangled", "coverage"),
        **_numbers("n_sites", "n_frequencies"),
    },
    "dimension": {
        **_PLACE,
        "site": TEXT,
        **_numbers("units", "n_frames", "n_pieces"),
        **_intervals("effective_dimension", "held_dimension", "overlap"),
        **_numbers("white_dimension", "halves", "shared", "within", "share_of_noise", "share_of_all"),
        "random_overlap": NUMBER,
    },
}


@dataclass(frozen=True)
class SeriesTables:
    """Everything that a figure or the page of a series is drawn from.

    Attributes
    ----------
    series
        The series itself: kind, coordinate, members.
    shares, anywhere, dimension
        The tables; ``dimension`` is empty for a grid of models.
    """

    series: Series
    shares: pd.DataFrame = field(repr=False)
    anywhere: pd.DataFrame = field(repr=False)
    dimension: pd.DataFrame = field(repr=False)

    @classmethod
    def read(cls, folder: Path | str) -> SeriesTables:
        """Read and check a series folder.

        Raises
        ------
        RunError
            The folder is absent, unfinished, damaged, or of another version.
        """
        root = Path(folder)
        series = open_series(root)
        if not series.complete:
            raise unfinished(root)
        names = [member.folder for member in series.members]
        tables = {}
        for name, columns in COLUMNS.items():
            needed = (
                () if name == "dimension" and series.kind != "emergence" else ("member", *_REQUIRED[name])
            )
            table = read_table(root, f"tables/{name}.parquet", columns, needed)
            if not set(table["member"].dropna()) <= set(names) or bool(table["member"].isna().any()):
                raise RunError(f"members of the series in {name}", "another", "a damaged series")
            rank = table["member"].map({folder_name: k for k, folder_name in enumerate(names)})
            tables[name] = table.iloc[rank.argsort(kind="stable")].reset_index(drop=True)
        if tables["shares"].empty:
            raise RunError("one member or more in shares", "none", "a damaged series")
        return cls(series, **tables | {"shares": _without_empty_claims(tables["shares"])})

    @property
    def path(self) -> Path:
        """The series folder."""
        return self.series.path

    @property
    def members(self) -> tuple[Member, ...]:
        """Members in order."""
        return self.series.members

    @property
    def verdict(self) -> dict[str, Any]:
        """What a heading says: encoder, weights, music, preset."""
        told = self.series.told
        return {key: told.get(key) for key in ("encoder", "music", "preset")} | {"weights": self.extent}

    @property
    def n_pieces(self) -> int:
        """Held-out pieces, the unit of statistics."""
        told = self.series.told.get("n_pieces")
        return told if isinstance(told, int) else 0

    @property
    def has_intervals(self) -> bool:
        """Whether there are pieces enough for intervals."""
        return self.n_pieces >= LEAST_PIECES_FOR_INTERVALS

    @property
    def extent(self) -> str:
        """How many members, from where to where, in words."""
        many = len(self.members)
        if self.series.kind == "scaling":
            return count(many, "model")
        steps = [member.step for member in self.members if member.step is not None]
        reach = (
            f", step {number(min(steps))} to {number(max(steps))}" if len(steps) == many and many > 1 else ""
        )
        return count(many, "snapshot") + reach

    @property
    def sites(self) -> pd.DataFrame:
        """Rows of the last member, in depth order."""
        last = self.shares[self.shares["member"] == self.shares["member"].iloc[-1]]
        return last.sort_values("order", kind="stable", ignore_index=True)

    @property
    def site_names(self) -> tuple[str, ...]:
        """Sites of the last member, in depth order."""
        return tuple(self.sites["site"])

    def chosen(self, site: str | None) -> tuple[str, ...]:
        """One site as a tuple, or all of them in depth order.

        Raises
        ------
        InputError
            For a site that the series does not have.
        """
        if site is None:
            return self.site_names
        if site not in self.site_names:
            raise InputError("a site of this series", repr(site), "a misspelt name", self.site_names)
        return (site,)


Subject = RunTables | SeriesTables

_REQUIRED: Final = {
    "shares": ("site", "order", "share_stable", "share_undefined"),
    "anywhere": ("stable", "entangled", "coverage"),
    "dimension": ("site", "effective_dimension", "overlap"),
}


def as_subject(run: Subject | InFolder | Path | str) -> Subject:
    """A run or a series, whichever the folder is."""
    if isinstance(run, RunTables | SeriesTables):
        return run
    folder = Path(run) if isinstance(run, Path | str) else run.path
    return SeriesTables.read(folder) if is_series(folder) else as_run(run)


def _without_empty_claims(shares: pd.DataFrame) -> pd.DataFrame:
    """Sites none of whose verdicts is defined, without their shares of the others."""
    found = shares.copy()
    claims = ["coverage", "coverage_low", "coverage_high"]
    claims += [f"{p}_{share(v)}" for p in ("share", "low", "high") for v in VERDICTS if v != "undefined"]
    found.loc[found["share_undefined"] >= 1.0, [*claims, "shuffled_stable"]] = float("nan")
    return found
