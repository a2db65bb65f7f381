"""The ceiling of SPEC § 2: an encoder's own architecture, from random weights, fitted to report partials.

`stack_end` is read by one linear layer and trained, encoder and layer together, to give the level of every ERB
band and the cosine and sine of its phase, at the end of every frame (`bands`), on music and synthetic contexts
with partials added (`mixture`). Loss: the mean over bands of the squared error of the level in units of its
standard deviation, plus the mean over bands of the weighted squared error of cosine and sine; a reader who
always gives the mean has 1 + 1. What is told of a ceiling is R^2 on held-out pieces, beside chance, and beside
what a linear layer reads from the random weights that it started from (`explained`).

It is a lower bound of what the architecture can do: what this training, in this time, from these weights,
reached. A band that it reports is reported; one that it does not might be by a longer training.

The random weights are scaled before the first step (`unit_variance`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tonotopy.core.errors import InputError
from tonotopy.encoders._checkpoint import Header
from tonotopy.encoders._contract import Encoder, Site, Trainable
from tonotopy.sound.music import EXCERPT_S, LevelFunction, MusicPool, Piece
from tonotopy.training.bands import Bands
from tonotopy.training.excerpts import Excerpts
from tonotopy.training.explained import chance, explained, together
from tonotopy.training.frames import Frames
from tonotopy.training.mixture import Mixture
from tonotopy.training.task import Batch, generator
from tonotopy.training.unit_variance import unit_variance

#: Step size at its highest.
LEARNING_RATE = 3e-3
#: Frames a step at least, and rows a step at least.
FRAMES_A_STEP = 64
LEAST_ROWS = 8
#: Rows on which a finished ceiling is tried.
HELD_OUT_ROWS = 96
#: Rows from which the linear layer on random weights is fitted, and its ridge, re the mean variance of a unit.
FLOOR_ROWS = 192
RIDGE = 1e-6
#: Tracks from which L(f) is taken, at most: it is an average, and settles soon.
LEVEL_TRACKS = 24


class Readout(nn.Module):
    """Linear in the units of a frame; level, cosine and sine of every band come out, ``[..., 3 band]``.

    Levels are in units of their standard deviation over the training mixture; mean and deviation are kept.
    """

    mean_db: torch.Tensor
    sd_db: torch.Tensor

    def __init__(self, n_units: int, n_bands: int) -> None:
        super().__init__()
        self.linear = nn.Linear(n_units, 3 * n_bands)
        self.register_buffer("mean_db", torch.zeros(n_bands))
        self.register_buffer("sd_db", torch.ones(n_bands))

    def forward(self, units: torch.Tensor) -> torch.Tensor:
        """Frames ``[..., unit]`` to ``[..., 3 band]``."""
        found: torch.Tensor = self.linear(units)
        return found


class CeilingTask:
    """See the module's docstring; a task of `training.loop`.

    Parameters
    ----------
    encoder : with random weights; it is copied
    music : decoded at the encoder's rate, with pieces to train on and pieces held out
    """

    name = "ceiling"
    largest_gradient = 1.0

    def __init__(
        self, encoder: Encoder, music: Excerpts, *, learning_rate: float = LEARNING_RATE, seed: int = 0
    ) -> None:
        self.encoder, self.seed, self.learning_rate = encoder, seed, learning_rate
        self.site, self.copy = trainable(encoder)
        has_both_parts(music)
        levels = natural_levels(music.training)
        self.bands = Bands.of(encoder.sample_rate_hz, levels)
        self.frames = Frames.of(encoder, self.site, self.bands.samples)
        self.rows = max(LEAST_ROWS, -(-FRAMES_A_STEP // len(self.frames.ends)))
        self.training = Mixture(music.training, levels, self.frames.n_samples)
        self.held_out = Mixture(music.validation, levels, self.frames.n_samples)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            readout = Readout(self.site.units, len(self.bands))
        self.module = nn.ModuleDict({"encoder": self.copy.module, "readout": readout})
        self._start()

    @property
    def readout(self) -> Readout:
        """The linear layer."""
        readout = self.module["readout"]
        assert isinstance(readout, Readout)
        return readout

    def _start(self) -> None:
        """Scale the weights and the levels by what is heard first; kept out of the step's own draws."""
        audio = torch.from_numpy(self.training.rows(generator(self.seed, 0, 21), 4 * LEAST_ROWS)[0])
        level, _, _ = self.bands.targets(audio, self.frames.ends)
        self.readout.mean_db.copy_(level.mean(dim=(0, 1)))
        self.readout.sd_db.copy_(level.std(dim=(0, 1)).clamp_min(1e-3))
        unit_variance(self.copy.module, lambda: self._units(audio[:LEAST_ROWS]))

    def _units(self, audio: torch.Tensor) -> torch.Tensor:
        return self.frames.read(self.copy.stack_end, audio)

    def header(self, step: int) -> Header:
        """As `loop.Task` has it."""
        note = "a ceiling: this architecture fitted to report level and phase of every ERB band"
        return Header(self.encoder.name, dict(self.copy.options), step=step, seed=self.seed, note=note)

    def snapshot(self) -> dict[str, torch.Tensor]:
        """As `loop.Task` has it: the encoder without the readout, which is no part of it."""
        device = next(self.module.parameters()).device
        rows = self.training.rows(generator(self.seed, 0, 22), LEAST_ROWS)[0]
        audio = torch.from_numpy(rows).to(device)
        was = self.copy.module.training
        self.copy.module.eval()  # what is told of the latent must not move the running statistics
        try:
            return self.copy.state(audio if self.frames.window is None else audio[:, : self.frames.window])
        finally:
            self.copy.module.train(was)

    def batch(self, step: int) -> Batch:
        """As `loop.Task` has it; targets are ``[row, frame, 4 band]``: level, cosine, sine, weight."""
        sound, names = self.training.rows(generator(self.seed, step, 1), self.rows)
        return self._batch(sound, names)

    def _batch(self, sound: NDArray[np.float32], names: list[str]) -> Batch:
        audio = torch.from_numpy(sound).to(next(self.module.parameters()).device)
        level, phase, weight = self.bands.targets(audio, self.frames.ends)
        level = (level - self.readout.mean_db) / self.readout.sd_db
        return Batch(audio, tuple(names), torch.cat([level, phase, weight], dim=-1))

    def loss(self, batch: Batch, step: int) -> tuple[torch.Tensor, dict[str, float]]:
        """As `loop.Task` has it."""
        assert batch.target is not None
        n = len(self.bands)
        found = self.readout(self._units(batch.audio))
        level = (found[..., :n] - batch.target[..., :n]).square().mean()
        weight = batch.target[..., 3 * n :]
        error = (found[..., n:] - batch.target[..., n : 3 * n]).square().unflatten(-1, (2, n)).sum(dim=-2)
        # cos^2 + sin^2 = 1, so that a constant 0 has error 1 in every band.
        phase = ((weight * error).sum(dim=(0, 1)) / weight.sum(dim=(0, 1)).clamp_min(1e-6)).mean()
        return level + phase, {"level": float(level.detach()), "phase": float(phase.detach())}

    def validate(self) -> dict[str, float]:
        """Median R^2 over bands on few held-out rows."""
        found = self.tried(LEAST_ROWS * 2)
        return {
            "level_r2": float(np.nanmedian(found["level_r2"])),
            "phase_r2": float(np.nanmedian(found["phase_r2"])),
        }

    @torch.no_grad()
    def tried(self, rows: int = HELD_OUT_ROWS) -> dict[str, NDArray[np.float64]]:
        """R^2 and chance of level and phase on held-out rows, each ``[band]``."""
        self.module.eval()
        target, found = [], []
        for k in range(-(-rows // LEAST_ROWS)):
            batch = self._batch(*self.held_out.rows(generator(self.seed, k, 23), LEAST_ROWS))
            assert batch.target is not None
            target.append(batch.target.cpu().numpy())
            found.append(self.readout(self._units(batch.audio)).cpu().numpy())
        return r2_of(np.concatenate(target), np.concatenate(found), rng=generator(self.seed, 0, 24))

    @torch.no_grad()
    def from_random_weights(self) -> dict[str, NDArray[np.float64]]:
        """The same for the best linear layer on the encoder as it was given: what comes unasked."""
        given = self.encoder.trainable()
        assert given is not None
        given.module.eval()
        device = next(self.module.parameters()).device
        given.module.to(device)
        x, y = self._heard(given, self.training, FLOOR_ROWS, 25)
        n = len(self.bands)
        mean = x.mean(axis=0)
        gram = (x - mean).T @ (x - mean)
        gram += RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram)) + 1e-30 * np.eye(len(gram))
        y_mean = y[:, : 3 * n].mean(axis=0)
        solved = np.linalg.solve(gram, (x - mean).T @ (y[:, : 3 * n] - y_mean))
        tried, target = self._heard(given, self.held_out, HELD_OUT_ROWS, 23)
        found = (tried - mean) @ solved + y_mean
        shape = (-1, len(self.frames.ends))
        return r2_of(
            target.reshape(*shape, 4 * n), found.reshape(*shape, 3 * n), rng=generator(self.seed, 0, 24)
        )

    def _heard(
        self, given: Trainable, mixture: Mixture, rows: int, stream: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Units ``[frame, unit]`` and targets of many rows."""
        units, target = [], []
        for k in range(-(-rows // LEAST_ROWS)):
            batch = self._batch(*mixture.rows(generator(self.seed, k, stream), LEAST_ROWS))
            assert batch.target is not None
            units.append(self.frames.read(given.stack_end, batch.audio).flatten(0, 1).double().cpu().numpy())
            target.append(batch.target.flatten(0, 1).double().cpu().numpy())
        return np.concatenate(units), np.concatenate(target)


def r2_of(
    target: NDArray[Any], found: NDArray[Any], *, rng: np.random.Generator
) -> dict[str, NDArray[np.float64]]:
    """R^2 and chance of level and phase, ``[band]``, from ``[row, frame, 4 band]`` and ``[row, frame, 3 band]``."""
    n = found.shape[-1] // 3
    weight = target[..., 3 * n :]
    parts = [(slice(0, n), None), (slice(n, 2 * n), weight), (slice(2 * n, 3 * n), weight)]
    told, null = [], []
    for part, w in parts:
        told.append(explained(target[..., part], found[..., part], w))
        null.append(chance(target[..., part], found[..., part], w, rng=rng))
    return {
        "level_r2": told[0],
        "level_chance": null[0],
        "phase_r2": together(told[1], told[2]),
        "phase_chance": together(null[1], null[2]),
    }


def trainable(encoder: Encoder) -> tuple[Site, Trainable]:
    """The site that a ceiling is read at, and a copy that can be trained.

    Raises
    ------
    InputError
        A phantom, or another encoder without weights to train or without an end of its stack.
    """
    copy = encoder.trainable()
    site = next((site for site in encoder.sites if site.role == "stack_end"), None)
    if copy is None or site is None or not any(p.requires_grad for p in copy.module.parameters()):
        cause = "a ceiling is its architecture fitted anew, and it has nothing to fit (a phantom is built by hand)"
        raise InputError("an encoder whose weights can be trained", encoder.name, cause)
    return site, copy


def natural_levels(music: Excerpts) -> LevelFunction:
    """L(f) of SPEC § 3 in some music, from the middle of at most :data:`LEVEL_TRACKS` tracks."""
    step = max(1, len(music.tracks) // LEVEL_TRACKS)
    pieces = []
    for track in music.tracks[::step][:LEVEL_TRACKS]:
        samples = min(track.samples, round(EXCERPT_S * music.sample_rate_hz))
        audio = music.read(track, (track.samples - samples) // 2, samples)
        pieces.append(Piece(track.piece, None, None, None, None, audio))
    return MusicPool(music.sample_rate_hz, tuple(pieces)).level_function()


def has_both_parts(music: Excerpts) -> None:
    """Refuse music without pieces to train on, or without others to try it on."""
    counts = len(music.training.tracks), len(music.validation.tracks)
    if not all(counts):
        came = f"{counts[0]} recordings to train on and {counts[1]} held out"
        raise InputError("pieces to train on and others to try it on", came, "too few pieces in this source")
