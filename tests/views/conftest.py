"""A run folder made up for drawing: plausible numbers, undefined and infinite ones, hostile words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tomli_w
from tests.views.feature_tables import feature_tables

from tonotopy.anatomy._plain import plain
from tonotopy.anatomy.first_layer import analyse
from tonotopy.signal import erb
from tonotopy.views import RunTables
from tonotopy.views._schema import HEARING, MEASURES, READOUTS, TABLES, VERDICTS, share

SCRIPT = "<script>alert(1)</script>"
HANDLER = '"><img src=x onerror=alert(2)>'
FORMULA = '=HYPERLINK("http://example.invalid","x")'
MARKUP = "[red]x[/red] $\\frac{1$ \x1b[31m \u202e 曲"
SITES = ("first_conv", "block1.conv", HANDLER, "block3.conv", "stack_end", "codes")
ROLES = ("first_conv", "conv", "conv", "conv", "stack_end", "codes")
RATE = 16_000
VIEWS = (64, 192, 576, 1728, 5184, 5184)
HOPS = (16, 48, 144, 288, 320, 320)
LEVELS_DB = np.arange(-24.0, 19.0, 6.0)


def verdict_rows(rng: np.random.Generator, n_frequencies: int, hostile: bool) -> pd.DataFrame:
    """One row for each site and frequency: more is stable in mid-stack, the lowest are unresolvable."""
    rows = []
    for order, site in enumerate(site_names(hostile)):
        for index, frequency_hz in enumerate(erb.grid(n_frequencies, RATE)):
            kappa = np.clip(
                0.45 + 0.13 * min(order, 3) + 0.1 * np.sin(index / 3.0) + rng.normal(0, 0.05), 0, 1
            )
            verdict = verdict_of(order, index, kappa)
            rows.append(verdict_row(rng, site, order, float(frequency_hz), float(kappa), verdict))
    return pd.DataFrame(rows)


def verdict_of(order: int, index: int, kappa: float) -> str:
    """A verdict that goes with a specificity."""
    if order == 5 and index % 7 == 0:
        return "undefined"
    if kappa >= 0.8:
        return "stable"
    if order == 0 and index < 4:
        return "absent"
    return "phase-locked" if kappa > 0.74 else "coincidental" if kappa < 0.42 else "entangled"


def verdict_row(
    rng: np.random.Generator, site: str, order: int, frequency_hz: float, kappa: float, verdict: str
) -> dict[str, Any]:
    """Every column of one row."""
    row: dict[str, Any] = {
        "site": site,
        "order": order,
        "frequency_hz": frequency_hz,
        "resolvable": bool(3 * erb.bandwidth_hz(frequency_hz) >= RATE / VIEWS[order]),
        "verdict": verdict,
        "probability": float("nan") if verdict == "undefined" else float(rng.uniform(0.7, 1.0)),
        "inherited_from_window": verdict == "entangled" and order == 0,
        "line": {"stable": "passes", "phase-locked": "entangled"}.get(verdict, verdict),
        "plane": {"absent": "absent", "undefined": "undefined", "entangled": "entangled"}.get(
            verdict, "passes"
        ),
        "failing": "" if verdict == "stable" else "specificity, largest_lobe",
        "reason": "dead site <b>bold</b>" if verdict == "undefined" else "",
        "against_floor": None if verdict == "undefined" else "learned" if verdict == "stable" else "never",
        "floor_pass_share": 0.25 if order == 2 else 0.0,
        "against_ceiling": "does" if verdict == "stable" else "could, does not" if order > 1 else "cannot",
    }
    row["borderline"] = bool(row["probability"] < 0.8)
    for readout in READOUTS:
        for measure in MEASURES:
            row[f"{readout}_{measure}"] = 0.05 if readout == "shuffled" else float(rng.uniform(0.85, 1.0))
        row[f"{readout}_largest_lobe"] = float(rng.uniform(0.1, 0.5))
    row |= {"line_specificity": kappa, "ev1": 0.5, "ev2": 0.6}
    row |= {"parallelism": 0.8, "parallelism_far": 0.3, "separability": 0.9}
    for readout in READOUTS[:3]:
        level = 9.0 - 5.0 * min(order, 3) + 4.0 * np.sin(frequency_hz / 700.0) + rng.normal()
        row |= {f"{readout}_{HEARING[0]}": 0.6, f"{readout}_{HEARING[1]}": float(level)}
    row["raw_audiogram_db"] = float("inf")
    if order == 0 and frequency_hz < 300:
        row["line_audiogram_db"] = float("inf")
    if verdict == "undefined":
        row |= {key: float("nan") for key in row if "_" in key and key.split("_")[0] in READOUTS}
        row["inherited_from_window"], row["resolvable"] = False, bool(row["resolvable"])
    return row


def site_rows(verdicts: pd.DataFrame, n_pieces: int, hostile: bool) -> pd.DataFrame:
    """One row a site, its shares counted from the verdicts."""
    rows = []
    for order, site in enumerate(site_names(hostile)):
        own = verdicts[verdicts["site"] == site]
        shares = {verdict: float((own["verdict"] == verdict).mean()) for verdict in VERDICTS}
        half = 7.0 - order
        row: dict[str, Any] = {
            "site": site, "order": order, "role": ROLES[order], "view": VIEWS[order], "hop": HOPS[order],
            "units": 64, "bounded": order != 5, "note": SCRIPT if hostile and order == 1 else "",
            "n_pieces": n_pieces,
            "share_stable_resolvable": shares["stable"], "n_resolvable": int(own["resolvable"].sum()),
            "stable_kappa_75": min(shares["stable"] + 0.15, 1.0), "stable_kappa_85": shares["stable"] * 0.6,
            "floor_stable_mean": 0.03, "floor_stable_min": 0.0, "floor_stable_max": 0.08,
            "ceiling_stable": 0.0 if order < 2 else 1.0, "shuffled_stable": 0.0, "inherited_from_window": 0.1,
            "rank": float("nan"),
            "power_detected": 0.5, "power_stable": None if order else 1.4,
        }  # fmt: skip
        for verdict, value in shares.items():
            low, high = (value - 0.08, value + 0.08) if n_pieces >= 8 else (float("nan"), float("nan"))
            for part, end in (("low", low), ("share", value), ("high", high)):
                row[f"{part}_{share(verdict)}"] = float(np.clip(end, 0, 1))
        for name in ("detection", "consistency", "specificity"):
            row |= {f"half_{name}": half, f"half_{name}_low": half - 1, f"half_{name}_high": half + 1.5}
        row["half_consistency"] = float("nan")
        rows.append(row)
    return pd.DataFrame(rows)


def floor_rows(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Two untrained copies."""
    rows = []
    for seed in (11, 12):
        rows += [
            {"seed": seed, "site": row.site, "order": row.order, "frequency_hz": row.frequency_hz,
             "verdict": "entangled", "line": "entangled", "plane": "entangled", "line_detection": 0.92,
             "line_specificity": 0.4, "line_consistency": 0.5,
             "line_audiogram_db": float("inf") if row.frequency_hz < 200 else 4.0 + seed - 11}
            for row in verdicts.itertuples()
        ]  # fmt: skip
    return pd.DataFrame(rows)


