"""Claim 13: dictionary features of a codec decode pitch above random-weight and control-task baselines.

The table ``pitch_decoding`` has one row for each set of weights, site and source of features: ``weights``, ``seed``,
``site``, ``source``, ``score``, ``score_low``, ``score_high`` (of pitch on held-out pieces, with its interval over
pieces; any score that is larger where it is better), ``control`` and ``control_high`` (the same probe on shuffled
labels, a control task) and ``n_pieces``.
"""

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
    largest,
)
from tonotopy.judgement.claims._sources import most

NAMES = ("pitch-decoding",)
CITATION = "Paek et al. 2025, arXiv 2510.23802"
LICENCE = "MIT"

#: Sources that are dictionaries.
DICTIONARIES = ("relu-l1", "topk", "batch-topk", "jumprelu", "matryoshka")
COLUMNS = ("weights", "site", "source", "score", "score_low", "score_high", "control", "control_high")

CLAIM = Claim(
    number=13,
    sentence="dictionary features of a codec decode pitch above random-weight and control-task baselines",
    source=CITATION,
    measure=(
        "Score of a probe of pitch on the features of a sparse dictionary, on held-out pieces, at sites of an encoder "
        "with a quantiser; of the dictionary with the best score."
    ),
    tables={"pitch_decoding": COLUMNS},
    effect=(
        "effect: the score, with its interval over pieces; null: the highest end of any baseline (the same source on "
        "untrained copies, and the control task); no power is measured"
    ),
    rule=(
        "Supported where the low end is above the null, not supported where the high end is at most the best baseline "
        "itself. Else undetermined; also for an encoder that is no codec, without untrained copies, and without a "
        "control task."
    ),
    nulls=("dictionaries of untrained copies", "the same probe on shuffled labels (Hewitt & Liang 2019)"),
    supported_by="a codec around a pitch template (phantom)",
    refuted_by="a codec of random codes (phantom)",
)


def answer(study: Study) -> list[Answer]:
    """At every site at which pitch was decoded."""
    if study.sites("codes").empty:
        raise Unanswerable("the claim is about codecs: no codes among the sites of this study")
    table = study.table("pitch_decoding", COLUMNS)
    asked = [site for site in study.sites()["site"] if bool((table["site"] == site).any())]
    if not asked:
        raise Unanswerable("pitch was decoded at none of the sites of this study")
    return [_found(study, site).at(study, site) for site in asked]


def _found(study: Study, site: str) -> Found:
    rows = study.at("pitch_decoding", site, COLUMNS)
    rows = rows[rows["source"].isin(DICTIONARIES) & rows["score"].notna()]
    if rows.empty:
        return Found(UNDETERMINED, "no dictionary was asked here: run the study again with --features topk")
    row = most(rows, "score")
    floor = study.at("pitch_decoding", site, COLUMNS, "floor")
    floor = floor[floor["source"] == row["source"]]
    score, low, high = (float(row[name]) for name in ("score", "score_low", "score_high"))
    best = largest(float(row["control"]), float(floor["score"].max()))
    null = largest(best, float(row["control_high"]), float(floor["score_high"].max()))
    words = (
        f"{row['source']} {score:.2f} [{low:.2f}, {high:.2f}], best baseline {best:.2f} (at most {null:.2f})"
    )
    answer, more = _judged(low, high, row, floor, best, null)
    return Found(answer, words + more, score, low, high, null)


def _judged(
    low: float, high: float, row: pd.Series, floor: pd.DataFrame, best: float, null: float
) -> tuple[str, str]:
    if not defined(low, high):
        return UNDETERMINED, "; no interval over pieces"
    if high <= best:
        return NOT_SUPPORTED, ""
    if not np.isfinite(float(row["control"])):
        return UNDETERMINED, "; no control task was run"
    if not floor["score"].notna().any():
        return UNDETERMINED, "; no untrained copy was asked"
    return (SUPPORTED, "") if low > null else (UNDETERMINED, "; intervals overlap")
