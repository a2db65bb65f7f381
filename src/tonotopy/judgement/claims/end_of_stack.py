"""Claim 2: nor do directions at the end of the stack."""

from __future__ import annotations

from tonotopy.judgement.claims import _isolation as isolation
from tonotopy.judgement.claims._contract import Answer, Claim, Study

NAMES = ("end-of-stack",)
CITATION = "Cosme 2026, posts 0 and 1"
LICENCE = "MIT"

CLAIM = Claim(
    number=2,
    sentence="nor do directions at the end of the stack",
    source=CITATION,
    measure=f"At the tensor that is handed to the quantiser or head: {isolation.MEASURE}.",
    tables={"sites": isolation.COLUMNS},
    effect=isolation.EFFECT,
    rule=isolation.RULE,
    nulls=isolation.NULLS,
    supported_by="chroma or loudness (phantoms), whose lines are entangled or absent",
    refuted_by="a cochlea, plain or rotated (phantoms)",
    thresholds={"few": isolation.FEW, "power": isolation.POWER},
)


def answer(study: Study) -> list[Answer]:
    """At the end of the stack."""
    return isolation.at_roles(
        study, ("stack_end",), "the end of the stack is not among the sites of this study"
    )
