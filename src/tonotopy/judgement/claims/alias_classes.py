"""Claim 11: strided layers collapse alias classes as predicted."""

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
    Unanswerable,
    defined,
)

NAMES = ("alias-classes",)
CITATION = "arXiv 2607.08545"
LICENCE = "MIT"

#: Correlation of predicted and observed similarity from which on pairs collapse as predicted.
PREDICTED = 0.8
#: Level of the test against controls that do not fold.
LEVEL = 0.05
#: Fewer pairs are too few for a correlation.
LEAST_PAIRS = 8
COLUMNS = ("site", "stride", "pairs", "correlation", "correlation_p", "folding_effect", "folding_p")

CLAIM = Claim(
    number=11,
    sentence="strided layers collapse alias classes as predicted",
    source=CITATION,
    measure=(
        "Over pairs of partials that a site's cumulative stride folds together: the correlation of their predicted "
        "with their observed similarity, and how much more alike they are than pairs that do not fold."
    ),
    tables={"aliases": COLUMNS},
    effect=(
        "effect: the correlation, with Fisher's interval over pairs (no music takes part); null: 0, shuffled "
        "predictions; power: how many pairs"
    ),
    rule=(
        "Supported where the low end is above `predicted` and pairs that fold are more alike than controls (p at most "
        "`level`). Not supported where the high end is at most `predicted`, or pairs that fold are less alike than "
        "controls (p at least 1 − `level`). Else undetermined; also under `least_pairs` pairs, and at stride 1, "
        "where nothing folds."
    ),
    nulls=("predictions shuffled over pairs", "controls that do not fold, labels swapped within pairs"),
    supported_by="a strided layer of long filters that tell frequencies apart before they fold",
    refuted_by="a strided layer of three samples, to which all frequencies look alike, folded or not",
    thresholds={"predicted": PREDICTED, "level": LEVEL, "least_pairs": LEAST_PAIRS},
)


def answer(study: Study) -> list[Answer]:
    """At every site that anatomy asked."""
    table = study.table("aliases", COLUMNS)
    return [_found(row).at(study, str(row["site"])) for _, row in table.iterrows()]


def _found(row: pd.Series) -> Found:
    if row["stride"] == 1:
        return Found(UNDETERMINED, "stride 1: nothing folds")
    n, r, effect, p = (float(row[name]) for name in ("pairs", "correlation", "folding_effect", "folding_p"))
    if not n >= LEAST_PAIRS or not defined(r, effect, p):
        return Found(UNDETERMINED, f"{n:.0f} pairs of partials: too few, or without an answer", r, power=n)
    low, high = fisher(r, n)
    words = (
        f"{n:.0f} pairs, predicted with r = {r:.2f} [{low:.2f}, {high:.2f}]; more alike than controls by "
        f"{effect:.3f} (p = {p:.3f})"
    )
    if high <= PREDICTED:
        answer, more = NOT_SUPPORTED, "; not as predicted"
    elif p >= 1 - LEVEL:
        answer, more = NOT_SUPPORTED, "; what does not fold is more alike"
    elif low > PREDICTED and p <= LEVEL:
        answer, more = SUPPORTED, ""
    else:
        answer, more = UNDETERMINED, "; neither surely predicted and beyond controls, nor surely not"
    return Found(answer, words + more, r, low, high, 0.0, n)


def fisher(r: float, n: float) -> tuple[float, float]:
    """95 % interval of a correlation over ``n`` pairs (Fisher 1915).

    Examples
    --------
    >>> tuple(round(end, 2) for end in fisher(0.5, 28))
    (0.16, 0.74)
    """
    if n <= 3:
        raise Unanswerable("a correlation of three pairs or fewer")
    middle, half = np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12)), 1.959964 / np.sqrt(n - 3)
    return float(np.tanh(middle - half)), float(np.tanh(middle + half))
