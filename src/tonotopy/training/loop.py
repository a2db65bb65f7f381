"""The loop that every training shares: steps, checkpoints, exact resume, snapshots, metrics, a stop at NaN.

A folder of training holds::

    training.json            what is trained: the words of the command, the architecture, the music's fingerprint
    metrics.csv              one row every LOG_STEPS steps, and one a validation
    step-0000000.safetensors snapshots at log-spaced steps, from initialisation to the end; each says what it is
    checkpoint/              weights, optimiser and step of the last save: what a resume starts from

Every draw (which excerpts, dropout, revived codes) comes from ``(seed, step)`` and from nothing that is
carried along, so a training that was interrupted goes on to the same weights, bit by bit, as one that was not
(on one machine, with one number of threads). A checkpoint is saved every :data:`SAVE_S` seconds, at a signal,
and at the end; a kill loses the steps since the last one.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from tonotopy.core.errors import RunError
from tonotopy.encoders import _checkpoint
from tonotopy.encoders._weights import fit_weights, read_weights
from tonotopy.training.metrics import Metrics
from tonotopy.training.room import room, write_text
from tonotopy.training.saves import last_save, load_moments, moments_of, replacing_save
from tonotopy.training.schedule import FIRST_SNAPSHOT, Length, rate_at, snapshot_steps
from tonotopy.training.stopping import stopping
from tonotopy.training.task import Batch, Task, generator

Progress = Callable[[int, int, str], None]

#: An interruption loses no more than this much work.
SAVE_S = 30.0
#: Steps between rows of the metrics; a row is the mean over them.
LOG_STEPS = 50
#: Seconds of work from which the number of steps is derived where a number of minutes was asked for.
PACE_S = 20.0
#: Format of a folder of training.
SCHEMA = 1


@dataclass
class State:
    """How far a training is."""

    step: int = 0
    steps: int | None = None  # in all; None while the pace is being measured
    seconds: float = 0.0  # of work, over all sessions
    sessions: int = 0
    snapshots: list[int] = field(default_factory=list)
    sums: dict[str, list[float]] = field(default_factory=dict)  # of the row of metrics under way


class Training:
    """One training in its folder.

    Parameters
    ----------
    told : what is trained, as plain values; a folder that holds another training is refused
    """

    def __init__(
        self,
        task: Task,
        folder: Path,
        *,
        told: Mapping[str, Any],
        length: Length,
        device: str = "cpu",
        tensorboard: bool = False,
    ) -> None:
        self.task, self.folder, self.length, self.device = task, Path(folder), length, device
        self.told = json.loads(json.dumps({"schema": SCHEMA, "task": task.name, **told, **asdict(length)}))
        self.state = State()
        task.module.to(device)
        self.optimiser = torch.optim.AdamW(
            [p for p in task.module.parameters() if p.requires_grad],
            lr=task.learning_rate,
            betas=(0.8, 0.99),
            weight_decay=1e-4,
        )
        self._metrics = Metrics(self.folder, tensorboard=tensorboard)

    def run(self, progress: Progress | None = None) -> Path:
        """Train to the end, from where the folder stands; gives the last snapshot's file.

        Raises
        ------
        RunError
            The loss is no longer finite, or the folder holds another training.
        """
        self._open_folder()
        self._metrics.open()
        self.state.sessions += 1
        started, worked = time.monotonic(), self.state.seconds
        saved = started
        with stopping() as stop:
            while self.state.steps is None or self.state.step < self.state.steps:
                self._snapshot()
                self._step()
                now = time.monotonic()
                self.state.seconds = worked + now - started
                if self.state.steps is None and self.state.seconds >= PACE_S:
                    self._settle()
                if progress is not None:
                    progress(self.state.step, self.state.steps or 0, self._label())
                if now - saved >= SAVE_S or stop.asked:
                    self._save()
                    saved = time.monotonic()
                if stop.asked:
                    raise KeyboardInterrupt
        self._snapshot()
        self._save()
        self._metrics.add(
            {"step": self.state.step, **{f"held_out_{k}": v for k, v in self._validated().items()}}
        )
        return self.folder / _snapshot_name(self.state.step)

    # ---- one step

    def _step(self) -> None:
        state, task = self.state, self.task
        for group in self.optimiser.param_groups:
            group["lr"] = task.learning_rate * rate_at(state.step, state.steps)
        torch.manual_seed(int(generator(task.seed, state.step, 0).integers(2**62)))  # dropout
        task.module.train()
        batch = task.batch(state.step)
        loss, measured = task.loss(batch, state.step)
        self._check(float(loss.detach()), batch)
        self.optimiser.zero_grad()
        loss.backward()
        norm = float(nn.utils.clip_grad_norm_(task.module.parameters(), task.largest_gradient))
        self._check(norm, batch, what="gradient")
        self.optimiser.step()
        state.step += 1
        for key, value in {"loss": float(loss.detach()), "gradient_norm": norm, **measured}.items():
            self.state.sums.setdefault(key, []).append(value)
        if state.step % LOG_STEPS == 0:
            row = {key: float(np.mean(values)) for key, values in self.state.sums.items()}
            self._metrics.add({"step": state.step, "seconds": state.seconds, **row})
            self.state.sums.clear()

    def _check(self, value: float, batch: Batch, what: str = "loss") -> None:
        """Stop at a number that is none: whatever is saved was computed before it."""
        if math.isfinite(value):
            return
        clips = ", ".join(dict.fromkeys(batch.clips))[:300]
        kept = f"the checkpoint in {self.folder.name!r} is from before it"
        raise RunError(
            f"a finite {what}",
            f"{value} at step {self.state.step} on {clips}",
            f"too large a step size (--learning-rate), or a damaged recording; {kept}",
        )

    def _settle(self) -> None:
        """From the pace so far to the number of steps that the asked minutes hold."""
        assert self.length.minutes is not None
        pace = self.state.step / self.state.seconds
        self.state.steps = max(self.state.step + 1, round(self.length.minutes * 60 * pace))

    def _label(self) -> str:
        values = self.state.sums.get("loss")
        return f"loss {values[-1]:.3f}" if values else ""

    def _validated(self) -> dict[str, float]:
        self.task.module.eval()
        return self.task.validate()

    # ---- what is kept

    def _snapshot(self) -> None:
        """Write the weights where a snapshot is due."""
        step, steps = self.state.step, self.state.steps
        due = step in (0, FIRST_SNAPSHOT) if steps is None else step in snapshot_steps(steps)
        if not due or step in self.state.snapshots:
            return
        with room(self.folder):
            state = {
                key: value.half() if _heavy(value) else value for key, value in self.task.snapshot().items()
            }
            _checkpoint.write(self.folder / _snapshot_name(step), state, self.task.header(step))
        self.state.snapshots.append(step)

    def _save(self) -> None:
        """Weights, optimiser and step, in a folder that replaces the one before whole."""
        with room(self.folder), replacing_save(self.folder) as fresh:
            header = self.task.header(self.state.step)
            _checkpoint.write(fresh / "weights.safetensors", self.task.module.state_dict(), header)
            _checkpoint.write(fresh / "optimiser.safetensors", moments_of(self.optimiser), header)
            write_text(fresh / "state.json", json.dumps(asdict(self.state)))

    # ---- starting and going on

    def _open_folder(self) -> None:
        """Make the folder, or take up what it holds."""
        file = self.folder / "training.json"
        if file.is_file():
            held = json.loads(file.read_text(encoding="utf-8"))
            differing = sorted(key for key in {*held, *self.told} if held.get(key) != self.told.get(key))
            if differing:
                raise RunError(
                    f"an empty folder, or one that holds this training, at {self.folder.name!r}",
                    f"a training that differs in: {', '.join(differing)}",
                    "another model was trained here; choose another --out",
                )
            self._resume()
            return
        refuse_other_files(self.folder)
        with room(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_text(file, json.dumps(self.told, indent=1) + "\n")
        self.state.steps = self.length.steps

    def _resume(self) -> None:
        """Weights, optimiser and step of the last save; metrics after it are cut off."""
        self.state.steps = self.length.steps
        place = last_save(self.folder)
        if place is None:
            return  # killed before the first save
        held = json.loads((place / "state.json").read_text(encoding="utf-8"))
        self.state = State(**held)
        fit_weights(self.task.module, read_weights(place / "weights.safetensors"), name=self.task.name)
        load_moments(self.optimiser, read_weights(place / "optimiser.safetensors"))
        self._metrics.cut(self.state.step)


#: What a folder of training may hold before training.json is written: prepared sound.
OURS = frozenset({"sound"})


def refuse_other_files(folder: Path) -> None:
    """Refuse a folder that holds files of something else, before anything is written into it."""
    if (folder / "training.json").is_file() or not folder.exists():
        return
    if not folder.is_dir() or any(p.name not in OURS for p in folder.iterdir()):
        raise RunError(f"an empty folder at {folder.name!r}", "a folder with other files", "a mistyped --out")


def _heavy(value: torch.Tensor) -> bool:
    """Whether a tensor is kept in half precision in a snapshot: weights, not counters or statistics."""
    return value.is_floating_point() and value.dim() > 1


def _snapshot_name(step: int) -> str:
    return f"step-{step:07d}.safetensors"
