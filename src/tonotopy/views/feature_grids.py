"""Tables of features as a page and a terminal show them: sites, kinds, and what an encoder is used for."""

from __future__ import annotations

import pandas as pd

from tonotopy.views._feature_rows import (
    GIVEN,
    RANDOM,
    STABILISED,
    UNDEFINED,
    VARIATION,
    CopiedKinds,
    answered,
    copies,
    most_frequent,
    sources,
    trained,
    untrained,
)
from tonotopy.views._schema import LABELS
from tonotopy.views.features import number_words
from tonotopy.views.grids import Column, Grid
from tonotopy.views.tables import RunTables
from tonotopy.views.words import DASH, decimal, missing, p_words, percent, share_with_interval

#: The piece that stands for all of them in the table of instantiation.
SUMMARY = -1
#: Heads of the block on a terminal.
TERMINAL = ("site", "n", "stabilised", "floor", "spectral", "partial", "random", "kind")


def feature_sites_grid(run: RunTables) -> Grid:
    """One row a site and source, random directions among them: shares with their nulls, counts by label."""
    heads: tuple[str, ...] = ("site", "source", "n", "stabilised", "floor", "p ≤ .05")
    heads += ("spectral, given stabilised", "floor")
    heads += (*LABELS[:-1], "partial: random", "mixture: random")
    heads += ("varies", "noise", "order ρ", "coverage", "unexplained")
    rows = tuple(_feature_site(run, row) for _, row in trained(run.feature_sites).iterrows())
    return Grid(tuple(Column(head, at > 1) for at, head in enumerate(heads)), rows)


def kinds_grid(run: RunTables) -> Grid:
    """One row a site, source and kind: how many, in untrained copies, how well explained, and the kind's sentence."""
    heads = ("site", "source", "kind", "of all", "floor", "of stabilised", "floor", "R²", "what it is")
    rows, copied = trained(run.kinds), CopiedKinds.of(run)
    found = []
    for name in run.site_names:
        of_site = rows[rows["site"] == name]
        for source in (*sources(of_site), *({RANDOM} & set(of_site["source"]))):
            own = of_site[of_site["source"] == source]
            found += [_kind(copied, name, source, kind, own) for kind in _in_order(own)]
    columns = tuple(Column(head, 2 < at < len(heads) - 1) for at, head in enumerate(heads))
    return Grid(columns, tuple(found))


def instantiation_grid(run: RunTables) -> Grid:
    """One row a site: dimension in use, and its share of what noise and the stimuli reach; floor beside it."""
    heads: tuple[str, ...] = (
        "site",
        "dimension",
        "floor",
        "directions held",
        "of noise",
        "of stimuli",
        "shared by all pieces",
    )
    rows = run.instantiation[run.instantiation["piece"] == SUMMARY]
    floor = untrained(rows)
    found: list[tuple[str, ...]] = []
    for _, row in trained(rows).iterrows():
        copied = floor.loc[floor["site"] == row["site"], "dimension"].dropna()
        cells = [_with_ends(row, column) for column in ("dimension", "held")]
        shares = [_with_ends(row, column) for column in ("share_of_noise", "share_of_stimuli", "shared")]
        reach = decimal(float(copied.mean())) if len(copied) else DASH
        found.append((str(row["site"]), cells[0], reach, cells[1], *shares))
    if floor.empty:  # not measured of untrained copies
        heads, found = (heads[0], heads[1], *heads[3:]), [(row[0], row[1], *row[3:]) for row in found]
    return Grid(tuple(Column(head, at > 0) for at, head in enumerate(heads)), tuple(found))


def terminal_rows(run: RunTables) -> list[list[str]]:
    """One row a site and source for `TERMINAL`; the site alone where there is one source."""
    rows = trained(run.feature_sites)
    rows = rows[rows["source"] != RANDOM]
    several = len(sources(rows)) > 1
    found = []
    for (_, row), told in zip(rows.iterrows(), answered(rows), strict=True):
        site, source = str(row["site"]), str(row["source"])
        kinds = most_frequent(run, site, source, "stabilised") or most_frequent(run, site, source, "all")
        cells = [
            f"{int(row['n']):,}",
            share_with_interval(*row[list(STABILISED)]),
            _dash(percent(copies(run, site, source, "share_stabilised").mean)),
            _dash(share_with_interval(*row[list(GIVEN)])),
            _dash(percent(row["n_partial"] / told)),
            _dash(percent(row["share_partial_random"])),
            f"{kinds[0][0]} {kinds[0][1]:,}" if kinds else DASH,
        ]
        found.append([f"{site} · {source}" if several else site, *cells])
    return found


