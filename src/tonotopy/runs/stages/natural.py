"""Stage *natural*: some pieces of natural sound, or noise, through one set of weights, all sites in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from tonotopy.measures.natural.instantiation import noise_like
from tonotopy.recording.natural import NaturalFrames, natural_frames
from tonotopy.sound.music import MusicPool

if TYPE_CHECKING:
    from tonotopy.runs.bench import Bench
    from tonotopy.runs.engine import Unit

#: Shards draw their moments with seeds so far apart for each piece before them: two of them draw different ones.
SEEDS_APART = 1000


def run(bench: Bench, unit: Unit) -> None:
    """Encode some pieces, keep the frames."""
    p, music = unit.values, unit.needs[0]
    pool, numbers = bench.pool(music), np.array(p["pieces"], np.int64)
    shard = MusicPool(pool.sample_rate_hz, tuple(pool.pieces[number] for number in numbers))
    if p["noise"]:
        shard = noise_like(shard, seed=p["seed"])
    encoder = bench.encoder(p["floor_seed"], music)
    seed = p["seed"] + SEEDS_APART * int(numbers[0])
    found = natural_frames(encoder, p["sites"], shard, per_piece=p["frames_a_piece"], seed=seed)
    data: dict[str, Any] = {}
    for k, name in enumerate(p["sites"]):
        of = found[name]
        data[f"frames_{k}"] = ((f"frame_{k}", f"unit_{k}"), of.frames)
        data[f"start_{k}"] = (f"frame_{k}", of.start)
        data[f"piece_{k}"] = (f"frame_{k}", numbers[of.piece])
    bench.store.write(unit.address, {"stage": "natural", "sites": p["sites"]}, arrays=xr.Dataset(data))


def load(bench: Bench, units: list[Unit], number: int) -> NaturalFrames:
    """One site of all shards, by its number."""
    music = units[0].needs[0]
    pool, name = bench.pool(music), units[0].values["sites"][number]
    parts = []
    for unit in units:
        with bench.store.arrays(unit.address) as arrays:
            parts.append([arrays[f"{key}_{number}"].values for key in ("frames", "piece", "start")])
    frames, piece, start = (np.concatenate(column) for column in zip(*parts, strict=True))
    site = bench.primary.site(name)
    audio = tuple(piece.audio for piece in pool.pieces)
    return NaturalFrames(site, pool.sample_rate_hz, frames, piece, start, audio)
