"""Rows of the tables of features as views take them: trained apart from its nulls, and what untrained copies read.

Features of the source `RANDOM` are a null, and so are those of untrained copies, one set for each seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from tonotopy.views._schema import LABELS
from tonotopy.views.figures._contract import highlights
from tonotopy.views.tables import RunTables
from tonotopy.views.words import count, missing, percent

#: The source that is a null.
RANDOM: Final = "random"
#: Rows of a figure, beyond which it draws a few sites.
MOST_ROWS: Final = 24
#: The kind of features of which no kind can be told.
UNDEFINED: Final = "undefined"
#: Kinds that name no family of descriptors.
UNNAMED: Final = ("shared", "unexplained", UNDEFINED)
#: Features of one source at one site that a page holds, of the network and again of its untrained copies together.
MOST_FEATURES: Final = 400
#: Columns of ``feature_sites`` that are a value with the ends of its interval.
STABILISED: Final = ("share_stabilised", "low_stabilised", "high_stabilised")
GIVEN: Final = ("spectral_given_stabilised", "low_spectral_given", "high_spectral_given")
VARIATION: Final = ("variation", "low_variation", "high_variation")


@dataclass(frozen=True)
class Copies:
    """What untrained copies read of one number: mean, lowest and highest of so many seeds."""

    mean: float
    low: float
    high: float
    seeds: int

    @property
    def words(self) -> str:
        """The share in words.

        Examples
        --------
        >>> Copies(0.03, 0.0, 0.06, 2).words, Copies(float("nan"), float("nan"), float("nan"), 0).words
        ('3 % (0 % to 6 %, 2 seeds)', 'undefined')
        """
        if missing(self.mean):
            return "undefined"
        reach = f"{percent(self.low)} to {percent(self.high)}, " if self.high > self.low else ""
        return f"{percent(self.mean)} ({reach}{count(self.seeds, 'seed')})"


def trained(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the weights under study."""
    return table[table["weights"] == "trained"].reset_index(drop=True)


def untrained(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of untrained copies, one for each seed."""
    return table[table["weights"] == "floor"].reset_index(drop=True)


def few_sites(run: RunTables, table: pd.DataFrame, site: str | None, rows: int) -> tuple[str, ...]:
    """The sites that a figure with so many rows a site draws: all of them, or those that it singles out."""
    chosen = run.chosen(site)
    return chosen if len(chosen) * rows <= MOST_ROWS else highlights(run, table, site)


def few_features(run: RunTables, table: pd.DataFrame, most: int = MOST_FEATURES) -> pd.DataFrame:
    """Rows of a table of features, at most so many of each source at each site, drawn with the run's seed.

    Features that stabilised come first, as they are what is asked about, and undefined ones last; among equals they
    are drawn at random, whichever other rows are in the table. The order of rows stays.

    Parameters
    ----------
    run : RunTables
        The run, for its seed.
    table : pandas.DataFrame
        Rows of ``features``.
    most : int
        Rows to keep of the network, and again of all its untrained copies together.
    """
    seed = run.plan.get("seed")
    kept = []
    for _, own in table.groupby(["weights", "site", "source"], sort=False):
        rng = np.random.default_rng(abs(seed) if isinstance(seed, int) else 0)
        drawn = own.iloc[rng.permutation(len(own))] if len(own) > most else own
        first = drawn["stabilised"].map({"yes": 0, "no": 1, "undefined": 2}).to_numpy().argsort(kind="stable")
        kept += drawn.index[first[:most]].tolist()
    return table.loc[sorted(kept)]


def sources(table: pd.DataFrame) -> tuple[str, ...]:
    """Sources of features in a table, in its order, without the null.

    Examples
    --------
    >>> sources(pd.DataFrame({"source": ["topk", "random", "channels", "topk"]}))
    ('topk', 'channels')
    """
    return tuple(name for name in dict.fromkeys(table["source"]) if name != RANDOM)


def copies(run: RunTables, site: str, source: str, column: str) -> Copies:
    """What untrained copies read of a column of ``feature_sites``."""
    floor = untrained(run.feature_sites)
    values = floor.loc[(floor["site"] == site) & (floor["source"] == source), column].dropna()
    return spread(values)


def answering(run: RunTables, site: str, source: str, label: str) -> Copies:
    """Share of untrained copies' features that answer to something, of those of which it is defined to what."""
    floor = untrained(run.feature_sites)
    own = floor[(floor["site"] == site) & (floor["source"] == source)]
    return spread((own[f"n_{label}"] / answered(own)).dropna())


def answered(rows: pd.DataFrame) -> pd.Series:
    """Of how many features it is defined what they answer to; NaN of none."""
    many = rows[[f"n_{label}" for label in LABELS[:-1]]].sum(axis=1)
    return many.where(many > 0)


def random_share(run: RunTables, site: str, column: str) -> float:
    """What random directions of the trained network read of a column of ``feature_sites``; NaN where not asked."""
    rows = trained(run.feature_sites)
    own = rows.loc[(rows["site"] == site) & (rows["source"] == RANDOM), column]
    return float(own.iloc[0]) if len(own) else float("nan")


@dataclass(frozen=True)
class CopiedKinds:
    """Kinds of features in untrained copies: share by kind, of each seed, of each site, source and group."""

    shares: dict[tuple[str, str, str], dict[int, dict[str, float]]]

    @classmethod
    def of(cls, run: RunTables) -> CopiedKinds:
        """Read once from the table of kinds."""
        found: dict[tuple[str, str, str], dict[int, dict[str, float]]] = {}
        rows = untrained(run.kinds).dropna(subset=["share"])
        keys = zip(rows["site"], rows["source"], rows["among"], strict=True)
        for key, seed, kind, share in zip(keys, rows["seed"], rows["kind"], rows["share"], strict=True):
            found.setdefault(key, {}).setdefault(int(seed), {})[str(kind)] = float(share)
        return cls(found)

    def kinds(self, site: str, source: str, among: str) -> list[str]:
        """Kinds that any copy has."""
        return sorted({kind for own in self.shares.get((site, source, among), {}).values() for kind in own})

    def share(self, site: str, source: str, kind: str, among: str) -> Copies:
        """Share of a kind; a copy that has features, but none of the kind, counts as zero."""
        own = self.shares.get((site, source, among), {})
        return spread(pd.Series([held.get(kind, 0.0) for held in own.values()], dtype="float64"))


def most_frequent(run: RunTables, site: str, source: str, among: str) -> list[tuple[str, int]]:
    """Kinds of the trained network's features with their counts, the most frequent first, undefined last.

    *Unexplained* is an answer and often the most frequent one: it is counted like the families.
    """
    rows = trained(run.kinds)
    rows = rows[(rows["site"] == site) & (rows["source"] == source) & (rows["among"] == among)]
    found = [(str(kind), int(many)) for kind, many in zip(rows["kind"], rows["count"], strict=True) if many]
    return sorted(found, key=lambda pair: (pair[0] == UNDEFINED, -pair[1], pair[0]))


def place_of(kind: str) -> int:
    """Where a kind stands in a list: families first, then what names none, undefined last.

    Examples
    --------
    >>> place_of("partials"), place_of("undefined")
    (0, 3)
    """
    return 1 + UNNAMED.index(kind) if kind in UNNAMED else 0


def spread(values: pd.Series) -> Copies:
    """Mean, lowest and highest of what copies read; undefined where there is none."""
    if values.empty:
        return Copies(float("nan"), float("nan"), float("nan"), 0)
    return Copies(float(values.mean()), float(values.min()), float(values.max()), len(values))
