"""The bench: what work units need and do not carry, the encoder with its weights and the music.

A :class:`BenchSpec` is plain values, so that a worker process can build its own bench from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tonotopy.core.errors import InputError, RunError
from tonotopy.encoders import load_encoder
from tonotopy.encoders._contract import Encoder
from tonotopy.runs.ceiling import open_ceiling
from tonotopy.runs.engine import Unit
from tonotopy.runs.graph import Weights
from tonotopy.runs.store import Store
from tonotopy.sound.music import CONTEXT_DBFS, MusicPool, level_dbfs
from tonotopy.sound.pool import read_again
from tonotopy.sound.sources import open_music
from tonotopy.sound.sources._contract import Clip, Source

#: Stretches of each piece from which running statistics of a random network are set.
CALIBRATION_STRETCHES = 4


@dataclass(frozen=True)
class BenchSpec:
    """How to build a bench: plain values only."""

    encoder: str
    weights: str | None
    seed: int
    music: str
    units: Path
    encoder_id: str
    device: str = "cpu"
    options: tuple[tuple[str, Any], ...] = ()
    ceiling: str | None = None
    ceiling_id: str = ""

    def __call__(self) -> Bench:
        """Build the bench.

        Raises
        ------
        RunError
            The encoder is not the one that was planned: two processes would measure two networks.
        """
        options = dict(self.options)
        encoder = load_encoder(self.encoder, weights=self.weights, seed=self.seed, **options)
        ceiling = None
        if self.ceiling is not None:
            ceiling = open_ceiling(self.encoder, self.ceiling, seed=self.seed, like=encoder, options=options)
        if encoder.identity != self.encoder_id or (ceiling and ceiling.identity != self.ceiling_id):
            cause = "weights or code changed while the study ran, or its constructor draws without torch's generator"
            raise RunError(f"the same {encoder.name} in every process", "another one", cause)
        store = Store(self.units, mends=True)
        return Bench(encoder, open_music(self.music), store, device=self.device, ceiling=ceiling)


@dataclass
class Bench:
    """Encoder, music and store of one process; caches what several units need."""

    primary: Encoder
    source: Source
    store: Store
    device: str = "cpu"
    ceiling: Encoder | None = None
    _floors: dict[int, Encoder] = field(default_factory=dict)
    _pools: dict[str, MusicPool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # TF32 rounds to 10 bits: faint partials would drown in it.
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        self.primary = self.primary.to(self.device)
        if self.ceiling is not None:
            self.ceiling = self.ceiling.to(self.device)

    def has(self, unit: Unit) -> bool:
        """Whether a unit is in the store."""
        return self.store.has(unit.address)

    def run(self, unit: Unit) -> None:
        """Run one unit by its stage and write it to the store."""
        if not self.has(unit):
            import_module(f"tonotopy.runs.stages.{unit.stage}").run(self, unit)

    def pool(self, music: Unit) -> MusicPool:
        """The pool of music that a music unit chose, read from its source once a process."""
        if music.address not in self._pools:
            values = self.store.values(music.address)
            clips = [Clip(**clip) for clip in values["pieces"]]
            rate, expected = self.primary.sample_rate_hz, values["samples"]
            self._pools[music.address] = read_again(self.source, clips, rate, expected=expected)
        return self._pools[music.address]

    def encoder(self, floor_seed: Weights, music: Unit) -> Encoder:
        """The encoder under study, its architecture with random weights, or its ceiling."""
        if floor_seed is None:
            return self.primary
        if isinstance(floor_seed, str):
            assert self.ceiling is not None, "a ceiling was planned and none was opened"
            return self.ceiling
        if floor_seed not in self._floors:
            audio = self.calibration(music)
            random = self.primary.randomised(floor_seed, audio)
            assert random is not None, "a floor was planned for an encoder without weights"
            self._floors[floor_seed] = random.to(self.device)
        return self._floors[floor_seed]

    def calibration(self, music: Unit) -> torch.Tensor:
        """Music from which a random network's running statistics are set, ``[batch, time]``."""
        pool, rng = self.pool(music), np.random.default_rng([20, len(self.pool(music).pieces)])
        encoder = self.primary
        n = encoder.frame_length or max(encoder.sample_rate_hz // 2, 2 * max(s.view for s in encoder.sites))
        n = min([n, *(len(piece.audio) for piece in pool.pieces)])
        stretches = [
            pool.stretch(index, n, rng=rng)
            for index in range(len(pool.pieces))
            for _ in range(CALIBRATION_STRETCHES)
        ]
        scaled = [s * 10 ** ((CONTEXT_DBFS - level_dbfs(s)) / 20) for s in stretches]
        return torch.from_numpy(np.stack(scaled).astype(np.float32))


@lru_cache(maxsize=1)
def resolve_device(name: str) -> str:
    """``auto`` is cuda where there is one, then mps, then cpu."""
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return next(device for device in ("cuda", "mps", "cpu") if available[device])
    if name not in available:
        raise InputError("a device", repr(name), "a misspelt name", ["auto", *available])
    if not available[name]:
        raise InputError(
            f"a machine with {name}", "none here", "a build of torch without it", ["auto", "cpu"]
        )
    return name
