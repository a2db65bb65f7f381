"""The ordered verdict, the floor, and what phantoms must read."""

from __future__ import annotations

from tonotopy.judgement.verdict import VERDICTS, Evidence, Judgement, Thresholds, judge, passes

__all__ = ["VERDICTS", "Evidence", "Judgement", "Thresholds", "judge", "passes"]
