"""Claim 6: what mixture a feature answers to varies with context."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tonotopy.judgement.claims._contract import (
    NOT_SUPPORTED,
    SUPPORTED,
    UNDETERMINED,
    Answer,
    Claim,
    Found,
    Study,
    defined,
)
from tonotopy.judgement.claims._sources import at_sites, copies, most, of_random

NAMES = ("shifting-mixtures",)
CITATION = "Cosme 2026, posts 0 and 1"
LICENCE = "MIT"

#: Variation over families beyond noise from which on a mixture counts as varying: a fixed mixture of two partials
#: (phantom) reads .07.
VARIES = 0.1
#: Fewer mixture features are too few to speak of.
LEAST_MIXTURES = 5
COLUMNS = ("n_mixture", "variation", "low_variation", "high_variation", "variation_noise")

CLAIM = Claim(
    number=6,
    sentence="and what mixture a feature answers to varies with context",
    source=CITATION,
    measure=(
        "Of the source with most features that answer to a mixture: how much these features' tuning varies over "
        "families of contexts, beyond what two halves of the same family vary."
    ),
    tables={"feature_sites": COLUMNS},
    effect=(
        "effect: mean excess variation with its interval over pieces; null: what random directions' mixtures vary by, "
        "or the largest of untrained copies where the study did not ask random directions; no power is measured"
    ),
    rule=(
        "Supported where the low end is above `varies` and above the null, not supported where the high end is at most "
        "`varies`, else undetermined, also under `least_mixtures` mixture features. Where the null varies as much, "
        "variation is no property of chosen features. Where neither random directions nor untrained copies have "
        "mixtures, there is no null, and the answer says so."
    ),
    nulls=("two halves of the same family (taken off)", "random directions", "untrained copies"),
    supported_by="mixtures drawn anew for each family",
    refuted_by="the two-partial feature (phantom): a fixed mixture",
    thresholds={"varies": VARIES, "least_mixtures": LEAST_MIXTURES},
)


def answer(study: Study) -> list[Answer]:
    """At every site."""
    return at_sites(study, COLUMNS, _found)


def _found(study: Study, site: str, rows: pd.DataFrame) -> Found:
    row = most(rows, "n_mixture")
    n, source = row["n_mixture"], str(row["source"])
    if not n >= LEAST_MIXTURES:
        many = 0 if np.isnan(n) else int(n)
        return Found(
            UNDETERMINED, f"at most {many} features of a source answer to a mixture: too few to speak of"
        )
    effect, low, high = (float(row[name]) for name in ("variation", "low_variation", "high_variation"))
    random, floor = of_random(study, site, "variation"), copies(study, site, source, "variation")
    null = random if np.isfinite(random) else float(floor.max()) if len(floor) else float("nan")
    words = f"{int(n)} of {source} answer to mixtures that vary by {effect:.2f} [{low:.2f}, {high:.2f}] beyond noise"
    words += (
        f", those of random directions or untrained copies by {null:.2f}"
        if np.isfinite(null)
        else ", and neither random directions nor untrained copies have mixtures to set beside them"
    )
    if not defined(low, high):
        return Found(UNDETERMINED, f"{words}; no interval over pieces", effect, low, high, null)
    if low > VARIES:
        if null >= low:
            why = f"{words}; the null varies as much: no property of chosen features"
            return Found(UNDETERMINED, why, effect, low, high, null)
        return Found(SUPPORTED, words, effect, low, high, null)
    if high <= VARIES:
        return Found(NOT_SUPPORTED, words, effect, low, high, null)
    return Found(UNDETERMINED, f"{words}; on both sides of {VARIES}", effect, low, high, null)
