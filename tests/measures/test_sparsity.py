"""The sparsity law: trials sorted by their own occupancy; the half-point is where a measure has fallen half way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tonotopy.measures.sparsity import NULLS, _crossing, sparsity_law
from tonotopy.readouts import fit
from tonotopy.recording import Recording

RATE = 16000


def mixed(planted: Any, clean: float) -> tuple[np.ndarray, Recording, Any]:
    """Tuned units whose answers vanish in trials that fill ``clean`` bands or more; families at random."""
    made = planted(contexts=28, n_frequencies=6)
    whole = Recording.concatenate([Recording(r.trials, r.core) for r in made.families.values()])
    rng = np.random.default_rng(0)
    occupancy = np.exp(rng.uniform(0, np.log(15), len(whole.trials)))
    core = whole.core.copy()
    lost = occupancy >= clean
    noise = 0.1 * np.abs(rng.standard_normal(core[lost, 1:].shape))
    core[lost, 1:] = core[lost, :1] + (noise - 0.08).astype(np.float32)
    line = fit(made.training(), made.frequency_hz, kinds=["line"])["line"]
    held = Recording(replace(whole.trials, occupancy=occupancy), core)
    return made.frequency_hz, held.take(held.trials.test), line


def test_the_half_point_is_found(planted: Any) -> None:
    """Answers that stop at 6.5 bands: detection is whole below, at its null above, half way near there."""
    grid, held, line = mixed(planted, 6.5)
    law = sparsity_law(line, held, grid, RATE, seed=0, shuffled=line)
    below = [row for row in law.rows if row["high"] <= 6.5]
    above = [row for row in law.rows if row["low"] >= 6.5]
    assert len(below) >= 3
    assert len(above) >= 1
    for row in below:
        assert row["detection"] > 0.95
        assert row["detection_low"] <= row["detection"] <= row["detection_high"] + 1e-9
        assert row["shuffled_detection"] == pytest.approx(
            row["detection"]
        )  # the same line was given as its null
        assert row["low"] <= row["occupancy"] < row["high"]
    for row in above:
        assert row["specificity"] < 0.5
        assert row["detection"] < 0.75
    for name in ("detection", "specificity"):
        half, low, high = law.half_points[name]
        assert low <= half <= high
        assert 4.5 < half < 11, name


def test_bins_are_of_the_trial_not_of_the_family(planted: Any) -> None:
    """Renaming the families, contexts kept apart, changes no row."""
    grid, held, line = mixed(planted, 6.5)
    law = sparsity_law(line, held, grid, RATE, seed=0)
    names = {name: f"x{k}" for k, name in enumerate(np.unique(held.trials.family))}
    renamed = replace(held.trials, family=np.array([names[f] for f in held.trials.family]))
    again = sparsity_law(line, Recording(renamed, held.core), grid, RATE, seed=0)
    for a, b in zip(law.rows, again.rows, strict=True):
        for name in NULLS:
            assert a[name] == pytest.approx(b[name])


def test_what_never_falls_has_no_half_point(planted: Any) -> None:
    """A measure that stays up has its half-point at infinity; a single bin leaves it undefined."""
    grid, held, line = mixed(planted, 1e9)
    assert sparsity_law(line, held, grid, RATE, seed=0).half_points["detection"][0] == np.inf
    one = held.take((held.trials.occupancy > 2) & (held.trials.occupancy < 3))
    assert np.isnan(sparsity_law(line, one, grid, RATE, seed=0).half_points["detection"][0])


@pytest.mark.parametrize(
    ("curve", "half"),
    [
        (
            [1.0, 0.5],
            2.0,
        ),  # half of the way from 1 to .5 is .75, half way between 1 and 4 bands on a log axis
        ([0.9, 0.6], 1.0 * 4 ** (2 / 3)),  # .7 is two thirds of the way down
        ([0.8, 0.7], np.inf),
        ([0.5, 0.4], np.nan),  # it starts at chance: nothing to lose
        ([np.nan, 0.5], np.nan),
    ],
)
def test_half_points_by_hand(curve: list[float], half: float) -> None:
    """Between 1 and 4 bands, with chance at .5."""
    np.testing.assert_allclose(_crossing(np.array([1.0, 4.0]), np.array(curve), 0.5), half)
