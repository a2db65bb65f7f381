"""Training of a dictionary: Adam, unit decoder rows, revival of dead latents, metrics, exact resume.

A folder of training holds::

    dictionary.json          what is trained, on what (a fingerprint of the stream's moments)
    metrics.csv              one row every LOG_STEPS steps
    checkpoint/              weights, moments and place of the last save: what a resume starts from
    dictionary.safetensors   the result

What a step sees is a function of ``(seed, pass, place)`` and the stream, so a training that was interrupted goes on to
the same weights, bit by bit, as one that was not (on one machine, with one number of threads); to find its place, it
goes through the pass under way again. A kill loses the steps since the last save; a signal saves first.

Adam as in Gao 2024 (β .9 and .999, ε 6.25e-10). The gradient of the decoder is freed from what points along its rows,
which are brought back to norm 1 after each step (Bricken 2023).
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tonotopy.core.errors import InputError, RunError
from tonotopy.encoders import _checkpoint
from tonotopy.encoders._checkpoint import Header
from tonotopy.encoders._weights import read_weights
from tonotopy.features.dictionaries import revival
from tonotopy.features.dictionaries.conditioning import Conditioning, condition
from tonotopy.features.dictionaries.parameters import Parameters, calibrate, constrain_gradient, renormalise
from tonotopy.features.dictionaries.recipe import Recipe, rate_at
from tonotopy.features.dictionaries.reservoir import capacity_of, endless
from tonotopy.features.dictionaries.trained import Dictionary, checked
from tonotopy.features.dictionaries.variant import Step, Variant
from tonotopy.features.sources._contract import Activations
from tonotopy.training.metrics import Metrics
from tonotopy.training.room import room, write_text
from tonotopy.training.saves import last_save, load_moments, moments_of, replacing_save
from tonotopy.training.stopping import Stop, stopping

#: An interruption loses no more than this much work.
SAVE_S = 30.0
#: Steps between rows of the metrics; a row is the mean over them.
LOG_STEPS = 50
#: Format of a folder.
SCHEMA = 1
_ADAM = "adam."  # what the optimiser's tensors are called in a save

Progress = Callable[[int, int, str], None]


@dataclass
class State:
    """How far a training is: steps done, and the place of the next batch."""

    step: int = 0
    epoch: int = 0
    place: int = 0


def train_dictionary(
    activations: Activations,
    variant: Variant,
    recipe: Recipe,
    *,
    folder: str | Path | None = None,
    conditioning: Conditioning | None = None,
    progress: Progress | None = None,
) -> Dictionary:
    """Train a dictionary, from where the folder stands where one is given.

    Parameters
    ----------
    activations
        The stream to train on.
    variant
        :class:`~tonotopy.features.dictionaries.topk.TopK` or another.
    folder
        Where checkpoint, metrics and result are kept; nothing is written where absent.
    conditioning
        Of the stream; found in one pass where absent.

    Raises
    ------
    InputError
        The stream is shorter than a batch, not finite or constant, or k exceeds the number of latents.
    RunError
        The loss is no longer finite, or the folder holds something else.
    """
    return Trainer(activations, variant, recipe, folder=folder, conditioning=conditioning).run(progress)


class Trainer:
    """One training of one dictionary."""

    def __init__(
        self,
        activations: Activations,
        variant: Variant,
        recipe: Recipe,
        *,
        folder: str | Path | None = None,
        conditioning: Conditioning | None = None,
    ) -> None:
        k = getattr(variant, "k", None)
        if k is not None and not 1 <= k <= recipe.features:
            cause = "more active latents than there are"
            raise InputError(f"k from 1 to {recipe.features} latents", str(k), cause)
        self.activations, self.variant, self.recipe = activations, variant, recipe
        self.folder = None if folder is None else Path(folder)
        self.conditioning = conditioning or condition(activations)
        threshold = getattr(variant, "start_threshold", 1e-3)
        self.parameters = Parameters.initial(
            recipe.features, activations.units, seed=recipe.seed, threshold=threshold
        )
        self.threshold = torch.full((recipe.features,), math.nan)
        self.since = torch.zeros(recipe.features, dtype=torch.long)  # frames since each latent was active
        self.state = State()
        tensors = list(self.parameters.tensors.values())
        for tensor in tensors:
            tensor.requires_grad_(True)
        self.optimiser = torch.optim.Adam(
            tensors, lr=recipe.rate, betas=(0.9, 0.999), eps=6.25e-10, fused=True
        )
        self._sums: dict[str, list[float]] = {}
        self._metrics = None if self.folder is None else Metrics(self.folder, tensorboard=False)

    def run(self, progress: Progress | None = None) -> Dictionary:
        """Train to the end; gives the dictionary."""
        if self.folder is not None:
            self._open_folder(self.folder)
        recipe, state = self.recipe, self.state
        stream = endless(
            self.activations,
            batch=recipe.batch,
            capacity=capacity_of(self.activations.units, recipe.batch, recipe.reservoir_bytes),
            seed=recipe.seed,
            epoch=state.epoch,
            skip=state.place,
        )
        saved = time.monotonic()
        with stopping() as stop:
            while state.step < recipe.steps:
                frames, epoch, place = next(stream)
                # A copy, because torch's memory is aligned, on which the rounding of products depends.
                self.step(torch.tensor(self.conditioning.apply(frames)))
                state.epoch, state.place = epoch, place + 1
                if progress is not None:
                    progress(state.step, recipe.steps, f"explained {self._last('explained'):.3f}")
                saved = self._keep(saved, stop)
        if self.folder is not None:
            self._save(self.folder)
            with room(self.folder):
                self.result().save(self.folder / "dictionary.safetensors")
        return self.result()

    def step(self, x: torch.Tensor) -> Step:
        """One step on conditioned frames ``[frame, unit]``."""
        recipe, state, p = self.recipe, self.state, self.parameters
        for group in self.optimiser.param_groups:
            group["lr"] = recipe.rate * rate_at(state.step, recipe.steps)
        if state.step == 0:
            calibrate(p, x, getattr(self.variant, "k", None))
        dead = self.since >= recipe.dead_after
        done = self.variant.step(p, x, dead, state.step / recipe.steps)
        if not math.isfinite(float(done.loss.detach())):
            came = f"{float(done.loss.detach())} at step {state.step}"
            raise RunError("a finite loss", came, "too large a step size (learning_rate)")
        self.optimiser.zero_grad()
        done.loss.backward()
        constrain_gradient(p.decoder)
        self.optimiser.step()
        renormalise(p.decoder)
        state.step += 1
        self.threshold = self.variant.threshold(p, self.threshold, done)
        self.since += len(x)
        self.since[done.active > 0] = 0
        revived = self._resample(x, dead)
        self._log(done, len(x), int(dead.sum()), revived)
        return done

    def result(self) -> Dictionary:
        """The dictionary as it stands."""
        held = {name: value.detach().clone() for name, value in self.parameters.tensors.items()}
        rule = self.variant.rule
        threshold = self.threshold.clone() if rule == "threshold" else torch.zeros(self.recipe.features)
        centre = torch.from_numpy(self.conditioning.centre.copy())
        return checked(
            Dictionary(
                self.variant.name,
                rule,
                getattr(self.variant, "k", None),
                Parameters.of(held),
                threshold,
                centre,
                float(np.float32(self.conditioning.scale)),
            )
        )

    # ---- within a step

    def _resample(self, x: torch.Tensor, dead: torch.Tensor) -> int:
        if self.variant.revival != "resampling" or not revival.due(self.state.step, self.recipe.steps):
            return 0
        dead = dead & (self.since >= self.recipe.dead_after)
        if not dead.any():
            return 0
        self.since[dead] = 0
        result = self.result()

        def reconstruct(frames: torch.Tensor) -> torch.Tensor:
            return result._encode(frames) @ result.parameters.decoder + result.parameters.decoder_bias

        def moments(tensor: torch.Tensor) -> list[torch.Tensor]:
            held = self.optimiser.state[tensor]
            return [held["exp_avg"], held["exp_avg_sq"]]

        seed = int(np.random.default_rng([self.recipe.seed, 31, self.state.step]).integers(2**62))
        return revival.resample(self.parameters, x, dead, reconstruct, moments, seed=seed)

    def _log(self, done: Step, frames: int, dead: int, revived: int) -> None:
        row = {
            "loss": float(done.loss.detach()),
            "explained": 1 - done.error / self.activations.units,  # of conditioned frames
            "l0": float(done.active.sum()) / frames,
            "dead": float(dead),
            "revived": float(revived),
            **done.measured,
        }
        for key, value in row.items():
            self._sums.setdefault(key, []).append(value)
        if self.state.step % LOG_STEPS == 0:
            means = {key: float(np.mean(values)) for key, values in self._sums.items()}
            self._sums = {}
            if self._metrics is not None:
                self._metrics.add({"step": self.state.step, **means})

    def _last(self, key: str) -> float:
        return self._sums[key][-1] if self._sums.get(key) else float("nan")

    # ---- what is kept

    def _keep(self, saved: float, stop: Stop) -> float:
        """Save where it is time or a signal came; gives when it was last saved."""
        if self.folder is not None and (stop.asked or time.monotonic() - saved >= SAVE_S):
            self._save(self.folder)
            saved = time.monotonic()
        if stop.asked:
            raise KeyboardInterrupt
        return saved

    def _told(self) -> dict[str, Any]:
        variant = {"name": self.variant.name, **asdict(self.variant)}  # type: ignore[call-overload]
        stream = {"stream": self.conditioning.fingerprint}
        plain: dict[str, Any] = json.loads(
            json.dumps({"schema": SCHEMA, "variant": variant, **asdict(self.recipe), **stream})
        )
        return plain

    def _open_folder(self, folder: Path) -> None:
        file, told = folder / "dictionary.json", self._told()
        if file.is_file():
            held = json.loads(file.read_text(encoding="utf-8"))
            differing = sorted(key for key in {*held, *told} if held.get(key) != told.get(key))
            if differing:
                came = f"one that differs in: {', '.join(differing)}"
                raise RunError(
                    f"this training at {folder.name!r}", came, "another dictionary was trained here"
                )
            self._resume(folder)
            return
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise RunError(f"an empty folder at {folder.name!r}", "one with other files", "a mistyped path")
        with room(folder):
            folder.mkdir(parents=True, exist_ok=True)
            write_text(file, json.dumps(told, indent=1) + "\n")

    def _save(self, folder: Path) -> None:
        """Everything that a resume needs, in a folder that replaces the one before whole."""
        tensors = {name: value.detach() for name, value in self.parameters.tensors.items()}
        tensors |= {"threshold": self.threshold, "since": self.since}
        tensors |= {_ADAM + name: value for name, value in moments_of(self.optimiser).items()}
        header = Header(f"training:{self.variant.name}", step=self.state.step, seed=self.recipe.seed)
        with room(folder), replacing_save(folder) as fresh:
            _checkpoint.write(fresh / "tensors.safetensors", tensors, header)
            write_text(fresh / "state.json", json.dumps({**asdict(self.state), "sums": self._sums}))

    def _resume(self, folder: Path) -> None:
        """Take up the last save; metrics after it are cut off."""
        place = last_save(folder)
        assert self._metrics is not None
        if place is None:
            self._metrics.cut(0)
            return  # killed before the first save
        held = json.loads((place / "state.json").read_text(encoding="utf-8"))
        self._sums = held.pop("sums")
        self.state = State(**held)
        tensors = read_weights(place / "tensors.safetensors")
        with torch.no_grad():
            for name, tensor in self.parameters.tensors.items():
                tensor.copy_(tensors[name])
        self.threshold, self.since = tensors["threshold"], tensors["since"]
        moments = {name.removeprefix(_ADAM): v for name, v in tensors.items() if name.startswith(_ADAM)}
        load_moments(self.optimiser, moments)
        self._metrics.cut(self.state.step)
