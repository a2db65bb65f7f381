"""Stage *null*: the plane on raw samples, the null that every plane is set against.

One unit a length of window; it depends on no weights, so that all sites and all floors share it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from tonotopy.measures.measures import Measures, measure
from tonotopy.measures.tally import tally
from tonotopy.readouts.readout import fit
from tonotopy.recording.recording import Recording
from tonotopy.runs.stages.record import load_families
from tonotopy.sound.structures import structure
from tonotopy.statistics.bootstrap import piece_weights

if TYPE_CHECKING:
    from tonotopy.runs.bench import Bench
    from tonotopy.runs.engine import Unit
    from tonotopy.runs.store import Store


def run(bench: Bench, unit: Unit) -> None:
    """Fit on synthetic families, try on music."""
    p = unit.values
    frequency, kind = np.array(p["frequency_hz"]), structure(p.get("structure", "partial"))
    families = load_families(bench.store, list(unit.needs), 0, last_samples=p["samples"])
    music = families.pop("music")
    training = Recording.concatenate(list(families.values()))
    training = training.take(~training.trials.test)
    plane = fit(training, frequency, kinds=["plane"], structure=kind)["plane"]
    weights = piece_weights(len(np.unique(music.trials.piece)), p["n_resamples"], seed=p["seed"])
    values = measure(tally(plane, music, frequency, p["sample_rate_hz"], kind), weights)
    arrays = xr.Dataset({name: (dims(name), getattr(values, name)) for name in values.__dataclass_fields__})
    bench.store.write(unit.address, {"stage": "null"}, arrays=arrays)


def dims(name: str) -> tuple[str, ...]:
    """Axes of a field of Measures."""
    return {"ladder": ("resample", "level", "frequency"), "frames": ("frequency",)}.get(
        name, ("resample", "frequency")
    )


def load_measures(store: Store, unit: Unit) -> Measures:
    """Measures from the store."""
    with store.arrays(unit.address) as arrays:
        return Measures(**{name: arrays[name].values for name in Measures.__dataclass_fields__})
