"""A checkpoint that says what it is: one safetensors file whose metadata name the encoder that it fits.

Metadata are strings: ``tonotopy.encoder`` (a name of the registry), ``tonotopy.options`` (JSON: the
encoder's options), ``tonotopy.step``, ``tonotopy.seed``, ``tonotopy.music`` (a fingerprint) and, for people,
``tonotopy.note``. They are read without reading a tensor, and are as hostile as any other string in a file:
bounded, checked, never code.

Offers :class:`Header`, :func:`read_header`, :func:`own_options`, :func:`write`.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from tonotopy.core.errors import WeightsError

PREFIX = "tonotopy."
LONGEST = 4096
"""Characters of an entry: a name, a number, a handful of options."""
LARGEST_HEADER = 1 << 24
"""Bytes of a safetensors header; a file that declares more is no checkpoint of an encoder here."""


@dataclass(frozen=True)
class Header:
    """What a checkpoint says of itself."""

    encoder: str
    options: Mapping[str, Any] = field(default_factory=dict)
    step: int | None = None
    seed: int | None = None
    music: str = ""  # fingerprint of what it was trained on
    note: str = ""

    def to_metadata(self) -> dict[str, str]:
        """As safetensors keeps it: strings to strings."""
        told = {"encoder": self.encoder, "options": json.dumps(dict(self.options), sort_keys=True)}
        for key in ("step", "seed", "music", "note"):
            if getattr(self, key) not in (None, ""):
                told[key] = str(getattr(self, key))
        return {PREFIX + key: value for key, value in told.items()}


def read_header(path: str | Path) -> Header | None:
    """What a safetensors file says of itself; None where it says nothing.

    Raises
    ------
    WeightsError
        The file is no safetensors file, or says something that cannot be.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "model.safetensors"
    ...     write(file, {"weight": torch.zeros(2)}, Header("samplecnn-3-7", {"tags": 3}, step=10))
    ...     read_header(file).step
    10
    """
    path = Path(path)
    told = _metadata(path)
    mine = {key.removeprefix(PREFIX): value for key, value in told.items() if key.startswith(PREFIX)}
    if "encoder" not in mine:
        return None
    if any(len(value) > LONGEST or not value.isprintable() for value in mine.values()):
        raise _refusal(path, "entries that are too long or not text")
    try:
        options = json.loads(mine.get("options", "{}"))
        step, seed = (int(mine[key]) if key in mine else None for key in ("step", "seed"))
    except ValueError:
        raise _refusal(path, "options or numbers that cannot be read") from None
    if not isinstance(options, dict) or any(not str(key).isidentifier() for key in options):
        raise _refusal(path, "options that are no table of names")
    if any(number is not None and not 0 <= number < 2**53 for number in (step, seed)):
        raise _refusal(path, "a step or seed out of range")
    return Header(mine["encoder"], options, step, seed, mine.get("music", ""), mine.get("note", ""))


def own_options(path: str | Path, encoders: Sequence[str]) -> dict[str, Any]:
    """The options that a file of weights names for one of ``encoders``; none where it says nothing of itself.

    Raises
    ------
    WeightsError
        The file says that it fits another encoder.
    """
    header = read_header(path) if Path(path).suffix == ".safetensors" else None
    if header is None:
        return {}
    if header.encoder not in encoders:
        cause = "a checkpoint of another architecture"
        raise WeightsError(f"weights of {encoders[0]}", f"a checkpoint of {header.encoder!r}", cause)
    return dict(header.options)


def write(path: str | Path, state: Mapping[str, torch.Tensor], header: Header) -> None:
    """Write tensors and header in one step: the file is there whole, or not at all."""
    from safetensors.torch import save_file

    path = Path(path)
    tensors = {key: value.detach().cpu().contiguous().clone() for key, value in state.items()}
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    try:
        save_file(tensors, name, metadata=header.to_metadata())
        with Path(name).open("rb") as file:
            os.fsync(file.fileno())
        Path(name).chmod(0o644)  # a temporary file is private; a checkpoint is an ordinary one
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _metadata(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file: its first bytes, and not one tensor."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 0 < length <= min(LARGEST_HEADER, path.stat().st_size):
                raise WeightsError("a safetensors file", repr(path.name), "damaged: its header has no end")
            told = json.loads(file.read(length))
    except FileNotFoundError:
        raise WeightsError("a file of weights", repr(path.name), "no such file; check the path") from None
    except (OSError, ValueError, RecursionError) as error:
        cause = f"damaged: its header cannot be read ({type(error).__name__})"
        raise WeightsError("a safetensors file", repr(path.name), cause) from None
    found = told.get("__metadata__", {}) if isinstance(told, dict) else None
    if not isinstance(found, dict) or any(not isinstance(value, str) for value in found.values()):
        raise WeightsError("a safetensors file", repr(path.name), "damaged: its metadata are no strings")
    return found


def _refusal(path: Path, came: str) -> WeightsError:
    return WeightsError("a checkpoint that says what it is", f"{came} in {path.name!r}", "a damaged file")
