"""What every test shares: one thread, no outside world, where recorded data lie."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Before any heavy import: tests are several processes of one thread, draw without a screen, and stay offline.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import hypothesis
import numpy as np
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


@pytest.fixture(scope="session")
def lyra_dir(data_dir: Path) -> Path:
    """Folder of the released SoundStream and its golden vectors, or a skip that says why."""
    if not (data_dir / "lyra_v2").is_dir():
        pytest.skip(
            "no released SoundStream among the recorded test data: it belongs in their folder lyra_v2"
        )
    return data_dir / "lyra_v2"


@dataclass(frozen=True)
class Planted:
    """Recordings made by hand: what each unit answers is known."""

    frequency_hz: np.ndarray
    families: dict[str, Any]  # family -> Recording
    rate_hz: int = 16000

    def training(self, *names: str) -> Any:
        """Training trials of some families (all but music by default) as one recording."""
        from tonotopy.recording import Recording

        chosen = names or tuple(name for name in self.families if name != "music")
        parts = [Recording(r.trials, r.core) for r in (self.families[name] for name in chosen)]
        everything = Recording.concatenate(parts)
        return everything.take(~everything.trials.test)


def _table(family: str, grid: np.ndarray, contexts: int, rng: np.random.Generator) -> Any:
    """Trials of one family, contexts outermost; foils as the protocol draws them."""
    from tonotopy.recording import TrialTable
    from tonotopy.signal import erb
    from tonotopy.sound.structures import partial

    n, music = len(grid), family == "music"
    context, index = np.repeat(np.arange(contexts), n), np.tile(np.arange(n), contexts)
    target = grid[index]
    probe = target * np.array(partial.PROBE_RATIOS)[(context + index) % 4]
    probe[(probe < partial.BOTTOM_HZ) | (probe > 7200) | (not music)] = np.nan
    return TrialTable(
        family=np.full(len(index), family),
        context=context,
        frequency_index=index,
        frequency_hz=target,
        foil_hz=np.array([partial.draw_foil_hz(float(f), 16000, rng=rng) for f in target]),
        piece=context,
        test=context >= contexts // 2,
        probe_hz=probe,
        neighbour_hz=erb.frequency_hz(np.clip(erb.rate(target) + 2, 2, 32)),
        occupancy=rng.uniform(1, 12, len(index)),
    )


def planted(
    *,
    code: str = "tuned",
    n_frequencies: int = 9,
    contexts: int = 8,
    frames: int = 2,
    units: int = 60,
    background: float = 0.1,
    jitter: float = 0.0,
    mix: np.ndarray | None = None,
    seed: int = 0,
    families: tuple[str, ...] = ("silence", "tone", "chord", "music"),
) -> Planted:
    """Recordings of units that are tuned to .5 ERB, of one that hears level only, or of noise.

    Each sound adds its partials' answers to the same context, as amplitudes; ``mix`` rotates the units,
    ``jitter`` is how much a unit's answer varies.
    """
    from tonotopy.recording import Recording
    from tonotopy.signal import erb
    from tonotopy.sound.structures.partial import LADDER_DB, grid_hz
    from tonotopy.sound.trials import EXTRA

    rng = np.random.default_rng([seed, units])
    grid, centres = grid_hz(n_frequencies, 16000), np.linspace(1.0, 33.0, units)
    loud = np.abs(rng.standard_normal(units))

    def answer(hz: np.ndarray, amplitude: float = 1.0) -> np.ndarray:
        """What one partial adds, ``[trial, 1, unit]``."""
        if code == "tuned":
            gain = np.exp(-0.5 * ((erb.rate(hz)[:, None] - centres) / 0.5) ** 2)
        elif code == "loudness":
            gain = np.where(np.isfinite(hz), 0.02, np.nan)[:, None] * loud
        else:
            gain = rng.standard_normal((len(hz), units))
        if jitter:  # without it, changes by one target are all alike, and a second direction is rounding
            gain = gain * (1 + jitter * rng.standard_normal(gain.shape))
        return (amplitude * gain)[:, None, :]

    made = {}
    for family in families:
        table = _table(family, grid, contexts, rng)
        shape = (len(table), frames, units)
        ground = background * np.abs(rng.standard_normal(shape))
        if code == "loudness":
            ground = (1 + background * rng.standard_normal((*shape[:2], 1))) * loud
        target, foil = answer(table.frequency_hz), answer(table.foil_hz)
        sounds = [ground, ground + target, ground + foil]
        extra = None
        if family == "music":
            neighbour, probe = answer(table.neighbour_hz), answer(table.probe_hz)
            by_name = {f"level{db:+d}": answer(table.frequency_hz, 10 ** ((db - 6) / 20)) for db in LADDER_DB}
            by_name |= {
                "noise": 0.8 * target,
                "neighbour": neighbour,
                "neighbour_present": neighbour + target,
            }
            by_name |= {"probe_absent": 0 * probe, "probe_present": probe}
            extra = np.stack([ground + by_name[name] for name in EXTRA], axis=1)
        core = np.stack([np.broadcast_to(s, shape) for s in sounds], axis=1)
        turn = np.eye(units) if mix is None else mix
        made[family] = Recording(
            table,
            (core @ turn).astype(np.float32),
            None if extra is None else (extra @ turn).astype(np.float32),
        )
    return Planted(grid, made)


@pytest.fixture(scope="session", name="planted")
def _planted() -> Callable[..., Planted]:
    """Makes recordings whose right answer is known."""
    return planted
