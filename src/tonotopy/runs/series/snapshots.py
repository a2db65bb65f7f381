"""From the user's words to the members of a series: which checkpoints, in which order, at which step.

A checkpoint written by our own training says its step itself. Of any other the step is the last number in the
file's name, if every file has one and no two are the same; without any numbers the order is that of the names,
digits read as numbers. Nothing is opened here but the first bytes of a file.
"""

from __future__ import annotations

import glob
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tonotopy.core.errors import InputError

#: Endings of checkpoints in a folder that is named as a whole.
ENDINGS = (".safetensors", ".pth", ".pt", ".ckpt", ".bin")
#: A pattern that finds more files than this is a mistake.
MOST_MEMBERS = 500
_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Entry:
    """One member before it is studied: what to open, where to put it, where it stands in the series."""

    folder: str  # name of its run folder in the series
    encoder: Any  # as `study` takes it: a spelling, a module, an Encoder
    weights: str | None = None
    step: int | None = None
    hours: float | None = None  # of music that it was trained on
    words: Mapping[str, Any] = field(default_factory=dict)  # further words of `study`, for this member


def names_snapshots(encoder: object, weights: str | None = None) -> bool:
    """Whether these words name several checkpoints: a pattern, or a folder of them.

    Examples
    --------
    >>> names_snapshots("RUN/*.safetensors"), names_snapshots("crepe-tiny"), names_snapshots("x", "C/*.pth")
    (True, False, True)
    """
    if weights is not None:
        return _is_pattern(weights) or (_is_folder_of_checkpoints(weights))
    return isinstance(encoder, str) and (_is_pattern(encoder) or _is_folder_of_checkpoints(encoder))


def entries(encoder: str, weights: str | None = None) -> tuple[list[Entry], str]:
    """The members that the words name, in order, and what orders them: ``step`` or ``order``.

    Parameters
    ----------
    encoder : a pattern or folder of checkpoints that say what they are, or an encoder's spelling
    weights : with an encoder's spelling, a pattern or folder of its checkpoints

    Raises
    ------
    InputError
        No file, too many, two of the same step, or a file that does not say what it is.
    """
    files = found(weights if weights is not None else encoder)
    steps = _steps(files, must_say=weights is None)
    if steps is None:
        ordered = sorted(files, key=lambda path: _natural(path.name))
        names = [_safe(path.stem) for path in ordered]
        _refuse_twice(names, ordered, "a name of its own for each checkpoint")
        return [
            _entry(name, encoder, weights, path) for name, path in zip(names, ordered, strict=True)
        ], "order"
    _refuse_twice([str(steps[path]) for path in files], files, "a step of its own for each checkpoint")
    ordered = sorted(files, key=lambda path: steps[path])
    return [_entry(f"step-{steps[p]:08d}", encoder, weights, p, step=steps[p]) for p in ordered], "step"


def found(spelling: str) -> list[Path]:
    """The files that a pattern or a folder names, hidden ones left out."""
    if Path(spelling).is_dir():
        files = [path for path in Path(spelling).iterdir() if path.suffix in ENDINGS]
    else:
        files = [Path(name) for name in glob.glob(spelling)]  # noqa: PTH207 - the pattern may be absolute
    files = sorted(path for path in files if path.is_file() and not path.name.startswith("."))
    if not files:
        cause = "a mistyped pattern, or a shell that looks for it in another folder"
        raise InputError("one checkpoint or more", f"no file for {spelling!r}", cause)
    if len(files) > MOST_MEMBERS:
        raise InputError(f"at most {MOST_MEMBERS} checkpoints", f"{len(files)} files for {spelling!r}")
    return files


def _entry(name: str, encoder: str, weights: str | None, path: Path, *, step: int | None = None) -> Entry:
    """A checkpoint that is opened by itself, or as the weights of an encoder."""
    return (
        Entry(name, str(path), step=step) if weights is None else Entry(name, encoder, str(path), step=step)
    )


def _steps(files: Sequence[Path], *, must_say: bool) -> dict[Path, int] | None:
    """Step of each file, from what it says or from its name; None where one of them has none."""
    from tonotopy.encoders._checkpoint import read_header

    steps: dict[Path, int | None] = {}
    for path in files:
        header = read_header(path) if path.suffix == ".safetensors" else None
        if header is None and must_say:
            cause = "name the encoder, and these files as its --weights"
            raise InputError("checkpoints that say which encoder they fit", repr(path.name), cause)
        last = re.findall(r"\d+", path.stem)[-1:]
        told = header.step if header is not None else None
        steps[path] = told if told is not None else int(last[0]) if last else None
    known = {path: step for path, step in steps.items() if step is not None}
    return known if len(known) == len(files) else None


def _refuse_twice(values: Sequence[str], files: Sequence[Path], expected: str) -> None:
    twice = [value for value, many in Counter(values).items() if many > 1]
    if twice:
        names = [path.name for value, path in zip(values, files, strict=True) if value == twice[0]]
        came = f"{twice[0]} in {names[0]!r} and {names[1]!r}"
        cause = "checkpoints of several trainings, or names whose last number is no step"
        raise InputError(expected, came, cause)


def _is_pattern(spelling: str) -> bool:
    return bool(_GLOB.search(spelling)) and not Path(spelling).is_file()


def _is_folder_of_checkpoints(spelling: str) -> bool:
    """A folder with checkpoints in it; one that transformers saved has a ``config.json`` and is one model."""
    folder = Path(spelling)
    if not folder.is_dir() or (folder / "config.json").exists():
        return False
    return any(path.suffix in ENDINGS for path in folder.iterdir())


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key that reads digits as numbers."""
    parts = re.findall(r"\d+|\D+", name)
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


def _safe(name: str) -> str:
    """A folder name with letters, digits, dots and hyphens only."""
    return (
        "".join(c if c.isascii() and (c.isalnum() or c in ".-") else "-" for c in name).strip("-.")[:80]
        or "member"
    )
