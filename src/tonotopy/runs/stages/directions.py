"""What stages *steering* and *reuse* start from: the lines that were judged, the trials that scale them, and pairs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tonotopy.core.errors import InputError
from tonotopy.interventions import Pairs, pairs
from tonotopy.readouts.readout import Readout
from tonotopy.recording.recording import Recording
from tonotopy.runs.stages.music import level_function
from tonotopy.runs.stages.record import load_families
from tonotopy.signal.notch import EDGE_S
from tonotopy.sound.trials import Design

if TYPE_CHECKING:
    from tonotopy.runs.bench import Bench
    from tonotopy.runs.engine import Unit
    from tonotopy.runs.store import Store


@dataclass(frozen=True)
class Lines:
    """The judged lines of one site, and why some targets have none that can be used, ``[target]``."""

    readout: Readout = field(repr=False)
    reason: list[str]  # empty where the line is usable


def lines_of(store: Store, measure: Unit) -> Lines:
    """Lines from a unit of *measure*; a target whose verdict is undefined has none."""
    with store.arrays(measure.address) as arrays:
        weights, centre = arrays["line"].values[:, None, :], arrays["centre"].values
    verdicts = store.table(measure.address, "verdicts")
    told = verdicts["reason"].fillna("").astype(str)
    undefined = (verdicts["verdict"] == "undefined").to_numpy()
    fitted = np.isfinite(weights).all(axis=(0, 1)) & np.any(weights != 0, axis=(0, 1))
    reason = [
        (why or "its verdict is undefined") if gone else "" if ok else "no line could be fitted"
        for why, gone, ok in zip(told, undefined, fitted, strict=True)
    ]
    valid = fitted & ~undefined
    return Lines(Readout("line", np.nan_to_num(weights), np.nan_to_num(centre), valid), reason)


def why(error: InputError) -> str:
    """Why a target has no direction, without its number: in a table it stands beside its frequency."""
    if error.expected == "a target that evokes an answer":
        return "in music it evokes nothing along its own line"
    return f"{error.came}: {error.cause}" if error.cause else error.came


def scale_of(store: Store, records: list[Unit], number: int) -> Recording:
    """Recorded trials in music at one site, without their further sounds."""
    music = load_families(store, records, number)["music"]
    return Recording(music.trials, music.core)


def design_of(record: Unit) -> Design:
    """The design of recorded trials."""
    told: dict[str, Any] = dict(record.values["design"])
    values: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in told.items()}
    return Design(**values)


def pairs_of(bench: Bench, record: Unit, index: int, *, seconds: float | None = None) -> Pairs:
    """Music without a target and with it, of the length of the study's trials or longer.

    Where the shortest piece does not hold ``seconds`` and the edges of the notch, as long as it does.
    """
    music, design = record.needs[0], design_of(record)
    pool = bench.pool(music)
    if seconds is not None:
        shortest = min(len(piece.audio) for piece in pool.pieces) - 2 * int(EDGE_S * design.sample_rate_hz)
        n = max(design.n_samples, min(int(seconds * design.sample_rate_hz), shortest))
        seconds = (n + 0.5) / design.sample_rate_hz
    return pairs(design, index, pool, level_function(bench.store, music), seconds=seconds)
