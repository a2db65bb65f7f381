"""Claim 7: features do stabilise in the waveform basis."""

from __future__ import annotations

import pandas as pd

from tonotopy.judgement.claims._contract import (
    NOT_SUPPORTED,
    SUPPORTED,
    UNDETERMINED,
    Answer,
    Claim,
    Found,
    Study,
    Unanswerable,
    defined,
    largest,
    percent,
    with_ends,
)
from tonotopy.judgement.claims._sources import at_sites, copies, of_random

NAMES = ("waveform-basis",)
CITATION = "Cosme 2026, posts 0 and 1"
LICENCE = "MIT"

#: Share of a source's features that must be stabilised, or are not.
SOME = 0.1
#: Share with p ≤ .05 that hints at more than chance: twice what chance gives.
HINT = 0.1
COLUMNS = ("n", "n_stabilised", "share_stabilised", "low_stabilised", "high_stabilised", "share_p05_waveform")

CLAIM = Claim(
    number=7,
    sentence="features do stabilise in the waveform basis",
    source=CITATION,
    measure=(
        "Share of a source's features that are stabilised: their strongest fragments cohere as waveforms beyond those "
        "of random directions at the same place of the spectrum (Benjamini-Hochberg, 5 %), and they recur where there "
        "is more than one seed to ask."
    ),
    tables={"feature_sites": COLUMNS},
    effect=(
        "effect: the share of the source that has most, with its Wilson interval over features (not over pieces); "
        "null: the most of untrained copies and of random directions; no power is measured"
    ),
    rule=(
        "A source speaks for the claim where the low end is above `some` and above the null. It speaks against it "
        "where the high end is at most `some`, or at most the null, unless more than `hint` have p ≤ .05, and more "
        "than in any untrained copy: then too few could be named. Supported where one source speaks for it, not "
        "supported where all speak against it, else undetermined; also without untrained copies."
    ),
    nulls=(
        "random directions at the same place of the spectrum",
        "untrained copies",
        "recurrence over seeds",
    ),
    supported_by="a table by hand: many stabilised features, few in untrained copies",
    refuted_by=(
        "a table by hand: none, or no more than in an untrained copy. No phantom has untrained copies, so that through "
        "a study phantoms are undetermined; what is stabilised in a fragment codebook, and not in a linear stack "
        "(phantoms), is tested of the measure alone"
    ),
    thresholds={"some": SOME, "hint": HINT},
)


def answer(study: Study) -> list[Answer]:
    """At every site."""
    return at_sites(study, COLUMNS, _found)


def _found(study: Study, site: str, rows: pd.DataFrame) -> Found:
    each = [_source(study, site, row) for _, row in rows.iterrows()]
    for answer in (SUPPORTED, UNDETERMINED, NOT_SUPPORTED):
        told = [one for one in each if one.answer == answer]
        if told:
            return max(told, key=lambda one: largest(one.effect, -1.0))
    raise Unanswerable("no source of features was asked here")


def _source(study: Study, site: str, row: pd.Series) -> Found:
    source = str(row["source"])
    share, low, high = (float(row[f"{part}_stabilised"]) for part in ("share", "low", "high"))
    untrained, hints = (
        copies(study, site, source, name) for name in ("share_stabilised", "share_p05_waveform")
    )
    most = float(untrained.max()) if len(untrained) else float("nan")
    null, hint = largest(most, of_random(study, site, "share_stabilised")), float(row["share_p05_waveform"])
    words = (
        f"of {int(row['n'])} ({source}), {with_ends(share, low, high)} are stabilised (null at most {percent(null)}); "
        f"{percent(hint)} have p ≤ .05 (untrained at most {percent(float(hints.max()) if len(hints) else null)})"
    )
    if not defined(low, high):
        return Found(
            UNDETERMINED, f"{words}; undefined: more seeds, or more features alive", share, low, high, null
        )
    if not defined(most):
        return Found(UNDETERMINED, f"{words}; no untrained copy was asked", share, low, high, null)
    if low > max(SOME, null):
        return Found(SUPPORTED, words, share, low, high, null)
    if high <= max(SOME, null):
        if hint > HINT and not bool((hints >= hint).any()):
            why = f"{words}; more hint at it than in any untrained copy, too few to name"
            return Found(UNDETERMINED, why, share, low, high, null)
        return Found(NOT_SUPPORTED, words, share, low, high, null)
    return Found(
        UNDETERMINED, f"{words}; on both sides of {percent(max(SOME, null))}", share, low, high, null
    )
