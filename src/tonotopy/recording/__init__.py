"""Trials through encoders: activations at sites, every frame tied to an interval of input samples."""

from __future__ import annotations

from tonotopy.recording.frames import Segment, plan_segment, record
from tonotopy.recording.recording import Recording, TrialTable, record_family

__all__ = ["Recording", "Segment", "TrialTable", "plan_segment", "record", "record_family"]
