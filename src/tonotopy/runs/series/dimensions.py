"""Effective dimension and overlap of a series' members, from the frames that their runs hold.

One unit a member and site, in the series' own store: it is named by the addresses of the recordings that it
reads, by its parameters and by the code, as every unit is. The frames are those of music to which nothing was
added (the *absent* sounds; each is notched at its trial's target and foil).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tonotopy.core.errors import RunError
from tonotopy.measures import dimension as measure
from tonotopy.runs.engine import Unit, one_thread
from tonotopy.runs.run import Run
from tonotopy.runs.store import Store
from tonotopy.sound.trials import CORE
from tonotopy.statistics.bootstrap import interval, piece_weights

#: Resamples of pieces: each costs an eigendecomposition of the covariance of a site's units.
RESAMPLES = 100
#: Family -> frames [trial, sound, frame, unit] and pieces [trial].
Recorded = dict[str, tuple[NDArray[np.float32], NDArray[np.int64]]]
#: Columns beside the member's and the site's.
INTERVALS = ("effective_dimension", "held_dimension", "overlap")


def dimension_rows(
    store: Store, runs: Sequence[Run], sites: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Dimensions of every run and site, and their overlap with the last run's subspace.

    Parameters
    ----------
    store : of the series
    runs : members in order; the last is the final snapshot
    sites : names that all of them have

    Returns
    -------
    sites : one row a run and site; ``run`` is the place in ``runs``
    pieces : one row a run, site and piece
    """
    rows, pieces = [], []
    for site in sites:
        final = Final(runs[-1], site)
        for place, run in enumerate(runs):
            address = _measured(store, run, final)
            head: dict[str, Any] = {"run": place, "site": site}
            rows.append(store.table(address, "site").assign(**head))
            pieces.append(store.table(address, "pieces").assign(**head))
    return pd.concat(rows, ignore_index=True), pd.concat(pieces, ignore_index=True)


class Final:
    """The last snapshot's subspaces at one site, computed when they are first asked for."""

    def __init__(self, run: Run, site: str) -> None:
        self.run, self.site = run, site

    @cached_property
    def dimension(self) -> measure.Dimension | None:
        """None where the site is dead."""
        return _dimension(self.run, self.site)[1]


def frames_of(run: Run, site: str) -> Recorded:
    """What a run recorded at a site: family -> frames ``[trial, sound, frame, unit]`` and pieces ``[trial]``.

    Raises
    ------
    RunError
        The recordings were removed.
    """
    store, number = Store(run.path / "units"), run.plan.sites.index(site)
    parts: dict[str, list[tuple[NDArray[np.float32], NDArray[np.int64]]]] = {}
    for address in run.manifest["addresses"]["records"]:
        if not store.has(address):
            cause = "they were removed to save space; study the same series again"
            raise RunError("the recorded activations", f"a run without them: {run.path.name!r}", cause)
        with store.arrays(address) as arrays:
            found = arrays[f"core_{number}"].values, arrays["piece"].values
            parts.setdefault(str(arrays.attrs["family"]), []).append(found)
    return {
        family: (np.concatenate([core for core, _ in found]), np.concatenate([piece for _, piece in found]))
        for family, found in parts.items()
    }


def _measured(store: Store, run: Run, final: Final) -> str:
    """Address of the unit of a run and site, computed where it is not there."""
    unit = Unit.of(
        "dimension",
        records=run.manifest["addresses"]["records"],
        final=final.run.manifest["addresses"]["records"],
        numbers=[run.plan.sites.index(final.site), final.run.plan.sites.index(final.site)],
        n_resamples=RESAMPLES,
        seed=run.plan.seed,
    )
    if not store.has(unit.address):
        with one_thread():
            tables = _tables(run, final)
        store.write(unit.address, {"stage": "dimension"}, tables=tables)
    return unit.address


