"""What the features of a site are, in sentences made from the numbers of a run, and what figures share.

A share never stands alone: its interval stands with it, or that there is none, and what untrained copies of the
network and random directions at the same site read. Features of the source `RANDOM` are such a null themselves and
are nowhere told as features of the network. A count of kinds describes the features that there are; it has no
interval, and what untrained copies read stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from tonotopy.views._schema import LABELS
from tonotopy.views.figures._contract import highlights
from tonotopy.views.tables import RunTables
from tonotopy.views.words import count, listed, missing, number, percent, share_with_interval

#: The source that is a null.
RANDOM: Final = "random"
#: Rows of a figure, beyond which it draws a few sites.
MOST_ROWS: Final = 24
#: Kinds that name no family of descriptors.
UNNAMED: Final = ("unexplained", "undefined")
#: What a feature answers to, in a sentence.
ANSWERS: Final = {
    "partial": "to one partial",
    "mixture": "to a mixture of partials",
    "pitch": "to a pitch",
    "chord": "to a chord",
    "broad": "broadly",
    "none": "to none of these",
}
#: What the words of the section mean.
STABILISED_MEANS = (
    "A feature is stabilised when the fragments of sound that it answers to most strongly are one "
    "waveform, more than those of random directions at the same place of the spectrum and the same site "
    "are, and when it recurs. It is spectrally stable when the same holds of their spectra. Nulls: random "
    "directions that choose in the same way, and untrained copies of the network. Brackets are 95 % "
    "intervals."
)
KINDS_MEAN = (
    "A kind is the family of descriptors of sound that explains most of a feature, on pieces that it was "
    "not fitted on, beyond what all the others explain. “unexplained” is a feature for which no family "
    "does so beyond shuffled descriptors. These are counts of the features that there are: they have no "
    "interval over pieces, and stand beside the share in untrained copies."
)


@dataclass(frozen=True)
class FeatureFinding:
    """One source of features at one site."""

    site: str
    source: str
    share: str
    interval: str
    sentences: tuple[str, ...]
    nulls: str

    @property
    def text(self) -> str:
        """The whole, as one paragraph."""
        return " ".join((*self.sentences, self.nulls))


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
        reach = f"{percent(self.low)} to {percent(self.high)}, " if self.seeds > 1 else ""
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
    return _spread(values)


def copies_of_kind(run: RunTables, site: str, source: str, kind: str, among: str) -> Copies:
    """Share of a kind in untrained copies; a copy that has features, but none of the kind, counts as zero."""
    floor = untrained(run.kinds)
    floor = floor[(floor["site"] == site) & (floor["source"] == source) & (floor["among"] == among)]
    seeds = sorted(set(floor.loc[floor["share"].notna(), "seed"]))
    own = floor[floor["kind"] == kind].set_index("seed")["share"]
    return _spread(own.reindex(pd.Index(seeds)).fillna(0.0))


def random_share(run: RunTables, site: str, column: str) -> float:
    """What random directions of the trained network read of a column of ``feature_sites``; NaN where not asked."""
    rows = trained(run.feature_sites)
    own = rows.loc[(rows["site"] == site) & (rows["source"] == RANDOM), column]
    return float(own.iloc[0]) if len(own) else float("nan")


def feature_findings(run: RunTables, sites: Sequence[str] | None = None) -> list[FeatureFinding]:
    """One finding for each source of features at each of a few sites, in depth order."""
    rows = trained(run.feature_sites)
    rows = rows[rows["source"] != RANDOM]
    if rows.empty:
        return []
    chosen = highlights(run, rows, None) if sites is None else tuple(sites)
    return [_finding(run, row) for _, row in run.of(rows, chosen).iterrows()]


def share_words(value: float, low: float, high: float) -> str:
    """A share with its interval, or the word that it has none.

    Examples
    --------
    >>> share_words(0.2, 0.1, 0.3), share_words(0.2, float("nan"), 0.3), share_words(float("nan"), 0.1, 0.2)
    ('20 % [10, 30]', '20 % (interval undefined)', 'undefined')
    """
    words = share_with_interval(value, low, high)
    return words if "[" in words or missing(value) else f"{words} (interval undefined)"


def number_words(value: float, low: float, high: float) -> str:
    """A number with its interval, or the word that it has none.

    Examples
    --------
    >>> number_words(0.42, 0.3, 0.5), number_words(0.42, float("nan"), 0.5)
    ('0.42 [0.3, 0.5]', '0.42 (interval undefined)')
    """
    if missing(value):
        return "undefined"
    if missing(low) or missing(high):
        return f"{number(value)} (interval undefined)"
    return f"{number(value)} [{number(low)}, {number(high)}]"


def most_frequent(run: RunTables, site: str, source: str, among: str) -> list[tuple[str, int]]:
    """Kinds of the trained network's features with their counts, the most frequent first, unnamed ones last."""
    rows = trained(run.kinds)
    rows = rows[(rows["site"] == site) & (rows["source"] == source) & (rows["among"] == among)]
    found = [(str(kind), int(many)) for kind, many in zip(rows["kind"], rows["count"], strict=True) if many]
    return sorted(found, key=lambda pair: (pair[0] in UNNAMED, -pair[1], pair[0]))


def _spread(values: pd.Series) -> Copies:
    if values.empty:
        return Copies(float("nan"), float("nan"), float("nan"), 0)
    return Copies(float(values.mean()), float(values.min()), float(values.max()), len(values))


