"""Recovery: a known tuning planted in activations is read back, and is gone when it is destroyed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tonotopy.judgement.site import Question, SiteResult, study_site
from tonotopy.measures import JUDGED, measure, tally
from tonotopy.readouts import fit
from tonotopy.recording import Recording
from tonotopy.statistics.bootstrap import piece_weights

RATE = 16000
UNITS = 60


def rotation(n: int, *, seed: int = 4) -> np.ndarray:
    """A random rotation."""
    q, r = np.linalg.qr(np.random.default_rng(seed).standard_normal((n, n)))
    return q * np.sign(np.diagonal(r))


def read(planted: Any, made: Any, *, full: bool = False) -> SiteResult:
    """The verdicts of a site, against a raw window that hears nothing."""
    noise = planted(code="noise", units=8, n_frequencies=len(made.frequency_hz), seed=9)
    plane = fit(noise.training(), noise.frequency_hz, kinds=["plane"])["plane"]
    sums = tally(plane, noise.families["music"], noise.frequency_hz, RATE)
    raw = measure(sums, piece_weights(8, 30, seed=0))
    return study_site(made.families, raw, Question(made.frequency_hz, RATE, 30, 0, full=full))


@pytest.mark.parametrize("mixed", [False, True], ids=["channels", "random rotation"])
def test_tuned_units_are_stable(planted: Any, mixed: bool) -> None:
    """Units tuned to half an ERB, as channels or in a random rotation, are stable everywhere, surely."""
    found = read(planted, planted(mix=rotation(UNITS) if mixed else None))
    assert found.judgement.names == ["stable"] * 9
    assert not found.judgement.borderline.any()
    assert found.rank > 8


def test_shuffled_labels_are_nothing(planted: Any) -> None:
    """The same activations under permuted labels: nothing is stable, and the null inside a study says so."""
    made = planted()
    rng = np.random.default_rng(1)
    families = {}
    for name, recording in made.families.items():
        order = rng.permutation(len(recording.trials))
        columns = {
            key: getattr(recording.trials, key)[order]
            for key in ("frequency_index", "frequency_hz", "foil_hz")
        }
        families[name] = Recording(replace(recording.trials, **columns), recording.core, recording.extra)
    assert "stable" not in read(planted, replace(made, families=families)).judgement.names
    assert read(planted, made, full=True).shuffled_stable == 0.0


def test_power_and_law_come_with_a_full_study(planted: Any) -> None:
    """In noise a strong enough plant is seen and a weak one is not; tuned units detect at every occupancy."""
    noise = read(planted, planted(code="noise", background=1.0), full=True)
    assert noise.power is not None
    assert 0.003 < noise.power["detected"] <= noise.power["stable"]
    tuned = read(planted, planted(), full=True)
    assert tuned.law is not None
    assert len(tuned.law.rows) >= 3
    for row in tuned.law.rows:
        assert row["low"] <= row["occupancy"] < row["high"]
        assert row["detection"] > 0.95 > row["shuffled_detection"]


def test_loudness_is_absent(planted: Any) -> None:
    """A unit that hears level alone cannot tell target from foil, and a partial is a small part of the level."""
    found = read(planted, planted(code="loudness", background=0.3))
    assert found.judgement.names == ["absent"] * 9
    assert np.abs(found.measures["line"].point("identification") - 0.5).max() < 0.15


@pytest.mark.parametrize("kind", ["line", "plane"])
def test_rotation_changes_nothing(planted: Any, kind: str) -> None:
    """Nothing looks at single units: measures of line and plane are the same after a rotation."""
    plain, turned = (
        planted(background=0.5, jitter=0.3),
        planted(background=0.5, jitter=0.3, mix=rotation(UNITS)),
    )
    _same(plain, turned, kind)


@pytest.mark.parametrize("kind", ["line", "plane"])
def test_one_global_scale_changes_nothing(planted: Any, kind: str) -> None:
    """Activations a thousand times as large, or as small, read the same."""
    plain = planted(background=0.5, jitter=0.3)
    for scale in (1e3, 1e-3):
        _same(plain, planted(background=0.5, jitter=0.3, mix=scale * np.eye(UNITS)), kind)


def _same(a: Any, b: Any, kind: str) -> None:
    """All judged measures of two sets of recordings agree as far as single precision goes."""
    found = []
    for made in (a, b):
        readout = fit(made.training(), made.frequency_hz, kinds=[kind])[kind]
        found.append(
            measure(tally(readout, made.families["music"], made.frequency_hz, RATE), np.ones((1, 8)))
        )
    for name in JUDGED:
        np.testing.assert_allclose(getattr(found[0], name), getattr(found[1], name), atol=2e-4, err_msg=name)
    assert 0.6 < found[0].point("specificity").min() < 0.99  # not all at the ceiling