def ceiling_rows(verdicts: pd.DataFrame) -> pd.DataFrame:
    """The architecture fitted: everything is stable from the third site on; R^2 falls with frequency."""
    rows = []
    for row in verdicts.itertuples():
        verdict = "stable" if row.order > 1 else "entangled"
        end = ROLES[row.order] == "stack_end"
        rows.append(
            {"site": row.site, "order": row.order, "frequency_hz": row.frequency_hz, "verdict": verdict,
             "line": "passes" if verdict == "stable" else verdict, "plane": "entangled",
             "line_detection": 0.99, "line_specificity": 0.9, "line_consistency": 0.9,
             "line_audiogram_db": -6.0, "level_r2": 1 - row.frequency_hz / 20_000 if end else float("nan"),
             "phase_r2": 0.3 if end else float("nan")}
        )  # fmt: skip
    return pd.DataFrame(rows)


def sparsity_rows(hostile: bool) -> pd.DataFrame:
    """Everything falls with occupancy, sooner at the first site."""
    rows = []
    for order, site in enumerate(site_names(hostile)):
        for low, high in ((1.0, 1.5), (1.5, 3.0), (3.0, 6.0), (6.0, 10.0), (10.0, 18.0)):
            middle = (low * high) ** 0.5
            fall = 1.0 / (1.0 + np.exp((np.log(middle) - np.log(3.0 + order)) * 3.0))
            row: dict[str, Any] = {"site": site, "occupancy": middle, "low": low, "high": high, "trials": 80}
            for name, floor in (("detection", 0.5), ("consistency", 0.05), ("specificity", 0.15)):
                value = floor + (0.98 - floor) * fall
                row |= {
                    name: value,
                    f"{name}_low": max(value - 0.06, 0),
                    f"{name}_high": min(value + 0.04, 1),
                }
            row["shuffled_detection"] = 0.5
            rows.append(row)
    return pd.DataFrame(rows)


def view_rows(hostile: bool) -> pd.DataFrame:
    """Relations among frames of the first site reach what one frame does not."""
    rows = []
    for site, view, hop in zip(site_names(hostile)[:2], VIEWS, HOPS, strict=False):
        for window in (1, 2, 4, 8, 16, 32, 64):
            samples = view + (window - 1) * hop
            for readout, gain in (("line", 0.12), ("plane", 0.16), ("raw_plane", 0.14)):
                value = float(np.clip(gain * np.log2(window + 1), 0, 1))
                rows.append(
                    {"site": site, "window_frames": window, "view_samples": samples, "view_s": samples / RATE,
                     "thinned": window > 16, "readout": readout, "share_passes": value,
                     "share_low": max(value - 0.1, 0), "share_high": min(value + 0.1, 1)},
                )  # fmt: skip
    return pd.DataFrame(rows)


