"""Stage *features*: what the features of each source at one site are, under one set of weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tonotopy.features.sources import DICTIONARIES
from tonotopy.features.stabilised import stabilised
from tonotopy.features.stability import site_null
from tonotopy.judgement import features as judged
from tonotopy.measures.natural.descriptions import describe_frames
from tonotopy.measures.natural.kinds import Kind, table
from tonotopy.recording.natural import NaturalFrames, NaturalSound
from tonotopy.runs.stages import lanes, natural
from tonotopy.runs.stages.flac import flac
from tonotopy.runs.stages.music import level_function
from tonotopy.runs.stages.record import load_families
from tonotopy.sound.structures import structure
from tonotopy.sound.trials import Design, out_of_band

if TYPE_CHECKING:
    from tonotopy.runs.bench import Bench
    from tonotopy.runs.engine import Unit

#: Resamples of pieces for what a single feature answers to.
RESAMPLES = 100
#: Sounds that are kept to be heard: seconds around a fragment, or its view up to so many, features a kind,
#: fragments a feature.
HEARD_S = 0.5
LONGEST_HEARD_S = 2.0
HEARD_FEATURES = 3
HEARD_FRAGMENTS = 2


def run(bench: Bench, unit: Unit) -> None:
    """Find the features of each source, ask what they are, keep some of them to be heard."""
    p = unit.values
    n, m = p["n_natural"], p["n_natural"] + p["n_lanes"]
    frames = natural.load(bench, list(unit.needs[:n]), p["number"])
    sound = NaturalSound({p["site"]: frames}, lanes.load(bench.store, list(unit.needs[n:m])))
    music = unit.needs[0].needs[0]
    trials = _trials(bench, list(unit.needs[m:]), p["number"], music)
    site = judged.SiteSound.of(
        sound, describe_frames(frames, sound.lanes), trials, n_resamples=RESAMPLES, seed=p["seed"]
    )
    null = site_null(frames, seed=p["seed"])
    seeds = range(p["seed"], p["seed"] + p["dictionary_seeds"])
    features, sites, kinds, heard = [], [], [], []
    for source in p["sources"]:
        options = {"steps": p["steps"]} if source in DICTIONARIES else {}
        encoder = bench.encoder(p["floor_seed"], music)
        found = stabilised(source, frames, seeds=seeds, null=null, encoder=encoder, **options)
        result = judged.study_features(found, site)
        features.append(judged.feature_table(result).assign(source=source))
        sites.append(judged.site_row(result, site) | {"source": source})
        kinds.append(_kinds(result).assign(source=source))
        if p["floor_seed"] is None:
            heard.append(_heard(result, frames).assign(source=source))
    tables = {
        "features": pd.concat(features, ignore_index=True),
        "feature_sites": pd.DataFrame(sites),
        "kinds": pd.concat(kinds, ignore_index=True),
    }
    if heard:
        tables["players"] = pd.concat(heard, ignore_index=True)
    bench.store.write(unit.address, {"stage": "features"}, tables=tables)


def _trials(bench: Bench, records: list[Unit], number: int, music: Unit) -> dict[str, judged.Trials]:
    """Recorded trials by structure, in the order in which they come."""
    found = {}
    by_structure: dict[str, list[Unit]] = {}
    for record in records:
        told: dict[str, Any] = dict(record.values["design"])
        by_structure.setdefault(told.get("structure", "partial"), []).append(record)
    levels = level_function(bench.store, music)
    for name, units in by_structure.items():
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in dict(units[0].values["design"]).items()
        }
        design = Design(**values)
        kind, targets = structure(name), np.asarray(design.frequency_hz)
        outside = out_of_band(levels, targets, design.sample_rate_hz, kind)
        found[name] = judged.Trials(kind, load_families(bench.store, units, number), targets, outside)
    return found


def _kinds(result: judged.FeatureResult) -> pd.DataFrame:
    """One row a kind, among all features and among those that stabilised."""
    rows: list[dict[str, Any]] = []
    among: dict[str, NDArray[np.bool_] | None] = {"all": None, "stabilised": result.stabilised}
    for name, chosen in among.items():
        rows += [_kind_row(kind, name) for kind in table(result.kinds, chosen)]
    return pd.DataFrame(
        rows, columns=pd.Index(["kind", "among", "count", "share", "r2", "unique", "sentence"])
    )


def _kind_row(kind: Kind, among: str) -> dict[str, Any]:
    return {
        "kind": kind.kind,
        "among": among,
        "count": kind.count,
        "share": kind.share,
        "r2": kind.r2,
        "unique": kind.unique,
        "sentence": kind.sentence,
    }


def _heard(result: judged.FeatureResult, frames: NaturalFrames) -> pd.DataFrame:
    """Sound around the strongest fragments of the features that stand for each kind."""
    rate = frames.sample_rate_hz
    samples = max(round(HEARD_S * rate), min(frames.site.view, round(LONGEST_HEARD_S * rate)))
    rows = []
    for kind in table(result.kinds):
        for number in kind.typical[:HEARD_FEATURES]:
            chosen = result.stability.fragments[number]
            chosen = chosen[chosen >= 0]
            order = np.argsort(-result.features.of(frames.frames[chosen])[:, number], kind="stable")
            first: dict[int, int] = {}  # the strongest of each piece
            for index in chosen[order]:
                first.setdefault(int(frames.piece[index]), int(index))
            for piece, index in list(first.items())[:HEARD_FRAGMENTS]:
                begin = int(frames.end[index]) - frames.site.view // 2 - samples // 2
                begin = int(np.clip(begin, 0, max(0, len(frames.audio[piece]) - samples)))
                cut = frames.audio[piece][begin : begin + samples]
                rows.append(
                    {
                        "kind": kind.kind,
                        "feature": result.features.names[number],
                        "number": number,
                        "piece": piece,
                        "start_s": begin / rate,
                        "seconds": len(cut) / rate,
                        "audio": flac(cut, rate),
                    }
                )
    columns = ["kind", "feature", "number", "piece", "start_s", "seconds", "audio"]
    return pd.DataFrame(rows, columns=pd.Index(columns))
