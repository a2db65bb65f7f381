"""Choosing pieces: one clip of each, drawn with the seed, what fails gives way, and a second reading is the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tonotopy.core.errors import InputError, RunError
from tonotopy.sound.pool import choose, fingerprint, read_again
from tonotopy.sound.sources import Clip, Skipped, Source

RATE = 8000


class Fake(Source):
    """Nine clips of eight pieces; some are short, unreadable, silent or not finite."""

    spelling = "fake"

    def __init__(self) -> None:
        self.bad = {"c1": "unreadable", "c2": "silent", "c3": "nan"}
        self.level = 0.1

    def clips(self) -> Iterator[Clip]:
        yield Clip("p0", "short", 0.5, RATE, 1)
        for k in range(8):
            yield Clip(f"p{k}", f"c{k}", 4.0, RATE, 1)

    def read(self, clip: Clip, sample_rate_hz: int, **_: Any) -> np.ndarray:
        if self.bad.get(clip.name) == "unreadable":
            raise InputError("a readable file", clip.name)
        rng = np.random.default_rng(int(clip.name[1:]))
        audio = (self.level * rng.standard_normal((1, 4 * RATE))).astype(np.float32)
        return audio * {"silent": 0.0, "nan": np.nan}.get(self.bad.get(clip.name, ""), 1.0)

    def ledger(self) -> tuple[Skipped, ...]:
        return (Skipped("x", "of another kind"),)

    def fingerprint(self) -> str:
        return "ab"


def test_what_fails_gives_way_and_is_told() -> None:
    """Five pieces are asked for: five usable ones are found among eight, and what was met on the way has its reason."""
    clips, pool, skipped = choose(Fake(), 5, 1.0, RATE, seed=0)
    assert len({clip.piece for clip in clips}) == len(pool.pieces) == 5
    assert [piece.name for piece in pool.pieces] == [clip.piece for clip in clips]
    assert not {clip.name for clip in clips} & {"c1", "c2", "c3", "short"}
    reasons = {entry.name: entry.reason for entry in skipped}
    assert reasons["short"] == "0.50 s long, shorter than the 1.00 s needed"
    assert reasons["x"] == "of another kind"
    few, _, told = choose(Fake(), 9, 1.0, RATE, seed=0)
    assert len(few) == 5
    assert {"c1", "c2", "c3"} < {entry.name for entry in told}


def test_the_seed_draws() -> None:
    """The same seed draws the same pieces; others draw others."""
    drawn = [
        tuple(clip.piece for clip in choose(Fake(), 3, 1.0, RATE, seed=seed)[0]) for seed in (0, 0, 1, 2, 3)
    ]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) > 1


def test_a_second_reading_is_the_same_or_an_error() -> None:
    """Another process reads the very samples that were chosen, or stops."""
    source = Fake()
    clips, pool, _ = choose(source, 4, 1.0, RATE, seed=0)
    expected = fingerprint(pool)
    assert fingerprint(read_again(source, clips, RATE, expected=expected)) == expected
    source.level = 0.2
    with pytest.raises(RunError, match=r"^expected the same music in every process; got other samples; "):
        read_again(source, clips, RATE, expected=expected)
