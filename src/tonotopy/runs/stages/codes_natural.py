"""Stage *codes_natural*: some pieces of natural sound through one set of weights, recorded as codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from tonotopy.encoders._contract import Encoder
from tonotopy.recording.codes import SITE, CodesAsFrames
from tonotopy.recording.natural import NaturalFrames, natural_frames
from tonotopy.runs.stages.natural import SEEDS_APART
from tonotopy.sound.music import MusicPool

if TYPE_CHECKING:
    from tonotopy.runs.bench import Bench
    from tonotopy.runs.engine import Unit


def run(bench: Bench, unit: Unit) -> None:
    """Encode some pieces, keep the codes."""
    p, music = unit.values, unit.needs[0]
    pool, numbers = bench.pool(music), np.array(p["pieces"], np.int64)
    shard = MusicPool(pool.sample_rate_hz, tuple(pool.pieces[number] for number in numbers))
    codes = CodesAsFrames(bench.encoder(p["floor_seed"], music))
    seed = p["seed"] + SEEDS_APART * int(numbers[0])
    of = natural_frames(codes, [SITE], shard, per_piece=p["frames_a_piece"], seed=seed)[SITE]
    data: dict[str, Any] = {
        "codes": (("frame", "stage"), of.frames.astype(np.int64)),
        "start": ("frame", of.start),
        "piece": ("frame", numbers[of.piece]),
    }
    bench.store.write(unit.address, {"stage": "codes_natural"}, arrays=xr.Dataset(data))


def load(bench: Bench, units: list[Unit], encoder: Encoder) -> NaturalFrames:
    """All shards, in the order of pieces and of time; a unit is a stage, its value the number of the code."""
    pool, parts = bench.pool(units[0].needs[0]), []
    for unit in units:
        with bench.store.arrays(unit.address) as arrays:
            parts.append([arrays[key].values for key in ("codes", "piece", "start")])
    codes, piece, start = (np.concatenate(column) for column in zip(*parts, strict=True))
    audio = tuple(piece.audio for piece in pool.pieces)
    site = CodesAsFrames(encoder, codes.shape[1]).sites[0]
    return NaturalFrames(site, pool.sample_rate_hz, codes.astype(np.float32), piece, start, audio)
