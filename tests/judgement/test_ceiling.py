"""Verdicts below a ceiling, and the ceiling as a control: every combination, and what is undefined."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tonotopy.judgement.ceiling import CEILING_STATES, CONTROL_SHARE, against_ceiling, positive_control

LINE = ("passes", "coincidental", "entangled", "absent", "undefined")


@pytest.mark.parametrize(("model", "ceiling"), list(product(LINE, LINE)))
def test_every_combination(model: str, ceiling: str) -> None:
    """What passes does; what fails could where the ceiling passes; either undefined leaves it undefined."""
    (state,) = against_ceiling(np.array([model], dtype=object), np.array([ceiling], dtype=object))
    if model == "undefined":
        wanted = "undefined"
    elif model == "passes":
        wanted = "does"  # whatever the ceiling did: it is a lower bound
    elif ceiling == "undefined":
        wanted = "undefined"
    else:
        wanted = "could, does not" if ceiling == "passes" else "cannot"
    assert state == wanted
    assert state in CEILING_STATES


def control(r2: list[float], verdict: list[str]) -> object:
    """The control of some frequencies."""
    frequency = np.geomspace(100, 1000, len(r2))
    return positive_control(frequency, np.array(r2), np.array(verdict, dtype=object))


def test_the_control_counts_only_what_is_reported() -> None:
    """R^2 of .9 is not above .9; undefined frequencies were not asked; the others are named."""
    found = control([0.95, 0.9, 0.91, 0.99, np.nan], ["stable", "absent", "entangled", "undefined", "absent"])
    assert (found.n_reported, found.n_stable) == (2, 1)
    assert found.missed_hz == pytest.approx((100 * 10**0.5,))
    assert found.best_r2 == pytest.approx(0.99)
    assert found.share == 0.5
    assert found.passes is False


def test_the_control_passes_as_a_phantom_does() -> None:
    """At four in five it passes."""
    assert CONTROL_SHARE == 0.8
    assert control([0.95] * 5, ["stable"] * 4 + ["absent"]).passes is True
    assert control([0.95] * 5, ["stable"] * 3 + ["absent"] * 2).passes is False


def test_without_a_good_band_there_is_no_control() -> None:
    """Neither passed nor failed, and the share is undefined, not 0."""
    found = control([0.5, 0.6], ["absent", "stable"])
    assert found.passes is None
    assert np.isnan(found.share)
    assert np.isnan(control([np.nan], ["stable"]).best_r2)
