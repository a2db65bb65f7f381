"""A series of studies with one plan: snapshots of a training, or a grid of models; what emerges, what scales."""

from __future__ import annotations

from tonotopy.runs.series.folder import Member, Series, is_series, open_folder, open_series
from tonotopy.runs.series.snapshots import Entry, names_snapshots
from tonotopy.runs.series.study import run_series, study_series

__all__ = [
    "Entry",
    "Member",
    "Series",
    "is_series",
    "names_snapshots",
    "open_folder",
    "open_series",
    "run_series",
    "study_series",
]
