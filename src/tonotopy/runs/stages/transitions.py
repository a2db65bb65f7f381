"""Stage *transitions*: which pattern follows which at the first convolution, against scrambled sound and the floor."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pandas as pd

from tonotopy.measures.natural.transitions import transitions

if TYPE_CHECKING:
    from tonotopy.runs.bench import Bench
    from tonotopy.runs.engine import Unit


def run(bench: Bench, unit: Unit) -> None:
    """Follow the patterns."""
    p, music = unit.values, unit.needs[0]
    floors = [bench.encoder(seed, music) for seed in p["floor_seeds"]]
    found = transitions(bench.primary, bench.pool(music), site=p["site"], floors=floors, seed=p["seed"])
    table = pd.DataFrame({f.name: getattr(found, f.name) for f in fields(found)})
    bench.store.write(unit.address, {"stage": "transitions"}, tables={"transitions": table})
