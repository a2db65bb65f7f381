"""Stage *measure*: one site under one set of weights, from its recording to its verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from tonotopy.judgement.site import Question, SiteResult, study_site
from tonotopy.measures.measures import JUDGED, Measures
from tonotopy.runs.stages.music import level_function
from tonotopy.runs.stages.null import load_measures
from tonotopy.runs.stages.record import load_families
from tonotopy.sound.structures import LADDER_DB, structure
from tonotopy.sound.trials import out_of_band

if TYPE_CHECKING:
    from tonotopy.runs.bench import Bench
    from tonotopy.runs.engine import Unit


def run(bench: Bench, unit: Unit) -> None:
    """Measure one site and write tables, directions and verdicts under the bootstrap."""
    p = unit.values
    null, *records = unit.needs
    music = records[0].needs[0]
    families = load_families(bench.store, records, p["number"])
    kind = structure(p.get("structure", "partial"))
    question = Question(
        np.array(p["frequency_hz"]),
        p["sample_rate_hz"],
        p["n_resamples"],
        p["seed"],
        normalises_frames=p["normalises_frames"],
        full=p["full"],
        out_of_band=out_of_band(
            level_function(bench.store, music), np.array(p["frequency_hz"]), p["sample_rate_hz"], kind
        ),
        structure=kind,
    )
    result = study_site(families, load_measures(bench.store, null), question)
    tables = {"verdicts": verdict_table(result, question), "ladder": ladder_table(result, question)}
    if result.law is not None and result.law.rows:
        tables["sparsity"] = pd.DataFrame(result.law.rows)
    arrays = xr.Dataset(
        {
            "verdict": (("resample", "frequency"), result.judgement.verdict.astype(np.int8)),
            "specificity": (("resample", "frequency"), result.measures["line"].specificity),
            "line": (("unit", "frequency"), result.line.weights[:, 0]),
            "plane": (("unit", "component", "frequency"), result.plane.weights),
            "centre": (("unit", "frequency"), result.line.centre),
        },
        coords={"frequency_hz": ("frequency", question.frequency_hz)},
    )
    tables["site"] = pd.DataFrame([site_row(result)])
    bench.store.write(unit.address, {"stage": "measure"}, arrays=arrays, tables=tables)


def site_row(result: SiteResult) -> dict[str, float]:
    """What belongs to the site as a whole; a table keeps what JSON cannot: NaN (undefined) and inf (never)."""
    power = result.power or {"detected": np.nan, "stable": np.nan}
    row = {
        "rank": result.rank,
        "shuffled_stable": result.shuffled_stable,
        "n_pieces": result.n_pieces,
        "power_detected": power["detected"],
        "power_stable": power["stable"],
    }
    for name, half in (result.law.half_points if result.law else {}).items():
        row |= {f"half_{name}": half[0], f"half_{name}_low": half[1], f"half_{name}_high": half[2]}
    return row


def verdict_table(result: SiteResult, question: Question) -> pd.DataFrame:
    """One row a frequency: verdict, probability, per-readout states and every measure."""
    judgement = result.judgement
    columns: dict[str, Any] = {
        "frequency_hz": question.frequency_hz,
        "item": [question.structure.label(float(f)) for f in question.frequency_hz],
        "verdict": judgement.names,
        "probability": judgement.probability,
        "borderline": judgement.borderline,
        "inherited_from_window": judgement.inherited,
        "beats_raw": judgement.beats_raw,
        "line": judgement.line.astype(object),
        "plane": judgement.plane.astype(object),
        "failing": list(judgement.failing),
        "reason": list(judgement.reason),
    }
    for name, values in result.measures.items():
        reported = ("tonality", "audiogram_db") if name in ("line", "plane", "raw") else ()
        for measure in (*JUDGED, *reported):
            columns[f"{name}_{measure}"] = values.point(measure)
    return pd.DataFrame(columns | result.reported)


def ladder_table(result: SiteResult, question: Question) -> pd.DataFrame:
    """Detection at every level: one row a readout, frequency and level."""
    rows = []
    for readout in ("line", "plane", "raw"):
        values: Measures = result.measures[readout]
        for level, detection in zip(LADDER_DB, values.ladder[0], strict=True):
            rows.append(
                pd.DataFrame(
                    {
                        "readout": readout,
                        "frequency_hz": question.frequency_hz,
                        "level_db": float(level),
                        "detection": detection,
                    }
                )
            )
    return pd.concat(rows, ignore_index=True)
