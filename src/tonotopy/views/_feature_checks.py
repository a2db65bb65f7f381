"""Tables of features, checked at the door: what cannot be true, or would be too much to show, is refused.

A run folder may come from anywhere. What is legal of words and kinds of value is in `_schema`; here are ranges,
keys, and bounds on how much of it there may be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from tonotopy.core.errors import RunError
from tonotopy.views._schema import LABELS

#: Sources of features, numbers of clusters, kinds and rows of fragments to play that a run may have.
SOURCES: Final = 24
CLUSTERS: Final = 12
KINDS: Final = 40
PLAYERS: Final = 5_000
#: Longest sound that one player holds, in seconds.
LONGEST_S: Final = 60.0
#: Counts of features by what they answer to.
LABELLED: Final = [f"n_{label}" for label in LABELS[:-1]]
#: A little more than what is meant: shares are sums of floats.
SLACK: Final = 1e-9

#: Numbers between 0 and 1, by the table they are in.
SHARES: Final[dict[str, tuple[str, ...]]] = {
    "features": (
        # Not the matched nulls: a straight line through random directions may leave the range.
        *("waveform", "p_waveform", "spectral", "p_spectral", "p_lift"),
        *("specificity", "detection", "identification", "consistency"),
        *("p_specificity", "p_identification", "p_kind"),
    ),
    "feature_sites": (
        *(
            "share_stabilised",
            "low_stabilised",
            "high_stabilised",
            "share_p05_waveform",
            "share_p05_spectral",
        ),
        *("spectral_given_stabilised", "low_spectral_given", "high_spectral_given"),
        *("share_partial_random", "share_mixture_random"),
        *("order_p", "coverage", "coverage_null", "coverage_p", "share_unexplained"),
    ),
    "kinds": ("share",),
    "ambiguity": ("null",),
}
#: Ratios to a null, which what is measured may exceed by chance.
RATIOS: Final[dict[str, tuple[str, ...]]] = {"ambiguity": ("ratio", "ratio_low", "ratio_high")}
#: Numbers that are at most 1 and may be anything below: shares of variance explained on held-out pieces.
EXPLAINED: Final[dict[str, tuple[str, ...]]] = {
    "features": ("r2",),
    "kinds": ("r2",),
    "readability": ("r2_all", "r2_all_low", "r2_all_high", "r2_best", "r2_baseline", "r2_control", "r2_null"),
}
#: Numbers above zero.
POSITIVE: Final[dict[str, tuple[str, ...]]] = {
    "features": ("best_hz", "centre_hz", "field_hz"),
    "readability": ("band_hz",),
    "ambiguity": ("view_s", "clusters"),
    "transitions": ("clusters",),
    "players": ("seconds",),
}
#: Counts.
COUNTS: Final[dict[str, tuple[str, ...]]] = {
    "feature_sites": ("n", "n_defined", "n_stabilised", *LABELLED),
    "kinds": ("count",),
}
#: Columns of which no two rows of a table are alike.
KEYS: Final[dict[str, tuple[str, ...]]] = {
    "features": ("weights", "seed", "site", "source", "number"),
    "feature_sites": ("weights", "seed", "site", "source"),
    "kinds": ("weights", "seed", "site", "source", "kind", "among"),
    "readability": ("weights", "seed", "site", "band_hz"),
    "pitch_decoding": ("weights", "seed", "site", "source", "window_s", "task", "probe"),
    "instantiation": ("weights", "seed", "site", "piece"),
    "transitions": ("weights", "seed", "site", "clusters", "sound"),
    "ambiguity": ("view", "clusters", "direction"),
}
#: Columns of words of which there may be only so many.
AT_MOST: Final[dict[str, int]] = {"source": SOURCES, "kind": KINDS, "clusters": CLUSTERS}


def check_features(tables: Mapping[str, pd.DataFrame], sites: Sequence[str], pieces: pd.DataFrame) -> None:
    """Refuse tables of features that contradict the run or cannot be true.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        The tables by name; empty where absent.
    sites : sequence of str
        Sites of the run.
    pieces : pandas.DataFrame
        Its pieces: a fragment that is played is of one of them, so that it can be credited.

    Raises
    ------
    RunError
        Naming the table, what was expected and what was found.
    """
    for name, table in tables.items():
        if table.empty:
            continue
        _check_finite(name, table)
        _check_range(name, table, SHARES.get(name, ()), 0.0, 1.0, "between 0 and 1")
        _check_range(name, table, RATIOS.get(name, ()), 0.0, 2.0, "between 0 and 2")
        _check_range(name, table, EXPLAINED.get(name, ()), float("-inf"), 1.0, "of at most 1")
        _check_range(name, table, COUNTS.get(name, ()), 0.0, 1e9, "of 0 or more")
        for column in POSITIVE.get(name, ()):
            if bool((table[column].dropna() <= 0.0).any()):
                raise RunError(f"{column} above 0 in {name}", "one that is not")
        _check_words(name, table, sites)
    counts = tables["feature_sites"]
    if bool((counts["n_defined"] > counts["n"]).any()):
        raise RunError("n_defined of at most n in feature_sites", "one that is more")
    _check_players(tables["players"], pieces)


def without_empty_shares(sites: pd.DataFrame) -> pd.DataFrame:
    """Sites of features with ``n_defined``, and without shares of nothing: 0 % of none would be a claim."""
    found = sites.copy()
    # Runs that do not say of how many features it is defined count all of them.
    found["n_defined"] = found["n_defined"].fillna(found["n"])
    none = (found["n"] == 0) | (found["n_defined"] == 0)
    shares = ["share_stabilised", "low_stabilised", "high_stabilised", "share_unexplained"]
    found.loc[none, [*shares, "share_p05_waveform", "share_p05_spectral"]] = float("nan")
    given = ["spectral_given_stabilised", "low_spectral_given", "high_spectral_given"]
    found.loc[found["n_stabilised"] == 0, given] = float("nan")
    # Of every feature it is undefined what it answers to: no count is known, not even that of none.
    found.loc[found[LABELLED].sum(axis=1) == 0, LABELLED] = float("nan")
    return found


def _check_words(name: str, table: pd.DataFrame, sites: Sequence[str]) -> None:
    """Sites of the run, no gaps in keys, no row twice, and no more different words than can be shown."""
    keys = KEYS.get(name, ("site", "source", "kind", "feature"))
    for column in keys:
        if bool(table[column].isna().any()):
            raise RunError(f"a {column} in every row of {name}", "a gap")
    stray = sorted(set(table["site"]) - set(sites)) if "site" in table else []
    if stray:
        raise RunError(f"sites of the run in {name}", repr(stray[0])[:80], "", sites[:20])
    if name in KEYS and bool(table.duplicated(list(keys)).any()):
        raise RunError(f"one row of {name} for each {', '.join(keys)}", "two for the same")
    for column, most in AT_MOST.items():
        many = table[column].nunique() if column in table else 0
        if many > most:
            raise RunError(f"at most {most} different values of {column} in {name}", str(many))


def _check_finite(name: str, table: pd.DataFrame) -> None:
    """Undefined is not-a-number; nothing here is ever infinite."""
    for column in table.select_dtypes("float64").columns:
        if bool(np.isinf(table[column].to_numpy()).any()):
            raise RunError(f"finite numbers in column {column!r} of {name}", "an infinite one")


def _check_range(
    name: str, table: pd.DataFrame, columns: Sequence[str], low: float, high: float, words: str
) -> None:
    for column in columns:
        values = table[column].dropna()
        wrong = values[~values.between(low - SLACK, high + SLACK)]
        if len(wrong):
            raise RunError(f"{column} {words} in {name}", f"{float(wrong.iloc[0]):g}")


def _check_players(players: pd.DataFrame, pieces: pd.DataFrame) -> None:
    """Few enough, short enough, and each of a piece that the run credits."""
    if len(players) > PLAYERS:
        raise RunError(f"at most {PLAYERS:,} rows in players", f"{len(players):,}")
    stray = sorted(set(players["piece"]) - set(pieces["number"]))
    if stray:
        raise RunError("pieces of the run in players", str(stray[0]), "a sound that nobody is credited for")
    if bool((players["seconds"] > LONGEST_S).any()):
        longest = f"{float(players['seconds'].max()):g} s"
        raise RunError(f"sounds of at most {LONGEST_S:g} s in players", longest)
