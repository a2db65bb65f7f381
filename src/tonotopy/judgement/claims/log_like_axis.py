"""Claim 12: first-layer filters order on a log-like axis."""

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

NAMES = ("log-like-axis",)
CITATION = "Lee et al. 2017"
LICENCE = "MIT"

LEVEL = 0.05
#: Log-likeness of random filters (95 % quantile) up to which an even spacing in ERB-rate would stand out.
TELLS = 0.8
COLUMNS = ("site", "filters", "log_likeness", "log_likeness_p", "null_high")

CLAIM = Claim(
    number=12,
    sentence="first-layer filters order on a log-like axis",
    source=CITATION,
    measure=(
        "Log-likeness of the sorted peaks of the first convolution's filters: +1 where they are evenly spaced in "
        "ERB-rate, −1 where they are evenly spaced in Hz."
    ),
    tables={"first_layer": COLUMNS},
    effect=(
        "effect: log-likeness (exact, from the weights: it has no interval); null and power: the 95 % quantile of as "
        "many random filters of as many taps"
    ),
    rule=(
        "Supported where it is above 0 and above that of random filters (p at most `level`). Not supported where it is "
        "not above 0, or where it is no more log-like than random filters are (p above `level`) and these stay below "
        "`tells`, so that an even spacing in ERB-rate would have stood out. Else undetermined."
    ),
    nulls=("random filters of the same number and length",),
    supported_by="a gammatone bank (phantom cochlea)",
    refuted_by="a bank of filters evenly spaced in Hz (a Fourier basis)",
    thresholds={"level": LEVEL, "tells": TELLS},
)


def answer(study: Study) -> list[Answer]:
    """At the first convolution."""
    if "first_layer" in study.tables and not study.has("first_layer"):
        raise Unanswerable("the encoder has no first convolution")
    table = study.table("first_layer", COLUMNS)
    return [_found(row).at(study, str(row["site"])) for _, row in table.iterrows()]


def _found(row: pd.Series) -> Found:
    likeness, p, null = (float(row[name]) for name in ("log_likeness", "log_likeness_p", "null_high"))
    if not defined(likeness, p):
        return Found(
            UNDETERMINED, f"{row['filters']:.0f} filters with a peak: too few to have an order", null=null
        )
    words = f"{row['filters']:.0f} filters, log-likeness {likeness:.2f} (p = {p:.3f}; random filters up to {null:.2f})"
    if likeness > 0 and p <= LEVEL:
        answer, more = SUPPORTED, ""
    elif likeness <= 0:
        answer, more = NOT_SUPPORTED, "; as even in Hz, or more so"
    elif np.isfinite(null) and null <= TELLS:
        answer, more = NOT_SUPPORTED, "; no more than random filters"
    else:
        answer, more = UNDETERMINED, "; too few filters to tell an even spacing from a random one"
    return Found(answer, words + more, likeness, null=null, power=null)
