"""Claim 13: dictionary features of a codec decode pitch above random-weight and control-task baselines.

Read in the table ``pitch_decoding`` (:mod:`tonotopy.runs.pitch_tables`): of pitch classes, by all features of a source
over the longer window, ``score`` and its differences from the best of the untrained copies (``above_best_floor``),
from the control task (``selectivity``) and from random directions that are as sparse (``above_random``), each with the
interval over pieces of the difference itself: both sides are drawn again together.

Every dictionary is judged, and none is chosen by the score that it is judged by.
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
    wider,
)
from tonotopy.measures.natural.pitch_scores import NEGLIGIBLE

NAMES = ("pitch-decoding",)
CITATION = "Paek et al. 2025, arXiv 2510.23802"
LICENCE = "MIT"

#: Differences that the claim names.
ABOVE = ("above_best_floor", "selectivity")
COLUMNS = (
    *("weights", "site", "source", "window_s", "task", "probe", "score", "best_floor", "control", "random"),
    *(name + end for name in (*ABOVE, "above_random") for end in ("", "_low", "_high")),
)

CLAIM = Claim(
    number=13,
    sentence="dictionary features of a codec decode pitch above random-weight and control-task baselines",
    source=CITATION,
    measure=(
        "AUC of a probe of pitch classes on the features of a sparse dictionary, on held-out pieces, at sites of an "
        "encoder with a quantiser; of each dictionary that was asked."
    ),
    tables={"pitch_decoding": COLUMNS},
    effect=(
        "effect: the smaller of two differences of AUC, from the same dictionary on the best of the untrained copies "
        "and from the control task, with its interval over pieces, of the dictionary that decides; null: the better of "
        "the two baselines; no power is measured"
    ),
    rule=(
        "A dictionary speaks for the claim where both differences and the one from random directions that are as "
        "sparse lie above 0, their intervals widened for the number of dictionaries (Bonferroni). It speaks against it "
        "where one of both lies below `negligible`. Supported where one speaks for it, not supported where all speak "
        "against it, else undetermined: also where random directions decode as much, so that the dictionary is not "
        "why, for an encoder that is no codec, without untrained copies, and without intervals."
    ),
    nulls=(
        "the same dictionary on the best of the untrained copies",
        "the same probe on labels drawn anew for each set of notes (Hewitt & Liang 2019)",
        "random directions, as sparse",
    ),
    supported_by="a table by hand: a dictionary well above every baseline",
    refuted_by=(
        "a table by hand: one that decodes what an untrained copy does. No phantom has untrained copies, so that "
        "through a study phantoms are undetermined"
    ),
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
    each = [_dictionary(row, len(rows)) for _, row in rows.iterrows()]
    told = next(
        same
        for answer in (SUPPORTED, UNDETERMINED, NOT_SUPPORTED)
        if (same := [one for one in each if one.answer == answer])
    )
    return max(told, key=lambda one: largest(one.effect, -1.0))


def _dictionary(row: pd.Series, many: int) -> Found:
    """What one of several dictionaries says."""
    words = f"{row['source']} {value(row, 'score'):.2f}; best untrained copy {_auc(row, 'best_floor')}, "
    words += f"control task {_auc(row, 'control')}, random directions {_auc(row, 'random')}"
    known = [name for name in ABOVE if defined(value(row, name))]
    if len(known) < len(ABOVE):
        lacks = "no untrained copy was asked" if ABOVE[0] not in known else "no control task was run"
        return Found(UNDETERMINED, f"{words}; {lacks}", null=_null(row))
    least = min(ABOVE, key=lambda name: value(row, name))
    low, high = value(row, f"{least}_low"), value(row, f"{least}_high")
    found, more = _judged(row, many)
    return Found(found, words + more, value(row, least), low, high, _null(row))


def _judged(row: pd.Series, many: int) -> tuple[str, str]:
    ends = [(value(row, f"{name}_low"), value(row, f"{name}_high")) for name in ABOVE]
    if not all(defined(*pair) for pair in ends):
        return UNDETERMINED, "; no interval over pieces"
    # No correction here: all dictionaries must speak against the claim, not any of several.
    if any(high < NEGLIGIBLE for _, high in ends):
        return NOT_SUPPORTED, ""
    if not all(_low(row, name, many) > 0 for name in ABOVE):
        return UNDETERMINED, "; a difference may be nothing"
    if not _low(row, "above_random", many) > 0:
        return UNDETERMINED, "; not beyond random directions, so the dictionary is not why"
    return SUPPORTED, ""


def _low(row: pd.Series, name: str, many: int) -> float:
    """The low end of a difference, for the best of so many."""
    middle = value(row, name)
    return middle - wider(many) * (middle - value(row, f"{name}_low"))


def _auc(row: pd.Series, name: str) -> str:
    found = value(row, name)
    return f"{found:.2f}" if defined(found) else "undefined"


def _null(row: pd.Series) -> float:
    return largest(value(row, "best_floor"), value(row, "control"))
