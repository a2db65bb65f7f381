"""Claim 10: architecture, rather than training, sets the limit: the model set between its ceiling and its floor."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tonotopy.judgement.ceiling import CONTROL_R2
from tonotopy.judgement.claims._contract import (
    NOT_SUPPORTED,
    SUPPORTED,
    UNDETERMINED,
    Answer,
    Claim,
    Found,
    Study,
    Unanswerable,
    percent,
    unsettled,
    value,
    with_ends,
)

NAMES = ("architecture",)
CITATION = "Cosme 2026, posts 0 and 1"
LICENCE = "MIT"

#: Share of frequencies that the architecture could carry and the model does not: no more than this is little.
LITTLE = 0.2
#: Share that the model carries, from which on nothing limits it.
ALL = 0.8
VERDICTS = ("site", "frequency_hz", "verdict", "borderline", "against_ceiling")
CEILING = ("site", "frequency_hz", "level_r2")

CLAIM = Claim(
    number=10,
    sentence="architecture, rather than training, sets the limit",
    source=CITATION,
    measure=(
        "Share of frequencies that the same architecture, fitted to report partials, carries in a stable line and the "
        "model does not (*could, does not*)."
    ),
    tables={"verdicts": VERDICTS, "ceiling": CEILING, "sites": ("floor_stable_max",)},
    effect=(
        "effect: that share; its interval counts the model's borderline verdicts once against and once for it; null: "
        "the most that untrained copies carry; power: the best R² of any band under the ceiling"
    ),
    rule=(
        "Not supported where the low end is above `little`: the architecture could, the training did not. Supported, "
        "at the end of the stack alone, where the high end is at most `little` and the ceiling reports some band with "
        "R² above `control` (else its fit may be what fails). Undetermined elsewhere, and where the model carries "
        "`all` of the frequencies: nothing limits it. Before the end of the stack a ceiling says what was of use on "
        "the way, behind it nothing was fitted: there it can refute and not support."
    ),
    nulls=("untrained copies of the architecture", "the ceiling as a positive control of its own fit"),
    supported_by="a stack whose view is too short for most partials, trained or not",
    refuted_by="a codec whose ceiling reads stable where it does not",
    thresholds={"little": LITTLE, "all": ALL, "control": CONTROL_R2},
)


def answer(study: Study) -> list[Answer]:
    """At every site."""
    ceiling = study.table("ceiling", CEILING)
    verdicts = study.table("verdicts", VERDICTS)
    best = float(ceiling["level_r2"].max())
    return [
        _found(study, verdicts[verdicts["site"] == row["site"]], row, best).at(study, str(row["site"]))
        for _, row in study.sites().iterrows()
    ]


def _found(study: Study, rows: pd.DataFrame, site: pd.Series, best: float) -> Found:
    try:
        study.need_pieces(site["n_pieces"])
    except Unanswerable as reason:
        return Found(UNDETERMINED, str(reason))
    rows = rows[rows["against_ceiling"].isin(["cannot", "could, does not", "does"])]
    if rows.empty:
        return Found(UNDETERMINED, "no frequency was set against the ceiling here")
    state = rows["against_ceiling"].to_numpy(dtype=object)
    unsure = unsettled(rows)
    could = state == "could, does not"
    share, low = float(np.mean(could)), float(np.mean(could & ~unsure))
    # A borderline pass may be a failure, which the ceiling could then mend.
    high = float(np.mean(could | ((state == "does") & unsure)))
    does, null = float(np.mean(state == "does")), value(site, "floor_stable_max")
    words = (
        f"{with_ends(share, low, high)} of frequencies could be carried and are not, {percent(does)} are, "
        f"{percent(float(np.mean(state == 'cannot')))} cannot; untrained at most {percent(null)}"
    )
    answer, more = _judged(low, high, does, best, str(site["role"]))
    return Found(answer, words + more, share, low, high, null, best)


def _judged(low: float, high: float, does: float, best: float, role: str) -> tuple[str, str]:
    if low > LITTLE:
        return NOT_SUPPORTED, ""
    if does >= ALL:
        return UNDETERMINED, "; the model carries nearly all of them: nothing limits it"
    if high > LITTLE:
        return UNDETERMINED, f"; on both sides of {percent(LITTLE)}"
    if role != "stack_end":
        return (
            UNDETERMINED,
            "; a ceiling is fitted at the end of the stack: elsewhere it cannot say that nothing could",
        )
    if not best > CONTROL_R2:
        return (
            UNDETERMINED,
            f"; the ceiling's best band has R² {best:.2f}: its fit may be what fails, train it longer",
        )
    return SUPPORTED, ""
