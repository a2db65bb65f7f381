"""The instrument broken on purpose, beside the intact one: the tests can see the damage.

Three errors that were made while this was built: foils on the grid, frames of two sounds that do not
correspond, a piece on both sides of a fit. And one by which everything passes: partials that are too loud.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tonotopy.judgement import Thresholds, passes
from tonotopy.measures import measure, tally
from tonotopy.readouts import fit
from tonotopy.recording import Recording, recording
from tonotopy.runs import calibrate
from tonotopy.sound.music import LevelFunction

RATE = 16000
FEW: dict[str, Any] = {"frequencies": 8, "pieces": 5, "workers": 1}


def share(values: Any) -> float:
    """Share of frequencies whose line passes."""
    return float(passes(values, Thresholds()).mean())


def test_foils_on_the_grid_flatter(read_line: Any, bands: Any) -> None:
    """120 bands in 16 dimensions are superposed; ten targets fit into them, so a readout can null just the grid."""
    honest = [read_line(bands(16, seed=seed)) for seed in range(3)]
    broken = [read_line(bands(16, seed=seed), foils_on_grid=True) for seed in range(3)]
    kappa, flattered = (
        np.mean([np.median(m.point("specificity")) for m in found]) for found in (honest, broken)
    )
    assert kappa < 0.75
    assert flattered > kappa + 0.1
    assert np.mean([share(m) for m in honest]) < 0.35
    assert np.mean([share(m) for m in broken]) > np.mean([share(m) for m in honest]) + 0.2


def shifted(monkeypatch: pytest.MonkeyPatch, samples: int) -> None:
    """From now on the frames of the present sound of music are read that much later than those of the absent one."""
    real = recording.render

    def late(design: Any, trial: Any, *rest: Any) -> Any:
        rendered = real(design, trial, *rest)
        if trial.family != "music":
            return rendered
        audio = rendered.audio.copy()
        audio[1] = np.roll(audio[1], -samples)
        return replace(rendered, audio=audio)

    monkeypatch.setattr(recording, "render", late)


def test_a_frame_shift_destroys_what_is_stable(
    read_line: Any, bands: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unmixed bands are stable; read two frames late in the present sound they are not, since the music moves on."""
    intact = read_line(bands())
    shifted(monkeypatch, 4096)
    broken = read_line(bands())
    assert share(intact) >= 0.8
    assert share(broken) <= share(intact) - 0.4
    assert np.median(broken.point("specificity")) < np.median(intact.point("specificity")) - 0.1


def test_a_leaked_piece_is_seen(planted: Any) -> None:
    """Random features of many dimensions know nothing; a fit that has met the test pieces seems to know all."""
    made = planted(code="noise", units=300, n_frequencies=6, background=1.0)
    music = made.families["music"]
    music = Recording(music.trials, music.core)
    test, train = music.take(music.trials.test), music.take(~music.trials.test)
    honest, leaked = (
        measure(
            tally(fit(rows, made.frequency_hz, kinds=["line"])["line"], test, made.frequency_hz, RATE),
            np.ones((1, 4)),
        )
        for rows in (train, Recording.concatenate([train, test]))
    )
    assert np.median(honest.point("detection")) == pytest.approx(0.5, abs=0.15)
    assert np.median(leaked.point("detection")) > 0.85


def rows_of(*phantoms: str) -> dict[tuple[str, str], bool]:
    """Whether each expectation of some phantoms is met."""
    rows = calibrate(phantoms=phantoms, **FEW)
    assert all(row["seed"] == 0 and 0 <= row["share"] <= 1 for row in rows)
    return {(row["phantom"], row["expected"]): row["pass"] for row in rows}


def test_calibration_passes() -> None:
    """A reduced calibration: what must be stable is, what must be absent is, no raw window is phase-locked."""
    found = rows_of("spectrogram", "waveform-codebook", "raw-window")
    assert len(found) == 4
    assert all(found.values()), found


def test_calibration_sees_labels_off_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the targets of music numbered one too high, what must be stable is not."""
    real = recording.TrialTable.of

    def off_by_one(asked: Any, occupancy: Any) -> Any:
        table = real(asked, occupancy)
        if table.family[0] != "music":
            return table
        return replace(table, frequency_index=(table.frequency_index + 1) % FEW["frequencies"])

    monkeypatch.setattr(recording.TrialTable, "of", staticmethod(off_by_one))
    assert not any(rows_of("spectrogram").values())


def test_calibration_sees_partials_that_are_too_loud(monkeypatch: pytest.MonkeyPatch) -> None:
    """40 dB above their level in music partials are heard by anything: what must be absent is not."""
    real = LevelFunction.__call__
    monkeypatch.setattr(LevelFunction, "__call__", lambda self, hz: real(self, hz) + 40)
    assert not any(rows_of("waveform-codebook").values())
