"""Claim 1: first-layer filters do not isolate partials."""

from __future__ import annotations

from tonotopy.judgement.claims import _isolation as isolation
from tonotopy.judgement.claims._contract import Answer, Claim, Study

NAMES = ("first-layer-filters",)
CITATION = "Cosme 2026, posts 0 and 1"
LICENCE = "MIT"

CLAIM = Claim(
    number=1,
    sentence="first-layer filters do not isolate partials",
    source=CITATION,
    measure=f"At the first convolution: {isolation.MEASURE}.",
    tables={"sites": isolation.COLUMNS},
    effect=isolation.EFFECT,
    rule=isolation.RULE,
    nulls=isolation.NULLS,
    supported_by="a convolution of a few samples",
    refuted_by="a gammatone bank as first layer (phantom cochlea)",
    thresholds={"few": isolation.FEW, "power": isolation.POWER},
)


def answer(study: Study) -> list[Answer]:
    """At the first convolution."""
    nothing = "no first convolution among the sites of this study"
    return isolation.at_roles(study, ("first_conv",), nothing)
