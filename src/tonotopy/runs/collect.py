"""From finished units to the tables of a run and its ``verdict.json``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tonotopy.anatomy.resolvable import resolvable
from tonotopy.encoders._contract import Encoder, Site
from tonotopy.judgement.ceiling import CEILING_STATES, CONTROL_R2, against_ceiling
from tonotopy.judgement.ceiling import positive_control as control
from tonotopy.judgement.verdict import VERDICTS
from tonotopy.runs.graph import CEILING, PARTIAL, Graph
from tonotopy.runs.plan import Plan
from tonotopy.runs.store import Store
from tonotopy.sound.structures import Structure, partial
from tonotopy.statistics.bootstrap import interval
from tonotopy.training.ceiling_record import CeilingRecord

#: Verdicts as keys of shares.
SHARE_KEYS = tuple(name.replace("-", "_") for name in VERDICTS)
FLOOR_STATES = ("inherited", "learned", "lost", "never", "undefined")
#: What each readout can read by itself (SPEC § 4).
READOUT_STATES = {
    "line": ("passes", "coincidental", "entangled", "absent", "undefined"),
    "plane": ("passes", "entangled", "absent", "undefined"),
}
#: Share of floor seeds that must pass for a trained pass to count as inherited.
FLOOR_SHARE = 0.5
#: Thresholds of specificity beside the judged one, at which shares are printed.
KAPPA_BESIDE = (0.75, 0.85)


def tables(
    store: Store, graph: Graph, plan: Plan, encoder: Encoder, record: CeilingRecord | None = None
) -> tuple[dict[str, pd.DataFrame], list[dict[str, Any]]]:
    """All tables of a run, and the ``sites`` list of its verdict."""
    sites = [encoder.site(name) for name in plan.sites]
    floor = _floor_table(store, graph, plan)
    ceiling = _ceiling_table(store, graph, plan, encoder, record)
    verdict_rows, site_rows, entries = [], [], []
    ladders, laws = [], []
    for order, site in enumerate(sites):
        address = graph.measures[None, site.name].address
        table = _site_verdicts(store.table(address, "verdicts"), site, order, floor, plan, encoder)
        table["against_ceiling"] = _states(table, ceiling[ceiling["site"] == site.name])
        verdict_rows.append(table)
        summary, entry = _summary(store, address, table, site, order, floor)
        under = ceiling[ceiling["site"] == site.name]
        summary["ceiling_stable"] = shares(under["verdict"])["stable"] if len(under) else np.nan
        entry |= _below_ceiling(table, under)
        site_rows.append(summary)
        entries.append(entry)
        ladders.append(store.table(address, "ladder").assign(site=site.name))
        if (store.path(address) / "sparsity.parquet").is_file():
            laws.append(store.table(address, "sparsity").assign(site=site.name))
    music = store.values(graph.music.address)
    found = {
        "verdicts": pd.concat(verdict_rows, ignore_index=True),
        "sites": pd.DataFrame(site_rows),
        "floor": floor,
        "ceiling": ceiling,
        "ladder": pd.concat(ladders, ignore_index=True),
        "sparsity": pd.concat(laws, ignore_index=True) if laws else pd.DataFrame({"site": []}),
        "view_curve": _curve_table(store, graph, encoder),
        "pieces": _pieces(music["pieces"]),
        "ledger": pd.DataFrame(music["ledger"], columns=["name", "reason"]),
    }
    return found, entries


def resolvable_at(items: NDArray[Any], encoder: Encoder, site: Site, kind: Structure) -> NDArray[np.bool_]:
    """Whether each target is resolvable at a site (SPEC § 2)."""
    if kind.name == PARTIAL:
        return resolvable(items, encoder.sample_rate_hz, site.span)
    return kind.resolvable(items, encoder.sample_rate_hz, site.span)


#: Tables with a row for each structure.
OF_STRUCTURES = ("verdicts", "sites", "floor", "ladder", "sparsity")


def add_rungs(
    tables: dict[str, pd.DataFrame], store: Store, graph: Graph, plan: Plan, encoder: Encoder
) -> dict[str, list[dict[str, Any]]]:
    """Mark the rows of partials, and add those of the further structures; these structures' ``sites`` lists.

    A target without a frequency (a chord) has none in the tables: ``item`` names it.
    """
    parts = {name: [tables[name].assign(structure=PARTIAL)] for name in OF_STRUCTURES}
    entries: dict[str, list[dict[str, Any]]] = {}
    for structure, rung in graph.rungs.items():
        kind, found = rung.design.kind, _rung_tables(store, graph, plan, encoder, structure)
        entries[structure] = found.pop("entries")
        for name, table in found.items():
            if not kind.in_hz and "frequency_hz" in table:
                table = table.assign(frequency_hz=np.nan)  # noqa: PLW2901 - the same table, told otherwise
            parts[name].append(table.assign(structure=structure))
    for name, rows in parts.items():
        kept = [table for table in rows if len(table)] or rows[:1]
        tables[name] = pd.concat(kept, ignore_index=True) if len(kept) > 1 else kept[0]
    return entries


def _rung_tables(store: Store, graph: Graph, plan: Plan, encoder: Encoder, structure: str) -> dict[str, Any]:
    """The tables of one further structure, and its ``sites`` list as ``entries``."""
    rung = graph.rungs[structure]
    kind, floor = rung.design.kind, _floor_table(store, graph, plan, structure)
    rows: dict[str, list[Any]] = {name: [] for name in ("verdicts", "sites", "ladder", "sparsity", "entries")}
    for order, name in enumerate(plan.sites):
        site, address = encoder.site(name), rung.measures[None, name].address
        own = store.table(address, "verdicts")
        table = _site_verdicts(own, site, order, floor, plan, encoder, kind)
        table["against_ceiling"] = pd.Series([None] * len(table), dtype=object)
        summary, entry = _summary(store, address, table, site, order, floor)
        rows["verdicts"].append(table)
        rows["sites"].append(summary | {"ceiling_stable": np.nan})
        rows["entries"].append(entry)
        labels = dict(zip(own["frequency_hz"], own["item"], strict=True))
        ladder = store.table(address, "ladder").assign(site=name)
        rows["ladder"].append(ladder.assign(item=ladder["frequency_hz"].map(labels)))
        if (store.path(address) / "sparsity.parquet").is_file():
            rows["sparsity"].append(store.table(address, "sparsity").assign(site=name))
    labels = {float(f): kind.label(float(f)) for f in rung.design.frequency_hz}
    return {
        "verdicts": pd.concat(rows["verdicts"], ignore_index=True),
        "sites": pd.DataFrame(rows["sites"]),
        "floor": floor.assign(item=floor["frequency_hz"].map(labels)),
        "ladder": pd.concat(rows["ladder"], ignore_index=True),
        "sparsity": pd.concat(rows["sparsity"], ignore_index=True) if rows["sparsity"] else pd.DataFrame(),
        "entries": rows["entries"],
    }


def _site_verdicts(
    table: pd.DataFrame,
    site: Site,
    order: int,
    floor: pd.DataFrame,
    plan: Plan,
    encoder: Encoder,
    kind: Structure = partial.STRUCTURE,
) -> pd.DataFrame:
    """The verdict rows of one site, with what anatomy and the floor say."""
    frequency = table["frequency_hz"].to_numpy()
    state, share = against_floor(table, floor[floor["site"] == site.name], len(plan.floor_seeds))
    head = pd.DataFrame({"site": site.name, "order": order, "frequency_hz": frequency})
    head["resolvable"] = resolvable_at(frequency, encoder, site, kind)
    rest = table.drop(columns="frequency_hz").assign(
        against_floor=pd.Series(state, dtype=object), floor_pass_share=share
    )
    return pd.concat([head, rest], axis=1)


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


def _ceiling_table(
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


def _states(table: pd.DataFrame, under: pd.DataFrame) -> pd.Series:
    """Each frequency of a site against the ceiling; None without one."""
    if under.empty:
        return pd.Series([None] * len(table), dtype=object)
    line = under.set_index("frequency_hz")["line"].reindex(table["frequency_hz"]).fillna("undefined")
    return pd.Series(against_ceiling(table["line"].to_numpy(object), line.to_numpy(object)), dtype=object)


def _below_ceiling(table: pd.DataFrame, under: pd.DataFrame) -> dict[str, Any]:
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


def _floor_table(store: Store, graph: Graph, plan: Plan, structure: str = PARTIAL) -> pd.DataFrame:
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


def shares(verdicts: pd.Series) -> dict[str, float]:
    """Share of each verdict; they sum to 1."""
    values = verdicts.to_numpy()
    return {key: float(np.mean(values == name)) for key, name in zip(SHARE_KEYS, VERDICTS, strict=True)}


def _summary(
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
    by_seed = [shares(group["verdict"]) for _, group in mine.groupby("seed")]
    stable = [s["stable"] for s in by_seed]
    kappa = {f"{k:.2f}": stable_at(table, k) for k in (KAPPA_BESIDE[0], 0.8, KAPPA_BESIDE[1])}
    states = table["against_floor"].value_counts(normalize=True)
    inherited = float(table["inherited_from_window"].mean())
    row = {
        "site": site.name,
        "order": order,
        "role": site.role,
        "view": site.view,
        "hop": site.hop,
        "units": site.units,
        "bounded": site.bounded,
        "note": site.note,
        **{f"share_{key}": value for key, value in point.items()},
        **{f"low_{key}": value[0] if value else np.nan for key, value in intervals.items()},
        **{f"high_{key}": value[1] if value else np.nan for key, value in intervals.items()},
        "share_stable_resolvable": shares(seen["verdict"])["stable"] if len(seen) else np.nan,
        "n_resolvable": len(seen),
        "stable_kappa_75": kappa["0.75"],
        "stable_kappa_85": kappa["0.85"],
        "floor_stable_mean": float(np.mean(stable)) if stable else np.nan,
        "floor_stable_min": min(stable, default=np.nan),
        "floor_stable_max": max(stable, default=np.nan),
        "inherited_from_window": inherited,
        "n_pieces": n_pieces,
        **values,
    }
    entry = {
        "site": site.name,
        "role": site.role,
        "view": site.view,
        "hop": site.hop,
        "units": site.units,
        "shares": point,
        "intervals": {key: list(value) if value else None for key, value in intervals.items()},
        "readouts": {
            kind: {state: float((table[kind] == state).mean()) for state in states}
            for kind, states in READOUT_STATES.items()
        },
        "against_floor": {s: float(states.get(s, 0.0)) for s in FLOOR_STATES} if by_seed else None,
        "floor_shares": _mean_shares(by_seed),
        "floor_stable": {"mean": float(np.mean(stable)), "min": min(stable), "max": max(stable)}
        if stable
        else None,
        "shuffled_stable": values["shuffled_stable"],
        "inherited_from_window": inherited,
        "borderline": float(table["borderline"].mean()),
        "shares_resolvable": shares(seen["verdict"]) if len(seen) else None,
        "n_resolvable": len(seen),
        "stable_at_kappa": kappa,
        "power": {"detected": values["power_detected"], "stable": values["power_stable"]},
        "half_points": {key: value for key, value in values.items() if key.startswith("half_")},
    }
    return row, entry


def stable_at(table: pd.DataFrame, kappa: float) -> float:
    """Share of lines that would pass at another threshold of specificity, all else equal."""
    others = table["failing"].isin(["", "specificity"]) & (table["verdict"] != "undefined")
    return float((others & (table["line_specificity"] >= kappa)).mean())


def _mean_shares(by_seed: Sequence[dict[str, float]]) -> dict[str, float] | None:
    if not by_seed:
        return None
    return {key: float(np.mean([s[key] for s in by_seed])) for key in SHARE_KEYS}


def _curve_table(store: Store, graph: Graph, encoder: Encoder) -> pd.DataFrame:
    """The view curve: one row a readout and window."""
    rows = []
    site = next((s.name for s in encoder.sites if s.role == "first_conv"), "")
    for _, point, unit in graph.curves:
        table = store.table(unit.address, "curve").assign(
            site=site,
            window_frames=point.frames,
            view_samples=point.view_samples,
            view_s=point.view_samples / encoder.sample_rate_hz,
            thinned=point.thinned,
        )
        rows.append(table)
    columns = ["site", "window_frames", "view_samples", "view_s", "thinned", "readout", "share_passes"]
    columns += ["share_low", "share_high"]
    return pd.concat(rows, ignore_index=True)[columns] if rows else pd.DataFrame(columns=columns)


def _pieces(clips: list[dict[str, Any]]) -> pd.DataFrame:
    """What may be told of the pieces: no path beyond the source's own relative names."""
    columns = ["number", "name", "title", "artist", "licence", "group"]
    return pd.DataFrame([{"number": k, **clip} for k, clip in enumerate(clips)])[columns]
