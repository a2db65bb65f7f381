"""What codes and heads read, summed up over frequencies, stages and cells, of each set of weights.

A mean over frequencies has no interval of its own; the share of frequencies that codes isolate has the two ends that
its AUCs give it, as the ledger of claims counts it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from tonotopy.judgement.claims.codes_and_head import DETECTED, LEVEL
from tonotopy.views.tables import RunTables

#: The stage that stands for all of them.
JOINTLY: Final = -1
#: Stages that a sentence names.
MOST_STAGES: Final = 3


@dataclass(frozen=True)
class Isolated:
    """Share of frequencies that some stage, or all jointly, isolate, with the ends that intervals of AUCs give."""

    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Told:
    """What the codes of one set of weights tell; NaN where undefined."""

    isolated: Isolated
    auc: float  # of all stages, mean over frequencies
    auc_null: float
    foil_auc: float
    foil_auc_null: float
    beyond: float  # share of frequencies whose joint AUC beats swapped labels
    foil_beyond: float
    bits: float  # excess at a stage chosen on other pieces
    attainable: float
    stages: tuple[int, ...]  # of most excess over frequencies, first first
    peak_bits: float  # of the stage that tells most of bands, mean over bands
    peak_low: float
    peak_high: float
    peak_stage: int
    peak_cells: float  # share of cells of stages and bands with p of at most .05


def weights_of(table: pd.DataFrame) -> list[tuple[str, int]]:
    """Sets of weights in a table, those under study first."""
    found = dict.fromkeys(zip(table["weights"], table["seed"].astype(int), strict=True))
    return sorted(found, key=lambda one: (one[0] != "trained", one[1]))


def of_weights(table: pd.DataFrame, weights: str, seed: int) -> pd.DataFrame:
    """Rows of one set of weights."""
    return table[(table["weights"] == weights) & (table["seed"] == seed)]


def told(run: RunTables, weights: str, seed: int) -> Told:
    """What the codes of one set of weights tell of partials."""
    codes, peaks = (of_weights(table, weights, seed) for table in (run.codes, run.code_peaks))
    joint, each = codes[codes["stage"] == JOINTLY], codes[codes["stage"] != JOINTLY]
    stages = of_weights(run.code_stages, weights, seed)
    by_stage = each.groupby("stage")["excess_bits"].mean().dropna().sort_values(ascending=False)
    peak = stages["peak_bits"].to_numpy(dtype=np.float64)
    most = stages.iloc[int(np.nanargmax(peak))] if bool(np.isfinite(peak).any()) else None
    nothing = float("nan")
    return Told(
        isolated=isolated(codes),
        auc=mean(joint["auc"]),
        auc_null=mean(joint["auc_null"]),
        foil_auc=mean(joint["foil_auc"]),
        foil_auc_null=mean(joint["foil_auc_null"]),
        beyond=share_p(joint["auc_p"]),
        foil_beyond=share_p(joint["foil_auc_p"]),
        bits=mean(joint["chosen_excess_bits"]),
        attainable=mean(joint["chosen_attainable_bits"]),
        stages=tuple(int(stage) for stage in by_stage.index[:MOST_STAGES]),
        peak_bits=nothing if most is None else float(most["peak_bits"]),
        peak_low=nothing if most is None else float(most["peak_low"]),
        peak_high=nothing if most is None else float(most["peak_high"]),
        peak_stage=JOINTLY if most is None else int(most["stage"]),
        peak_cells=share_p(peaks["p"]),
    )


def isolated(codes: pd.DataFrame) -> Isolated:
    """Frequencies that codes tell from absent and from the foil, as claim 3 counts them."""
    found = []
    for end in ("", "_low", "_high"):
        both = codes[[f"auc{end}", f"foil_auc{end}"]]
        if not bool(both.notna().all(axis=1).any()):
            found.append(float("nan"))
            continue
        yes = (both >= DETECTED).all(axis=1) & (codes["auc_p"] <= LEVEL)
        found.append(float(yes.groupby(codes["frequency_hz"]).any().mean()))
    return Isolated(*found)


def mean(values: pd.Series) -> float:
    """The mean of what is defined."""
    known = values.to_numpy(dtype=np.float64)
    known = known[np.isfinite(known)]
    return float(known.mean()) if len(known) else float("nan")


def share_p(values: pd.Series) -> float:
    """The share of defined p values of at most .05."""
    known = values.dropna()
    return float((known <= LEVEL).mean()) if len(known) else float("nan")