def anatomy(hostile: bool) -> dict[str, Any]:
    """What the anatomy of such an encoder looks like, first layer included."""
    rng = np.random.default_rng(3)
    envelope = np.hanning(64)
    turns = 2j * np.pi * np.outer(erb.grid(24, RATE), np.arange(64)) / RATE
    filters = (np.exp(turns).real + 0.1 * rng.normal(size=(24, 64))) * envelope
    layers = [
        {"name": site, "role": ROLES[order], "units": 64, "offset": 0,
         "view": VIEWS[order], "hop": HOPS[order],
         "view_ms": 1000 * VIEWS[order] / RATE, "hop_ms": 1000 * HOPS[order] / RATE, "bounded": order != 5,
         "effective_view": None, "note": "", "mismatch": SCRIPT if hostile and order == 1 else "",
         "measured": {"hop": HOPS[order], "view_gradient": VIEWS[order], "view_impulse": VIEWS[order] - 4},
         "frame_rate_hz": RATE / HOPS[order], "numbers_per_s": 64 * RATE / HOPS[order],
         "numbers_per_sample": 64 / HOPS[order], "bits_per_s": None,
         "resolution_limit_hz": RATE / VIEWS[order], "carrier_limit_hz": RATE / HOPS[order] / 2,
         "sentences": [f"{VIEWS[order]} samples at 16 kHz: two partials closer than so much look the same"]}
        for order, site in enumerate(site_names(hostile))
    ]  # fmt: skip
    first = plain(analyse(filters, 16, RATE, seed=0, draws=49))
    return {"sample_rate_hz": RATE, "layers": layers, "first_layer": first, "undefined": {}}


def site_names(hostile: bool) -> tuple[str, ...]:
    """Names of the sites, one of them an attack where asked for."""
    return SITES if hostile else tuple("block2.conv" if site == HANDLER else site for site in SITES)


def write_run(
    folder: Path, *, hostile: bool = False, minimal: bool = False, n_pieces: int = 12, n_frequencies: int = 48
) -> Path:
    """Write a whole run folder; a minimal one has empty tables and no anatomy, floor or music of note."""
    verdicts = verdict_rows(np.random.default_rng(7), n_frequencies, hostile)
    if n_pieces < 8:
        verdicts["probability"], verdicts["borderline"] = float("nan"), False
    sites = site_rows(verdicts, n_pieces, hostile)
    if minimal:
        sites[["floor_stable_mean", "floor_stable_min", "floor_stable_max"]] = float("nan")
        verdicts["against_floor"], verdicts["floor_pass_share"] = None, float("nan")
        sites["ceiling_stable"], verdicts["against_ceiling"] = float("nan"), None
    name = "synthetic" + (SCRIPT + MARKUP if hostile else "")
    tables = {
        "verdicts": verdicts,
        "sites": sites,
        "floor": floor_rows(verdicts),
        "ceiling": ceiling_rows(verdicts),
        "ladder": ladder_rows(verdicts),
        "sparsity": sparsity_rows(hostile),
        "view_curve": view_rows(hostile),
        "pieces": piece_rows(n_pieces, hostile),
        "ledger": pd.DataFrame({"name": [HANDLER * hostile or "broken.mp3"], "reason": ["no audio in it"]}),
    }
    (folder / "tables").mkdir(parents=True)
    for table, frame in tables.items():
        kept = frame.iloc[:0] if minimal and table not in ("verdicts", "sites", "pieces") else frame
        kept[list(TABLES[table])].to_parquet(folder / "tables" / f"{table}.parquet", index=False)
    head = {"encoder": name, "weights": "trained", "music": "folder:music12", "preset": "standard", "seed": 0}
    plan = head | {"schema": 1, "n_pieces": n_pieces, "n_frequencies": n_frequencies}
    (folder / "plan.toml").write_text(tomli_w.dumps(plan), encoding="utf-8")
    words = {
        "question": f"Do partials stabilise in {name}?",
        "sentence": "Yes, in part. " + HANDLER * hostile,
    }
    _json(folder / "verdict.json", head | {"n_pieces": n_pieces, "sites": []} | words)
    _json(folder / "manifest.json", manifest(hostile))
    if not minimal:
        _json(folder / "anatomy.json", anatomy(hostile))
    return folder


