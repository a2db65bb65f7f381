"""TopK training, 128 units to 4,096 latents, k = 32, on one CPU thread: ours, SAELens, dictionary_learning.

All train in one process, in turns of a few steps, on the same batches of 4,096, with the same step sizes, so that a
busy machine slows all alike; ratios are what to trust. Rates are activations per second of CPU time, the median over
turns. After the last turn all have seen the same activations, and each reconstructs the same held-out ones: the share
of variance that it leaves is printed beside its rate. SAELens is run both ways that it offers (dense, and
``use_sparse_activations``).

The peers pull in much that has no part in this (language models, plotting), so they are installed by themselves;
whatever they import and do not find is stood in for::

    pip install --no-deps sae-lens==6.54.12 dictionary-learning==0.1.0
    pip install einops simple-parsing tenacity python-dotenv pyyaml tqdm
    OMP_NUM_THREADS=1 python benchmarks/dictionaries.py

Each peer is run as its own trainer does a step: its loss, its clipping of gradients, its optimiser and schedule, its
bookkeeping of dead latents. SAELens's trainer wants a data loader, which is given batches that are in memory already.
"""

from __future__ import annotations

import argparse
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import time
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

UNITS, LATENTS, K, BATCH = 128, 4096, 32, 4096
RISE, FALL = 0.05, 0.2
#: What the peers import at their top and do not use here.
UNUSED = (
    "babe",
    "circuitsvis",
    "datasets",
    "dotenv",
    "huggingface_hub",
    "nltk",
    "nnsight",
    "pandas",
    "plotly",
    "safetensors",
    "transformer_lens",
    "transformers",
    "umap",
    "wandb",
    "zstandard",
)


class _Anything(type):
    """A class whose attributes are classes of the same kind: enough for annotations and base classes."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Anything(name, (), {})

    def __getitem__(cls, _: Any) -> Any:
        return cls


class HookPoint(torch.nn.Identity):
    """A named place without hooks; leaner than the one it stands in for."""


class HookedRootModule(torch.nn.Module):
    """A module whose hooks are set up by nobody."""

    def setup(self) -> None:
        """Nothing."""


_BASES = {"HookPoint": HookPoint, "HookedRootModule": HookedRootModule}


class _StandIn(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _BASES.get(name) or _Anything(name, (), {})


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stands in for packages that are not installed."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """A module of that name, where it is one of :data:`UNUSED`."""
        if name.split(".", maxsplit=1)[0] in UNUSED:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> types.ModuleType:
        """An empty module that has every attribute."""
        module = _StandIn(spec.name)
        module.__path__ = []
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing to run."""


def stand_in() -> None:
    """From now on, what the peers import and is not installed is stood in for."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())  # last: an installed package comes first


@dataclass
class Side:
    """One implementation: a step on a batch, a reconstruction, its times."""

    name: str
    step: Callable[[torch.Tensor], object]
    reconstruct: Callable[[torch.Tensor], torch.Tensor]
    seconds: list[float]


def ours(x: torch.Tensor, steps: int, rate: float) -> Side:
    """The trainer of this package."""
    from tonotopy.features.dictionaries.conditioning import condition
    from tonotopy.features.dictionaries.recipe import Recipe
    from tonotopy.features.dictionaries.topk import TopK
    from tonotopy.features.dictionaries.training import Trainer
    from tonotopy.features.sources import ArrayActivations

    # As the peers wait before they call a latent dead: 10 million activations.
    recipe = Recipe(LATENTS, steps, batch=BATCH, learning_rate=rate, dead_after=10_000_000)
    held = ArrayActivations(x.numpy())
    trainer = Trainer(held, TopK(K), recipe, conditioning=condition(held))

    def reconstruct(rows: torch.Tensor) -> torch.Tensor:
        found, p = trainer.result(), trainer.result().parameters
        return found._encode(rows) @ p.decoder + p.decoder_bias

    return Side("tonotopy", trainer.step, reconstruct, [])


def saelens(steps: int, rate: float, *, sparse: bool) -> Side:
    """SAELens's trainer."""
    from sae_lens.config import LoggingConfig, SAETrainerConfig
    from sae_lens.saes.topk_sae import TopKTrainingSAE, TopKTrainingSAEConfig
    from sae_lens.training.sae_trainer import SAETrainer

    torch.manual_seed(0)
    options: dict[str, Any] = {"use_sparse_activations": sparse}
    if sparse:  # with it, the backward pass of torch 2.13 fails on sparse tensors
        options["rescale_acts_by_decoder_norm"] = False
    model = TopKTrainingSAE(TopKTrainingSAEConfig(d_in=UNITS, d_sae=LATENTS, k=K, **options))
    config = SAETrainerConfig(
        n_checkpoints=0,
        checkpoint_path=None,
        save_final_checkpoint=False,
        total_training_samples=steps * BATCH,
        device="cpu",
        autocast=False,
        lr=rate,
        lr_end=rate / 1000,
        lr_scheduler_name="constant",
        lr_warm_up_steps=round(RISE * steps),
        adam_beta1=0.9,
        adam_beta2=0.999,
        lr_decay_steps=round(FALL * steps),
        n_restart_cycles=1,
        train_batch_size_samples=BATCH,
        dead_feature_window=10_000_000 // BATCH,
        feature_sampling_window=10_000_000,
        logger=LoggingConfig(log_to_wandb=False),
    )
    trainer = SAETrainer(config, model, iter(()))

    def step(rows: torch.Tensor) -> None:
        trainer._train_step(model, rows)
        trainer.n_training_steps += 1

    name = "SAELens, sparse" if sparse else "SAELens"
    return Side(name, step, torch.no_grad()(model), [])


