"""Benches that several tests share, made once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from tests.interventions.phantoms import CROWDED, RATE, Bench, Chain, bench

from tonotopy.encoders import load_encoder
from tonotopy.sound.trials import Design


@pytest.fixture(scope="session", name="cochlea")
def _cochlea() -> Bench:
    return bench(load_encoder("phantom:cochlea"), ["cochlea"])


@pytest.fixture(scope="session", name="chain")
def _chain() -> Callable[..., Bench]:
    """A chain whose planted unit is used, or ignored; the planted target is number 4 of 8."""

    @cache
    def made(used: bool, crowded: int = CROWDED, n_frequencies: int = 8) -> Bench:
        planted = float(Design(RATE, 1, (0, 1), 8).frequency_hz[4])
        return bench(Chain(planted, used=used, crowded=crowded), ["plant", "later"], n_frequencies)

    return made