def write_features(folder: Path, *, hostile: bool = False, few: bool = False) -> Path:
    """Add to a run the tables of a study that asked which features there are; few pieces have no intervals."""
    sites = SITES if hostile else site_names(hostile=False)
    tables = feature_tables(sites, hostile=(SCRIPT, HANDLER, FORMULA, MARKUP) if hostile else (), few=few)
    for name, table in tables.items():
        table.to_parquet(folder / "tables" / f"{name}.parquet", index=False)
    return folder


def ladder_rows(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Detection that grows with level."""
    return pd.DataFrame(
        [
            {"site": row.site, "readout": readout, "frequency_hz": row.frequency_hz, "level_db": level,
             "detection": float(1 / (1 + np.exp(-level / 6)))}
            for row in verdicts.itertuples() for readout in ("line", "plane", "raw") for level in LEVELS_DB
        ],
    )  # fmt: skip


def piece_rows(n_pieces: int, hostile: bool) -> pd.DataFrame:
    """Pieces with licences; some titles are attacks."""
    titles = [f"Piece {number}" for number in range(n_pieces)]
    if hostile:
        titles[:3] = [SCRIPT, HANDLER, FORMULA]
    return pd.DataFrame(
        {"number": range(n_pieces), "name": [f"{n:02d}.ogg" for n in range(n_pieces)], "title": titles,
         "artist": [MARKUP if hostile else "A. Nonymous"] * n_pieces, "licence": ["CC BY 4.0"] * n_pieces,
         "group": [None] * n_pieces},
    )  # fmt: skip


def manifest(hostile: bool) -> dict[str, Any]:
    """Versions, weights, machine and times."""
    return {
        "versions": {"tonotopy": "0.1.0", "torch": "2.13.0", "numpy": "2.4.6"},
        "weights_id": "sha256:" + "ab" * 32, "weights_label": "trained", "sample_rate_hz": RATE,
        "encoder": {"citation": "javascript:alert(1)" if hostile else "Nobody et al. 2020", "licence": "MIT"},
        "machine": {"os": "Linux", "arch": "x86_64", "cores": 2}, "started": "2026-01-01T00:00:00+00:00",
        "finished": "2026-01-01T00:06:10+00:00",
        "seconds": 370.0, "passes": 17_000, "complete": True, "skipped": 1,
    }  # fmt: skip


def _json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


@pytest.fixture
def undefined_run(make_run: Callable[..., Path]) -> Path:
    """A run of which the site ``codes`` has no defined verdict, in the study or in its floor."""
    folder = make_run(n_frequencies=8) / "tables"
    for name in ("verdicts", "floor", "ceiling"):
        table = pd.read_parquet(folder / f"{name}.parquet")
        own = table["site"] == "codes"
        table.loc[own, ["verdict", "line", "plane"]] = "undefined"
        if name == "verdicts":
            table.loc[own, "reason"], table.loc[own, "probability"] = "dead site", float("nan")
        table.to_parquet(folder / f"{name}.parquet", index=False)
    sites = pd.read_parquet(folder / "sites.parquet")
    own = sites["site"] == "codes"
    for verdict in VERDICTS:
        sites.loc[own, f"share_{share(verdict)}"] = float(verdict == "undefined")
    sites.loc[own, ["stable_kappa_75", "stable_kappa_85", "share_stable_resolvable"]] = 0.0
    sites.to_parquet(folder / "sites.parquet", index=False)
    return folder.parent


@pytest.fixture(scope="session")
def attacks() -> tuple[str, ...]:
    """What hostile files say; none of it may come out as code."""
    return (SCRIPT, HANDLER, FORMULA, MARKUP)


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Write run folders under a temporary path."""
    made = iter(range(100))
    return lambda **options: write_run(tmp_path / f"run{next(made)}", **options)


@pytest.fixture(scope="session")
def run_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three run folders to read from: plain, hostile, and minimal with too few pieces for intervals."""
    root = tmp_path_factory.mktemp("runs")
    return {
        "plain": write_run(root / "plain"),
        "hostile": write_run(root / "hostile", hostile=True),
        "minimal": write_run(root / "minimal", minimal=True, n_pieces=4, n_frequencies=6),
    }


@pytest.fixture(scope="session")
def feature_runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three run folders whose study asked which features there are: plain, hostile, and with too few pieces."""
    root = tmp_path_factory.mktemp("features")
    small = write_run(root / "few", minimal=True, n_pieces=4, n_frequencies=6)
    return {
        "plain": write_features(write_run(root / "plain", n_frequencies=8)),
        "hostile": write_features(write_run(root / "hostile", hostile=True, n_frequencies=8), hostile=True),
        "few": write_features(small, few=True),
    }


@pytest.fixture(scope="session")
def featured(feature_runs: dict[str, Path]) -> dict[str, RunTables]:
    """The three runs with features, read once."""
    return {kind: RunTables.read(folder) for kind, folder in feature_runs.items()}
