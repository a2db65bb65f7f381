"""One site of a run in figures: shares of its verdicts, with intervals, beside the floor and below the ceiling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tonotopy.encoders._contract import Site
from tonotopy.judgement.ceiling import CEILING_STATES
from tonotopy.judgement.verdict import VERDICTS, Thresholds
from tonotopy.runs.other_weights import FLOOR_STATES
from tonotopy.runs.store import Store
from tonotopy.statistics.bootstrap import interval

#: Verdicts as keys of shares.
SHARE_KEYS = tuple(name.replace("-", "_") for name in VERDICTS)
#: What each readout can read by itself (SPEC § 4).
READOUT_STATES = {
    "line": ("passes", "coincidental", "entangled", "absent", "undefined"),
    "plane": ("passes", "entangled", "absent", "undefined"),
}
#: Thresholds of specificity beside the judged one, at which shares are printed.
KAPPA_BESIDE = (0.75, 0.85)


@dataclass(frozen=True)
class _Figures:
    """What the row and the entry of a site are made of."""

    site: Site
    verdicts: pd.DataFrame
    shares: dict[str, float]
    intervals: dict[str, tuple[float, float] | None]
    resolvable: dict[str, float] | None  # shares among the frequencies that are, None without any
    n_resolvable: int
    floor: list[dict[str, float]]  # shares under each seed
    n_pieces: int
    told: dict[str, Any]  # what the stage of measures says of the site

    @property
    def floor_stable(self) -> list[float]:
        return [found["stable"] for found in self.floor]

    @property
    def at_kappa(self) -> dict[str, float]:
        low, high = KAPPA_BESIDE
        return {f"{k:.2f}": stable_at(self.verdicts, k) for k in (low, Thresholds().specificity, high)}

    @property
    def inherited(self) -> float:
        return float(self.verdicts["inherited_from_window"].mean())


def summarise(
    store: Store, address: str, table: pd.DataFrame, site: Site, order: int, floor: pd.DataFrame
) -> tuple[dict[str, Any], dict[str, Any]]:
    """One site as a row of the table of sites, and as an entry of verdict.json."""
    values: dict[str, Any] = {str(k): v for k, v in store.table(address, "site").iloc[0].items()}
    with store.arrays(address) as arrays:
        boot = arrays["verdict"].values
    n_pieces = int(values.pop("n_pieces"))
    point = shares(table["verdict"])
    intervals = {
        key: interval((boot[1:] == k).mean(axis=1), n_pieces=n_pieces) for k, key in enumerate(SHARE_KEYS)
    }
    seen = table[table["resolvable"]]
    mine = floor[floor["site"] == site.name]
    found = _Figures(
        site,
        table,
        point,
        intervals,
        shares(seen["verdict"]) if len(seen) else None,
        len(seen),
        [shares(group["verdict"]) for _, group in mine.groupby("seed")],
        n_pieces,
        values,
    )
    return _row(found, order), _entry(found)


def _row(found: _Figures, order: int) -> dict[str, Any]:
    """One row of the table of sites."""
    site, stable, kappa = found.site, found.floor_stable, list(found.at_kappa.values())
    return {
        "site": site.name,
        "order": order,
        "role": site.role,
        "view": site.view,
        "hop": site.hop,
        "units": site.units,
        "bounded": site.bounded,
        "note": site.note,
        **{f"share_{key}": value for key, value in found.shares.items()},
        **{f"low_{key}": value[0] if value else np.nan for key, value in found.intervals.items()},
        **{f"high_{key}": value[1] if value else np.nan for key, value in found.intervals.items()},
        "share_stable_resolvable": found.resolvable["stable"] if found.resolvable else np.nan,
        "n_resolvable": found.n_resolvable,
        "stable_kappa_75": kappa[0],
        "stable_kappa_85": kappa[-1],
        "floor_stable_mean": float(np.mean(stable)) if stable else np.nan,
        "floor_stable_min": min(stable, default=np.nan),
        "floor_stable_max": max(stable, default=np.nan),
        "inherited_from_window": found.inherited,
        "n_pieces": found.n_pieces,
        **found.told,
    }


def _entry(found: _Figures) -> dict[str, Any]:
    """One entry of verdict.json."""
    site, table, stable, told = found.site, found.verdicts, found.floor_stable, found.told
    states = table["against_floor"].value_counts(normalize=True)
    return {
        "site": site.name,
        "role": site.role,
        "view": site.view,
        "hop": site.hop,
        "units": site.units,
        "shares": found.shares,
        "intervals": {key: list(value) if value else None for key, value in found.intervals.items()},
        "readouts": {
            kind: {state: float((table[kind] == state).mean()) for state in states}
            for kind, states in READOUT_STATES.items()
        },
        "against_floor": {s: float(states.get(s, 0.0)) for s in FLOOR_STATES} if found.floor else None,
        "floor_shares": _mean_shares(found.floor),
        "floor_stable": {"mean": float(np.mean(stable)), "min": min(stable), "max": max(stable)}
        if stable
        else None,
        "shuffled_stable": told["shuffled_stable"],
        "inherited_from_window": found.inherited,
        "borderline": float(table["borderline"].mean()),
        "shares_resolvable": found.resolvable,
        "n_resolvable": found.n_resolvable,
        "stable_at_kappa": found.at_kappa,
        "power": {"detected": told["power_detected"], "stable": told["power_stable"]},
        "half_points": {key: value for key, value in told.items() if key.startswith("half_")},
    }


def below_ceiling(table: pd.DataFrame, under: pd.DataFrame) -> dict[str, Any]:
    """What an entry of verdict.json tells of the ceiling; nothing without one."""
    if under.empty:
        return {}
    states = table["against_ceiling"].value_counts(normalize=True)
    return {
        "against_ceiling": {
            name.replace(", ", "_").replace(" ", "_"): float(states.get(name, 0.0)) for name in CEILING_STATES
        },
        "ceiling_shares": shares(under["verdict"]),
    }


def shares(verdicts: pd.Series) -> dict[str, float]:
    """Share of each verdict; they sum to 1."""
    values = verdicts.to_numpy()
    return {key: float(np.mean(values == name)) for key, name in zip(SHARE_KEYS, VERDICTS, strict=True)}


def stable_at(table: pd.DataFrame, kappa: float) -> float:
    """Share of lines that would pass at another threshold of specificity, all else equal."""
    others = table["failing"].isin(["", "specificity"]) & (table["verdict"] != "undefined")
    return float((others & (table["line_specificity"] >= kappa)).mean())


def _mean_shares(by_seed: Sequence[dict[str, float]]) -> dict[str, float] | None:
    if not by_seed:
        return None
    return {key: float(np.mean([s[key] for s in by_seed])) for key in SHARE_KEYS}