def _tables(run: Run, final: Final) -> dict[str, pd.DataFrame]:
    recorded, found = _dimension(run, final.site)
    row: dict[str, Any] = {"units": recorded["music"][0].shape[-1], "n_frames": 0, "n_pieces": 0}
    if found is None:
        return {"site": pd.DataFrame([row | _undefined()]), "pieces": pd.DataFrame(columns=["piece"])}
    n_pieces = len(found.within)
    row |= {"n_frames": found.n_frames, "n_pieces": n_pieces, "white_dimension": found.white}
    row |= _with_interval("effective_dimension", found.effective, n_pieces)
    row |= _with_interval("held_dimension", found.held, n_pieces)
    row |= {
        "halves": found.halves,
        "shared": float(np.mean(found.shared)),
        "within": float(np.mean(found.within)),
    }
    row |= _reach(recorded, found) | _overlap(found, final.dimension)
    pieces = {"piece": range(n_pieces), "effective_dimension": found.within, "shared": found.shared}
    return {"site": pd.DataFrame([row]), "pieces": pd.DataFrame(pieces)}


def _dimension(run: Run, site: str) -> tuple[Recorded, measure.Dimension | None]:
    """What was recorded at a site, and its dimension in music."""
    recorded = frames_of(run, site)
    frames = _music(recorded)
    if frames is None:
        return recorded, None
    return recorded, measure.dimension(frames, piece_weights(frames.n_pieces, RESAMPLES, seed=run.plan.seed))


def _music(recorded: Recorded) -> measure.Frames | None:
    core, piece = recorded["music"]
    absent = core[:, CORE.index("absent")]
    return measure.Frames.of(absent.reshape(-1, absent.shape[-1]), np.repeat(piece, absent.shape[1]))


def _reach(recorded: Recorded, found: measure.Dimension) -> dict[str, float]:
    """Dimension held by music over that held by noise and by all sounds of the study, as many frames of each."""
    sets = {"all": [core.reshape(-1, core.shape[-1]) for core, _ in recorded.values()]}
    if "noise" in recorded:
        noise = recorded["noise"][0][:, CORE.index("absent")]
        sets["noise"] = [noise.reshape(-1, noise.shape[-1])]
    reach = {"share_of_noise": float("nan"), "share_of_all": float("nan")}
    for name, parts in sets.items():
        frames = np.concatenate(parts)
        # Few frames span few dimensions: only as many of each can be compared.
        frames = frames[np.linspace(0, len(frames) - 1, min(found.n_frames, len(frames))).astype(np.int64)]
        other = measure.Frames.of(frames, np.zeros(len(frames), dtype=np.int64))
        if other is not None:
            held = measure.leading(other.covariance(np.ones(1))).shape[1]
            reach[f"share_of_{name}"] = float(found.held[0]) / held if held else float("nan")
    return reach


def _overlap(own: measure.Dimension, final: measure.Dimension | None) -> dict[str, float]:
    """Overlap with the final subspace and its null; undefined where units or pieces are not the same."""
    n_pieces = len(own.within)
    if final is None or final.units != own.units or len(final.within) != n_pieces:
        return dict.fromkeys(("overlap", "overlap_low", "overlap_high", "random_overlap"), float("nan"))
    row = _with_interval("overlap", measure.overlaps(own.subspaces, final.subspaces), n_pieces)
    return row | {"random_overlap": measure.random_overlap(own.held[0], final.held[0], own.units)}


def _with_interval(name: str, values: NDArray[np.float64], n_pieces: int) -> dict[str, float]:
    low, high = interval(values[1:], n_pieces=n_pieces) or (float("nan"), float("nan"))
    return {name: float(values[0]), f"{name}_low": low, f"{name}_high": high}


def _undefined() -> dict[str, float]:
    names = [name + end for name in INTERVALS for end in ("", "_low", "_high")]
    names += [
        "white_dimension",
        "halves",
        "shared",
        "within",
        "share_of_noise",
        "share_of_all",
        "random_overlap",
    ]
    return dict.fromkeys(names, float("nan"))


def series_store(folder: Path) -> Store:
    """The store of a series."""
    return Store(folder / "units", mends=True)
