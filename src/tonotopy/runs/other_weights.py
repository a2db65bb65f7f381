"""Verdicts under other weights than the trained ones, and what they make of these: the floor and the ceiling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tonotopy.encoders._contract import Encoder
from tonotopy.judgement.ceiling import CONTROL_R2, against_ceiling
from tonotopy.judgement.ceiling import positive_control as control
from tonotopy.runs.graph import CEILING, PARTIAL, Graph
from tonotopy.runs.plan import Plan
from tonotopy.runs.store import Store
from tonotopy.training.ceiling_record import CeilingRecord

FLOOR_STATES = ("inherited", "learned", "lost", "never", "undefined")
#: Share of floor seeds that must pass for a trained pass to count as inherited.
FLOOR_SHARE = 0.5
#: Columns of the verdicts of other weights.
OTHER_COLUMNS = (
    "frequency_hz",
    "verdict",
    "line",
    "plane",
    "line_detection",
    "line_specificity",
    "line_consistency",
    "line_audiogram_db",
)


def floor_table(store: Store, graph: Graph, plan: Plan, structure: str = PARTIAL) -> pd.DataFrame:
    """Verdicts under random weights: one row a seed, site and frequency."""
    columns = list(OTHER_COLUMNS)
    rows = [
        store.table(graph.measures_of(structure)[seed, site].address, "verdicts")[columns].assign(
            seed=seed, site=site, order=order
        )
        for seed in plan.floor_seeds
        for order, site in enumerate(plan.sites)
    ]
    if not rows:
        return pd.DataFrame(columns=["seed", "site", "order", *columns])
    return pd.concat(rows, ignore_index=True)


def against_floor(
    table: pd.DataFrame, floor: pd.DataFrame, n_seeds: int
) -> tuple[list[str | None], NDArray[Any]]:
    """Each frequency against the floor: inherited, learned, lost, never (SPEC § 4); None without a floor."""
    if not n_seeds or floor.empty:
        return [None] * len(table), np.full(len(table), np.nan)
    share = floor.assign(ok=floor["line"] == "passes").groupby("frequency_hz", sort=True)["ok"].mean()
    passing = share.reindex(table["frequency_hz"]).to_numpy(dtype=np.float64)
    trained = (table["line"] == "passes").to_numpy()
    unasked = passing >= FLOOR_SHARE
    state = np.select(
        [trained & unasked, trained, unasked], ["inherited", "learned", "lost"], default="never"
    )
    state = np.where(table["verdict"] == "undefined", "undefined", state)
    return state.tolist(), passing


def ceiling_table(
    store: Store, graph: Graph, plan: Plan, encoder: Encoder, record: CeilingRecord | None
) -> pd.DataFrame:
    """Verdicts under the ceiling: one row a site and frequency; R^2 at the end of the stack, where it is known."""
    columns = ["site", "order", *OTHER_COLUMNS, "level_r2", "phase_r2"]
    rows = []
    for order, site in enumerate(plan.sites if plan.ceiling_id else ()):
        table = store.table(graph.measures[CEILING, site].address, "verdicts")[list(OTHER_COLUMNS)]
        told = record if encoder.site(site).role == "stack_end" else None
        frequency = table["frequency_hz"].to_numpy(dtype=np.float64)
        r2 = {
            f"{k}_r2": np.nan if told is None else told.at(f"{k}_r2", frequency) for k in ("level", "phase")
        }
        rows.append(table.assign(site=site, order=order, **r2))
    return pd.concat(rows, ignore_index=True)[columns] if rows else pd.DataFrame(columns=columns)


def under_ceiling(table: pd.DataFrame, under: pd.DataFrame) -> pd.Series:
    """Each frequency of a site against the ceiling; None without one."""
    if under.empty:
        return pd.Series([None] * len(table), dtype=object)
    line = under.set_index("frequency_hz")["line"].reindex(table["frequency_hz"]).fillna("undefined")
    return pd.Series(against_ceiling(table["line"].to_numpy(object), line.to_numpy(object)), dtype=object)


def positive_control(ceiling: pd.DataFrame, encoder: Encoder) -> dict[str, Any] | None:
    """The ceiling as a trained positive control, as verdict.json tells it; None where its R^2 is not known."""
    ends = [site.name for site in encoder.sites if site.role == "stack_end"]
    rows = ceiling[ceiling["site"].isin(ends)]
    if not rows["level_r2"].notna().any():
        return None
    frequency, r2 = (rows[name].to_numpy(dtype=np.float64) for name in ("frequency_hz", "level_r2"))
    found = control(frequency, r2, rows["verdict"].to_numpy(object))
    return {
        "r2_above": CONTROL_R2,
        "frequencies": found.n_reported,
        "stable": found.n_stable,
        "share_stable": found.share,
        "passes": found.passes,
        "missed_hz": list(found.missed_hz),
        "best_r2": found.best_r2,
    }
