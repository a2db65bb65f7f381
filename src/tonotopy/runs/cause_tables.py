"""From finished units to the tables that say what directions do; none where a plan does not ask.

``steering``: one row a site, what is read of it, frequency, direction and dose. ``reuse``: one row a set of weights,
site, later site and frequency; rows of structure ``pitch`` are of pitches without the partials below them.
``steered_sounds``: a few sounds before and after, equally loud, as FLAC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd

from tonotopy.interventions.output_rows import OutputRows
from tonotopy.interventions.rows import ReuseRows, SteeringRows
from tonotopy.runs.engine import Unit
from tonotopy.runs.graph import PARTIAL, Graph, Weights
from tonotopy.runs.plan import Plan
from tonotopy.runs.store import Store

WHOSE = ("weights", "seed", "site", "order")


def cause_tables(store: Store, graph: Graph, plan: Plan) -> dict[str, pd.DataFrame]:
    """The tables of interventions, by name; empty where none were asked for."""
    if not plan.causes:
        return {}
    order = {site: k for k, site in enumerate(plan.sites)}
    pieces = store.values(graph.music.address)["pieces"]
    return {
        "steering": _steering(store, graph.causes.steering, order),
        "reuse": _reuse(store, graph, order),
        "steered_sounds": _sounds(store, graph.causes.steering, order, pieces),
    }


def _steering(
    store: Store, units: Mapping[tuple[str, str], list[Unit]], order: Mapping[str, int]
) -> pd.DataFrame:
    """All doses; columns that are not of what was read are undefined."""
    numbers = dict.fromkeys(f.name for kind in (SteeringRows, OutputRows) for f in fields(kind))
    words = ("site", "direction")
    columns = [*WHOSE, "heard", "frequency_hz", "direction", "kind", "strength"]
    columns += [name for name in numbers if name not in columns]
    rows = [
        store.table(unit.address, "steering").assign(heard=heard, order=order[site])
        for (heard, site), shards in units.items()
        for unit in shards
    ]
    table = _joined(rows, [*columns, "n_pieces", "reason"])
    kind = table["direction"].astype(str).str.split(" ").str[0]
    table["kind"] = table["direction"].where(kind == "wrong", kind).astype(object)
    table["weights"], table["seed"] = "trained", 0
    return _typed(
        table, texts=(*words, "weights", "heard", "kind", "reason"), wholes=("seed", "order", "n_pieces")
    )


def _reuse(store: Store, graph: Graph, order: Mapping[str, int]) -> pd.DataFrame:
    """Partials, then pitches."""
    columns = [*WHOSE, "later_site", "later_order", "structure", "frequency_hz"]
    columns += [f.name for f in fields(ReuseRows) if f.name not in columns]
    rows = []
    for structure, units in ((PARTIAL, graph.causes.reuse), ("pitch", graph.causes.composition)):
        for (weights, site), shards in units.items():
            for unit in shards:
                told = store.table(unit.address, "reuse")
                later = told["later_site"].map(order)
                told = told.assign(
                    **_whose(weights), structure=structure, order=order[site], later_order=later
                )
                rows.append(told)
    table = _joined(rows, [*columns, "n_pieces", "reason"])
    texts = ("weights", "site", "later_site", "structure", "reason")
    return _typed(table, texts=texts, wholes=("seed", "order", "later_order", "n_pieces"))


def _sounds(
    store: Store,
    units: Mapping[tuple[str, str], list[Unit]],
    order: Mapping[str, int],
    pieces: list[dict[str, Any]],
) -> pd.DataFrame:
    """The kept sounds, with whom to thank for each."""
    rows = []
    for (_, site), shards in units.items():
        for unit in shards:
            if unit.values["sounds"]:
                told = store.table(unit.address, "sounds")
                rows.append(told.assign(**_whose(None), site=site, order=order[site]))
    columns = [*WHOSE, "frequency_hz", "sound", "piece", "title", "artist", "licence"]
    columns += ["near_gain_db", "turned_up_db", "loudness_lkfs", "seconds", "audio"]
    table = _joined(rows, columns)
    for name in ("title", "artist", "licence"):
        table[name] = [pieces[int(number)].get(name) for number in table["piece"]]
    table["title"] = [
        title or pieces[int(number)]["name"]
        for title, number in zip(table["title"], table["piece"], strict=True)
    ]
    texts = ("weights", "site", "sound", "title", "artist", "licence")
    return _typed(table, texts=texts, wholes=("seed", "order", "piece"), keep=("audio",))


def _whose(weights: Weights) -> dict[str, Any]:
    return {"weights": "trained" if weights is None else "floor", "seed": 0 if weights is None else weights}


def _joined(rows: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Rows under one another, with these columns; what a part lacks is undefined in it."""
    filled = [part.reindex(columns=columns) for part in rows if len(part)]
    if not filled:
        return pd.DataFrame(columns=columns)
    # Column by column: joined whole, columns that a part lacks entirely would lose their kind.
    return pd.DataFrame(
        {name: np.concatenate([part[name].to_numpy(object) for part in filled]) for name in columns}
    )


def _typed(
    table: pd.DataFrame, *, texts: tuple[str, ...], wholes: tuple[str, ...], keep: tuple[str, ...] = ()
) -> pd.DataFrame:
    """Words, whole numbers, and numbers otherwise."""
    for name in table.columns:
        if name in texts:
            table[name] = table[name].astype(object).where(table[name].notna(), None)
        elif name in wholes:
            table[name] = table[name].astype(np.int64)
        elif name not in keep:
            table[name] = table[name].astype(np.float64)
    return table
