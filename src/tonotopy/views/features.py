"""What the features of a site are, in sentences made from the numbers of a run.

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

from tonotopy.views._feature_rows import (
    GIVEN,
    RANDOM,
    STABILISED,
    UNDEFINED,
    VARIATION,
    CopiedKinds,
    answering,
    copies,
    most_frequent,
    random_share,
    trained,
    untrained,
)
from tonotopy.views._schema import LABELS
from tonotopy.views.figures._contract import highlights
from tonotopy.views.tables import RunTables
from tonotopy.views.words import count, decimal, listed, missing, p_words, percent, share_with_interval

#: What a feature answers to, in a sentence.
ANSWERS: Final = {
    "partial": "to one partial",
    "mixture": "to a mixture of partials",
    "pitch": "to a pitch",
    "chord": "to a chord",
    "broad": "broadly",
    "none": "to none of these",
}
#: Kinds that a sentence tells.
MOST_KINDS: Final = 3
#: What the words of the section mean.
STABILISED_MEANS = (
    "A feature is stabilised when the fragments of sound that it answers to most strongly are one waveform, more "
    "than those of random directions at the same place of the spectrum and the same site are, and when it recurs, "
    "where there is more than one seed to ask. It is spectrally stable when one band of the spectrum stands out at "
    "all of them, again more than at those of random directions. Nulls: random directions that choose in the same "
    "way, and untrained copies of the network."
)
#: Which interval a share of features has: not the one that other shares on the page have.
OVER_FEATURES = (
    "Brackets after a share of features are 95 % intervals over features, the pieces fixed (Wilson 1927): what as many "
    "features of the same network on the same music could read, and nothing of other music."
)
#: And which the others have.
OTHER_INTERVALS = (
    "What a feature answers to varies over contexts, and its brackets are over contexts; all other brackets are "
    "bootstraps over pieces."
)
KINDS_MEAN = (
    "A kind is the family of descriptors of sound that explains most of a feature, on pieces that it was not fitted "
    "on, beyond what all the others explain. Of a “shared” feature several families explain as much, and none more "
    "than the others; of an “unexplained” one none explains much. These are counts of the features that there are: "
    "they have no interval over pieces, and stand beside the share in untrained copies."
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
    ('0.42 [0.30, 0.50]', '0.42 (interval undefined)')
    """
    if missing(value):
        return "undefined"
    if missing(low) or missing(high):
        return f"{decimal(value)} (interval undefined)"
    return f"{decimal(value)} [{decimal(low)}, {decimal(high)}]"


def _finding(run: RunTables, row: pd.Series) -> FeatureFinding:
    share, whole = percent(row["share_stabilised"]), share_words(*row[list(STABILISED)])
    stable = " ".join(words for words in (_stabilised(row), _spectral(run, row)) if words)
    sentences = (stable, " ".join(words for words in (_kinds(run, row), _answers(run, row)) if words))
    return FeatureFinding(
        site=str(row["site"]),
        source=str(row["source"]),
        share=share,
        interval=whole.removeprefix(share).strip(),
        sentences=tuple(words for words in sentences if words),
        nulls=" ".join(words for words in (_nulls(run, row), _variation(row), _order(row)) if words),
    )


def _stabilised(row: pd.Series) -> str:
    """How many stabilise, of those of which it is defined."""
    site, source, n = str(row["site"]), str(row["source"]), int(row["n"])
    if missing(row["share_stabilised"]):
        return f"At {site}, how many of {count(n, 'feature')} ({source}) are stabilised is undefined."
    told = int(row["n_defined"])
    verb = "is" if row["n_stabilised"] == 1 else "are"
    left = f" (for {n - told:,} more it is undefined)" if n > told else ""
    return (
        f"At {site}, {int(row['n_stabilised']):,} of {count(told, 'feature')} ({source}) {verb} stabilised, "
        f"{share_words(*row[list(STABILISED)])}{left}; {percent(row['share_p05_waveform'])} have p ≤ .05, "
        "which 5 % have by chance."
    )


def _spectral(run: RunTables, row: pd.Series) -> str:
    """P(spectrally stable | stabilised), beside what untrained copies read and all features taken together."""
    if missing(row["share_stabilised"]):
        return ""
    every = f"of all features {percent(row['share_p05_spectral'])} have p ≤ .05 in spectrum, by chance 5 %"
    if not row["n_stabilised"]:
        return f"With none stabilised, how many of these are spectrally stable is undefined; {every}."
    if missing(row[GIVEN[0]]):
        return f"How many of these are spectrally stable too is undefined; {every}."
    floor = copies(run, str(row["site"]), str(row["source"]), GIVEN[0])
    return (
        f"Of these, {share_words(*row[list(GIVEN)])} are spectrally stable too "
        f"(in untrained copies {floor.words}; {every})."
    )


