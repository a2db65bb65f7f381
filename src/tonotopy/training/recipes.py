"""What can be trained, by name: from the words of a command to a task, its music and its folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from tonotopy.core.errors import InputError
from tonotopy.encoders._seanet import Config
from tonotopy.encoders._seanet_config import changed
from tonotopy.encoders.samplecnn import SAMPLE_RATE_HZ
from tonotopy.sound.sources import open_music
from tonotopy.sound.sources._contract import Source
from tonotopy.training.classifier import ClassifierTask
from tonotopy.training.codec import CodecTask
from tonotopy.training.excerpts import Excerpts, prepare
from tonotopy.training.loop import Training, refuse_other_files
from tonotopy.training.schedule import Length
from tonotopy.training.task import Task

Progress = Callable[[int, int, str], None]


CODEC_WORDS = ("batch", "frames", "learning_rate", "adversarial")
"""Words of a codec's training that are not fields of its configuration."""


@dataclass(frozen=True)
class Recipe:
    """How one kind of model is trained."""

    rate_hz: Callable[[dict[str, Any]], int]
    task: Callable[..., Task]


def _codec(music: Excerpts, *, seed: int, hours: float | None = None, **words: Any) -> Task:
    own = {key: words.pop(key) for key in CODEC_WORDS if key in words}
    limited = music if hours is None else _limited(music, hours, seed)
    return CodecTask(_config(words), limited, seed=seed, **own)


def _config(words: dict[str, Any]) -> Config:
    return changed(Config(), {key: list(v) if isinstance(v, tuple) else v for key, v in words.items()})


def _limited(music: Excerpts, hours: float, seed: int) -> Excerpts:
    kept = music.training.limited(hours, seed=seed)
    rest = tuple(track for track in music.tracks if track.split != "training")
    return replace(music, tracks=(*kept.tracks, *rest))


def _classifier(music: Excerpts, *, seed: int, depth: int = 9, narrow: int = 1, **words: Any) -> Task:
    return ClassifierTask(depth, narrow, music, seed=seed, **words)


def _codec_rate(words: dict[str, Any]) -> int:
    own = (*CODEC_WORDS, "hours")
    return _config({key: value for key, value in words.items() if key not in own}).sampling_rate


RECIPES = {
    "samplecnn": Recipe(lambda _: SAMPLE_RATE_HZ, _classifier),
    "encodec": Recipe(_codec_rate, _codec),
}


def train(
    kind: str,
    *,
    music: str | Source,
    out: str | Path,
    steps: int | None = None,
    minutes: float | None = None,
    seed: int = 0,
    device: str = "cpu",
    tensorboard: bool = False,
    progress: Progress | None = None,
    **words: Any,
) -> Path:
    """Train a model in a folder; the same call goes on where an earlier one was interrupted.

    Parameters
    ----------
    kind : ``samplecnn`` (words: depth, narrow), ``encodec`` (words: fields of its configuration), ``ceiling``
        (words: see :func:`tonotopy.training.ceiling.train_ceiling`)
    music : ``folder:PATH`` (subfolders are classes), ``scores``, ``fma-small:PATH``, or a Source
    out : folder of the training
    steps, minutes : how long; from minutes the number of steps is derived once, at the start
    seed : of initial weights, excerpts, dropout
    device : ``cpu``, ``cuda``, ``mps``
    tensorboard : write its logs too (the extra ``tensorboard``)
    progress : called with (steps done, steps in all or 0, label)
    words : besides those of the kind: hours (of music to train on), batch, learning_rate

    Returns
    -------
    Path
        The last snapshot: a safetensors file that opens as an encoder by itself.

    Raises
    ------
    TonotopyError
        Whatever cannot be used, in one line; a loss that is no number.
    """
    if kind == "ceiling":
        from tonotopy.training.ceiling import train_ceiling  # it opens encoders, which the others do not

        return train_ceiling(
            music=music,
            out=out,
            steps=steps,
            minutes=minutes,
            seed=seed,
            device=device,
            tensorboard=tensorboard,
            progress=progress,
            **words,
        )
    if kind not in RECIPES:
        raise InputError(
            "something that can be trained", repr(kind), "a misspelt name", [*RECIPES, "ceiling"]
        )
    recipe, folder, length = RECIPES[kind], Path(out), Length(steps, minutes)
    refuse_other_files(folder)  # before music is decoded into it
    source = open_music(music) if isinstance(music, str) else music
    with torch.random.fork_rng(devices=[]):
        excerpts = prepare(source, folder / "sound", recipe.rate_hz(words), seed=seed, progress=progress)
        task = recipe.task(excerpts, seed=seed, **words)
        told = {"kind": kind, "seed": seed, "words": words, **_told(source, excerpts, task)}
        training = Training(task, folder, told=told, length=length, device=device, tensorboard=tensorboard)
        return training.run(progress)


def _told(source: Source, excerpts: Excerpts, task: Task) -> dict[str, Any]:
    """What a folder of training says of the music and the model beside the words of the command."""
    header = task.header(0)
    return {
        "music": source.spelling,
        "music_fingerprint": excerpts.fingerprint,
        "encoder": header.encoder,
        "options": dict(header.options),
        "parameters": sum(p.numel() for p in task.module.parameters()),
        "hours": round(excerpts.training.hours, 4),
    }
