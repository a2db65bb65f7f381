"""Stage *readability*: the tracked partials of natural sound, read from one site under one set of weights."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tonotopy.measures.natural.readability import Readability, readability
from tonotopy.recording.natural import NaturalSound
from tonotopy.runs.stages import lanes, natural

if TYPE_CHECKING:
    from tonotopy.runs.bench import Bench
    from tonotopy.runs.engine import Unit


def run(bench: Bench, unit: Unit) -> None:
    """Read bands by all units and by the best one."""
    p = unit.values
    frames = natural.load(bench, list(unit.needs[: p["n_natural"]]), p["number"])
    sound = NaturalSound(
        {frames.site.name: frames}, lanes.load(bench.store, list(unit.needs[p["n_natural"] :]))
    )
    found = readability(sound, frames.site.name, seed=p["seed"])
    bench.store.write(unit.address, {"stage": "readability"}, tables={"readability": table(found)})


def table(found: Readability) -> pd.DataFrame:
    """One row a band."""
    bands = len(found.band_hz)
    columns = {f.name: getattr(found, f.name) for f in fields(found) if f.name != "site"}
    return pd.DataFrame({name: np.broadcast_to(value, bands) for name, value in columns.items()})
