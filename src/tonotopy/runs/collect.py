"""From finished units to the tables of a run and its ``verdict.json``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tonotopy.anatomy.resolvable import resolvable
from tonotopy.encoders._contract import Encoder, Site
from tonotopy.runs.graph import PARTIAL, Graph
from tonotopy.runs.other_weights import against_floor, ceiling_table, floor_table, under_ceiling
from tonotopy.runs.plan import Plan
from tonotopy.runs.site_summary import below_ceiling, shares, summarise
from tonotopy.runs.store import Store
from tonotopy.sound.structures import Structure, partial
from tonotopy.training.ceiling_record import CeilingRecord


def tables(
    store: Store, graph: Graph, plan: Plan, encoder: Encoder, record: CeilingRecord | None = None
) -> tuple[dict[str, pd.DataFrame], list[dict[str, Any]]]:
    """All tables of a run, and the ``sites`` list of its verdict."""
    sites = [encoder.site(name) for name in plan.sites]
    floor = floor_table(store, graph, plan)
    ceiling = ceiling_table(store, graph, plan, encoder, record)
    verdict_rows, site_rows, entries = [], [], []
    ladders, laws = [], []
    for order, site in enumerate(sites):
        address = graph.measures[None, site.name].address
        table = _site_verdicts(store.table(address, "verdicts"), site, order, floor, plan, encoder)
        table["against_ceiling"] = under_ceiling(table, ceiling[ceiling["site"] == site.name])
        verdict_rows.append(table)
        summary, entry = summarise(store, address, table, site, order, floor)
        under = ceiling[ceiling["site"] == site.name]
        summary["ceiling_stable"] = shares(under["verdict"])["stable"] if len(under) else np.nan
        entry |= below_ceiling(table, under)
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
    kind, floor = rung.design.kind, floor_table(store, graph, plan, structure)
    rows: dict[str, list[Any]] = {name: [] for name in ("verdicts", "sites", "ladder", "sparsity", "entries")}
    for order, name in enumerate(plan.sites):
        site, address = encoder.site(name), rung.measures[None, name].address
        own = store.table(address, "verdicts")
        table = _site_verdicts(own, site, order, floor, plan, encoder, kind)
        table["against_ceiling"] = pd.Series([None] * len(table), dtype=object)
        summary, entry = summarise(store, address, table, site, order, floor)
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
