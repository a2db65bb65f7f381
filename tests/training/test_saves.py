"""A save replaces the one before whole: a failure or a kill at any moment leaves one that can be opened."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tonotopy.training.saves import last_save, load_moments, moments_of, replacing_save


def save(folder: Path, text: str) -> None:
    with replacing_save(folder) as fresh:
        (fresh / "state.json").write_text(text)


def held(folder: Path) -> str | None:
    place = last_save(folder)
    return None if place is None else (place / "state.json").read_text()


def test_the_last_save_is_the_one_that_is_found(tmp_path: Path) -> None:
    """None, then the first, then the second."""
    assert held(tmp_path) is None
    save(tmp_path, "first")
    assert held(tmp_path) == "first"
    save(tmp_path, "second")
    assert held(tmp_path) == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


def test_a_save_that_fails_leaves_the_one_before(tmp_path: Path) -> None:
    """An error while it is written; what it left is swept away by the next."""

    def fail() -> None:
        with replacing_save(tmp_path) as fresh:
            (fresh / "state.json").write_text("half")
            raise OSError("full")

    save(tmp_path, "first")
    with pytest.raises(OSError, match="full"):
        fail()
    assert held(tmp_path) == "first"
    save(tmp_path, "second")
    assert held(tmp_path) == "second"


def test_a_kill_between_the_two_renames(tmp_path: Path) -> None:
    """The save before, under its other name, is put back."""
    save(tmp_path, "first")
    (tmp_path / "checkpoint").rename(tmp_path / ".checkpoint.old")
    assert held(tmp_path) == "first"
    assert (tmp_path / "checkpoint").is_dir()


def test_an_optimiser_goes_on_as_it_would_have() -> None:
    """With the tensors of another, one steps as that one does."""

    def stepped(optimiser: torch.optim.Optimizer, tensor: torch.Tensor) -> None:
        tensor.grad = tensor.detach().clone() + 1
        optimiser.step()

    one = torch.ones(3, requires_grad=True)
    first = torch.optim.Adam([one], lr=0.1)
    stepped(first, one)
    other = one.detach().clone().requires_grad_(True)
    second = torch.optim.Adam([other], lr=0.1)
    load_moments(second, {name: value.clone() for name, value in moments_of(first).items()})
    stepped(first, one)
    stepped(second, other)
    assert torch.equal(one, other)
