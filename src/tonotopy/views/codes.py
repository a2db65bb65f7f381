"""What codes and a head know of partials, in sentences made from the numbers of a run.

No number stands alone: beside it stands what the same codes read with labels swapped or moved against the sound, what
as many frames of a perfect code could show, and what untrained copies of the network read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd

from tonotopy.views._code_rows import JOINTLY, Told, mean, of_weights, share_p, told, weights_of
from tonotopy.views.features import number_words, share_words
from tonotopy.views.tables import RunTables
from tonotopy.views.words import count, decimal, listed, missing, p_words, percent

#: What the words of the section mean.
MEANS: Final = (
    "A quantiser passes on a code for each of its stages. Codes isolate a partial where, on pieces left out, they tell "
    "it from its absence and from another partial (each with an AUC of at least .9), and better than with swapped "
    "labels. Information is in bits above its null: labels swapped within trials where a partial was added, codes "
    "moved against the sound of their piece where nothing was. Stages are numbered from 0."
)
HEAD_MEANS: Final = (
    "A head gives each class a direction of the units that it reads. It answers consistently where adding the partial "
    "moves a logit alike in every context, of music and of all other families: mean² over mean square of the change, "
    "0 to 1. Null: random directions of the same site."
)
OF_CHANCE: Final = "of which 5 % have by chance"


@dataclass(frozen=True)
class CodeFinding:
    """One site, in sentences."""

    site: str
    share: str
    interval: str
    of: str
    sentences: tuple[str, ...]
    nulls: str

    @property
    def text(self) -> str:
        """The whole, as one paragraph."""
        return " ".join((*self.sentences, self.nulls))


def code_findings(run: RunTables) -> list[CodeFinding]:
    """What is found at the codes, and of the head."""
    found = [_codes(run)] if len(run.codes) else []
    return [*found, _head(run)] if len(run.head_sites) else found


def _codes(run: RunTables) -> CodeFinding:
    own = told(run, "trained", 0)
    rows = of_weights(run.codes, "trained", 0)
    site = str(rows["site"].iloc[0])
    n_stages, n_hz = rows.loc[rows["stage"] >= 0, "stage"].nunique(), rows["frequency_hz"].nunique()
    isolated = own.isolated
    share, whole = percent(isolated.share), share_words(isolated.share, isolated.low, isolated.high)
    there = (
        f"At {site}, the codes of {count(n_stages, 'stage')} isolate {whole} of "
        f"{count(n_hz, 'frequency', 'frequencies')}. All stages together tell a partial from its absence with an AUC "
        f"of {decimal(own.auc)} (swapped labels {decimal(own.auc_null)}), and from another partial with "
        f"{decimal(own.foil_auc)} ({decimal(own.foil_auc_null)}); {percent(own.beyond)} and {percent(own.foil_beyond)} "
        f"of frequencies have p ≤ .05, {OF_CHANCE}."
    )
    sentences = (there, _bits(own), _natural(run, own), _usage(run), _swaps(run))
    return CodeFinding(
        site,
        share,
        whole.removeprefix(share).strip(),
        "isolated by codes",
        tuple(words for words in sentences if words),
        _nulls(run),
    )


def _bits(own: Told) -> str:
    """Excess at one stage beside what could be shown, and which stages."""
    if missing(own.bits):
        return "How much one stage tells of an added partial is undefined."
    which = f" Most is told by {stage_words(own.stages)}." if own.stages else ""
    return (
        f"One stage, chosen on half of the pieces and read on the other, tells {decimal(own.bits)} bit of whether the "
        f"partial is there; as many frames of a perfect code could show {decimal(own.attainable)} bit.{which}"
    )


def stage_words(stages: tuple[int, ...]) -> str:
    """Stages by number.

    Examples
    --------
    >>> stage_words((8, 7, 9)), stage_words((0,))
    ('stages 8, 7 and 9', 'stage 0')
    """
    return f"stage{'s' if len(stages) > 1 else ''} {listed([str(stage) for stage in stages])}"


def _natural(run: RunTables, own: Told) -> str:
    """Bits on bands of music to which nothing was added."""
    if missing(own.peak_bits):
        return "What codes tell of the partials of music is undefined."
    entropy = mean(of_weights(run.code_peaks, "trained", 0)["entropy_bits"])
    return (
        f"Of whether a band of music carries a partial, stage {own.peak_stage} tells most, "
        f"{_bit_words(own.peak_bits, own.peak_low, own.peak_high)} on average over bands beyond moved codes, where "
        f"{decimal(entropy)} bit could be told; {percent(own.peak_cells)} of the cells of stages and bands have "
        f"p ≤ .05, {OF_CHANCE}."
    )


def _bit_words(value: float, low: float, high: float) -> str:
    """Bits to three digits, since they are few.

    Examples
    --------
    >>> _bit_words(0.0123, -0.01, 0.03), _bit_words(0.0123, float("nan"), 0.1)
    ('0.012 bit [-0.010, 0.030]', '0.012 bit (interval undefined)')
    """
    ends = "(interval undefined)" if missing(low) or missing(high) else f"[{low:.3f}, {high:.3f}]"
    return "undefined" if missing(value) else f"{value:.3f} bit {ends}"


def _usage(run: RunTables) -> str:
    """How codes are used, what is near in the codebook, what codes explain of levels."""
    stages = of_weights(run.code_stages, "trained", 0)
    stages = stages[stages["stage"] != JOINTLY]
    if stages.empty or bool(stages["perplexity"].isna().all()):
        return ""
    low, high, even = (
        decimal(v)
        for v in (stages["perplexity"].min(), stages["perplexity"].max(), mean(stages["perplexity_null"]))
    )
    dead, expected = stages["dead"].sum(), stages["dead_expected"].sum()
    similar = stages["rsa"].dropna()
    near = "" if similar.empty else (
        f" Codes near in the codebook are near in spectrum with ρ = {decimal(similar.mean())} (permuted codes "
        f"{decimal(mean(stages['rsa_null']))}; p ≤ .05 at {percent(share_p(stages['rsa_p']))} of stages)."
    )  # fmt: skip
    return (
        f"Of {int(stages['n_codes'].iloc[0]):,} codes a stage the perplexity is {low} to {high} (equally likely codes "
        f"{even}); {count(int(dead), 'code')} of all stages never came (by chance {decimal(expected)}).{near} Codes "
        f"explain {percent(mean(stages['explained']))} of the variance of levels in bands, moved codes "
        f"{percent(mean(stages['explained_null']))}."
    )


def _swaps(run: RunTables) -> str:
    """Where the output changes when one code is swapped for another."""
    known = run.code_swaps[run.code_swaps["in_band"].notna()]
    if known.empty:
        return ""
    cells = [percent(mean(known[name])) for name in ("in_band", "in_band_null")]
    tracked = [percent(mean(known[name])) for name in ("partial_in_band", "partial_in_band_null")]
    return (
        f"Of {count(len(known), 'swap')} of one code for another, decoded and analysed again, {cells[0]} of the change "
        f"is within 1 ERB of where the spectra of the two codes differ most (at the places of other swaps {cells[1]}); "
        f"in tracked partials {tracked[0]} ({tracked[1]})."
    )


def _nulls(run: RunTables) -> str:
    copies = [told(run, *key) for key in weights_of(run.codes) if key[0] == "floor"]
    if not copies:
        return "No untrained copy was measured."
    parts = {
        "isolated": percent(max(one.isolated.share for one in copies)),
        "AUC": decimal(mean(pd.Series([one.auc for one in copies]))),
        "foil": decimal(mean(pd.Series([one.foil_auc for one in copies]))),
        "bits": decimal(mean(pd.Series([one.bits for one in copies]))),
        "cells": percent(mean(pd.Series([one.peak_cells for one in copies]))),
    }
    return (
        f"Nulls: codes of {count(len(copies), 'untrained copy', 'untrained copies')} isolate at most "
        f"{parts['isolated']}, with an AUC of {parts['AUC']} and {parts['foil']} against another partial; one stage "
        f"tells {parts['bits']} bit, and {parts['cells']} of cells have p ≤ .05."
    )


def _head(run: RunTables) -> CodeFinding:
    row = of_weights(run.head_sites, "trained", 0).iloc[0]
    share = percent(row["share_consistent"])
    first = (
        f"Of {count(int(row['n_classes']), 'class', 'classes')} of the head at {row['site']}, at all frequencies, "
        f"{share} answer more consistently than random directions (q ≤ .05 at each frequency); the median consistency "
        f"is {decimal(row['consistency'])} (random directions {decimal(row['consistency_null'])}), and two contexts "
        f"move a logit in the same direction with a chance of {decimal(row['sign_agreement'])} "
        f"({decimal(row['sign_agreement_null'])})."
    )
    second = (
        f"The largest share of a class's answers that one frequency has is {percent(row['concentration'])} in the "
        f"median (random directions {percent(row['concentration_null'])}); {percent(row['share_concentrated'])} of "
        f"classes have p ≤ .05, {OF_CHANCE}."
    )
    own = run.head_sites[run.head_sites["weights"] == "floor"]
    nulls = (
        f"Nulls: of {count(len(own), 'untrained copy', 'untrained copies')} {percent(mean(own['share_consistent']))} "
        f"are more consistent than random directions, the median {decimal(mean(own['consistency']))}."
        if len(own)
        else "No untrained copy was measured."
    )
    sentences = (first, second, _weights(row))
    site = str(row["site"])
    return CodeFinding(site, share, "", "consistent", tuple(words for words in sentences if words), nulls)


def _weights(row: pd.Series) -> str:
    """The weight vectors: how many directions, and whether classes have an order."""
    if missing(row["dimension"]):
        return ""
    words = f"The weight vectors span {decimal(row['dimension'])} directions."
    if not missing(row["neighbour_cosine"]):
        words += (
            f" Successive classes have a cosine of {decimal(row['neighbour_cosine'])} (classes in random order "
            f"{decimal(row['neighbour_cosine_null'])}, {p_words(row['neighbour_p'])})."
        )
    if not missing(row["best_hz_rho"]):
        words += (
            f" The frequency that moves a class most follows the one that it stands for with ρ = "
            f"{number_words(row['best_hz_rho'], float('nan'), float('nan'))}."
        )
    return words
