"""Which checkpoints the words name, in which order, and at which step."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tonotopy.core.errors import InputError
from tonotopy.runs.series.snapshots import entries, names_snapshots


def files(folder: Path, *names: str, **told: dict[str, str]) -> Path:
    """Files of weights; what those in safetensors say of themselves is given by their stem."""
    for name in names:
        path = folder / name
        if path.suffix == ".safetensors":
            said = {f"tonotopy.{k}": v for k, v in told.get(path.stem, {}).items()}
            save_file({"w": torch.zeros(1)}, path, metadata=said or None)
        else:
            path.write_bytes(b"x")
    return folder


def test_a_step_is_the_last_number_of_a_name(tmp_path: Path) -> None:
    """Sorted as numbers, not as text, and named by the step."""
    files(tmp_path, "v2-step-900.pth", "v2-step-1000.pth", "v2-step-0.pth")
    found, by = entries("net", str(tmp_path / "*.pth"))
    assert by == "step"
    assert [(e.folder, e.step) for e in found] == [
        ("step-00000000", 0),
        ("step-00000900", 900),
        ("step-00001000", 1000),
    ]
    assert all(e.encoder == "net" and e.weights.endswith(f"{e.step}.pth") for e in found)


def test_what_a_checkpoint_says_of_itself_wins(tmp_path: Path) -> None:
    """The step in the header, not the number in the name; the file is its own encoder."""
    said = {
        "a9": {"encoder": "samplecnn-3-7", "step": "30"},
        "b1": {"encoder": "samplecnn-3-7", "step": "40"},
    }
    files(tmp_path, "a9.safetensors", "b1.safetensors", "notes.txt", **said)
    found, by = entries(str(tmp_path))  # a folder as a whole
    assert by == "step"
    assert [(Path(e.encoder).name, e.weights, e.step) for e in found] == [
        ("a9.safetensors", None, 30),
        ("b1.safetensors", None, 40),
    ]


def test_without_numbers_the_order_is_that_of_the_names(tmp_path: Path) -> None:
    """One name without a number: nothing is a step."""
    files(tmp_path, "early.pth", "late.pth", "middle 2.pth")
    found, by = entries("net", str(tmp_path))
    assert by == "order"
    assert [(e.folder, e.step) for e in found] == [("early", None), ("late", None), ("middle-2", None)]


@pytest.mark.parametrize(
    ("names", "weights", "message"),
    [
        ([], "*.pth", r"^expected one checkpoint or more; got no file for '.*\*\.pth'; likely cause: "),
        (
            ["a-v2.pth", "b-v2.pth"],
            "*.pth",
            r"^expected a step of its own for each checkpoint; got 2 in 'a-v2\.pth' and ",
        ),
        (["a b.pth", "a-b.pth"], "*.pth", r"^expected a name of its own for each checkpoint; got a-b in "),
        (
            ["x1.safetensors"],
            None,
            r"^expected checkpoints that say which encoder they fit; got 'x1\.safetensors'; ",
        ),
    ],
)
def test_what_cannot_be_a_series(names: list[str], weights: str | None, message: str, tmp_path: Path) -> None:
    """Refused in one line that names the files."""
    files(tmp_path, *names)
    words = (str(tmp_path / "*.safetensors"), None) if weights is None else ("net", str(tmp_path / weights))
    with pytest.raises(InputError, match=message):
        entries(*words)


def test_what_names_snapshots(tmp_path: Path) -> None:
    """A pattern or a folder of checkpoints; not a file, a name, or a folder that transformers saved."""
    files(tmp_path, "odd[1].pth", "model.safetensors")
    assert names_snapshots(str(tmp_path))
    assert names_snapshots("net", f"{tmp_path}/*")
    assert not names_snapshots("net", str(tmp_path / "odd[1].pth"))
    assert not names_snapshots("encodec-24khz", "random:0")
    assert not names_snapshots(object())
    (tmp_path / "config.json").write_text("{}")
    assert not names_snapshots("encodec-24khz", str(tmp_path))
