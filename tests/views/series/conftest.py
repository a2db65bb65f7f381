"""Series made up for drawing: plausible numbers, undefined ones, hostile words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tonotopy.views._schema import VERDICTS, share
from tonotopy.views.series import COLUMNS

HANDLER = '"><img src=x onerror=alert(2)>'
SITES = ("first_conv", "block2.conv", "stack_end", "codes")
STEPS = (0, 10, 33, 110, 370, 1200, 4000)
SIZES, HOURS = (20_000, 80_000, 300_000), (0.25, 1.0, 4.0)


def ends(name: str, value: float, half: float = 0.08, top: float = 1.0) -> dict[str, float]:
    """A number with both ends of its interval."""
    return {name: value, f"{name}_low": max(value - half, 0.0), f"{name}_high": min(value + half, top)}


def share_row(place: dict[str, Any], order: int, site: str, grown: float, first: bool) -> dict[str, Any]:
    """More becomes stable as training goes on, most of it in mid-stack."""
    stable = grown * (0.1, 0.35, 0.6, 0.4)[order]
    values = {"stable": stable, "entangled": 0.3 - 0.1 * grown, "undefined": 0.05 * (order == 3)}
    values |= {"phase-locked": 0.03, "coincidental": 0.04}
    values["absent"] = 1.0 - sum(values.values())
    row = place | {"site": site, "order": order, "role": "conv", "units": 64.0, "shuffled_stable": 0.0}
    for verdict in VERDICTS:
        low, high = max(values[verdict] - 0.07, 0.0), min(values[verdict] + 0.07, 1.0)
        name = share(verdict)
        row |= {f"share_{name}": values[verdict], f"low_{name}": low, f"high_{name}": high}
    floor = 0.02 if first else float("nan")
    row |= {f"floor_stable_{part}": floor for part in ("mean", "min", "max")}
    return row | ends("coverage", values["stable"] + values["entangled"] + 0.03)


def dimension_row(place: dict[str, Any], order: int, site: str, grown: float) -> dict[str, Any]:
    """Dimensions grow, and the subspace turns towards the final one."""
    row = place | {"site": site, "units": 64.0, "n_frames": 2304.0, "n_pieces": 12.0}
    row |= ends("effective_dimension", 2.0 + (order + 2) * 4.0 * grown, 1.0, 64.0)
    row |= ends("held_dimension", 6.0 + 20.0 * grown, 2.0, 64.0) | ends("overlap", 0.35 + 0.65 * grown)
    row |= {"white_dimension": 62.3, "halves": 0.9, "shared": 0.9, "within": 2.0 + 3.0 * grown}
    return row | {"share_of_noise": 0.7, "share_of_all": 0.5, "random_overlap": 0.3}


def anywhere_row(place: dict[str, Any], grown: float) -> dict[str, Any]:
    """All sites together."""
    row = place | {"n_sites": 4.0, "n_frequencies": 48.0}
    return row | ends("stable", 0.6 * grown) | ends("entangled", 0.3) | ends("coverage", 0.3 + 0.6 * grown)


def write_series(
    folder: Path, *, kind: str = "emergence", hostile: bool = False, member_run: Path | None = None
) -> Path:
    """Write a whole series folder; its members are copies of a run where one is given."""
    if kind == "emergence":
        places = [("step", step, 80_000, None, np.log1p(step) / np.log1p(STEPS[-1])) for step in STEPS]
    else:
        places = [
            ("grid", None, size, hours, (i + j) / 4)
            for j, hours in enumerate(HOURS)
            for i, size in enumerate(SIZES)
        ]
    members, tables = [], {name: [] for name in COLUMNS}
    sites = tuple(HANDLER if hostile and site == "block2.conv" else site for site in SITES)
    for number, (_, step, size, hours, grown) in enumerate(places):
        name = f"member-{number}"
        members.append(
            {"folder": name, "weights": HANDLER if hostile else f"{name}.pth", "weights_id": "sha256:ab", "step": step,
             "parameters": size, "hours": hours}
        )  # fmt: skip
        place = {"member": name, "step": step, "parameters": size, "hours": hours}
        place = {k: float("nan") if v is None else v if k == "member" else float(v) for k, v in place.items()}
        for order, site in enumerate(sites):
            tables["shares"].append(share_row(place, order, site, grown, number == 0))
            tables["dimension"].append(dimension_row(place, order, site, grown))
        tables["anywhere"].append(anywhere_row(place, grown))
        if member_run is not None:
            shutil.copytree(member_run, folder / name)
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        empty = name == "dimension" and kind == "scaling"
        table = pd.DataFrame({"member": []}) if empty else pd.DataFrame(rows)[list(COLUMNS[name])]
        table.to_parquet(folder / "tables" / f"{name}.parquet", index=False)
    told = {
        "schema": 1, "kind": kind, "coordinate": "step" if kind == "emergence" else "parameters",
        "encoder": "synthetic" + HANDLER * hostile, "music": "folder:music12", "preset": "standard", "seed": 0,
        "n_pieces": 12, "floor_member": "member-0", "members": members, "complete": True,
    }  # fmt: skip
    (folder / "series.json").write_text(json.dumps(told), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def series_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three series to read from: plain, hostile, and a grid of models."""
    root = tmp_path_factory.mktemp("series")
    return {
        "plain": write_series(root / "plain"),
        "hostile": write_series(root / "hostile", hostile=True),
        "scaling": write_series(root / "scaling", kind="scaling"),
    }
