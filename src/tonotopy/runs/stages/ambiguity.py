"""Stage *ambiguity*: how far a fragment of this music decides the spectrum around it, by length of view."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pandas as pd

from tonotopy.anatomy.ambiguity import ambiguity

if TYPE_CHECKING:
    from tonotopy.runs.bench import Bench
    from tonotopy.runs.engine import Unit


def run(bench: Bench, unit: Unit) -> None:
    """Cluster fragments and spectra, compare."""
    found = ambiguity(bench.pool(unit.needs[0]), seed=unit.values["seed"])
    columns = {f.name: getattr(found, f.name) for f in fields(found) if f.name != "resampled"}
    bench.store.write(unit.address, {"stage": "ambiguity"}, tables={"ambiguity": pd.DataFrame(columns)})
