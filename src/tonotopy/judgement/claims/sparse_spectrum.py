"""Claim 4: where partials are isolated, the spectrum is already sparse."""

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
    value,
)
from tonotopy.judgement.claims._isolation import POWER, powerless
from tonotopy.measures.sparsity import NULLS

NAMES = ("sparse-spectrum",)
CITATION = "Cosme 2026, posts 0 and 1"
LICENCE = "MIT"

#: Mean specificity from which on a site's lines count as isolating: half of what they answer to is the partial.
ISOLATES = 0.5
#: Occupancy (effective number of 1-ERB bands) from which on a spectrum is dense: chords, textures, music.
DENSE = 6.5
COLUMNS = ("site", "occupancy", "low", "trials", "specificity", "specificity_low", "specificity_high")

CLAIM = Claim(
    number=4,
    sentence="where partials are isolated, the spectrum is already sparse",
    source=CITATION,
    measure=(
        "Specificity κ of the music-free line, as a mean over frequencies, in the sparsest bin of occupancy and, "
        "weighted by trials, in all bins from `dense` on (the sparsity law)."
    ),
    tables={"sparsity": COLUMNS, "sites": ("power_stable",)},
    effect=(
        "effect: κ where the spectrum is sparsest less κ where it is dense, between the ends of both intervals; null: "
        "the κ of an answer that is alike to all frequencies; power: as in claim 1"
    ),
    rule=(
        "Supported where κ isolates in the sparsest bin (low end at least `isolates`) and not in dense ones (high end "
        "below it), and a direction planted at a strength of at most `power` is found in music. Not supported where "
        "dense bins isolate (low end at least `isolates`). Else undetermined: nothing isolated where the spectrum is "
        "sparsest leaves nothing to ask."
    ),
    nulls=("an answer that is alike to all frequencies", "a planted direction"),
    supported_by="the sparse-only cochlea (phantom)",
    refuted_by="the cochlea (phantom), which isolates in any context",
    thresholds={"isolates": ISOLATES, "dense": DENSE, "power": POWER},
)


def answer(study: Study) -> list[Answer]:
    """At every site."""
    law = study.table("sparsity", COLUMNS)
    rows = study.sites()
    return [
        _found(study, law[law["site"] == row["site"]], row).at(study, str(row["site"]))
        for _, row in rows.iterrows()
    ]


def _found(study: Study, law: pd.DataFrame, row: pd.Series) -> Found:
    try:
        study.need_pieces(row["n_pieces"])
        sparse, dense = _ends(law)
    except Unanswerable as reason:
        return Found(UNDETERMINED, str(reason))
    power = value(row, "power_stable")
    effect, low, high = sparse[0] - dense[0], sparse[1] - dense[2], sparse[2] - dense[1]
    words = f"κ {_told(sparse)} where the spectrum is sparsest, {_told(dense)} where it is dense"
    if not defined(*sparse, *dense):
        answer, more = UNDETERMINED, "; undefined"
    elif dense[1] >= ISOLATES:
        answer, more = NOT_SUPPORTED, ""
    elif sparse[2] < ISOLATES:
        answer, more = UNDETERMINED, "; nothing is isolated even there, so that there is nothing to ask"
    elif sparse[1] < ISOLATES or dense[2] >= ISOLATES:
        answer, more = UNDETERMINED, f"; on both sides of {ISOLATES} within an interval"
    else:
        more = powerless(power)
        answer = UNDETERMINED if more else SUPPORTED
    return Found(answer, words + more, effect, low, high, NULLS["specificity"], power)


def _ends(law: pd.DataFrame) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """κ with its interval in the sparsest bin, and in dense ones."""
    if law.empty:
        raise Unanswerable("the sparsity law was not measured here")
    sparsest = law.sort_values("occupancy").iloc[0]
    dense = law[law["low"] >= DENSE]
    if dense.empty or sparsest["low"] >= DENSE:
        raise Unanswerable(
            f"no bin of occupancy on both sides of {DENSE}: run the study with more families or music"
        )
    parts = ("specificity", "specificity_low", "specificity_high")
    many = dense["trials"].to_numpy(dtype=np.float64)
    mean = [float(np.average(dense[name].to_numpy(dtype=np.float64), weights=many)) for name in parts]
    first = [float(sparsest[name]) for name in parts]
    return (first[0], first[1], first[2]), (mean[0], mean[1], mean[2])


def _told(value: tuple[float, float, float]) -> str:
    return f"{value[0]:.2f} [{value[1]:.2f}, {value[2]:.2f}]"
