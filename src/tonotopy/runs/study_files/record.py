"""``study.json``: what a study file made, by names of folders below its own; no path, nothing to run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tonotopy.core.errors import RunError
from tonotopy.runs.store import write_json

FILE = "study.json"
SCHEMA = 1
LARGEST = 4 * 2**20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_LISTS = ("runs", "series", "compare")


def is_study(folder: Path | str) -> bool:
    """Whether a folder was made by a study file."""
    return (Path(folder) / FILE).is_file()


def read_record(folder: Path | str) -> dict[str, Any]:
    """What a study file made: title, about, music, preset; names of runs and series, what to compare, trainings.

    Raises
    ------
    RunError
        The record is absent, damaged, or names something that is no plain folder.
    """
    file = Path(folder) / FILE
    try:
        if file.stat().st_size > LARGEST:
            raise RunError(f"{FILE} under {LARGEST} bytes", str(file.stat().st_size), "a damaged study")
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"a readable {FILE}", type(error).__name__, "a damaged study") from None
    if not isinstance(told, dict) or told.get("schema") != SCHEMA:
        raise RunError(f"{FILE} of schema {SCHEMA}", repr(told)[:80], "a study of another version")
    for key in _LISTS:
        names = told.get(key)
        if not isinstance(names, list) or not all(
            isinstance(name, str) and _NAME.fullmatch(name) for name in names
        ):
            raise RunError(f"plain names of folders for {key} in {FILE}", repr(names)[:80], "a damaged study")
    trained = told.get("trained")
    if not isinstance(trained, dict) or not all(_is_training(held) for held in trained.values()):
        raise RunError(f"a table of trainings in {FILE}", repr(trained)[:80], "a damaged study")
    return told


def _is_training(held: Any) -> bool:
    """What is on record of a training: what was asked, and the plain name of its last snapshot."""
    return (
        isinstance(held, dict) and isinstance(held.get("last"), str) and bool(_NAME.fullmatch(held["last"]))
    )


def write_record(folder: Path, told: dict[str, Any]) -> None:
    """Write the record, whole or not at all."""
    write_json(folder / FILE, {"schema": SCHEMA, **told})
