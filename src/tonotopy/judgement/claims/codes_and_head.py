"""Claim 3: nor codes, nor the head's inputs.

At the head's inputs every direction is asked, those of the logits among them. At the codes there are two ways to
isolate a partial: as a direction of the quantised latent, or by which code is chosen. *Not supported* needs one of
them, *supported* needs both to fail.

The table ``codes`` has one row for each site, stage (-1: all stages together) and frequency: ``weights``, ``seed``,
``site``, ``stage``, ``frequency_hz``, ``mi_present`` and ``mi_present_null`` (bit; the mean of label swaps within
pairs), ``auc``, ``auc_low``, ``auc_high`` (of P(present | code), held out, with its interval over pieces),
``agreement`` and ``agreement_other`` (of the codes that change when the partial is added; over other partials).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from tonotopy.judgement.claims import _isolation as isolation
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
    percent,
    with_ends,
)
from tonotopy.judgement.verdict import Thresholds

NAMES = ("codes-and-head",)
CITATION = "Cosme 2026, posts 0 and 1"
LICENCE = "MIT"

DETECTED = Thresholds().detection
CODES = (
    "weights",
    "site",
    "stage",
    "frequency_hz",
    "mi_present",
    "mi_present_null",
    "auc",
    "auc_low",
    "auc_high",
    "agreement",
    "agreement_other",
)

CLAIM = Claim(
    number=3,
    sentence="nor codes, nor the head's inputs",
    source=CITATION,
    measure=(
        f"At the head's inputs, and at the quantised latent: {isolation.MEASURE}. Of the codes: share of frequencies "
        "that some stage isolates, where P(present | code) has a held-out AUC of at least `detected`, its information "
        "exceeds that of swapped labels, and adding the partial changes codes more alike than adding others does."
    ),
    tables={"sites": isolation.COLUMNS, "codes": CODES},
    effect=(
        f"{isolation.EFFECT}. Where codes are measured and isolate more, effect and interval are those of the codes, "
        "and the null is the most that an untrained copy's codes isolate"
    ),
    rule=(
        f"{isolation.RULE} At codes, with the share of isolated frequencies beside it: not supported where either way "
        "is above `few` and above its null, supported where both are at most `few`, else undetermined."
    ),
    nulls=(*isolation.NULLS, "labels swapped within pairs", "other partials at the same stage"),
    supported_by="random codes, iid or sticky (phantoms); a head that hears loudness alone",
    refuted_by="the quantised cochlea (phantom); a cochlea as the head's input",
    thresholds={"few": isolation.FEW, "detected": DETECTED},
)


def answer(study: Study) -> list[Answer]:
    """At the quantised latent and at the head's inputs."""
    nothing = "neither codes nor a head among the sites of this study"
    found = isolation.at_roles(study, ("codes", "head"), nothing)
    roles = dict(zip(study.sites()["site"], study.sites()["role"], strict=True))
    return [_with_codes(study, one) if roles[one.site] == "codes" else one for one in found]


def _with_codes(study: Study, line: Answer) -> Answer:
    """What line and codes say together."""
    if line.answer == NOT_SUPPORTED:
        return line
    try:
        codes = _codes(study, line.site)
    except Unanswerable as reason:
        return replace(
            line, answer=UNDETERMINED, why=f"{line.why}, as directions; of codes one by one, {reason}"
        )
    if codes.answer == SUPPORTED:
        return replace(line, why=f"{line.why}; {codes.why}")
    return codes.at(study, line.site)


def _codes(study: Study, site: str) -> Found:
    """Whether codes isolate few frequencies."""
    rows = study.at("codes", site, CODES)
    if rows.empty:
        raise Unanswerable("the table 'codes' has no row of this site")
    share, low, high = (_share(rows, column) for column in ("auc", "auc_low", "auc_high"))
    floor = study.at("codes", site, CODES, "floor")
    copies = [_share(own, "auc") for _, own in floor.groupby("seed")] if "seed" in floor else []
    null = max(copies, default=float("nan"))
    words = f"codes isolate {with_ends(share, low, high)} of frequencies (untrained at most {percent(null)})"
    if not defined(low, high):
        return Found(UNDETERMINED, f"{words}; no interval over pieces", share, low, high, null)
    if low > isolation.FEW:
        beyond = not np.isfinite(null) or low > null
        reason = "" if beyond else "; an untrained copy's do as much"
        return Found(NOT_SUPPORTED if beyond else UNDETERMINED, words + reason, share, low, high, null)
    if high <= isolation.FEW:
        return Found(SUPPORTED, words, share, low, high, null)
    return Found(UNDETERMINED, f"{words}; on both sides of {percent(isolation.FEW)}", share, low, high, null)


def _share(rows: pd.DataFrame, column: str) -> float:
    """Share of frequencies that some stage isolates, by one end of the interval of its AUC."""
    if not rows[column].notna().any():
        return float("nan")
    isolates = (
        (rows[column] >= DETECTED)
        & (rows["mi_present"] > rows["mi_present_null"])
        & (rows["agreement"] > rows["agreement_other"])
    )
    return float(isolates.groupby(rows["frequency_hz"]).any().mean())
