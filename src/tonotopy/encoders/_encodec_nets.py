"""EnCodec's three networks, with weights: at random, of a checkpoint of ours, of a folder that transformers saved."""

from __future__ import annotations

from pathlib import Path

import torch

from tonotopy.encoders._checkpoint import own_options
from tonotopy.encoders._codec import level
from tonotopy.encoders._encodec_configs import CONFIGS, same_kind
from tonotopy.encoders._initialise import randomise, substitute_music, undrawn
from tonotopy.encoders._seanet import Config, DecoderNet, EncoderNet, Quantiser
from tonotopy.encoders._seanet_config import changed
from tonotopy.encoders._seanet_weights import load_folder, read_config
from tonotopy.encoders._weights import fit_weights, read_weights

Nets = tuple[EncoderNet, DecoderNet, Quantiser]

FRAMES_FOR_CODES = 1600
"""Latent frames from which random codebooks are drawn."""
_ROWS = 8  # of substitute music


def random_nets(config: Config, seed: int, calibration: torch.Tensor | None, *, batch: int) -> Nets:
    """Random weights by the layers' own initialiser; codebooks from the latent that they give to music.

    Parameters
    ----------
    calibration
        Music ``[row, time]``; a substitute where absent.
    batch
        How many rows are encoded at once.
    """
    nets = _shaped(config)
    for i, net in enumerate(nets):
        randomise(net, 3 * seed + i)
    music = calibration
    if music is None:
        seconds = FRAMES_FOR_CODES * config.hop / config.sampling_rate / _ROWS
        music = substitute_music(config.sampling_rate, seconds=seconds, rows=_ROWS)
    rows = music.float()[: max(1, FRAMES_FOR_CODES * config.hop // max(1, music.shape[1]))]
    with torch.no_grad():
        latent = [nets[0](prepared(row, config)) for row in rows.split(batch)]
        frames = torch.cat(latent).squeeze(2).transpose(1, 2).flatten(0, 1)  # frame unit
        nets[2].fill(frames[:FRAMES_FOR_CODES], seed)
    return nets


def checkpoint_nets(name: str, path: Path) -> tuple[Config, Nets]:
    """From one file of ``tonotopy train encodec``, shaped as the file says."""
    told = own_options(path, (name, "encodec-24khz", "encodec-toy"))
    shape = changed(CONFIGS["encodec-24khz"], told.get("config")) if told else CONFIGS[name]
    same_kind(name, shape)
    nets = _shaped(shape)
    whole = torch.nn.ModuleDict(dict(zip(("encoder", "decoder", "codes"), nets, strict=True)))
    fit_weights(whole, read_weights(path), name=name)
    return shape, nets


def folder_nets(name: str, folder: Path) -> tuple[Config, Nets]:
    """From a folder with ``config.json`` and ``model.safetensors``."""
    shape = read_config(folder)
    same_kind(name, shape)
    nets = _shaped(shape)
    load_folder(folder, name, nets)
    return shape, nets


def prepared(audio: torch.Tensor, config: Config) -> torch.Tensor:
    """Audio ``[batch, time]`` as the network takes it: perhaps at unit level, on every channel."""
    heard = audio[:, None].expand(-1, config.audio_channels, -1)
    return heard / level(audio[:, None])[:, None, None] if config.normalize else heard


def _shaped(config: Config) -> Nets:
    """Networks whose weights are still to come."""
    with undrawn():
        return EncoderNet(config), DecoderNet(config), Quantiser(config)
