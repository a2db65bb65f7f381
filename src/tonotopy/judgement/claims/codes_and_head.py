"""Claim 3: nor codes, nor the head's inputs.

At the head's inputs every direction is asked, those of the logits among them. At the codes there are two ways to
isolate a partial: as a direction of the quantised latent, or by which code is chosen. *Not supported* needs one of
them, *supported* needs both to fail.

The table ``codes`` has one row for each site, stage (-1: all stages jointly) and frequency: ``weights``, ``seed``,
``site``, ``stage``, ``frequency_hz``, ``auc``, ``auc_low``, ``auc_high``, ``auc_p`` (of P(present | code) on held-out
pieces, present against absent, with its interval over pieces and its p against swapped labels), and ``foil_auc``,
``foil_auc_low``, ``foil_auc_high`` (the same against the foil: which partial it was, not whether anything was added).
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
LEVEL = 0.05
CODES = (
    *("weights", "site", "stage", "frequency_hz", "auc_p"),
    *(f"{name}{end}" for name in ("auc", "foil_auc") for end in ("", "_low", "_high")),
)

CLAIM = Claim(
    number=3,
    sentence="nor codes, nor the head's inputs",
    source=CITATION,
    measure=(
        f"At the head's inputs, and at the quantised latent: {isolation.MEASURE}. Of the codes: share of frequencies "
        "that some stage, or all jointly, isolate, where P(present | code) has a held-out AUC of at least `detected` "
        "both against the absent partial and against the foil, and p of at most `level` against swapped labels."
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
    nulls=(*isolation.NULLS, "labels swapped within trials", "the foil: another partial in its place"),
    supported_by="random codes, iid or sticky (phantoms); a head that hears loudness alone",
    refuted_by="the quantised cochlea (phantom); a cochlea as the head's input",
    thresholds={"few": isolation.FEW, "detected": DETECTED, "level": LEVEL},
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
    share, low, high = (_share(rows, end) for end in ("", "_low", "_high"))
    floor = study.at("codes", site, CODES, "floor")
    copies = [_share(own, "") for _, own in floor.groupby("seed")] if "seed" in floor else []
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


def _share(rows: pd.DataFrame, end: str) -> float:
    """Share of frequencies that some stage isolates, by the AUCs or by one end of their intervals."""
    both = rows[[f"auc{end}", f"foil_auc{end}"]]
    if not both.notna().all(axis=1).any():
        return float("nan")
    isolates = (both >= DETECTED).all(axis=1) & (rows["auc_p"] <= LEVEL)
    return float(isolates.groupby(rows["frequency_hz"]).any().mean())
