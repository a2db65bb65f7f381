"""The whole calibration of SPEC § 8, as a user runs it: every phantom, three seeds, the standard preset.

``TONOTOPY_PROOFS`` names a folder that keeps what it printed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tonotopy.core.registry import plugins


@pytest.mark.prove
@pytest.mark.timeout(3600)
def test_every_phantom_reads_what_it_must(tmp_path: Path) -> None:
    """Every expectation of every phantom holds with seeds 0, 1 and 2."""
    command = [sys.executable, "-m", "tonotopy", "calibrate", "--json", "--seeds", "0,1,2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    kept = Path(os.environ.get("TONOTOPY_PROOFS", tmp_path)) / "calibration.json"
    kept.write_text(done.stdout, encoding="utf-8")
    assert done.stdout, done.stderr[-2000:]
    rows = json.loads(done.stdout)["phantoms"]
    assert {row["phantom"] for row in rows} == set(plugins("tonotopy.encoders.phantoms"))
    assert {row["seed"] for row in rows} == {0, 1, 2}
    failed = [
        (row["phantom"], row["site"], row["readout"], row["expected"], row["observed"], row["seed"])
        for row in rows
        if not row["pass"]
    ]
    assert failed == []
    assert done.returncode == 0
