"""What every test shares: one thread, no outside world, where recorded data lie."""

from __future__ import annotations

import os
from pathlib import Path

# Before any heavy import: tests are several processes of one thread, draw without a screen, and stay offline.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[1]
TEST_DATA = Path(os.environ.get("TONOTOPY_TEST_DATA", ROOT.parent / "shared" / "data"))

# The same examples on every machine, nothing kept between runs: a failure is the code's, never the draw's.
hypothesis.settings.register_profile("tonotopy", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("tonotopy")


def pytest_report_header() -> str:
    """Say at the top whether tests on recorded data run."""
    return "recorded test data: " + ("found" if TEST_DATA.is_dir() else "absent, tests that use it skip")


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Keep torch to one thread in each test process."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of recorded test data, or a skip that says why."""
    if not TEST_DATA.is_dir():
        pytest.skip("no recorded test data: set TONOTOPY_TEST_DATA to their folder")
    return TEST_DATA
