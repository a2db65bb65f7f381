"""Reading by hooks: picked frames are those of the whole tensor, and picking ends where it is said to."""

from __future__ import annotations

import pytest
import torch

from tonotopy.encoders._taps import Tap, picking, read


def net() -> torch.nn.Sequential:
    """Two convolutions, the second's input changed in place."""
    torch.manual_seed(0)
    layers = torch.nn.Conv1d(1, 4, 3), torch.nn.ReLU(inplace=True), torch.nn.Conv1d(4, 2, 3)
    return torch.nn.Sequential(*layers).eval()


TAPS = {
    "first": Tap("0", clone=True),
    "rectified": Tap("1"),
    "heard": Tap("2", of_input=True),
    "last": Tap("2"),
}


def test_picked_frames_are_those_of_the_whole() -> None:
    """In any order, with repeats, at layers whose tensor is changed afterwards, beside sites that come whole."""
    model, audio = net(), torch.randn(3, 1, 20, generator=torch.Generator().manual_seed(1))
    row, frame = torch.tensor([2, 0, 0, 1]), torch.tensor([5, 15, 0, 15])
    with torch.no_grad():
        whole = read(model, lambda: model(audio), TAPS)
        with picking(dict.fromkeys(("first", "rectified", "heard"), (row, frame))) as picked:
            found = read(model, lambda: model(audio), TAPS)
    assert picked == {"first", "rectified", "heard"}
    assert (whole["first"] < 0).any()
    for name in picked:
        assert torch.equal(found[name], whole[name][row, frame][None])
    assert torch.equal(found["last"], whole["last"])


def test_picking_ends_with_its_block() -> None:
    """After the block, left by an error or not, sites come whole again."""
    model, audio = net(), torch.zeros(2, 1, 20)
    place = torch.tensor([0]), torch.tensor([99])
    with pytest.raises(IndexError), picking({"last": place}):
        read(model, lambda: model(audio), TAPS)
    assert read(model, lambda: model(audio), TAPS)["last"].shape == (2, 16, 2)
    with picking({}) as picked:
        read(model, lambda: model(audio), TAPS)
    assert not picked
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
