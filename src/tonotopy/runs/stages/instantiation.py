"""Stage *instantiation*: which dimensions of one site each piece uses, of what noise and the stimuli reach there."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tonotopy.measures.natural.instantiation import Heard, instantiation, stimulus_frames
from tonotopy.runs.stages import natural
from tonotopy.runs.stages.record import load_families

if TYPE_CHECKING:
    from tonotopy.runs.bench import Bench
    from tonotopy.runs.engine import Unit


def run(bench: Bench, unit: Unit) -> None:
    """Compare what music, noise and stimuli span, under the weights in question and in untrained copies."""
    p = unit.values
    copies, n = p["n_copies"], p["n_natural"] + 1
    records = unit.needs[copies * n :]
    each = len(records) // copies
    heard = []
    for copy in range(copies):
        own = list(unit.needs[copy * n : (copy + 1) * n])
        music, noise = (natural.load(bench, units, p["number"]) for units in (own[:-1], own[-1:]))
        trials = load_families(bench.store, list(records[copy * each : (copy + 1) * each]), p["number"])
        stimuli = stimulus_frames(list(trials.values()))
        heard.append(Heard(music.frames, music.piece, noise.frames, stimuli))
    of_pieces, summary = instantiation(p["site"], heard[0], floors=heard[1:], seed=p["seed"])
    tables = {"pieces": table(of_pieces), "summary": table(summary)}
    bench.store.write(unit.address, {"stage": "instantiation"}, tables=tables)


def table(found: Any) -> pd.DataFrame:
    """A dataclass of columns as a table."""
    return pd.DataFrame({f.name: np.asarray(getattr(found, f.name)) for f in fields(found)})
