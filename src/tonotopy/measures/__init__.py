"""Measures on held-out trials; every one is a function of sums per piece."""

from __future__ import annotations

from tonotopy.measures.measures import JUDGED, Measures, measure
from tonotopy.measures.tally import Tally, tally

__all__ = ["JUDGED", "Measures", "Tally", "measure", "tally"]
