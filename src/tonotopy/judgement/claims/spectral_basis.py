"""Claim 8: what stabilises in the waveform basis is polysemantic in the spectral basis."""

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
    defined,
    percent,
    with_ends,
)
from tonotopy.judgement.claims._sources import at_sites, most

NAMES = ("spectral-basis",)
CITATION = "Cosme 2026, posts 0 and 1"
LICENCE = "MIT"

#: Share of stabilised features that must be stable as spectra too, or not.
HALF = 0.5
COLUMNS = (
    "n_stabilised",
    "spectral_given_stabilised",
    "low_spectral_given",
    "high_spectral_given",
    "share_p05_spectral",
)

CLAIM = Claim(
    number=8,
    sentence="those are polysemantic in the spectral basis",
    source=CITATION,
    measure=(
        "P(spectrally stable | stabilised in waveform), of the source with most stabilised features. Spectrally "
        "stable: one band stands out at all of its strongest fragments, more than at those of random directions."
    ),
    tables={"feature_sites": COLUMNS},
    effect=(
        "effect: that share with its Wilson interval over features (not over pieces); null: the share of all features "
        "with p ≤ .05 in spectrum; no power is measured"
    ),
    rule=(
        "Supported where the high end is below `half`, not supported where the low end is above `half` and above the "
        "null, else undetermined; also where nothing is stabilised (claim 7)."
    ),
    nulls=("random directions at the same place of the spectrum", "all features of the source"),
    supported_by="the fragment codebook (phantom): many waveforms, one spectrum",
    refuted_by="a bank of band-pass filters: each waveform is one band",
    thresholds={"half": HALF},
)


def answer(study: Study) -> list[Answer]:
    """At every site."""
    return at_sites(study, COLUMNS, lambda _study, _site, rows: _found(rows))


def _found(rows: pd.DataFrame) -> Found:
    row = most(rows, "n_stabilised")
    n, source = int(row["n_stabilised"]), str(row["source"])
    if not n:
        return Found(UNDETERMINED, "nothing is stabilised as waveforms here, so that there is nothing to ask")
    names = ("spectral_given_stabilised", "low_spectral_given", "high_spectral_given")
    share, low, high = (float(row[name]) for name in names)
    null = float(row["share_p05_spectral"])
    words = (
        f"of {n} stabilised features ({source}), {with_ends(share, low, high)} are stable as spectra too "
        f"(of all features {percent(null)} have p ≤ .05 there)"
    )
    if not defined(low, high):
        return Found(UNDETERMINED, f"{words}; undefined", share, low, high, null)
    if high < HALF:
        return Found(SUPPORTED, words, share, low, high, null)
    if low > HALF and not low <= null:
        return Found(NOT_SUPPORTED, words, share, low, high, null)
    reason = "no more than of all features" if low > HALF else "on both sides of half"
    return Found(UNDETERMINED, f"{words}; {reason}", share, low, high, null)
