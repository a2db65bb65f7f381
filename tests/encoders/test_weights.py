"""Weights are read without running anything, and a file that does not fit says how."""

from __future__ import annotations

import os
import pickle
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from tonotopy.core.errors import InputError, WeightsError
from tonotopy.encoders._weights import fit_weights, random_seed, read_weights, weights_id


class Bomb:
    """What unpickling would run."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.target),)


def refused(path: Path) -> str:
    """The message with which a file is refused."""
    with pytest.raises(WeightsError) as caught:
        read_weights(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_runs_code_does_not_run(tmp_path: Path, zipped: bool) -> None:
    """A file that would make a folder when unpickled is refused, and the folder is not there."""
    path, target = tmp_path / "model.pth", tmp_path / "exploded"
    if zipped:
        torch.save({"weight": torch.zeros(2), "bomb": Bomb(target)}, path)
    else:
        path.write_bytes(pickle.dumps({"bomb": Bomb(target)}))
    assert refused(path) == (
        "expected a PyTorch file of tensors only; got 'model.pth'; likely cause: the file is damaged, or holds "
        "code, which is never run; save a state_dict or use safetensors"
    )
    assert not target.exists()


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    """Cut, empty, absent and foreign files each give one line."""
    whole = tmp_path / "whole.pth"
    torch.save(nn.Conv1d(1, 2, 3).state_dict(), whole)
    cut = tmp_path / "cut.pth"
    cut.write_bytes(whole.read_bytes()[:-200])
    assert refused(cut).startswith(
        "expected a PyTorch file of tensors only; got 'cut.pth'; likely cause: the file is"
    )
    (tmp_path / "empty.pth").touch()
    assert (
        refused(tmp_path / "empty.pth")
        == "expected weights of 1 to 8589934592 bytes; got empty.pth of 0 bytes"
    )
    assert refused(tmp_path / "no.pth") == (
        "expected a file of weights; got 'no.pth'; likely cause: no such file; check the path"
    )
    (tmp_path / "foreign.safetensors").write_bytes(b"not a header at all")
    assert refused(tmp_path / "foreign.safetensors").startswith(
        "expected a safetensors file; got 'foreign.safeten"
    )
    torch.save([1, 2], tmp_path / "list.pth")
    assert refused(tmp_path / "list.pth") == (
        "expected a state dict; got list in list.pth; likely cause: the file holds something else"
    )
    torch.save({"epoch": 3}, tmp_path / "no_tensor.pth")
    assert refused(tmp_path / "no_tensor.pth") == (
        "expected a state dict; got no tensor in no_tensor.pth; likely cause: the file holds something else"
    )


@pytest.mark.parametrize("nested", [None, "state_dict", "model", "best_state"])
def test_every_format_gives_the_same_weights(tmp_path: Path, nested: str | None) -> None:
    """Plain and nested state dicts of torch, and safetensors, read alike."""
    state = nn.Conv1d(1, 2, 3).state_dict()
    torch.save(state if nested is None else {nested: state, "epoch": 1}, tmp_path / "a.pth")
    save_file(state, tmp_path / "a.safetensors")
    for name in ("a.pth", "a.safetensors"):
        found = read_weights(tmp_path / name)
        assert all(torch.equal(found[key], state[key]) for key in state)


def test_another_architecture_is_summarised() -> None:
    """Missing, unexpected and misshapen entries are counted and a few named, in one line."""
    model = nn.Sequential(nn.Conv1d(1, 2, 3), nn.Conv1d(2, 2, 3))
    state = {"0.weight": torch.zeros(2, 1, 5), "0.bias": torch.zeros(2), "extra": torch.zeros(1)}
    message = (
        "expected weights of toy; got 2 missing (1.weight, 1.bias); 1 unexpected (extra); "
        "1 of another shape (0.weight is (2, 1, 5), not (2, 1, 3)); "
        "likely cause: a file of another architecture or size"
    )
    with pytest.raises(WeightsError, match=f"^{re.escape(message)}$"):
        fit_weights(model, state, name="toy")
    many = {f"x{i}": torch.zeros(1) for i in range(9)}
    with pytest.raises(WeightsError, match=re.escape("9 unexpected (x0, x1, x2 and 6 more)")):
        fit_weights(model, {**model.state_dict(), **many}, name="toy")


def test_weights_that_are_not_finite_are_refused() -> None:
    """NaN in a weight is a fault of the file, not of the music."""
    model = nn.Conv1d(1, 2, 3)
    state = {**model.state_dict(), "bias": torch.tensor([0.0, torch.nan])}
    message = (
        "expected finite weights of toy; got 1 not finite (bias); likely cause: a training run that diverged"
    )
    with pytest.raises(WeightsError, match=f"^{re.escape(message)}$"):
        fit_weights(model, state, name="toy")


def test_the_hash_is_of_the_content() -> None:
    """Equal weights hash alike whatever the memory layout; one bit, one name or one dtype makes another hash."""
    model = nn.Conv1d(2, 3, 5)
    first = weights_id(model)
    model.weight.data = model.weight.data.permute(0, 2, 1).contiguous().permute(0, 2, 1)
    assert weights_id(model) == first
    with torch.no_grad():
        model.bias[0] += 1e-7
    assert weights_id(model) != first
    assert weights_id(nn.Sequential(nn.Conv1d(2, 3, 5).double())) != first


def test_a_random_seed_is_a_whole_number() -> None:
    """``random:`` with anything but digits is refused."""
    assert random_seed("random:12") == 12
    message = "expected random:SEED; got 'random:x'; likely cause: the seed is a whole number from 0, as in random:0"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        random_seed("random:x")
