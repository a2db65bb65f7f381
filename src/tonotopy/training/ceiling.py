"""Trains the ceiling of an encoder (SPEC § 2) and writes it down: what is trained is in `ceiling_task`.

A folder holds what every training's does (`loop`), and when it is done ``ceiling.safetensors``, the encoder that
was trained, in full precision, and ``ceiling.json`` (`ceiling_record`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from tonotopy.encoders import _checkpoint, load_encoder
from tonotopy.encoders._contract import Encoder
from tonotopy.encoders._weights import read_weights, state_id
from tonotopy.signal import erb
from tonotopy.sound.music import CONTEXT_DBFS, SILENT_DBFS, level_dbfs
from tonotopy.sound.sources import open_music
from tonotopy.sound.sources._contract import Source
from tonotopy.training.ceiling_record import BandR2, CeilingRecord
from tonotopy.training.ceiling_task import (
    HELD_OUT_ROWS,
    LEARNING_RATE,
    LEAST_ROWS,
    CeilingTask,
    has_both_parts,
    trainable,
)
from tonotopy.training.excerpts import Excerpts, prepare
from tonotopy.training.loop import Progress, Training, refuse_other_files
from tonotopy.training.schedule import Length
from tonotopy.training.task import generator

#: How long where nothing is said.
MINUTES = 5.0
#: f is resolvable where so many ERB(f) are no less than rate / view (SPEC § 2).
RESOLVABLE_ERB = 3.0


def train_ceiling(
    *,
    like: str,
    music: str | Source,
    out: str | Path,
    weights: str | None = None,
    steps: int | None = None,
    minutes: float | None = None,
    seed: int = 0,
    learning_rate: float = LEARNING_RATE,
    device: str = "cpu",
    tensorboard: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Path:
    """Train the ceiling of an encoder in a folder; the same call goes on where an earlier one was interrupted.

    Parameters
    ----------
    like : the encoder, as :func:`tonotopy.load_encoder` takes it
    music : ``folder:PATH``, ``scores``, ``fma-small:PATH``, or a Source; a part of its pieces is held out
    out : folder of the training
    weights : of the encoder, where its architecture follows from them; they are not used otherwise
    steps, minutes : how long; :data:`MINUTES` where neither is given
    seed : of initial weights and of everything that is heard
    learning_rate : step size at its highest
    device, tensorboard, progress : as :func:`tonotopy.training.train` takes them
    options : of the encoder

    Returns
    -------
    Path
        ``ceiling.safetensors`` in the folder: opens as ``like`` with these weights. ``ceiling.json`` is beside it.

    Raises
    ------
    InputError
        An encoder without weights to train, or too little music.
    RunError
        The folder holds another training, or the loss is no longer finite.
    """
    folder = Path(out)
    encoder = load_encoder(like, weights=weights or _random_if_named(like), seed=seed, **options)
    trainable(encoder)  # refused before any music is decoded
    refuse_other_files(folder)
    source = open_music(music) if isinstance(music, str) else music
    excerpts = prepare(source, folder / "sound", encoder.sample_rate_hz, seed=seed, progress=progress)
    has_both_parts(excerpts)
    task = CeilingTask(
        _from_random(encoder, excerpts, seed), excerpts, learning_rate=learning_rate, seed=seed
    )
    told = {
        "encoder": encoder.name,
        "options": dict(task.copy.options),
        "music": source.spelling,
        "music_fingerprint": excerpts.fingerprint,
        "seed": seed,
        "learning_rate": learning_rate,
        "rows": task.rows,
        "frames_a_row": len(task.frames.ends),
    }
    length = Length(steps, MINUTES if steps is None and minutes is None else minutes)
    training = Training(task, folder, told=told, length=length, device=device, tensorboard=tensorboard)
    training.run(progress)
    return _finish(task, training, source, excerpts)


def _random_if_named(like: str) -> str | None:
    """Random weights for a plug-in, which may have none of its own here; a class has what it is made with."""
    named = not like.endswith(".safetensors") and ".py:" not in like and ":" not in like
    return "random:0" if named else None


def _from_random(encoder: Encoder, music: Excerpts, seed: int) -> Encoder:
    """The same architecture with random weights, its statistics from the training music."""
    views = [site.view for site in encoder.sites]
    samples = encoder.frame_length or max(encoder.sample_rate_hz // 2, 2 * max(views))
    sound, _ = music.training.draw(generator(seed, 0, 20), LEAST_ROWS, samples)
    gains = [10 ** ((CONTEXT_DBFS - max(level_dbfs(row), SILENT_DBFS)) / 20) for row in sound]
    found = encoder.randomised(seed, torch.from_numpy(sound * np.array(gains, np.float32)[:, None]))
    assert found is not None, "an encoder that can be trained has weights to draw"
    return found


def _finish(task: CeilingTask, training: Training, source: Source, music: Excerpts) -> Path:
    """Write the weights as they were trained, in full precision, and what is told of them."""
    state = task.snapshot()
    file = training.folder / "ceiling.safetensors"
    _checkpoint.write(file, state, task.header(training.state.step))
    trained, unasked = task.tried(), task.from_random_weights()
    site, rate = task.site, task.encoder.sample_rate_hz
    frame_rate = rate / (task.encoder.frame_length or site.hop)
    centres = task.bands.centre_hz
    width = erb.bandwidth_hz(centres)
    bands = tuple(
        BandR2(
            centre_hz=float(centre),
            **{name: _or_none(values[k]) for name, values in trained.items()},
            random_level_r2=_or_none(unasked["level_r2"][k]),
            random_phase_r2=_or_none(unasked["phase_r2"][k]),
            resolvable=bool(RESOLVABLE_ERB * width[k] >= rate / site.span),
            below_carrier_limit=bool(centre <= frame_rate / 2),
        )
        for k, centre in enumerate(centres)
    )
    parts = music.training, music.validation
    record = CeilingRecord(
        encoder=task.encoder.name,
        options=dict(task.copy.options),
        weights_id=state_id(read_weights(file)),
        steps=training.state.step,
        seconds=round(training.state.seconds, 1),
        seed=task.seed,
        sample_rate_hz=rate,
        frame_rate_hz=frame_rate,
        view=site.view,
        units=site.units,
        parameters=sum(p.numel() for p in task.module.parameters()),
        music=source.spelling,
        music_fingerprint=music.fingerprint,
        training_pieces=len({track.piece for track in parts[0].tracks}),
        held_out_pieces=len({track.piece for track in parts[1].tracks}),
        held_out_frames=HELD_OUT_ROWS * len(task.frames.ends),
        bands=bands,
    )
    fresh = file.with_name(".ceiling.json.new")
    fresh.write_text(record.to_json(), encoding="utf-8")
    fresh.replace(file.with_suffix(".json"))
    return file


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
