"""Studies as frozen plans, cut into work units that are kept: plan, engine, store, run."""

from __future__ import annotations

from tonotopy.runs.calibrate import calibrate
from tonotopy.runs.plan import PRESETS, Plan, Preset
from tonotopy.runs.run import Run, open_run
from tonotopy.runs.study import estimate, study

__all__ = ["PRESETS", "Plan", "Preset", "Run", "calibrate", "estimate", "open_run", "study"]
