"""From the finished runs of a series to its tables.

- ``shares``: one row a member and site, from the members' tables of sites, and the site's own coverage;
- ``anywhere``: one row a member: the share of frequencies that are stable at some site, that are detected at
  some site but stable at none, and *coverage*, the two together (SPEC § 11, claim 14). A frequency counts as
  detected where its verdict is stable, phase-locked or entangled; coincidental does not count, as its line
  breaks in music. Intervals are a bootstrap over pieces, with the same resamples at every site;
- ``claims``: what the series says of the claim on scale (SPEC § 11, claim 14);
- ``dimension``, ``pieces``: see :mod:`tonotopy.runs.series.dimensions`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tonotopy.judgement import claims
from tonotopy.judgement.verdict import VERDICTS
from tonotopy.runs.run import Run
from tonotopy.runs.series.dimensions import dimension_rows, series_store
from tonotopy.runs.series.folder import Member
from tonotopy.runs.site_summary import SHARE_KEYS
from tonotopy.runs.store import Store
from tonotopy.statistics.bootstrap import interval

#: Verdicts under which a partial is detected in music.
DETECTED = ("stable", "phase-locked", "entangled")
#: Columns of the members' tables of sites that a series keeps.
COPIED = (
    "site",
    "order",
    "role",
    "units",
    "n_pieces",
    *(f"{part}_{key}" for part in ("share", "low", "high") for key in SHARE_KEYS),
    "floor_stable_mean",
    "floor_stable_min",
    "floor_stable_max",
    "shuffled_stable",
)


def tables(
    folder: Path, runs: Sequence[Run], members: Sequence[Member], kind: str
) -> dict[str, pd.DataFrame]:
    """All tables of a series; ``runs`` are its members' in the same order."""
    shares = [
        run.sites()[list(COPIED)].join(coverage_rows(run)).assign(**_place(m))
        for run, m in zip(runs, members, strict=True)
    ]
    anywhere = [anywhere_row(run) | _place(m) for run, m in zip(runs, members, strict=True)]
    found = {
        "shares": _first(pd.concat(shares, ignore_index=True)),
        "anywhere": _first(pd.DataFrame(anywhere)),
        "dimension": pd.DataFrame({"member": []}),
        "pieces": pd.DataFrame({"member": []}),
    }
    if kind == "emergence":
        common = [s for s in runs[-1].plan.sites if all(s in run.plan.sites for run in runs)]
        places = pd.DataFrame([_place(m) for m in members])
        for name, table in zip(
            ("dimension", "pieces"), dimension_rows(series_store(folder), runs, common), strict=True
        ):
            placed = table.join(places, on="run").drop(columns="run")
            found[name] = _first(placed)
    found["claims"] = claims.answers(found, model=runs[-1].plan.encoder, names=["scale"])
    return found


def anywhere_row(run: Run) -> dict[str, Any]:
    """What a model carries at any of its sites, with intervals over pieces."""
    stack = _verdicts(run)
    stable, covered = _any(stack, ("stable",)), _any(stack, DETECTED)
    defined, n_pieces = _defined(stack), int(run.verdict["n_pieces"])
    row: dict[str, Any] = {"n_sites": len(stack), "n_frequencies": int(defined.sum()), "n_pieces": n_pieces}
    for name, mask in (("stable", stable), ("entangled", covered & ~stable), ("coverage", covered)):
        row |= _share(name, mask[:, defined], n_pieces)
    return row


def coverage_rows(run: Run) -> pd.DataFrame:
    """Coverage of each site by itself: one row a site, in the plan's order; of all frequencies, as shares are."""
    stack, n_pieces = _verdicts(run), int(run.verdict["n_pieces"])
    return pd.DataFrame([_share("coverage", _any(one[None], DETECTED), n_pieces) for one in stack])


def parameters_of(run: Run) -> int | None:
    """Parameters of the encoder up to its last site, from its anatomy; None where no layer tells."""
    try:
        layers = json.loads((run.path / "anatomy.json").read_text(encoding="utf-8"))["layers"]
        told = [layer["parameters"] for layer in layers if layer["parameters"] is not None]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return int(sum(told)) if told else None


def _verdicts(run: Run) -> NDArray[np.integer]:
    """Verdicts of all sites under the same resamples, ``[site, resample, frequency]``."""
    store, addresses = Store(run.path / "units"), run.manifest["addresses"]["measures"]
    found = []
    for site in run.plan.sites:
        with store.arrays(addresses[site]) as arrays:
            found.append(arrays["verdict"].values)
    return np.stack(found)


def _defined(stack: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Frequencies with a defined verdict at one site at least; undefined stays so under resampling."""
    return np.asarray((stack[:, 0] != VERDICTS.index("undefined")).any(axis=0))


def _share(name: str, mask: NDArray[np.bool_], n_pieces: int) -> dict[str, float]:
    """Share of frequencies ``[resample, frequency]`` with its interval; NaN where there is no frequency."""
    share = mask.mean(axis=1) if mask.shape[1] else np.full(len(mask), np.nan)
    low, high = interval(share[1:], n_pieces=n_pieces) or (np.nan, np.nan)
    return {name: float(share[0]), f"{name}_low": low, f"{name}_high": high}


def _any(stack: NDArray[np.integer], names: Sequence[str]) -> NDArray[np.bool_]:
    """Whether any site has one of these verdicts, ``[resample, frequency]``."""
    return np.asarray(np.isin(stack, [VERDICTS.index(name) for name in names]).any(axis=0))


def _place(member: Member) -> dict[str, Any]:
    """Where a member stands, as columns: undefined coordinates are NaN."""
    return {
        "member": member.folder,
        "step": np.nan if member.step is None else float(member.step),
        "parameters": np.nan if member.parameters is None else float(member.parameters),
        "hours": np.nan if member.hours is None else float(member.hours),
    }


def _first(table: pd.DataFrame) -> pd.DataFrame:
    """The same columns, the member's place first."""
    place = ["member", "step", "parameters", "hours"]
    return table[[*place, *(name for name in table.columns if name not in place)]]
