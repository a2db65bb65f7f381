"""Stage *lanes*: partials, levels in bands, chroma and chords of natural sound, on a common time grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from tonotopy.recording.lanes import Lanes, lanes_of

if TYPE_CHECKING:
    from tonotopy.runs.bench import Bench
    from tonotopy.runs.engine import Unit
    from tonotopy.runs.store import Store

#: What varies in time, with its further axis.
OF_TIME: dict[str, tuple[str, ...]] = {
    "erb_db": ("band",),
    "partial_db": ("band",),
    "chroma": ("pitch_class",),
    "chord": (),
}


def run(bench: Bench, unit: Unit) -> None:
    """Analyse some pieces."""
    pool = bench.pool(unit.needs[0])
    numbers = unit.values["pieces"]
    lanes = [lanes_of(pool.pieces[number].audio, pool.sample_rate_hz) for number in numbers]
    data: dict[str, Any] = {
        name: (("time", *axes), np.concatenate([getattr(lane, name) for lane in lanes]))
        for name, axes in OF_TIME.items()
    }
    data["piece"] = (
        "time",
        np.repeat(np.array(numbers, np.int64), [len(lane.chord) for lane in lanes]),
    )
    arrays = xr.Dataset(
        data, coords={"band_hz": ("band", lanes[0].band_hz)}, attrs={"rate_hz": lanes[0].rate_hz}
    )
    bench.store.write(unit.address, {"stage": "lanes"}, arrays=arrays)


def load(store: Store, units: list[Unit]) -> tuple[Lanes, ...]:
    """The lanes of all pieces, in their order."""
    found = []
    for unit in units:
        with store.arrays(unit.address) as arrays:
            values = {name: arrays[name].values for name in OF_TIME}
            piece, band_hz = arrays["piece"].values, arrays["band_hz"].values
            rate_hz = float(arrays.attrs["rate_hz"])
        for number in unit.values["pieces"]:
            own = {name: value[piece == number] for name, value in values.items()}
            found.append(Lanes(rate_hz=rate_hz, band_hz=band_hz, **own))
    return tuple(found)