def feature_notes(run: RunTables) -> list[str]:
    """How to read the block on a terminal."""
    lines = [
        "stabilised, of n features: strongest fragments are one waveform, beyond random directions",
        "floor: stabilised in untrained copies",
        "spectral: of the stabilised, those that are spectrally stable too",
        "partial: features that answer to one partial; random: the same of random directions",
        "kind: the most frequent and how many, of the stabilised, or of all where none is",
    ]
    rows = trained(run.feature_sites)
    if bool(rows["low_stabilised"].notna().any()):
        lines.append("brackets: 95 % over features, the pieces fixed (Wilson); nothing of other music")
    if bool(rows["low_stabilised"].isna().any()):
        lines.append("shares of features without brackets have no interval: it is undefined")
    return lines


def _feature_site(run: RunTables, row: pd.Series) -> tuple[str, ...]:
    site, source = str(row["site"]), str(row["source"])
    labels = [DASH if missing(row[f"n_{label}"]) else f"{int(row[f'n_{label}']):,}" for label in LABELS[:-1]]
    order, covered = row["order_rho"], row["coverage"]
    partial = row["n_partial"] > 0  # without one nothing is covered, and there is no null of that
    null = f"{percent(row['coverage_null'])}, {p_words(row['coverage_p'])}"
    return (
        site,
        source,
        f"{int(row['n']):,}",
        share_with_interval(*row[list(STABILISED)]),
        _dash(percent(copies(run, site, source, STABILISED[0]).mean)),
        _dash(percent(row["share_p05_waveform"])),
        share_with_interval(*row[list(GIVEN)]),
        _dash(percent(copies(run, site, source, GIVEN[0]).mean)),
        *labels,
        _dash(percent(row["share_partial_random"])),
        _dash(percent(row["share_mixture_random"])),
        _numbers(*row[list(VARIATION)]),
        _dash(decimal(row["variation_noise"])),
        DASH if missing(order) else f"{decimal(order)} ({p_words(row['order_p'])})",
        DASH if missing(covered) or not partial else f"{percent(covered)} (random {null})",
        _dash(percent(row["share_unexplained"])),
    )


def _in_order(rows: pd.DataFrame) -> list[str]:
    """Kinds, the most frequent among all features first, undefined last."""
    counts = rows.groupby("kind")["count"].max()
    return sorted(map(str, counts.index), key=lambda kind: (kind == UNDEFINED, -counts[kind], kind))


def _kind(copied: CopiedKinds, site: str, source: str, kind: str, own: pd.DataFrame) -> tuple[str, ...]:
    cells = []
    for among in ("all", "stabilised"):
        group = own[own["among"] == among]
        rows = group[group["kind"] == kind]
        total = int(group.loc[group["kind"] != UNDEFINED, "count"].sum())
        many = int(rows["count"].sum())
        share = float(rows["share"].iloc[0]) if len(rows) else 0.0
        if kind == UNDEFINED:  # what is undefined stands in no share
            cells += [f"{many:,}", DASH] if many else [DASH, DASH]
            continue
        cells.append(f"{many:,} of {total:,} ({percent(share)})" if total else DASH)
        cells.append(_dash(percent(copied.share(site, source, kind, among).mean)))
    named = own[own["kind"] == kind]
    sentence = next((str(words) for words in named["sentence"].dropna() if words), DASH)
    return (site, source, kind, *cells, _dash(decimal(float(named["r2"].iloc[0]))), sentence)


def _with_ends(row: pd.Series, column: str) -> str:
    value = (row[column], row[f"{column}_low"], row[f"{column}_high"])
    return _numbers(*value) if column in ("dimension", "held") else _dash(share_with_interval(*value))


def _numbers(value: float, low: float, high: float) -> str:
    """A number with its interval, where it has one, as a cell of a table."""
    return _dash(number_words(value, low, high).replace(" (interval undefined)", ""))


def _dash(words: str) -> str:
    return DASH if words == "undefined" else words
