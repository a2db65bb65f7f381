"""What a page tells of features, but its figures: findings, tables, sounds, and what can be taken away."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import pandas as pd

from tonotopy.views._feature_rows import MOST_FEATURES, few_features
from tonotopy.views.feature_grids import feature_sites_grid, instantiation_grid, kinds_grid
from tonotopy.views.features import (
    KINDS_MEAN,
    OTHER_INTERVALS,
    OVER_FEATURES,
    STABILISED_MEANS,
    FeatureFinding,
    feature_findings,
)
from tonotopy.views.grids import Grid
from tonotopy.views.players import Listening, listening
from tonotopy.views.tables import RunTables

#: Figures of what features are, in reading order: short name, and the table without which a figure is left out.
FIGURES: Final = {
    "coherence": ("Coherence", "features"),
    "kinds": ("Kinds", "kinds"),
    "readability": ("Readability", "readability"),
    "ambiguity": ("Ambiguity", "ambiguity"),
    "transitions": ("Transitions", "transitions"),
}
#: Tables that can be taken from the page, with their words.
DOWNLOADS: Final = {
    "features": "All features (CSV)",
    "feature_sites": "Features by site (CSV)",
    "kinds": "Kinds (CSV)",
    "instantiation": "Instantiation (CSV)",
}


@dataclass(frozen=True)
class Download:
    """A table of the run as a file beside the page, and what of it is not in that file."""

    words: str
    file: str
    table: pd.DataFrame = field(repr=False)
    left_out: str = ""


@dataclass(frozen=True)
class FeaturePart:
    """What the page tells of features; nothing of it is on the page of a run whose study did not ask."""

    findings: tuple[FeatureFinding, ...]
    sites: Grid
    kinds: Grid
    instantiation: Grid
    listening: Listening
    downloads: tuple[Download, ...]
    figures: dict[str, str]  # name: short name
    stabilised_means: str = STABILISED_MEANS
    intervals_mean: str = f"{OVER_FEATURES} {OTHER_INTERVALS}"
    kinds_mean: str = KINDS_MEAN


def feature_part(run: RunTables, *, audio: bool = True) -> FeaturePart | None:
    """What there is to tell of features; None where a study did not ask.

    Parameters
    ----------
    run : RunTables
        The run.
    audio : bool
        Whether the sounds that features answer to are read.

    Raises
    ------
    RunError
        The sounds are too large, or no FLAC.
    """
    if not run.has_features:
        return None
    there = {
        name for name in (*DOWNLOADS, *(table for _, table in FIGURES.values())) if len(getattr(run, name))
    }
    return FeaturePart(
        findings=tuple(feature_findings(run)),
        sites=feature_sites_grid(run),
        kinds=kinds_grid(run),
        instantiation=instantiation_grid(run),
        listening=listening(run) if audio else Listening((), ""),
        downloads=tuple(_download(run, name, words) for name, words in DOWNLOADS.items() if name in there),
        figures={name: short for name, (short, table) in FIGURES.items() if table in there},
    )


def _download(run: RunTables, name: str, words: str) -> Download:
    """A table; of very many features those that figures draw from, and where the others are."""
    table, file = getattr(run, name), f"data/{name.replace('_', '-')}.csv"
    if name != "features":
        return Download(words, file, table)
    few = few_features(run, table)
    if len(few) == len(table):
        return Download(words, file, table)
    left_out = (
        f"The file of features has {len(few):,} of {len(table):,}, at most {MOST_FEATURES} of one source at one site, "
        "those that stabilised before others, undefined ones last, drawn with the seed of the run. All of them are in "
        "the run folder, in tables/features.parquet."
    )
    return Download(f"{len(few):,} of {len(table):,} features (CSV)", file, few, left_out)
