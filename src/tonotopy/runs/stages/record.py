"""Stage *record*: a shard of one family's trials through one set of weights, all sites in one pass.

The raw input window, the null of every plane, is recorded by the same stage with no encoder: its weights are
``raw`` and its only site is the longest window, which contains the shorter ones.
"""

from __future__ import annotations

from dataclasses import fields
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from tonotopy.recording.recording import Recording, TrialTable, record_family
from tonotopy.sound.trials import Design, trials

if TYPE_CHECKING:
    from tonotopy.runs.bench import Bench
    from tonotopy.runs.engine import Unit
    from tonotopy.runs.store import Store

#: Name of the pseudo-site that holds raw samples.
RAW = "raw"


def run(bench: Bench, unit: Unit) -> None:
    """Render, encode, keep the frames."""
    from tonotopy.runs.stages.music import level_function

    p, music = unit.values, unit.needs[0]
    fields_of_design: dict[str, Any] = dict(p["design"])
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in fields_of_design.items()}
    design = Design(**values)
    shard = list(islice(trials(design, p["family"]), p["start"], p["stop"]))
    encoder = bench.primary if p["weights"] == RAW else bench.encoder(p["floor_seed"], music)
    sites = [] if p["weights"] == RAW else [encoder.site(name) for name in p["sites"]]
    lags = {name: np.array(values, dtype=np.int64) for name, values in p["lags"]}
    raw = (p["raw_samples"],) if p["weights"] == RAW else ()
    recordings, windows = record_family(
        encoder,
        sites,
        design,
        shard,
        bench.pool(music),
        level_function(bench.store, music),
        raw_windows=raw,
        lags=lags,
    )
    order = [f"raw:{n}" for n in raw] or list(p["sites"])
    arrays = dataset(recordings, windows, order)
    passes = int(sum(len(trial.sounds) for trial in shard)) if sites else 0
    bench.store.write(
        unit.address, {"stage": "record", "sites": order}, arrays=arrays, values={"passes": passes}
    )


def dataset(recordings: dict[str, Recording], windows: dict[str, Any], order: list[str]) -> xr.Dataset:
    """One data set: ``core_K``, ``extra_K``, ``window_K`` for site number K, and the columns of the trials."""
    data: dict[str, Any] = {}
    for k, name in enumerate(order):
        recording = recordings[name]
        data[f"core_{k}"] = (("trial", "sound", "frame", f"unit_{k}"), recording.core)
        if recording.extra is not None:
            data[f"extra_{k}"] = (("trial", "extra_sound", "frame", f"unit_{k}"), recording.extra)
        if name in windows:
            data[f"window_{k}"] = (("trial", "sound", f"lag_{k}", f"unit_{k}"), windows[name])
    table = recordings[order[0]].trials
    for column in fields(TrialTable):
        if column.name != "family":
            data[column.name] = ("trial", getattr(table, column.name))
    return xr.Dataset(data, attrs={"family": str(table.family[0])})


def load(store: Store, unit: Unit, number: int, *, last_samples: int | None = None) -> Recording:
    """One site of a shard, by its number; of raw samples the last ``last_samples``."""
    with store.arrays(unit.address) as arrays:
        pick = slice(None) if last_samples is None else slice(-last_samples, None)
        extra = f"extra_{number}"
        return Recording(
            _table(arrays),
            np.ascontiguousarray(arrays[f"core_{number}"].values[..., pick]),
            np.ascontiguousarray(arrays[extra].values[..., pick]) if extra in arrays else None,
        )


def load_window(store: Store, unit: Unit, number: int) -> tuple[TrialTable, np.ndarray]:
    """The recorded lags of one site of a shard: trials and ``[trial, sound, lag, unit]``."""
    with store.arrays(unit.address) as arrays:
        return _table(arrays), arrays[f"window_{number}"].values


def _table(arrays: xr.Dataset) -> TrialTable:
    columns = {f.name: arrays[f.name].values for f in fields(TrialTable) if f.name != "family"}
    family = np.full(len(columns["context"]), arrays.attrs["family"])
    return TrialTable(family=family, **columns)


def load_families(
    store: Store, units: list[Unit], number: int, *, last_samples: int | None = None
) -> dict[str, Recording]:
    """All shards of one site: family -> Recording."""
    parts: dict[str, list[Recording]] = {}
    for unit in units:
        parts.setdefault(unit.values["family"], []).append(
            load(store, unit, number, last_samples=last_samples)
        )
    return {family: Recording.concatenate(recordings) for family, recordings in parts.items()}
