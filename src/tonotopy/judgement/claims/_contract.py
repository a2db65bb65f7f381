"""What a claim is, what an answer is, and what a claim is answered from.

A claim file declares ``NAMES`` (one name), ``CITATION`` (who says so), ``LICENCE``, ``CLAIM``, an instance of
:class:`Claim`, and ``answer(study: Study) -> list[Answer]``: one answer a site. Adding a claim is adding a file.

A claim is answered from tables alone. What a study did not measure, or measured with too little power, is
*undetermined*, with the reason and what to run; it is never *not supported*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tonotopy.statistics.bootstrap import LEAST_PIECES_FOR_INTERVALS

SUPPORTED, NOT_SUPPORTED, UNDETERMINED = "supported", "not supported", "undetermined"
ANSWERS: Final = (SUPPORTED, NOT_SUPPORTED, UNDETERMINED)
#: Where a claim is about sound alone, or about a model as a whole.
NO_SITE: Final = "–"
NAN: Final = float("nan")

#: What a study has to be asked for, so that it has a table.
HOW: Final[dict[str, str]] = {
    "sparsity": "run the study again without brief",
    "ceiling": "train a ceiling (tonotopy train ceiling) and run the study again with --ceiling",
    "features": "run the study again with --features channels,topk",
    "feature_sites": "run the study again with --features channels,topk",
    "transitions": "run the study again with --features channels,topk, the first convolution among its sites",
    "ambiguity": "run the study again with --features channels,topk",
    "codes": "run the study again with --codes, the quantiser among its sites",
    "reuse": "run the study again with --causes",
    "steering": "run the study again with --causes",
    "pitch_decoding": "run the study again with --features topk",
    "anywhere": "run a series over sizes of the model or hours of music",
    "aliases": "run the study again: its anatomy is written with it",
    "first_layer": "run the study again: its anatomy is written with it",
}


class Unanswerable(Exception):
    """Nothing can be said, for the reason given; becomes *undetermined*."""


@dataclass(frozen=True)
class Claim:
    """One claim, stated before a study runs."""

    number: int  # in the ledger
    sentence: str
    source: str
    measure: str  # what is read, in words
    tables: Mapping[str, tuple[str, ...]]  # table -> columns that the rule reads
    effect: str  # what the effect, its interval, its null and its power are
    rule: str
    nulls: tuple[str, ...]
    supported_by: str  # what would support it, and what would not: it can come out either way
    refuted_by: str
    thresholds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What a study says of a claim at one site. Not-a-number is undefined, or not measured."""

    claim: str
    model: str
    site: str
    answer: str  # one of ANSWERS
    effect: float
    low: float
    high: float
    null: float
    power: float
    why: str  # what was measured; where undetermined, what kept it so comes after the last semicolon


@dataclass(frozen=True)
class Found:
    """An answer without its place."""

    answer: str
    why: str
    effect: float = NAN
    low: float = NAN
    high: float = NAN
    null: float = NAN
    power: float = NAN

    def at(self, study: Study, site: str) -> Answer:
        """The same at a site."""
        assert self.answer in ANSWERS, self.answer
        effect, low, high = float(self.effect), float(self.low), float(self.high)
        null, power = float(self.null), float(self.power)
        return Answer(study.claim, study.model, site, self.answer, effect, low, high, null, power, self.why)


@dataclass(frozen=True)
class Study:
    """The tables of a run or of a series, as one claim reads them.

    Attributes
    ----------
    claim, model
        Name of the claim, and of the model that is studied.
    tables
        Frames by name: a run's tables, those of its anatomy (:func:`anatomy_tables`), or a series' tables.
    """

    claim: str
    model: str
    tables: Mapping[str, pd.DataFrame] = field(repr=False)

    def has(self, name: str) -> bool:
        """Whether a table was measured."""
        return name in self.tables and not self.tables[name].empty

    def table(self, name: str, columns: Sequence[str]) -> pd.DataFrame:
        """One table of partials, with these columns at least.

        Raises
        ------
        Unanswerable
            It was not measured, or lacks a column.
        """
        if not self.has(name):
            raise Unanswerable(f"the study has no table {name!r}: {HOW.get(name, 'run the study again')}")
        table = self.tables[name]
        lacking = [column for column in columns if column not in table]
        if lacking:
            raise Unanswerable(
                f"the table {name!r} has no column {lacking[0]!r}: it is of another version, run the study again"
            )
        if "structure" in table:
            table = table[table["structure"].isna() | (table["structure"] == "partial")]
        return table

    def sites(self, *roles: str) -> pd.DataFrame:
        """Rows of the table of sites in depth order, of some roles or all of them."""
        table = self.table("sites", ("site", "order", "role", "n_pieces")).sort_values("order", kind="stable")
        return table[table["role"].isin(roles)] if roles else table

    def at(self, name: str, site: str, columns: Sequence[str], weights: str = "trained") -> pd.DataFrame:
        """Rows of a table at one site, of the weights under study or of untrained copies (``floor``)."""
        table = self.table(name, columns)
        rows = table[table["site"] == site]
        return rows[rows["weights"] == weights] if "weights" in table else rows

    def need_pieces(self, n_pieces: float | None = None) -> None:
        """Refuse to answer from fewer than eight pieces: their intervals are undefined."""
        many = float(self.sites()["n_pieces"].min()) if n_pieces is None else n_pieces
        if not many >= LEAST_PIECES_FOR_INTERVALS:
            raise Unanswerable(
                f"{many:.0f} pieces: intervals are undefined under {LEAST_PIECES_FOR_INTERVALS}, "
                "run the study again with more music"
            )


def defined(*values: float) -> bool:
    """Whether all of these are numbers."""
    return bool(np.isfinite(values).all())


def unsettled(verdicts: pd.DataFrame) -> NDArray[np.bool_]:
    """Rows whose verdict a bootstrap over pieces often overturns, or of which that is not known, ``[row]``."""
    return verdicts["borderline"].astype("boolean").fillna(value=True).to_numpy(dtype=bool)


def value(row: pd.Series, name: str) -> float:
    """A number of a row; not-a-number where there is none, or no such column."""
    found = row.get(name)
    return NAN if found is None or pd.isna(found) else float(found)


def largest(*values: float) -> float:
    """The largest of what is defined; not-a-number where nothing is.

    Examples
    --------
    >>> largest(0.1, float("nan"), 0.2), largest(float("nan"))
    (0.2, nan)
    """
    known = [value for value in values if np.isfinite(value)]
    return max(known, default=NAN)


def wider(many: int) -> float:
    """How many times as wide each of some 95 % intervals must be, so that 95 % hold for all of them together.

    Bonferroni, as if the ends were normal: from tables alone no other quantile can be had.

    Examples
    --------
    >>> wider(1), round(wider(5), 2)
    (1.0, 1.31)
    """
    quantile = NormalDist().inv_cdf
    return float(quantile(1 - 0.025 / many) / quantile(0.975))


def percent(value: float) -> str:
    """A share in words.

    Examples
    --------
    >>> percent(0.125), percent(float("nan"))
    ('12 %', 'undefined')
    """
    return f"{100 * value:.0f} %" if np.isfinite(value) else "undefined"


def with_ends(value: float, low: float, high: float) -> str:
    """A share with its interval, in words.

    Examples
    --------
    >>> with_ends(0.1, 0.0, 0.25), with_ends(0.1, float("nan"), 0.2)
    ('10 % [0, 25]', '10 % (no interval)')
    """
    ends = f"[{100 * low:.0f}, {100 * high:.0f}]" if defined(low, high) else "(no interval)"
    return f"{percent(value)} {ends}"
