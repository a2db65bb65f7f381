"""What tallies share: pieces are counted once, other bands refused, shifts differ by piece and by measure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tonotopy.core.errors import InputError
from tonotopy.measures.natural.pieces_seen import SHIFT, PiecesSeen, null_shift
from tonotopy.recording.lanes import Lanes, bands_hz


def test_pieces_are_counted_once() -> None:
    """A piece in two shards is one piece; lanes with other bands are refused."""
    band_hz = bands_hz(16_000)
    level = np.zeros((3, len(band_hz)), np.float32)
    lanes = Lanes(100.0, band_hz, level, level, np.zeros((3, 12), np.float32), np.full(3, -1))
    one, other = PiecesSeen(lanes), PiecesSeen(lanes)
    for piece in (0, 1, 1):
        one.add(piece)
    for piece in (1, 2):
        other.add(piece)
    one.merge(other)
    assert len(one) == 3
    one.check(lanes)
    with pytest.raises(InputError, match="the same bands"):
        one.check(replace(lanes, band_hz=band_hz + 1))


def test_shifts_stay_clear_of_the_piece_as_it_is() -> None:
    """Between a quarter and three quarters; drawn anew for each piece, seed and measure."""
    shifts = [null_shift(1000, piece, seed=0, stream=1) for piece in range(50)]
    assert min(shifts) >= SHIFT[0] * 1000
    assert max(shifts) < SHIFT[1] * 1000
    assert len(set(shifts)) > 40
    assert null_shift(1000, 0, seed=1, stream=1) != shifts[0] != null_shift(1000, 0, seed=0, stream=2)
