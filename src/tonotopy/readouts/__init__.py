"""Readouts: fitted on the trials of a recording, they answer a question about a frame."""

from __future__ import annotations

from tonotopy.readouts.readout import Readout, fit, fit_many

__all__ = ["Readout", "fit", "fit_many"]
