"""Stage *curve*: the share of frequencies that pass as the readout sees more consecutive frames.

Beside it, at the same total view, the plane on raw samples (at most 1,024, which from 512 samples on pass
anyway). Gradedness is not judged here: the curve is read on the core sounds alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tonotopy.judgement.verdict import Thresholds, passes
from tonotopy.measures.measures import measure
from tonotopy.measures.tally import tally
from tonotopy.readouts.readout import fit
from tonotopy.recording.recording import Recording
from tonotopy.runs.stages.record import load_families, load_window
from tonotopy.statistics.bootstrap import interval, piece_weights

if TYPE_CHECKING:
    from tonotopy.runs.bench import Bench
    from tonotopy.runs.engine import Unit
    from tonotopy.runs.store import Store


def run(bench: Bench, unit: Unit) -> None:
    """One point of the curve: line and plane on a window, and the plane on raw samples of the same view."""
    p = unit.values
    if p["raw_samples"]:
        families = load_families(bench.store, list(unit.needs), 0, last_samples=p["raw_samples"])
        families = {name: _last_frame(recording) for name, recording in families.items()}
    else:
        families = _windows(bench.store, list(unit.needs), p["number"], np.array(p["columns"]))
    kinds = ["plane"] if p["raw_samples"] else ["line", "plane"]
    music = families.pop("music")
    training = Recording.concatenate(list(families.values()))
    training = training.take(~training.trials.test)
    frequency = np.array(p["frequency_hz"])
    fits = fit(training, frequency, kinds=kinds)
    pieces = len(np.unique(music.trials.piece))
    weights = piece_weights(pieces, p["n_resamples"], seed=p["seed"])
    rows = []
    for kind, readout in fits.items():
        values = measure(tally(readout, music, frequency, p["sample_rate_hz"]), weights)
        share = passes(values, Thresholds(), plane=kind == "plane", skip=("gradedness",)).mean(axis=1)
        low, high = interval(share[1:], n_pieces=pieces) or (np.nan, np.nan)
        name = "raw_plane" if p["raw_samples"] else kind
        rows.append({"readout": name, "share_passes": share[0], "share_low": low, "share_high": high})
    bench.store.write(unit.address, {"stage": "curve"}, tables={"curve": pd.DataFrame(rows)})


def _last_frame(recording: Recording) -> Recording:
    """Core sounds, last frame only."""
    return Recording(recording.trials, recording.core[:, :, -1:])


def _windows(store: Store, units: list[Unit], number: int, columns: np.ndarray) -> dict[str, Recording]:
    """Windows as recordings of one frame whose units are the frames' units side by side."""
    parts: dict[str, list[Recording]] = {}
    for unit in units:
        trials, window = load_window(store, unit, number)
        picked = window[:, :, columns]  # [trial, sound, lag, unit]
        flat = picked.reshape(*picked.shape[:2], 1, -1)
        parts.setdefault(unit.values["family"], []).append(Recording(replace(trials), flat))
    return {family: Recording.concatenate(recordings) for family, recordings in parts.items()}