def _answers(run: RunTables, row: pd.Series) -> str:
    """What features answer to, each share beside untrained copies and, where it was asked, random directions."""
    counts = {label: row[f"n_{label}"] for label in LABELS[:-1]}
    if any(missing(many) for many in counts.values()):
        asked = bool(run.feature_sites["n_partial"].notna().any())
        return "What they answer to is undefined." if asked else ""
    site, source, told = str(row["site"]), str(row["source"]), int(sum(counts.values()))
    parts = []
    for label, many in counts.items():
        if not many and label != "partial":
            continue
        chance = row.get(f"share_{label}_random")
        nulls = [] if missing(chance) else [f"random directions {percent(chance)}"]
        nulls.append(f"untrained copies {percent(answering(run, site, source, label).mean)}")
        share = f"{percent(many / told)}; " if many else ""
        verb = ("answers " if many <= 1 else "answer ") if label == "partial" else ""
        parts.append(f"{_many(many)} {verb}{ANSWERS[label]} ({share}{', '.join(nulls)})")
    left = int(row["n"]) - told
    undefined = f"; for {left:,} more this is undefined" if left > 0 else ""
    return f"Of {told:,}, {listed(parts)}{undefined}."


def _many(many: float) -> str:
    return f"{int(many):,}" if many else "none"


def _variation(row: pd.Series) -> str:
    """How much what a feature answers to varies with context, beside noise."""
    if missing(row["variation"]):
        return ""
    whole, noise = number_words(*row[list(VARIATION)]), decimal(row["variation_noise"])
    return f"What mixtures they answer to varies with context by {whole} beyond noise (noise alone {noise})."


def _order(row: pd.Series) -> str:
    """Tonotopic order and coverage, each beside its null; without a partial feature nothing is covered."""
    parts = []
    if not missing(row["order_rho"]):
        parts.append(
            f"Best frequencies follow the order of features with ρ = {decimal(row['order_rho'])} "
            f"({p_words(row['order_p'])} against shuffled order)."
        )
    if row["n_partial"] > 0 and not missing(row["coverage"]):
        parts.append(
            f"Partial features cover {percent(row['coverage'])} of the axis, as many random directions "
            f"{percent(row['coverage_null'])} ({p_words(row['coverage_p'])})."
        )
    return " ".join(parts)


def _kinds(run: RunTables, row: pd.Series) -> str:
    """The most frequent kinds, of the stabilised features where there are any; *unexplained* is always told."""
    site, source = str(row["site"]), str(row["source"])
    copied = CopiedKinds.of(run)
    for among, of in (("stabilised", "stabilised "), ("all", "")):
        found = dict(most_frequent(run, site, source, among))
        if not found:
            continue
        undefined = found.pop(UNDEFINED, 0)
        total = sum(found.values())
        if not total:
            return f"What kind the {of}{undefined:,} are is undefined."
        told = [kind for at, kind in enumerate(found) if at < MOST_KINDS or kind == "unexplained"]
        parts = [
            f"{kind} {found[kind]:,} ({percent(found[kind] / total)}; "
            f"untrained copies {percent(copied.share(site, source, kind, among).mean)})"
            for kind in told
        ]
        rest = total - sum(found[kind] for kind in told)
        parts += [f"other kinds {rest:,}"] if rest else []
        left = f"; for {undefined:,} more it is undefined" if undefined else ""
        return f"Kinds of the {of}{total:,}: {', '.join(parts)}{left}."
    return ""


def _nulls(run: RunTables, row: pd.Series) -> str:
    site, source = str(row["site"]), str(row["source"])
    floor = untrained(run.feature_sites)
    own = copies(run, site, source, "share_stabilised")
    if own.seeds:
        p05 = copies(run, site, source, "share_p05_waveform")
        words = f"of untrained copies {own.words} are stabilised, {percent(p05.mean)} have p ≤ .05"
    elif bool(((floor["site"] == site) & (floor["source"] == source)).any()):
        words = "of untrained copies it is undefined too"
    else:
        words = "no untrained copy was measured"
    chance = random_share(run, site, "share_stabilised")
    words += "" if missing(chance) else f"; of random directions {percent(chance)} are stabilised"
    return f"Nulls: {words}."
