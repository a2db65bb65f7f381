"""Stage *pitch_decoding*: pitch read from the features of each source at one site, under one set of weights."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from tonotopy.encoders._contract import Encoder
from tonotopy.features.sources import DICTIONARIES, EXPANSION, Activations, Features, find_features
from tonotopy.measures.natural.pitch_decoding import pitch_decoding
from tonotopy.measures.natural.pitch_scores import Score
from tonotopy.runs.stages import lanes, natural, pitches

if TYPE_CHECKING:
    from tonotopy.runs.bench import Bench
    from tonotopy.runs.engine import Unit

#: A codebook has thousands of entries; its first stages say what the rest refines.
MOST_FEATURES = 1024


def run(bench: Bench, unit: Unit) -> None:
    """Decode pitch from each source."""
    p = unit.values
    n, m = p["n_natural"], p["n_natural"] + p["n_lanes"]
    frames = natural.load(bench, list(unit.needs[:n]), p["number"])
    sound = lanes.load(bench.store, list(unit.needs[n:m]))
    notes = pitches.load(bench.store, list(unit.needs[m:]))
    encoder = bench.encoder(p["floor_seed"], unit.needs[0].needs[0])
    parts = []
    for source in p["sources"]:
        options = {"steps": p["steps"]} if source in DICTIONARIES else {}
        find = partial(_found, source, encoder=encoder, site=p["site"], seed=p["seed"], options=options)
        scores = pitch_decoding(frames, sound, notes, find, seed=p["seed"])
        parts.append(rows(scores).assign(source=source, exact=all(one.exact for one in notes)))
    bench.store.write(unit.address, {"stage": "pitch_decoding"}, tables={"scores": pd.concat(parts)})


def _found(
    source: str, heard: Activations, *, encoder: Encoder, site: str, seed: int, options: dict[str, Any]
) -> Features:
    """Features of a source on some frames, not more of them than can be probed; a dictionary is trained once."""
    given: dict[str, Any] = {"encoder": encoder, "site": site, "seed": seed, **options}
    if source in DICTIONARIES:
        return find_features(source, heard, count=latents_of(heard.units), **given)
    found = find_features(source, heard, **given)
    return (
        found if len(found) <= MOST_FEATURES else find_features(source, heard, count=MOST_FEATURES, **given)
    )


def latents_of(units: int) -> int:
    """Latents of the dictionaries that pitch is decoded from.

    Examples
    --------
    >>> latents_of(64), latents_of(512)
    (256, 1024)
    """
    return min(EXPANSION * units, MOST_FEATURES)


#: What tells scores apart.
KEY = ("window_s", "task", "read", "labels", "probe")


def rows(scores: list[Score]) -> pd.DataFrame:
    """One row a score and piece."""
    parts = [
        pd.DataFrame(
            {name: getattr(score, name) for name in KEY}
            | {"piece": np.arange(len(score.top)), "top": score.top, "bottom": score.bottom}
        )
        for score in scores
    ]
    return (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame(columns=[*KEY, "piece", "top", "bottom"])
    )


def scores_of(table: pd.DataFrame) -> dict[tuple[Any, ...], Score]:
    """Scores by window, task, what is read, labels and probe."""
    found = {}
    for key, own in table.groupby(list(KEY), sort=False):
        window_s, task, read, labels, probe = cast("tuple[float, str, str, str, str]", key)
        own = own.sort_values("piece")  # noqa: PLW2901 - the same rows in order
        sums = [own[name].to_numpy(np.float64) for name in ("top", "bottom")]
        found[window_s, task, read, labels, probe] = Score(window_s, task, read, labels, probe, *sums)
    return found
