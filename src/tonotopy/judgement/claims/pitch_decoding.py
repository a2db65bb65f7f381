"""Claim 13: dictionary features of a codec decode pitch above random-weight and control-task baselines.

Read in the table ``pitch_decoding`` (:mod:`tonotopy.runs.pitch_tables`): of pitch classes, by all features of a source
over the longer window, ``score`` and its differences from untrained copies (``above_floor``), from the control task
(``selectivity``) and from random directions that are as sparse (``above_random``), each with the interval over pieces
of the difference itself: both sides are drawn again together.
"""

from __future__ import annotations

import pandas as pd

from tonotopy.features.sources import DICTIONARIES
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
    value,
)
from tonotopy.judgement.claims._sources import most

NAMES = ("pitch-decoding",)
CITATION = "Paek et al. 2025, arXiv 2510.23802"
LICENCE = "MIT"

#: A difference of AUC that is known to be smaller than this is none.
NEGLIGIBLE = 0.02
#: Differences that the claim names.
ABOVE = ("above_floor", "selectivity")
COLUMNS = (
    *("weights", "site", "source", "window_s", "task", "probe", "score", "floor", "control", "random"),
    *(name + end for name in (*ABOVE, "above_random") for end in ("", "_low", "_high")),
)

CLAIM = Claim(
    number=13,
    sentence="dictionary features of a codec decode pitch above random-weight and control-task baselines",
    source=CITATION,
    measure=(
        "AUC of a probe of pitch classes on the features of a sparse dictionary, on held-out pieces, at sites of an "
        "encoder with a quantiser; of the dictionary with the best score."
    ),
    tables={"pitch_decoding": COLUMNS},
    effect=(
        "effect: the smaller of two differences of AUC, from the same dictionary on untrained copies and from the "
        "control task, with its interval over pieces; null: the better of the two baselines; no power is measured"
    ),
    rule=(
        "Supported where both differences lie above 0, not supported where one lies below `negligible`; else "
        "undetermined; also for an encoder that is no codec, without untrained copies, and without intervals. What "
        "random directions that are as sparse decode is said beside the answer: where they decode as much, the "
        "dictionary is not why."
    ),
    nulls=(
        "the same dictionary on untrained copies",
        "the same probe on labels drawn anew for each set of notes (Hewitt & Liang 2019)",
        "random directions, as sparse",
    ),
    supported_by="a codec around a pitch template (phantom)",
    refuted_by="a codec of random codes (phantom)",
    thresholds={"negligible": NEGLIGIBLE},
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
    rows = rows[
        (rows["task"] == "class") & (rows["probe"] == "all") & (rows["window_s"] == rows["window_s"].max())
    ]
    rows = rows[rows["source"].isin(DICTIONARIES) & rows["score"].notna()]
    if rows.empty:
        return Found(UNDETERMINED, "no dictionary was asked here: run the study again with --features topk")
    row = most(rows, "score")
    words = f"{row['source']} {value(row, 'score'):.2f}; untrained copies {_auc(row, 'floor')}, "
    words += f"control task {_auc(row, 'control')}, random directions {_auc(row, 'random')}"
    known = [name for name in ABOVE if defined(value(row, name))]
    if len(known) < len(ABOVE):
        lacks = "no untrained copy was asked" if "above_floor" not in known else "no control task was run"
        return Found(UNDETERMINED, f"{words}; {lacks}", null=_null(row))
    least = min(ABOVE, key=lambda name: value(row, name))
    low, high = value(row, f"{least}_low"), value(row, f"{least}_high")
    found, more = _judged(row)
    return Found(found, words + more, value(row, least), low, high, _null(row))


def _judged(row: pd.Series) -> tuple[str, str]:
    ends = [(value(row, f"{name}_low"), value(row, f"{name}_high")) for name in ABOVE]
    if not all(defined(*pair) for pair in ends):
        return UNDETERMINED, "; no interval over pieces"
    if any(high < NEGLIGIBLE for _, high in ends):
        return NOT_SUPPORTED, ""
    if any(low <= 0 for low, _ in ends):
        return UNDETERMINED, "; a difference may be nothing"
    beyond = value(row, "above_random_low")
    return SUPPORTED, "" if beyond > 0 else "; not beyond random directions, so the dictionary is not why"


def _auc(row: pd.Series, name: str) -> str:
    found = value(row, name)
    return f"{found:.2f}" if defined(found) else "undefined"


def _null(row: pd.Series) -> float:
    return largest(value(row, "floor"), value(row, "control"))