def _finding(run: RunTables, row: pd.Series) -> FeatureFinding:
    site, source = str(row["site"]), str(row["source"])
    share = percent(row["share_stabilised"])
    whole = share_words(row["share_stabilised"], row["low_stabilised"], row["high_stabilised"])
    many = f"{row['n_stabilised']:,} of {count(int(row['n']), 'feature')} of {source}"
    if missing(row["share_stabilised"]):
        first = f"At {site}, how many of {count(int(row['n']), 'feature')} of {source} are stabilised is undefined."
    else:
        first = (
            f"At {site}, {many} {'is' if row['n_stabilised'] == 1 else 'are'} stabilised, {whole}; "
            f"{percent(row['share_p05_waveform'])} have p ≤ .05, which by chance 5 % have."
        )
    sentences = (
        first,
        _spectral(run, row),
        _answers(run, row),
        _variation(row),
        _order(row),
        _kinds(run, row),
    )
    return FeatureFinding(
        site=site,
        source=source,
        share=share,
        interval=whole.removeprefix(share).strip(),
        sentences=tuple(words for words in sentences if words),
        nulls=_nulls(run, row),
    )


def _spectral(run: RunTables, row: pd.Series) -> str:
    """P(spectrally stable | stabilised), beside what untrained copies read and all features taken together."""
    if not row["n_stabilised"]:
        return "Whether stabilised features are spectrally stable is undefined: there is none."
    value = row["spectral_given_stabilised"]
    if missing(value):
        return "How many of these are spectrally stable too is undefined."
    whole = share_words(value, row["low_spectral_given"], row["high_spectral_given"])
    floor = copies(run, str(row["site"]), str(row["source"]), "spectral_given_stabilised")
    beside = f"of all features {percent(row['share_p05_spectral'])} have p ≤ .05 in spectrum, by chance 5 %"
    return f"Of these, {whole} are spectrally stable too (in untrained copies {floor.words}; {beside})."


def _answers(run: RunTables, row: pd.Series) -> str:
    """What features answer to; partials beside random directions and untrained copies."""
    counts = {label: row[f"n_{label}"] for label in LABELS[:-1]}
    if any(missing(many) for many in counts.values()) or not row["n"]:
        return ""
    site, source, n = str(row["site"]), str(row["source"]), int(row["n"])
    floor = untrained(run.feature_sites)
    floor = floor[(floor["site"] == site) & (floor["source"] == source) & (floor["n"] > 0)]
    copied = _spread((floor["n_partial"] / floor["n"]).dropna())
    null = f"random directions {percent(row['share_partial_random'])}, untrained copies {copied.words}"
    parts = [f"{int(many):,} {ANSWERS[label]}" for label, many in counts.items()]
    parts[0] = f"{parts[0]} ({percent(counts['partial'] / n)}; {null})"
    left = n - int(sum(counts.values()))
    parts += [f"{left:,} undefined"] if left > 0 else []
    return f"Of all {n:,}, {listed(parts)}."


def _variation(row: pd.Series) -> str:
    """How much what a feature answers to varies with context, beside noise."""
    if missing(row["variation"]):
        return ""
    whole = number_words(row["variation"], row["low_variation"], row["high_variation"])
    noise = number(row["variation_noise"])
    return f"What a feature answers to varies with context by {whole}; noise alone gives {noise}."


def _order(row: pd.Series) -> str:
    """Tonotopic order and coverage, each with its permutation p."""
    parts = []
    if not missing(row["order_rho"]):
        parts.append(
            f"best frequencies follow the order of features with ρ = {number(row['order_rho'])} "
            f"(p = {number(row['order_p'])} under permutation)"
        )
    if not missing(row["coverage"]):
        parts.append(
            f"they cover {percent(row['coverage'])} of the axis (p = {number(row['coverage_p'])} under permutation)"
        )
    words = listed(parts)
    return f"{words[0].upper()}{words[1:]}." if words else ""


def _kinds(run: RunTables, row: pd.Series) -> str:
    """The most frequent kinds, of the stabilised features where there are any."""
    site, source = str(row["site"]), str(row["source"])
    for among, words in (("stabilised", "Of the stabilised"), ("all", "Of all")):
        found = most_frequent(run, site, source, among)
        if not found:
            continue
        total = sum(many for _, many in found)
        parts = [
            f"{many:,} by {kind} (in untrained copies {copies_of_kind(run, site, source, kind, among).words})"
            for kind, many in found
            if kind not in UNNAMED
        ][:3]
        unnamed = [f"{many:,} {kind}" for kind, many in found if kind in UNNAMED]
        named = [f"most are named {parts[0]}", *parts[1:]] if parts else []
        return f"{words}, {total:,} in number, {listed([*named, *unnamed])}."
    return ""


def _nulls(run: RunTables, row: pd.Series) -> str:
    site, source = str(row["site"]), str(row["source"])
    floor = copies(run, site, source, "share_stabilised")
    if not floor.seeds:
        words = "no untrained copy was measured"
    else:
        p05 = copies(run, site, source, "share_p05_waveform")
        words = f"of untrained copies {floor.words} are stabilised, {percent(p05.mean)} have p ≤ .05"
    chance = random_share(run, site, "share_stabilised")
    words += "" if missing(chance) else f"; of random directions {percent(chance)} are stabilised"
    return f"Nulls: {words}."
