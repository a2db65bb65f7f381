"""The table of pitch decoding: every score beside its nulls, as claim 13 (SPEC § 11) reads it.

One row a set of weights, site, source, window, task and probe. Intervals are over pieces, the same resamples on both
sides of a difference; ``above_floor`` is against the mean of the untrained copies, whose dictionaries were trained in
the same way, and ``above_best_floor`` against the one of them that scores best. ``above_baselines`` says of trained
weights, all features, pitch classes and notes, whether they are above untrained copies and the control task.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tonotopy.measures.natural.pitch_scores import Estimate, Score, above_baselines, estimate
from tonotopy.runs.feature_graph import FeatureUnits
from tonotopy.runs.graph import Weights
from tonotopy.runs.stages.pitch_decoding import scores_of
from tonotopy.runs.store import Store

#: Differences and scores that rows hold, each with its interval.
NUMBERS = (
    "score",
    "floor",
    "best_floor",
    "control",
    "shifted",
    "random",
    "levels",
    "above_floor",
    "above_best_floor",
    "selectivity",
    "above_random",
    "above_levels",
)
_UNDEFINED = Estimate(float("nan"), float("nan"), float("nan"))
_Key = tuple[Any, ...]


def pitch_table(store: Store, units: FeatureUnits, order: dict[str, int]) -> pd.DataFrame:
    """All rows, those of trained weights beside their floor."""
    found: dict[tuple[Weights, str, str], dict[_Key, Score]] = {}
    exact: dict[str, bool] = {}
    for (weights, site), unit in units.pitch_decoding.items():
        for source, table in store.table(unit.address, "scores").groupby("source", sort=False):
            found[weights, site, str(source)] = scores_of(table)
            exact[site] = bool(table["exact"].all())
    rows: list[dict[str, Any]] = []
    for (weights, site, source), scores in found.items():
        floors = [own for (w, s, o), own in found.items() if w is not None and (s, o) == (site, source)]
        common = {
            "weights": "trained" if weights is None else "floor",
            "seed": 0 if weights is None else weights,
            "site": site,
            "order": order[site],
            "source": source,
            "truth": "score" if exact[site] else "estimated",
        }
        rows += [common | row for row in _rows(scores, floors if weights is None else [])]
    return pd.DataFrame(rows, columns=pd.Index(_columns()))


def _columns() -> list[str]:
    ends = [name + end for name in NUMBERS for end in ("", "_low", "_high")]
    whose = ["weights", "seed", "site", "order", "source", "truth"]
    return [*whose, "window_s", "task", "probe", "n_pieces", *ends, "above_baselines"]


def _rows(scores: dict[_Key, Score], floors: list[dict[_Key, Score]]) -> list[dict[str, Any]]:
    rows = []
    for (window_s, task, read, labels, probe), score in scores.items():
        if (read, labels) != ("features", "real"):
            continue
        own = {
            "control": scores.get((window_s, task, read, "control", probe)),
            "shifted": scores.get((window_s, task, read, "shifted", probe)),
            "random": scores.get((window_s, task, "random", "real", probe)),
            "levels": scores.get((window_s, task, "levels", "real", probe)),
        }
        copies = [floor[key] for floor in floors if (key := (window_s, task, read, labels, probe)) in floor]
        beside = {name: [one] if one else [] for name, one in own.items()} | {"floor": copies}
        beside["best_floor"] = [max(copies, key=_alone)] if copies else []
        numbers = {"score": estimate([score])}
        numbers |= {name: estimate(one) if one else _UNDEFINED for name, one in beside.items()}
        for name, null in DIFFERENCES.items():
            numbers[name] = estimate([score], beside[null]) if beside[null] else _UNDEFINED
        asked = bool(floors) and probe == "all" and task != "height"
        row: dict[str, Any] = {"window_s": window_s, "task": task, "probe": probe}
        row["n_pieces"] = int((score.bottom > 0).sum())
        row["above_baselines"] = (
            above_baselines(numbers["above_best_floor"], numbers["selectivity"]) if asked else None
        )
        for name, value in numbers.items():
            row |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
        rows.append(row)
    return rows


def _alone(score: Score) -> float:
    """A score over all pieces; an undefined one is none."""
    found = estimate([score], n_resamples=1).value
    return found if np.isfinite(found) else -np.inf


#: Differences, and what is taken from the score.
DIFFERENCES = {
    "above_floor": "floor",
    "above_best_floor": "best_floor",
    "selectivity": "control",
    "above_random": "random",
    "above_levels": "levels",
}
