"""kill -9 in the middle of a real study in two processes: nothing is lost, nothing is left, nothing changes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tonotopy.runs import open_run, study
from tonotopy.runs.run import TABLES

WORDS: dict[str, Any] = {"music": "scores", "preset": "quick", "frequencies": 3, "pieces": 4, "brief": True}
#: No guard of ``__main__``: workers must not run the script again.
SCRIPT = """
from tonotopy.runs import study
study("phantom:raw-window", out={out!r}, workers=2, **{words!r})
"""


def started(tmp_path: Path, out: Path) -> subprocess.Popen[bytes]:
    """The study in a session of its own, so that every process of it can be found; what it says is in a file."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(out=str(out), words=WORDS))
    with (tmp_path / "said").open("wb") as said:
        return subprocess.Popen([sys.executable, str(script)], start_new_session=True, stderr=said)


def alive(session: int) -> list[int]:
    """Processes of a session that have not ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, its = stat.read_text().rpartition(")")[2].split()[:4]
        except (OSError, ValueError):
            continue
        if int(its) == session and state != "Z":
            found.append(int(stat.parent.name))
    return found


def wait_for(condition: Any, seconds: float) -> bool:
    """Whether something becomes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes in /proc")
@pytest.mark.timeout(400)
def test_kill_and_resume(tmp_path: Path) -> None:
    """Killed after some units: no worker survives; called again, what was finished stands, and all tables are equal."""
    out = tmp_path / "run"
    process = started(tmp_path, out)
    try:
        assert wait_for(
            lambda: len(list(out.glob("units/*/*/unit.json"))) >= 3 or process.poll() is not None, 180
        )
        assert process.poll() is None, (tmp_path / "said").read_text()
        assert len(alive(process.pid)) >= 2, "the study has no workers to leave behind"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert wait_for(lambda: not alive(process.pid), 60), "workers outlive their parent"
    finally:
        for pid in alive(process.pid):
            os.kill(pid, signal.SIGKILL)
    assert not (out / "manifest.json").exists()
    finished = {p: p.stat().st_mtime_ns for p in out.glob("units/*/*/unit.json")}
    assert finished
    again = started(tmp_path, out)
    assert again.wait(timeout=300) == 0, (tmp_path / "said").read_text()
    assert {p: p.stat().st_mtime_ns for p in finished} == finished, "a finished unit was run again"
    assert not list(out.glob("units/*/.*")), "what the kill left behind is still there"
    undisturbed = study("phantom:raw-window", out=tmp_path / "undisturbed", workers=1, **WORDS)
    resumed = open_run(out)
    for name in TABLES:
        pd.testing.assert_frame_equal(resumed.table(name), undisturbed.table(name), check_exact=True)
    assert resumed.verdict == undisturbed.verdict
