"""Claim 14: larger models or more data improve coverage and reuse but do not remove the entanglement.

Answered from the tables of a series over models (``anywhere``), by :mod:`tonotopy.judgement.scaling`. Where the table
has columns ``reuse``, ``reuse_low``, ``reuse_high`` (share of frequencies that some later site reads, with its interval
over pieces), the same rule is applied to them; without them the claim cannot be supported, as it speaks of both.
"""

from __future__ import annotations

import pandas as pd

from tonotopy.judgement import scaling
from tonotopy.judgement.claims._contract import (
    NO_SITE,
    NOT_SUPPORTED,
    SUPPORTED,
    UNDETERMINED,
    Answer,
    Claim,
    Found,
    Study,
    Unanswerable,
    with_ends,
)

NAMES = ("scale",)
CITATION = "Cosme 2026, posts 0 and 1"
LICENCE = "MIT"

SHARES = ("coverage", "entangled")
COLUMNS = ("parameters", "hours", *(f"{name}{end}" for name in SHARES for end in ("", "_low", "_high")))
REUSE = ("reuse", "reuse_low", "reuse_high")

CLAIM = Claim(
    number=14,
    sentence=scaling.CLAIM,
    source=CITATION,
    measure=(
        "Over a series of models: *coverage*, the share of frequencies that any site carries stably or detects; "
        "*reuse*, the share that some later site reads; *entangled*, the share that some site detects and none carries "
        "stably."
    ),
    tables={"anywhere": (*COLUMNS, *REUSE)},
    effect=(
        "effect: the entangled share in the largest model on the most data, with its interval over pieces; null: the "
        "share at which the entanglement is gone; no power is measured"
    ),
    rule=(
        "Between the ends of each line of the grid, coverage and reuse improve where intervals do not overlap and the "
        "larger is above, worsen where it is below. Supported where both improve along an axis (parameters, hours) and "
        "worsen along none, and the entanglement remains (low end above `gone`). Not supported where it is removed "
        "(high end at most `gone`), or where either worsens along an axis and improves along none. Else undetermined; "
        "also where reuse is not measured and nothing refutes."
    ),
    nulls=("untrained copies of each architecture (told beside)", "the interval of the smaller model itself"),
    supported_by="a series whose larger models detect and reuse more, and isolate little",
    refuted_by="a series that ends in a cochlea (phantom)",
    thresholds={"gone": scaling.GONE},
)


def answer(study: Study) -> list[Answer]:
    """Once, for the series."""
    table = study.table("anywhere", COLUMNS)
    if len(table) < 2 or not table[["parameters", "hours"]].notna().any().any():
        raise Unanswerable(
            "one model, or models without sizes: run a series over sizes of the model or hours of music"
        )
    covered = scaling.scaling(_models(table, "coverage"))
    reused = scaling.scaling(_models(table, "reuse")) if set(REUSE) <= set(table.columns) else None
    found, share = _judged(covered, reused), covered.largest.entangled
    told = [f"coverage over {axis} {what}" for axis, what in covered.axes.items()]
    told += [f"reuse over {axis} {what}" for axis, what in (reused.axes.items() if reused else ())]
    told += [] if reused else ["reuse is not measured"]
    entangled = f"entanglement {with_ends(share.value, share.low, share.high)} {covered.entanglement}"
    words = f"{entangled}; {', '.join(told)}"
    return [Found(found, words, share.value, share.low, share.high, scaling.GONE).at(study, NO_SITE)]


def _models(table: pd.DataFrame, name: str) -> list[scaling.Model]:
    """The models of the grid, with one of their shares as what should improve."""
    return [
        scaling.Model(
            float(row["parameters"]),
            float(row["hours"]),
            scaling.Share(*(float(row[f"{name}{end}"]) for end in ("", "_low", "_high"))),
            scaling.Share(*(float(row[f"entangled{end}"]) for end in ("", "_low", "_high"))),
        )
        for _, row in table.iterrows()
    ]


def _judged(covered: scaling.Scaling, reused: scaling.Scaling | None) -> str:
    told = [covered.answer, UNDETERMINED if reused is None else reused.answer]
    if NOT_SUPPORTED in told:
        return NOT_SUPPORTED
    return SUPPORTED if set(told) == {SUPPORTED} else UNDETERMINED
