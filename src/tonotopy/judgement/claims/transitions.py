"""Claim 15: the first layer has sparse, repeatable transitions between fragment patterns."""

from __future__ import annotations

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

NAMES = ("transitions",)
CITATION = "Cosme 2026, post 1"
LICENCE = "MIT"

#: How many patterns the directions of frames are sorted into.
CLUSTERS = 32
#: Advantages that are none: of the entropy of what follows, and of a bit in foretelling another piece.
SPARSER = 0.02
REPEATS = 0.05
COLUMNS = (
    *("site", "weights", "sound", "clusters", "n_pieces"),
    *(f"{name}{end}" for name in ("sparser_by", "repeats_more_by") for end in ("", "_low", "_high")),
)

CLAIM = Claim(
    number=15,
    sentence="the first layer has sparse, repeatable transitions between fragment patterns",
    source=CITATION,
    measure=(
        "Directions of the first convolution's frames sorted into `clusters` patterns, a view apart: by how much "
        "transitions are sparser (share of the entropy of what follows) and more repeatable across pieces (bit) than "
        "in phase-scrambled sound, and than in untrained copies."
    ),
    tables={"transitions": COLUMNS},
    effect=(
        "effect: by how much transitions are sparser than in the null that comes nearest, with its interval over "
        "pieces; null: 0; no power is measured"
    ),
    rule=(
        "Supported where all four advantages (sparser and more repeatable, against both nulls) have a low end above 0. "
        "Not supported where one of them has a high end of at most `sparser` or `repeats`. Else undetermined."
    ),
    nulls=("phase-scrambled sound", "untrained copies"),
    supported_by=(
        "a table by hand: fragments that follow each other in an order which scrambled sound and untrained copies lack"
    ),
    refuted_by=(
        "a table by hand: no more than an untrained copy has. No phantom has untrained copies, so that through a study "
        "phantoms are undetermined"
    ),
    thresholds={"clusters": CLUSTERS, "sparser": SPARSER, "repeats": REPEATS},
)


def answer(study: Study) -> list[Answer]:
    """At the first convolution."""
    table = study.table("transitions", COLUMNS)
    table = table[table["clusters"] == CLUSTERS]
    if table.empty:
        raise Unanswerable(f"transitions between {CLUSTERS} patterns were not measured")
    found = []
    for site in table["site"].drop_duplicates():
        try:
            one = _at(study, table[table["site"] == site])
        except Unanswerable as reason:
            one = Found(UNDETERMINED, str(reason))
        found.append(one.at(study, str(site)))
    return found


def _at(study: Study, rows: pd.DataFrame) -> Found:
    study.need_pieces(float(rows["n_pieces"].min()))
    nulls = {
        "phase-scrambled sound": rows[(rows["sound"] == "phase-scrambled") & (rows["weights"] == "trained")],
        "untrained copies": rows[rows["weights"] == "floor"],
    }
    lacking = [name for name, own in nulls.items() if own.empty]
    if lacking:
        return Found(UNDETERMINED, f"not set against {lacking[0]}: run the study again with a floor")
    found, words = [], []
    for name, own in nulls.items():
        row = own.iloc[0]
        for column, margin, unit in (("sparser_by", SPARSER, ""), ("repeats_more_by", REPEATS, " bit")):
            value, low, high = (float(row[f"{column}{end}"]) for end in ("", "_low", "_high"))
            found.append((low, high, margin))
            told = column.replace("_", " ").replace(" by", "")
            words.append(f"{told} than {name} by {value:.3f} [{low:.3f}, {high:.3f}]{unit}")
    nearest = min((own.iloc[0] for own in nulls.values()), key=lambda row: float(row["sparser_by"]))
    effect, low, high = (float(nearest[f"sparser_by{end}"]) for end in ("", "_low", "_high"))
    if not all(defined(*ends) for ends in found):
        answer = UNDETERMINED
        words.append("an advantage or an end of its interval is undefined")
    elif all(low > 0 for low, _, _ in found):
        answer = SUPPORTED
    elif any(high <= margin for _, high, margin in found):
        answer = NOT_SUPPORTED
    else:
        answer = UNDETERMINED
        words.append("not all beyond both nulls, and none surely not")
    return Found(answer, "; ".join(words), effect, low, high, 0.0)
