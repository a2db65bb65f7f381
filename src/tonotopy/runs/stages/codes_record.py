"""Stage *codes_record*: a shard of trials in music through one set of weights, recorded as codes."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from tonotopy.recording.codes import CodesAsFrames
from tonotopy.recording.recording import record_family
from tonotopy.runs.stages.music import level_function
from tonotopy.runs.stages.record import dataset
from tonotopy.sound.trials import Design, trials

if TYPE_CHECKING:
    from tonotopy.runs.bench import Bench
    from tonotopy.runs.engine import Unit

#: The family that codes are asked about.
FAMILY = "music"


def run(bench: Bench, unit: Unit) -> None:
    """Render, encode, keep the codes."""
    p, music = unit.values, unit.needs[0]
    design = design_of(unit)
    shard = list(islice(trials(design, FAMILY), p["start"], p["stop"]))
    codes = CodesAsFrames(bench.encoder(p["floor_seed"], music))
    found, _ = record_family(
        codes, codes.sites, design, shard, bench.pool(music), level_function(bench.store, music)
    )
    order = [site.name for site in codes.sites]
    arrays = dataset(found, {}, order)
    bench.store.write(unit.address, {"stage": "codes_record", "sites": order}, arrays=arrays)


def design_of(unit: Unit) -> Design:
    """The design that a unit's plain values spell."""
    told: dict[str, Any] = dict(unit.values["design"])
    values: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in told.items()}
    return Design(**values)
