"""Sources of features at a site, as claims 6, 7 and 8 read them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from tonotopy.judgement.claims._contract import UNDETERMINED, Answer, Found, Study, Unanswerable

#: The source of random directions: the control, and never features of the network.
RANDOM = "random"


def at_sites(
    study: Study,
    columns: Sequence[str],
    judged: Callable[[Study, str, pd.DataFrame], Found],
) -> list[Answer]:
    """One answer for each site, from the rows of its sources: ``judged(study, site, rows)``.

    Raises
    ------
    Unanswerable
        Nothing was measured of features.
    """
    study.table("feature_sites", ("site", "source", "weights", *columns))
    found = []
    for _, row in study.sites().iterrows():
        site = str(row["site"])
        rows = study.at("feature_sites", site, columns)
        rows = rows[rows["source"] != RANDOM]
        try:
            study.need_pieces(row["n_pieces"])
            if rows.empty:
                raise Unanswerable("no source of features was asked here")
            one = judged(study, site, rows)
        except Unanswerable as reason:
            one = Found(UNDETERMINED, str(reason))
        found.append(one.at(study, site))
    return found


def most(rows: pd.DataFrame, column: str) -> pd.Series:
    """The row with the largest value in a column; what is undefined counts least."""
    return rows.iloc[int(rows[column].fillna(-1.0).to_numpy(dtype=float).argmax())]


def copies(study: Study, site: str, source: str, column: str) -> pd.Series:
    """What untrained copies read in a column, one value a copy; what is undefined is left out."""
    rows = study.at("feature_sites", site, (column,), "floor")
    return rows.loc[rows["source"] == source, column].dropna()


def of_random(study: Study, site: str, column: str) -> float:
    """What random directions at the same site read; not-a-number where the study did not ask them."""
    rows = study.at("feature_sites", site, (column,))
    found = rows.loc[rows["source"] == RANDOM, column].dropna()
    return float(found.iloc[0]) if len(found) else float("nan")
