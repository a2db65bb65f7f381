"""Stage *music*: which pieces a study hears, and the natural level of a partial in them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import xarray as xr

from tonotopy.core.errors import InputError
from tonotopy.sound.music import LevelFunction
from tonotopy.sound.pool import choose, fingerprint
from tonotopy.statistics.bootstrap import LEAST_PIECES

if TYPE_CHECKING:
    from tonotopy.runs.bench import Bench
    from tonotopy.runs.engine import Unit
    from tonotopy.runs.store import Store


def run(bench: Bench, unit: Unit) -> None:
    """Choose pieces, tabulate L(f)."""
    p = unit.values
    rate = bench.primary.sample_rate_hz
    clips, pool, skipped = choose(bench.source, p["n_pieces"], p["shortest_s"], rate, seed=p["seed"])
    if len(clips) < LEAST_PIECES:
        counted = f"{len(clips)} usable of {len(clips) + len(skipped)} in {bench.source.spelling}"
        first = f"; the first skipped: {skipped[0].name}: {skipped[0].reason}" if skipped else ""
        raise InputError(
            f"at least {LEAST_PIECES} pieces of music", counted + first, "too few recordings, or too short"
        )
    levels = pool.level_function()
    arrays = xr.Dataset({"level_dbfs": ("rate_erb", levels.level_dbfs)}, coords={"rate_erb": levels.rate_erb})
    values = {
        "pieces": [asdict(clip) for clip in clips],
        "ledger": [asdict(entry) for entry in skipped],
        "samples": fingerprint(pool),
    }
    bench.store.write(unit.address, {"stage": "music"}, arrays=arrays, values=values)


def level_function(store: Store, unit: Unit) -> LevelFunction:
    """L(f) from the store."""
    with store.arrays(unit.address) as arrays:
        return LevelFunction(arrays["rate_erb"].values, arrays["level_dbfs"].values)
