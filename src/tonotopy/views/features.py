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
    RANDOM,
    UNDEFINED,
    CopiedKinds,
    copies,
    most_frequent,
    random_share,
    spread,
    trained,
    untrained,
)
from tonotopy.views._schema import LABELS
from tonotopy.views.figures._contract import highlights
from tonotopy.views.tables import RunTables
from tonotopy.views.words import count, listed, missing, number, percent, share_with_interval

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
    "way, and untrained copies of the network. Brackets are 95 % intervals."
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
    ('0.42 [0.3, 0.5]', '0.42 (interval undefined)')
    """
    if missing(value):
        return "undefined"
    if missing(low) or missing(high):
        return f"{number(value)} (interval undefined)"
    return f"{number(value)} [{number(low)}, {number(high)}]"


def _finding(run: RunTables, row: pd.Series) -> FeatureFinding:
    site, source, n = str(row["site"]), str(row["source"]), count(int(row["n"]), "feature")
    share = percent(row["share_stabilised"])
    whole = share_words(row["share_stabilised"], row["low_stabilised"], row["high_stabilised"])
    if missing(row["share_stabilised"]):
        stable = f"At {site}, how many of {n} ({source}) are stabilised is undefined."
    else:
        verb = "is" if row["n_stabilised"] == 1 else "are"
        chance = f"{percent(row['share_p05_waveform'])} have p ≤ .05, which 5 % have by chance"
        stable = (
            f"At {site}, {int(row['n_stabilised']):,} of {n} ({source}) {verb} stabilised, {whole}; {chance}. "
            f"{_spectral(run, row)}"
        )
    sentences = (stable, " ".join(words for words in (_kinds(run, row), _answers(run, row)) if words))
    return FeatureFinding(
        site=site,
        source=source,
        share=share,
        interval=whole.removeprefix(share).strip(),
        sentences=tuple(words for words in sentences if words),
        nulls=" ".join(words for words in (_nulls(run, row), _variation(row), _order(row)) if words),
    )


def _spectral(run: RunTables, row: pd.Series) -> str:
    """P(spectrally stable | stabilised), beside what untrained copies read and all features taken together."""
    if not row["n_stabilised"]:
        return "With none stabilised, how many of these are spectrally stable is undefined."
    value = row["spectral_given_stabilised"]
    if missing(value):
        return "How many of these are spectrally stable too is undefined."
    whole = share_words(value, row["low_spectral_given"], row["high_spectral_given"])
    floor = copies(run, str(row["site"]), str(row["source"]), "spectral_given_stabilised")
    beside = f"of all features {percent(row['share_p05_spectral'])} have p ≤ .05 in spectrum"
    return f"Of these, {whole} are spectrally stable too (in untrained copies {floor.words}; {beside})."


def _answers(run: RunTables, row: pd.Series) -> str:
    """What features answer to; partials beside random directions and untrained copies."""
    counts = {label: row[f"n_{label}"] for label in LABELS[:-1]}
    if any(missing(many) for many in counts.values()) or not row["n"]:
        asked = bool(run.feature_sites["n_partial"].notna().any())
        return "What they answer to is undefined." if asked else ""
    site, source, n = str(row["site"]), str(row["source"]), int(row["n"])
    left = n - int(sum(counts.values()))
    floor = untrained(run.feature_sites)
    floor = floor[(floor["site"] == site) & (floor["source"] == source) & (floor["n"] > 0)]
    copied = spread((floor["n_partial"] / floor["n"]).dropna())
    null = (
        f"random directions {percent(row['share_partial_random'])}, untrained copies {percent(copied.mean)}"
    )
    verb = "answers" if counts["partial"] == 1 else "answer"
    first = (
        f"{int(counts['partial']):,} {verb} {ANSWERS['partial']} ({percent(counts['partial'] / n)}; {null})"
    )
    others = [
        f"{int(many):,} {ANSWERS[label]}" for label, many in counts.items() if many and label != "partial"
    ]
    undefined = f"; for {left:,} this is undefined" if left > 0 else ""
    return f"Of all {n:,}, {listed([first, *others])}{undefined}."


def _variation(row: pd.Series) -> str:
    """How much what a feature answers to varies with context, beside noise."""
    if missing(row["variation"]):
        return ""
    whole = number_words(row["variation"], row["low_variation"], row["high_variation"])
    noise = number(row["variation_noise"])
    return f"What a feature answers to varies with context by {whole}, by noise alone {noise}."


def _order(row: pd.Series) -> str:
    """Tonotopic order and coverage, each with its permutation p."""
    parts = []
    if not missing(row["order_rho"]):
        parts.append(
            f"best frequencies follow the order of features with ρ = {number(row['order_rho'])} "
            f"(p = {number(row['order_p'])} against shuffled order)"
        )
    if not missing(row["coverage"]):
        parts.append(
            f"they cover {percent(row['coverage'])} of the axis "
            f"(p = {number(row['coverage_p'])} against random directions)"
        )
    words = listed(parts)
    return f"{words[0].upper()}{words[1:]}." if words else ""


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
