"""Study files: one TOML that names what to train, what to study and what to compare, and runs again as it ran."""

from __future__ import annotations

from tonotopy.runs.study_files.execute import Finished, execute
from tonotopy.runs.study_files.parse import StudyFile, read_study_file
from tonotopy.runs.study_files.record import FILE, is_study, read_record

__all__ = ["FILE", "Finished", "StudyFile", "execute", "is_study", "read_record", "read_study_file"]
