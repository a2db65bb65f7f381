"""Stage *reuse*: what the sites behind one site lose when some of its lines are projected out.

With ``structure`` the same of pitches: the lines of the partials that a pitch is made of go together, and what the
pitch's own lines lose is read (composition).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.interventions import (
    Direction,
    composition,
    harmonics_hz,
    partial_directions,
    reuse,
    reuse_rows,
    with_controls,
)
from tonotopy.interventions.controls import WRONG_SIGN
from tonotopy.recording.recording import Recording
from tonotopy.runs.stages.directions import Lines, design_of, lines_of, pairs_of, scale_of, why

if TYPE_CHECKING:
    from tonotopy.runs.bench import Bench
    from tonotopy.runs.engine import Unit


def run(bench: Bench, unit: Unit) -> None:
    """Project out each target of the unit, beside its controls, and read the sites behind."""
    p, n = unit.values, unit.values["n_lines"]
    below = lines_of(bench.store, unit.needs[0])
    records = [need for need in unit.needs[n:] if need.stage == "record"]
    above = [need for need in unit.needs if need.stage == "measure"][-n:]  # of partials, or of the structure
    lines = dict(zip(p["places"], (lines_of(bench.store, need) for need in above), strict=True))
    readouts = {name: found.readout for name, found in lines.items()}
    trials, grid_hz = records[-1], design_of(records[0]).frequency_hz
    of_partials = [need for need in records if need.values["design"] == records[0].values["design"]]
    scale = scale_of(bench.store, of_partials, p["number"])
    encoder = bench.encoder(p["floor_seed"], trials.needs[0])
    rows = []
    for index in p["targets"]:
        pieces = pairs_of(bench, trials, index)
        try:
            if "structure" in p:
                made = _of_parts(below, scale, grid_hz, pieces.target, p)
                found = composition(encoder, p["site"], made, pieces, readouts)
            else:
                made = _of_target(below, scale, grid_hz, index, p)
                found = reuse(encoder, p["site"], made, pieces, readouts)
            told = reuse_rows(found, n_resamples=p["n_resamples"], seed=p["seed"])
            rows.append(
                pd.DataFrame(vars(told)).assign(reason=[lines[at].reason[index] for at in found.place])
            )
        except InputError as error:
            reason = why(error) if "structure" in p else below.reason[index] or why(error)
            told_of = {"site": p["site"], "frequency_hz": pieces.target, "reason": reason}
            rows.append(pd.DataFrame({"later_site": p["places"]}).assign(**told_of))
        rows[-1]["n_pieces"] = len(np.unique(pieces.piece))
    bench.store.write(unit.address, {"stage": "reuse"}, tables={"reuse": pd.concat(rows, ignore_index=True)})


def _of_target(
    below: Lines, scale: Recording, grid_hz: NDArray[np.float64], index: int, p: dict[str, Any]
) -> dict[str, Direction]:
    """The line of a partial and its controls, along themselves; a wrong sign is projected out alike."""
    counts = {"n_random": p["n_random"], "n_other": p["n_other"], "seed": p["seed"]}
    made = with_controls(below.readout, scale, grid_hz, index, along="line", **counts)
    return {name: direction for name, direction in made.items() if name != WRONG_SIGN}


def _of_parts(
    below: Lines, scale: Recording, grid_hz: NDArray[np.float64], pitch_hz: float, p: dict[str, Any]
) -> dict[str, Direction]:
    """The lines of a pitch's harmonics together, and their controls."""
    parts = harmonics_hz(pitch_hz, p["sample_rate_hz"])
    return partial_directions(below.readout, scale, grid_hz, parts, n_random=p["n_random"], seed=p["seed"])
