"""Tables of codes and heads as a page and a terminal show them."""

from __future__ import annotations

from typing import Final

import pandas as pd

from tonotopy.views._code_rows import JOINTLY, mean, of_weights, told, weights_of
from tonotopy.views.codes import stage_words
from tonotopy.views.grids import Column, Grid
from tonotopy.views.tables import RunTables
from tonotopy.views.words import DASH, count, decimal, missing, p_words, percent, share_with_interval

#: Heads of the blocks on a terminal.
TERMINAL: Final = ("codes", "isolated", "AUC", "null", "foil", "null", "bits", "of", "in music", "cells")
HEAD_TERMINAL: Final = ("head", "consistent", "median", "random", "sign", "random", "one band", "random")


def stages_grid(run: RunTables) -> Grid:
    """One row a stage of the weights under study: what it tells, and how it is used."""
    heads = (
        *("stage", "bits, partial added", "of", "p ≤ .05", "AUC", "null", "bits, bands of music"),
        *("perplexity", "even", "dead", "by chance", "told by the stage before", "ρ of spectra", "null"),
        *("levels explained", "null"),
    )
    rows = []
    codes = of_weights(run.codes, "trained", 0)
    for _, row in of_weights(run.code_stages, "trained", 0).iterrows():
        if row["stage"] == JOINTLY:
            continue
        own = codes[codes["stage"] == row["stage"]]
        rows.append(
            (
                str(int(row["stage"])),
                *(_dash(decimal(mean(own[name]))) for name in ("excess_bits", "attainable_bits")),
                _dash(percent(mean((own["p"] <= 0.05).where(own["p"].notna()).astype(float)))),
                *(_dash(decimal(mean(own[name]))) for name in ("auc", "auc_null")),
                DASH if missing(row["peak_bits"]) else f"{row['peak_bits']:.3f} ({p_words(row['peak_p'])})",
                *(_dash(decimal(row[name])) for name in ("perplexity", "perplexity_null")),
                *(_dash(decimal(row[name])) for name in ("dead", "dead_expected", "told_bits")),
                *(_dash(decimal(row[name])) for name in ("rsa", "rsa_null")),
                *(_dash(percent(row[name])) for name in ("explained", "explained_null")),
            )
        )
    return Grid(tuple(Column(head, True) for head in heads), tuple(rows))


def terminal_codes(run: RunTables) -> list[list[str]]:
    """One row a set of weights for `TERMINAL`."""
    rows = []
    for weights, seed in weights_of(run.codes):
        own = told(run, weights, seed)
        rows.append(
            [
                _named(run.codes, weights, seed),
                share_with_interval(own.isolated.share, own.isolated.low, own.isolated.high),
                *(_dash(decimal(v)) for v in (own.auc, own.auc_null, own.foil_auc, own.foil_auc_null)),
                *(_dash(decimal(v)) for v in (own.bits, own.attainable)),
                DASH if missing(own.peak_bits) else f"{own.peak_bits:.3f}",
                _dash(percent(own.peak_cells)),
            ]
        )
    return rows


def terminal_heads(run: RunTables) -> list[list[str]]:
    """One row a set of weights for `HEAD_TERMINAL`."""
    rows = []
    for weights, seed in weights_of(run.head_sites):
        row = of_weights(run.head_sites, weights, seed).iloc[0]
        names = ("consistency", "consistency_null", "sign_agreement", "sign_agreement_null")
        rows.append(
            [
                _named(run.head_sites, weights, seed),
                percent(row["share_consistent"]),
                *(_dash(decimal(row[name])) for name in names),
                *(_dash(percent(row[name])) for name in ("concentration", "concentration_null")),
            ]
        )
    return rows


def code_notes(run: RunTables) -> list[str]:
    """How to read the block of codes."""
    own = told(run, "trained", 0)
    return [
        "isolated: frequencies told from absence and another partial, AUC of .9 both; brackets as those of the AUCs",
        "AUC, foil: all stages, against absence and against the foil, means over frequencies; null: labels swapped",
        "bits: excess of one stage, chosen on other pieces; of: what as many frames of a perfect code could show",
        "in music: bits of one stage, the most, on whether a band carries a partial, beyond moved codes",
        "cells: stages × bands of which codes tell with p ≤ .05, by chance 5 %",
        f"most is told of added partials by {stage_words(own.stages)}"
        if own.stages
        else "which stages tell most is undefined",
    ]


def head_notes(run: RunTables) -> list[str]:
    """How to read the block of a head."""
    row = of_weights(run.head_sites, "trained", 0).iloc[0]
    classes, contexts = (
        count(int(row["n_classes"]), "class", "classes"),
        count(int(row["n_contexts"]), "context"),
    )
    return [
        f"consistent: of {classes} at all frequencies, those beyond random directions (q ≤ .05), over {contexts}",
        "median: of mean² over mean square of the change of a logit; random: the same of random directions",
        "sign: chance that two contexts move a logit alike; one band: largest share of a class that one frequency has",
    ]


def _named(table: pd.DataFrame, weights: str, seed: int) -> str:
    site = str(table["site"].iloc[0])
    return site if weights == "trained" else f"{site}, untrained {seed}"


def _dash(words: str) -> str:
    return DASH if words == "undefined" else words
