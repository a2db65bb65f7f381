"""Units that depend on no weights go from one member of a series to the next, as hard links.

The choice of music, the raw input window and its null are the same for every set of weights. They are linked,
not copied and not shared through one store: each member stays an ordinary run folder that can be moved or
removed by itself, no two studies write to one place, and the disk holds the bytes once. A unit is immutable and
named by its content, so a link is as good as a computation. Where a file system has no hard links nothing is
lent, and the unit is computed anew.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from pathlib import Path

import pandas as pd
import pyarrow as pa

from tonotopy.runs.store import ADDRESS


def lend(lender: Path, borrower: Path) -> int:
    """Link what one store has and another lacks, if it depends on no weights; how many units that were.

    Parameters
    ----------
    lender, borrower : folders of units of two members
    """
    lent = 0
    for home in sorted(lender.glob("*/*")):
        target = borrower / home.parent.name / home.name
        if not ADDRESS.fullmatch(home.name) or target.exists() or not weightless(home):
            continue
        if not _link(home, target):
            return lent
        lent += 1
    return lent


def weightless(home: Path) -> bool:
    """Whether a unit depends on no weights: music, raw samples, their null and their view curve."""
    try:
        told = json.loads((home / "unit.json").read_text(encoding="utf-8"))
        if told["stage"] == "record":
            return bool(told["sites"]) and all(str(site).startswith("raw:") for site in told["sites"])
        if told["stage"] == "curve":
            return set(pd.read_parquet(home / "curve.parquet")["readout"]) == {"raw_plane"}
        return told["stage"] in ("music", "null")
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
        return False  # damaged: the borrower computes its own


def _link(home: Path, target: Path) -> bool:
    """One unit, whole or not at all; whether the file system can."""
    temporary = target.parent / f".{home.name[:12]}-{uuid.uuid4().hex[:8]}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(home, temporary, copy_function=os.link)
        temporary.rename(target)
    except (OSError, shutil.Error):
        return False
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return True
