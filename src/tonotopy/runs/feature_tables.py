"""From finished units to the tables that say what features are; none where a plan names no source.

An encoder without a first convolution has no table of transitions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from tonotopy.runs.feature_graph import FeatureUnits
from tonotopy.runs.graph import Graph, Weights
from tonotopy.runs.pitch_tables import pitch_table
from tonotopy.runs.plan import Plan
from tonotopy.runs.store import Store

#: Tables of what stage *features* writes, which pass as they are.
OF_FEATURES = ("features", "feature_sites", "kinds")
#: Columns of the table of dimensions, and what its stage calls them.
DIMENSIONS = {
    "dimension": "effective_dimension",
    "held": "held_dimension",
    "share_of_noise": "noise_used",
    "share_of_stimuli": "stimuli_used",
    "shared": "shared",
}
#: Number of the row that sums up all pieces.
ALL_PIECES = -1


def feature_tables(store: Store, graph: Graph, plan: Plan) -> dict[str, pd.DataFrame]:
    """The tables of features, by name; empty where none were asked for."""
    units = graph.features
    if not units.natural:
        return {}
    order = {site: k for k, site in enumerate(plan.sites)}
    tables = {name: _of_sites(store, units, order, name) for name in OF_FEATURES}
    tables["players"] = _players(store, units, order)
    tables["readability"] = _readability(store, units, order)
    tables["pitch_decoding"] = pitch_table(store, units, order)
    tables["instantiation"] = _instantiation(store, units, order)
    if "transitions" in units.alone:
        tables["transitions"] = _transitions(store, units, order)
    ambiguity = store.table(units.alone["ambiguity"].address, "ambiguity")
    tables["ambiguity"] = _ambiguity(ambiguity)
    return tables


def _whose(weights: Weights) -> dict[str, Any]:
    """Columns that tell whose features rows are of."""
    return {"weights": "trained" if weights is None else "floor", "seed": 0 if weights is None else weights}


def _each(store: Store, units: FeatureUnits, order: dict[str, int], name: str) -> Iterator[pd.DataFrame]:
    for (weights, site), unit in units.features.items():
        if name != "players" or weights is None:
            table = store.table(unit.address, name)
            yield table.assign(**_whose(weights), site=site, order=order[site])


def _of_sites(store: Store, units: FeatureUnits, order: dict[str, int], name: str) -> pd.DataFrame:
    return pd.concat(list(_each(store, units, order, name)), ignore_index=True)


def _players(store: Store, units: FeatureUnits, order: dict[str, int]) -> pd.DataFrame:
    return pd.concat(list(_each(store, units, order, "players")), ignore_index=True)


def _readability(store: Store, units: FeatureUnits, order: dict[str, int]) -> pd.DataFrame:
    rows = []
    for (weights, site), unit in units.readability.items():
        table = store.table(unit.address, "readability")
        best = [f"unit {k}" if k >= 0 else None for k in table["best_feature"]]
        told = table.assign(
            **_whose(weights), site=site, order=order[site], best=pd.Series(best, dtype=object)
        )
        rows.append(told)
    return pd.concat(rows, ignore_index=True)


def _instantiation(store: Store, units: FeatureUnits, order: dict[str, int]) -> pd.DataFrame:
    """One row a piece and set of weights, then the means over pieces with their intervals."""
    rows = []
    for site, unit in units.instantiation.items():
        pieces, summary = (store.table(unit.address, name) for name in ("pieces", "summary"))
        summary = summary.set_index("measure")
        common: dict[str, Any] = {"site": site, "order": order[site]}
        for weights, prefix in (("trained", ""), ("floor", "floor_")):
            own = {name: pieces[prefix + called] for name, called in DIMENSIONS.items()}
            told = pd.DataFrame({"piece": pieces["piece"], **own}).assign(weights=weights, seed=0, **common)
            if prefix and told[list(DIMENSIONS)].isna().to_numpy().all():
                continue
            rows.append(told)
        mean = {name: summary.loc[called, "value"] for name, called in DIMENSIONS.items()}
        ends = {
            f"{name}_{end}": summary.loc[called, end]
            for name, called in DIMENSIONS.items()
            for end in ("low", "high")
        }
        whose = {"weights": "trained", "seed": 0, "piece": ALL_PIECES}
        rows.append(pd.DataFrame([common | whose | mean | ends]))
    return pd.concat(rows, ignore_index=True)


def _transitions(store: Store, units: FeatureUnits, order: dict[str, int]) -> pd.DataFrame:
    """Sparsity is one less the entropy ratio; what music exceeds each other sound by is kept beside."""
    found = store.table(units.alone["transitions"].address, "transitions")
    floor = found["sound"] == "floor"
    return found.assign(
        weights=np.where(floor, "floor", "trained"),
        seed=0,
        order=found["site"].map(order),
        sound=found["sound"].mask(floor, "music"),
        sparsity=1 - found["entropy_ratio"],
        sparsity_low=1 - found["entropy_ratio_high"],
        sparsity_high=1 - found["entropy_ratio_low"],
        repeatability=found["gain_bits"],
        repeatability_low=found["gain_bits_low"],
        repeatability_high=found["gain_bits_high"],
    )


def _ambiguity(found: pd.DataFrame) -> pd.DataFrame:
    """The interval is that of what remains beside the null, on the scale of the ratio."""
    return found.assign(
        view=found["view_samples"],
        null=found["null_ratio"],
        ratio_low=found["remaining_low"] * found["null_ratio"],
        ratio_high=found["remaining_high"] * found["null_ratio"],
    )
