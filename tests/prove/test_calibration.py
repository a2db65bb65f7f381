"""The whole calibration of SPEC § 8: every phantom, three seeds, the standard preset."""

from __future__ import annotations

import pytest

from tonotopy.core.registry import plugins
from tonotopy.runs import calibrate


@pytest.mark.prove
@pytest.mark.timeout(3600)
def test_every_phantom_reads_what_it_must() -> None:
    """Every expectation of every phantom holds with seeds 0, 1 and 2."""
    rows = calibrate(seeds=(0, 1, 2), preset="standard")
    assert {row["phantom"] for row in rows} == set(plugins("tonotopy.encoders.phantoms"))
    assert {row["seed"] for row in rows} == {0, 1, 2}
    failed = [
        (row["phantom"], row["site"], row["readout"], row["expected"], row["observed"], row["seed"])
        for row in rows
        if not row["pass"]
    ]
    assert failed == []
