"""The table of a training, ``metrics.csv``, and the same rows for TensorBoard where they are asked for."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tonotopy.core.errors import InputError
from tonotopy.training.room import room


class Metrics:
    """Rows of one training; a row is a step and its numbers."""

    def __init__(self, folder: Path, *, tensorboard: bool) -> None:
        self.folder, self.file = folder, folder / "metrics.csv"
        self._logs: Any = tensorboard_writer() if tensorboard else None
        self._writer: Any = None

    def open(self) -> None:
        """Begin to log, once the folder is the training's own."""
        if self._logs is not None:
            self._writer = self._logs(str(self.folder / "tensorboard"))

    def cut(self, step: int) -> None:
        """Leave out what was written after ``step``: it is about to be computed again."""
        rows = [row for row in _rows(self.file) if int(row["step"]) <= step]
        if rows:
            self._rewrite(list(rows[0]), rows)
        else:
            self.file.unlink(missing_ok=True)

    def add(self, row: Mapping[str, float]) -> None:
        """Append to the metrics; a new column starts a new table, since a row must fit its head."""
        file = self.file
        rows = _rows(file)
        columns = list(dict.fromkeys([*(rows[0] if rows else []), *row]))
        with room(self.folder):
            if rows and columns == list(rows[0]):
                with file.open("a", newline="", encoding="utf-8") as out:
                    csv.DictWriter(out, columns, restval="").writerow(_plain(row))
            else:
                self._rewrite(columns, [*rows, _plain(row)])
        if self._writer is not None:
            for key, value in row.items():
                if key not in {"step", "seconds"}:
                    self._writer.add_scalar(key, value, int(row["step"]))
            self._writer.flush()

    def _rewrite(self, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
        file = self.file
        fresh = file.with_name(f".{file.name}.new")
        with fresh.open("w", newline="", encoding="utf-8") as out:
            table = csv.DictWriter(out, columns, restval="")
            table.writeheader()
            table.writerows(rows)
        fresh.replace(file)


def _plain(row: Mapping[str, float]) -> dict[str, Any]:
    return {key: value if isinstance(value, int) else f"{value:.6g}" for key, value in row.items()}


def _rows(file: Path) -> list[dict[str, str]]:
    """The table so far; a row that a kill cut short is left out."""
    if not file.is_file():
        return []
    with file.open(newline="", encoding="utf-8") as text:
        found = list(csv.DictReader(text))
    return [row for row in found if None not in row and None not in row.values() and row["step"].isdigit()]


def tensorboard_writer() -> Any:
    """The class that writes logs, or an error before anything is made."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        cause = "the extra is not installed: pip install tonotopy[tensorboard]"
        raise InputError("tensorboard, to write its logs", "no such package", cause) from None
    return SummaryWriter
