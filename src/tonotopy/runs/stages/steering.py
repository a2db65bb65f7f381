"""Stage *steering*: what pushing along some lines of one site does to decoded sound, or to the outputs of a head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.encoders._contract import Encoder
from tonotopy.interventions import (
    Direction,
    Pairs,
    of_readout,
    output_steering,
    steered_sounds,
    steering,
    steering_rows,
    with_controls,
)
from tonotopy.interventions.controls import OWN
from tonotopy.interventions.output_rows import output_rows
from tonotopy.interventions.sound_change import analysed, gain_db
from tonotopy.recording.recording import Recording
from tonotopy.runs.stages.directions import Lines, design_of, lines_of, pairs_of, scale_of, why
from tonotopy.runs.stages.flac import flac

if TYPE_CHECKING:
    from tonotopy.runs.bench import Bench
    from tonotopy.runs.engine import Unit

#: Which sounds of `steered_sounds` are kept, and what they are: before, after, the partial really added, controls.
KEPT = {
    "without": "before",
    f"{OWN} x1": "after",
    "with": "partial added",
    "random 0 x1": "random direction",
    f"with, {OWN} projected out": "partial added, direction projected out",
}
#: Columns of the table of sounds, beside the sounds.
SOUNDS = ("frequency_hz", "sound", "piece", "near_gain_db", "turned_up_db", "loudness_lkfs", "seconds")


@dataclass(frozen=True)
class SteeredSite:
    """The lines of a site, and the trials in music that scale them."""

    lines: Lines
    scale: Recording


def run(bench: Bench, unit: Unit) -> None:
    """Steer each target of the unit, beside its controls."""
    p = unit.values
    lines, records = lines_of(bench.store, unit.needs[0]), list(unit.needs[p["n_lines"] :])
    site = SteeredSite(lines, scale_of(bench.store, records, p["number"]))
    elsewhere = None
    if p["wrong_site"] >= 0:
        there = lines_of(bench.store, unit.needs[1])
        elsewhere = SteeredSite(there, scale_of(bench.store, records, p["wrong_site"]))
    encoder = bench.encoder(None, records[0].needs[0])
    rows, sounds = [], []
    for index in p["targets"]:
        pieces = pairs_of(bench, records[0], index, seconds=p["seconds"])
        try:
            made = directions_of(site, design_of(records[0]).frequency_hz, index, elsewhere, p)
            rows.append(_steered(encoder, p, made, pieces))
        except InputError as error:  # a line that evokes nothing, a decoder that overflows
            rows.append(_undefined(p, pieces, lines.reason[index] or why(error)))
            continue
        if index in p["sounds"]:
            sounds.append(_sounds(encoder, p["site"], made, pieces, turn=index))
    tables = {"steering": pd.concat(rows, ignore_index=True)}
    if p["sounds"]:
        kept = [*SOUNDS, "audio"]
        tables["sounds"] = pd.concat(sounds, ignore_index=True) if sounds else pd.DataFrame(columns=kept)
    bench.store.write(unit.address, {"stage": "steering"}, tables=tables)


def directions_of(
    site: SteeredSite,
    frequency_hz: NDArray[np.float64],
    index: int,
    elsewhere: SteeredSite | None,
    p: dict[str, Any],
) -> dict[str, Direction]:
    """A target's own direction and its controls.

    Raises
    ------
    InputError
        The target has no usable line.
    """
    if elsewhere is not None:
        try:
            of_readout(elsewhere.lines.readout, elsewhere.scale, index)
        except InputError:
            elsewhere = None  # nothing there to take for a wrong site
    there = None if elsewhere is None else (elsewhere.lines.readout, elsewhere.scale)
    counts = {"n_random": p["n_random"], "n_other": p["n_other"], "seed": p["seed"]}
    return with_controls(site.lines.readout, site.scale, frequency_hz, index, elsewhere=there, **counts)


def _steered(encoder: Encoder, p: dict[str, Any], made: dict[str, Direction], pieces: Pairs) -> pd.DataFrame:
    """One row a direction and dose."""
    words = {"n_resamples": p["n_resamples"], "seed": p["seed"]}
    if p["heard"] == "sound":
        found = steering(
            encoder, p["site"], made, pieces, strengths=p["strengths"], tracked=(OWN, "random 0")
        )
        rows = pd.DataFrame(vars(steering_rows(found, **words)))
    else:
        pushed = output_steering(encoder, p["site"], made, pieces, strengths=p["strengths"])
        rows = pd.DataFrame(vars(output_rows(pushed, **words)))
    return rows.assign(n_pieces=len(np.unique(pieces.piece)), reason="")


def _undefined(p: dict[str, Any], pieces: Pairs, reason: str) -> pd.DataFrame:
    """The rows of a target that cannot be steered: its own direction at each dose, and why."""
    rows = pd.DataFrame({"strength": p["strengths"]})
    told = {"site": p["site"], "frequency_hz": pieces.target, "direction": OWN, "reason": reason}
    return rows.assign(**told, n_pieces=len(np.unique(pieces.piece)))


def _sounds(
    encoder: Encoder, site: str, made: dict[str, Direction], pieces: Pairs, *, turn: int
) -> pd.DataFrame:
    """What is to be heard of one piece; pieces take turns over targets."""
    trial, rate = turn % len(pieces), pieces.sample_rate_hz
    two = {name: made[name] for name in (OWN, "random 0") if name in made}
    heard = steered_sounds(encoder, site, two, pieces, trial=trial)
    at_own_level = heard.sounds / 10 ** (np.nan_to_num(heard.gain_db)[:, None] / 20)
    power = analysed(at_own_level, rate, pieces.target, tracked=False)
    before = power.spectrum[heard.name.index("without")]
    rows = [
        {
            "frequency_hz": pieces.target,
            "sound": words,
            "piece": int(pieces.piece[trial]),
            "near_gain_db": float(gain_db(before, power.spectrum[heard.name.index(name)], power.near)),
            "turned_up_db": float(heard.gain_db[heard.name.index(name)]),
            "loudness_lkfs": heard.loudness_lkfs,
            "seconds": heard.sounds.shape[1] / rate,
            "audio": flac(heard.sounds[heard.name.index(name)], rate),
        }
        for name, words in KEPT.items()
        if name in heard.name
    ]
    return pd.DataFrame(rows)
