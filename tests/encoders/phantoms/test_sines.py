"""A decoded sound does not depend on which sines were kept from earlier ones, and no more than a bound is kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tonotopy.encoders.phantoms import _sines
from tonotopy.signal.gammatone import impulse_responses

RATE = 8000
CENTRES = np.array([200.0, 700.0, 1500.0])


def bank() -> _sines.SineBank:
    responses = torch.from_numpy(impulse_responses(CENTRES, RATE, 400))
    return _sines.SineBank(responses, CENTRES, RATE, window=128, hop=32)


def levels(frames: int) -> torch.Tensor:
    return torch.rand(2, frames, len(CENTRES), generator=torch.Generator().manual_seed(frames))


def test_long_sounds_keep_no_more_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short, long and short again: the same sound as when everything is kept, and a bounded memory."""
    whole, unkept = bank(), bank()
    monkeypatch.setattr(_sines, "KEPT", 3 * 700)
    bounded = bank()
    monkeypatch.setattr(_sines, "KEPT", 0)
    nothing = bank()
    for frames in (3, 60, 5, 9):
        wanted = whole(levels(frames))
        assert torch.equal(bounded(levels(frames)), wanted)
        assert torch.equal(nothing(levels(frames)), wanted)
        assert bounded._kept.numel() <= 3 * 700
        assert nothing._kept.numel() == 0
    assert torch.equal(unkept(levels(9)), whole(levels(9)))  # whatever came before
