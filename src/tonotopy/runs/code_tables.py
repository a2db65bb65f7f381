"""From finished units to the tables of codes and heads; none where a plan does not ask, or an encoder has none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from tonotopy.runs.code_graph import CodeUnits
from tonotopy.runs.engine import Unit
from tonotopy.runs.graph import Graph, Weights
from tonotopy.runs.plan import Plan
from tonotopy.runs.store import Store


def code_names(graph: Graph) -> list[str]:
    """Names of the tables that a study of these units has."""
    return [name for name, (_, units) in _sources(graph.codes).items() if units]


def code_tables(store: Store, graph: Graph, plan: Plan) -> dict[str, pd.DataFrame]:
    """The tables, by name: each with whose codes they are of, at which site."""
    found = {}
    for name, (site, units) in _sources(graph.codes).items():
        if units:
            order = plan.sites.index(site)
            parts = [
                store.table(unit.address, name).assign(**_whose(weights), site=site, order=order)
                for weights, unit in units.items()
            ]
            found[name] = pd.concat(parts, ignore_index=True)
    return found


def _sources(units: CodeUnits) -> dict[str, tuple[str, Mapping[Weights, Unit]]]:
    """Of each table its site and the units that it comes from."""
    return {
        "codes": (units.site, units.trials),
        "code_stages": (units.site, units.stages),
        "code_peaks": (units.site, units.stages),
        "code_swaps": (units.site, units.swaps),
        "head": (units.head, units.heads),
        "head_sites": (units.head, units.heads),
    }


def _whose(weights: Weights) -> dict[str, Any]:
    return {"weights": "trained" if weights is None else "floor", "seed": 0 if weights is None else weights}
