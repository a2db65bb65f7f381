"""Claim 3: nor codes, nor the head's inputs.

At the head's inputs every direction is asked, those of the logits among them. At the codes there are two ways to
isolate a partial: as a direction of the quantised latent, or by which code is chosen. *Not supported* needs one of
them, *supported* needs both to fail.

The table ``codes`` has one row for each site, stage (-1: all stages jointly) and frequency: ``weights``, ``seed``,
``site``, ``stage``, ``frequency_hz``, ``auc``, ``auc_low``, ``auc_high``, ``auc_p`` (of P(present | code) on held-out
pieces, present against absent, with its interval over pieces and its p against swapped labels), ``foil_auc``,
``foil_auc_low``, ``foil_auc_high`` (the same against the foil: which partial it was, not whether anything was added),
and ``attainable_bits`` (what as many frames of a perfect code could show of the partial; undefined jointly).

What is undefined was not seen: shares are over the frequencies that have numbers. Codes that isolate few frequencies
say something only where a perfect code could have been told from codes that differ by chance, which large codebooks
with few frames cannot: hence the power.
"""

from __future__ import annotations

from dataclasses import replace
from math import log2

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
    largest,
    percent,
    with_ends,
)
from tonotopy.judgement.verdict import Thresholds

NAMES = ("codes-and-head",)
CITATION = "Cosme 2026, posts 0 and 1"
LICENCE = "MIT"

DETECTED = Thresholds().detection
LEVEL = 0.05
#: Share of a site's frequencies that must have numbers.
KNOWN = 0.5
#: What a code tells of a partial that it has and misses equally rarely, with an AUC of `DETECTED`, in bit.
BITS = round(1 + DETECTED * log2(DETECTED) + (1 - DETECTED) * log2(1 - DETECTED), 2)
CODES = (
    *("weights", "site", "stage", "frequency_hz", "auc_p", "attainable_bits"),
    *(f"{name}{end}" for name in ("auc", "foil_auc") for end in ("", "_low", "_high")),
)

CLAIM = Claim(
    number=3,
    sentence="nor codes, nor the head's inputs",
    source=CITATION,
    measure=(
        f"At the head's inputs, and at the quantised latent: {isolation.MEASURE}. Of the codes: share of frequencies "
        "that some stage, or all jointly, isolate, where P(present | code) has a held-out AUC of at least `detected` "
        "both against the absent partial and against the foil, and p of at most `level` against swapped labels (of 19 "
        "swaps that is above all; it is not corrected over stages, and untrained copies are counted in the same way)."
    ),
    tables={"sites": isolation.COLUMNS, "codes": CODES},
    effect=(
        f"{isolation.EFFECT}. Where codes are measured and isolate more, effect and interval are those of the codes, "
        "and the null is the most that an untrained copy's codes isolate; their power is what a perfect code could "
        "show, in bit: the median over frequencies at the stage where that is least"
    ),
    rule=(
        f"{isolation.RULE} At codes, with the share of isolated frequencies beside it: not supported where either way "
        "is above `few` and above its null, supported where both are at most `few` and the power of codes is at least "
        "`bits`, what an AUC of `detected` tells; else undetermined, also where less than `known` of the frequencies "
        "have numbers."
    ),
    nulls=(*isolation.NULLS, "labels swapped within trials", "the foil: another partial in its place"),
    supported_by="random codes, iid or sticky (phantoms); a head that hears loudness alone",
    refuted_by="the quantised cochlea (phantom); a cochlea as the head's input",
    thresholds={
        "few": isolation.FEW,
        "power": isolation.POWER,
        "detected": DETECTED,
        "level": LEVEL,
        "bits": BITS,
        "known": KNOWN,
    },
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
    null, power = largest(*copies), _power(rows)
    known = min(_known(rows, end)["frequency_hz"].nunique() for end in ("", "_low", "_high"))
    every = rows["frequency_hz"].nunique()
    words = f"codes isolate {with_ends(share, low, high)} of frequencies (untrained at most {percent(null)})"
    if known < every:
        words += f"; {known} of {every} have numbers"
    answer, more = _judged(low, high, null, power, known / every)
    return Found(answer, words + more, share, low, high, null, power)


def _judged(low: float, high: float, null: float, power: float, known: float) -> tuple[str, str]:
    """The answer of codes, and what kept it from being another."""
    if not defined(low, high):
        return UNDETERMINED, "; no interval over pieces"
    if known < KNOWN:
        return UNDETERMINED, "; too few to count"
    if low > isolation.FEW:
        beyond = not np.isfinite(null) or low > null
        return (NOT_SUPPORTED, "") if beyond else (UNDETERMINED, "; an untrained copy's do as much")
    if high <= isolation.FEW:
        if power >= BITS:
            return SUPPORTED, ""
        return (
            UNDETERMINED,
            f"; a perfect code could show {_bits(power)}, less than {_bits(BITS)}: too little power",
        )
    return UNDETERMINED, f"; on both sides of {percent(isolation.FEW)}"


def _known(rows: pd.DataFrame, end: str) -> pd.DataFrame:
    """Rows with numbers: both AUCs, that end of their intervals, and p."""
    return rows.dropna(subset=["auc", "foil_auc", f"auc{end}", f"foil_auc{end}", "auc_p"])


def _share(rows: pd.DataFrame, end: str) -> float:
    """Share of frequencies that some stage isolates, by the AUCs or by one end of their intervals."""
    known = _known(rows, end)
    isolates = (known[[f"auc{end}", f"foil_auc{end}"]] >= DETECTED).all(axis=1) & (known["auc_p"] <= LEVEL)
    return float(isolates.groupby(known["frequency_hz"]).any().mean())


def _power(rows: pd.DataFrame) -> float:
    """What a perfect code could show at the stage where it could show least, bit; undefined where a stage's is."""
    each = rows[rows["stage"] >= 0].groupby("stage")["attainable_bits"].median()
    return float(each.min(skipna=False))


def _bits(value: float) -> str:
    return f"{value:.2f} bit" if np.isfinite(value) else "an undefined number of bit"