def dictionary_learning(steps: int, rate: float) -> Side:
    """dictionary_learning's trainer."""
    from dictionary_learning.trainers.top_k import TopKTrainer

    trainer = TopKTrainer(
        steps=steps,
        activation_dim=UNITS,
        dict_size=LATENTS,
        k=K,
        layer=0,
        lm_name="",
        lr=rate,
        warmup_steps=round(RISE * steps),
        decay_start=round((1 - FALL) * steps),
        seed=0,
        device="cpu",
    )
    count = iter(range(steps + 1))
    return Side(
        "dictionary_learning",
        lambda rows: trainer.update(next(count), rows),
        torch.no_grad()(trainer.ae),
        [],
    )


def planted(frames: int, seed: int = 0) -> torch.Tensor:
    """Frames of mean squared norm 128: sparse sums of 2,048 fixed directions, plus noise."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((2048, UNITS)).astype(np.float32)
    x = 0.1 * rng.standard_normal((frames, UNITS)).astype(np.float32)
    for _ in range(24):
        index = (2048 * rng.random(frames) ** 2).astype(int)  # some directions are common, most are rare
        x += rng.exponential(size=(frames, 1)).astype(np.float32) * rows[index] / 8
    x -= x.mean(axis=0)
    return torch.from_numpy(x / np.sqrt((x.astype(np.float64) ** 2).mean()).astype(np.float32))


def main() -> None:
    """Train in turns; print a table."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("--rounds", type=int, default=8)
    options.add_argument("--turn", type=int, default=10, help="steps a turn")
    options.add_argument(
        "--rate", type=float, default=4e-4, help="step size; 4e-4 is the law of Gao 2024 at 4,096"
    )
    options.add_argument("--alone", action="store_true", help="without the peers")
    asked = options.parse_args()
    torch.set_num_threads(1)
    stand_in()
    steps = asked.rounds * asked.turn
    x = planted(40 * BATCH)
    train, held_out = x[: 38 * BATCH], x[38 * BATCH :]
    sides = [ours(train, steps, asked.rate)]
    if not asked.alone:
        sides += [saelens(steps, asked.rate, sparse=flag) for flag in (False, True)]
        sides += [dictionary_learning(steps, asked.rate)]
    rng = np.random.default_rng(1)
    for _ in range(asked.rounds):
        turn = [train[torch.from_numpy(rng.integers(0, len(train), BATCH))] for _ in range(asked.turn)]
        for side in sides:
            start = time.process_time()
            for rows in turn:
                side.step(rows)
            side.seconds.append((time.process_time() - start) / asked.turn)
    print(f"{steps} steps of {BATCH}, one thread; {steps * BATCH:,} activations each")
    print(f"{'':22}{'activations/s':>14}{'ours re it':>12}{'variance left':>15}")
    fastest = float(np.median(sides[0].seconds))
    variance = float((held_out - held_out.mean(dim=0)).square().sum())
    for side in sides:
        seconds = float(np.median(side.seconds))
        left = float((held_out - side.reconstruct(held_out)).square().sum()) / variance
        print(f"{side.name:22}{BATCH / seconds:14,.0f}{seconds / fastest:11.2f}×{left:15.4f}")


if __name__ == "__main__":
    main()
