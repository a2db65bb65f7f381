"""Stage *pitches*: which notes sound in some pieces, from their score where the source of music has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from tonotopy.recording.pitches import Pitches, pitches_of, pitches_of_score
from tonotopy.sound.music import EXCERPT_S
from tonotopy.sound.sources._contract import Clip
from tonotopy.sound.sources.scores import ScoresSource

if TYPE_CHECKING:
    from tonotopy.runs.bench import Bench
    from tonotopy.runs.engine import Unit
    from tonotopy.runs.store import Store


def run(bench: Bench, unit: Unit) -> None:
    """Find the notes of some pieces."""
    music, numbers = unit.needs[0], unit.values["pieces"]
    pool, clips = bench.pool(music), bench.store.values(music.address)["pieces"]
    found = []
    for number in numbers:
        sound, rate = pool.pieces[number].audio, pool.sample_rate_hz
        if isinstance(bench.source, ScoresSource):
            clip = Clip(**clips[number])
            start_s = max(0.0, (clip.duration_s - EXCERPT_S) / 2)  # where the pool's excerpt begins
            truth = bench.source.truth(clip)
            found.append(pitches_of_score(truth, start_s=start_s, duration_s=len(sound) / rate))
        else:
            found.append(pitches_of(sound, rate))
    piece = np.repeat(np.array(numbers, np.int64), [len(one) for one in found])
    data = {
        "level": (("time", "note"), np.concatenate([one.level for one in found])),
        "piece": ("time", piece),
    }
    attributes = {"rate_hz": found[0].rate_hz, "exact": int(found[0].exact)}
    bench.store.write(unit.address, {"stage": "pitches"}, arrays=xr.Dataset(data, attrs=attributes))


def load(store: Store, units: list[Unit]) -> list[Pitches]:
    """The notes of all pieces, in their order."""
    found = []
    for unit in units:
        with store.arrays(unit.address) as arrays:
            level, piece = arrays["level"].values, arrays["piece"].values
            rate_hz, exact = float(arrays.attrs["rate_hz"]), bool(arrays.attrs["exact"])
        found += [Pitches(rate_hz, level[piece == number], exact) for number in unit.values["pieces"]]
    return found
