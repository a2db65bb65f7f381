"""A template for an encoder: copy this file to ``src/tonotopy/encoders/NAME.py`` and edit it.

The first line of this docstring becomes the encoder's summary in listings. Say here what the model is, what
its sites are, and in what this file departs from its source. Adding the file is all: the registry finds it,
and ``tests/encoders/test_contract.py`` runs on it with random weights.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from tonotopy.core.errors import InputError
from tonotopy.encoders._initialise import undrawn
from tonotopy.encoders._weights import fit_weights, random_seed, read_weights
from tonotopy.encoders.module import ModuleEncoder

# Read without importing this file, so they must be literals. Names are spelled with hyphens.
NAMES = ("my-encoder",)
CITATION = "whom to cite for this model"
LICENCE = "under which terms its weights may be used"

# Options with which the contract is tested: make the model small here, so that the tests are quick.
TEST_OPTIONS: dict[str, Any] = {"width": 8}

SAMPLE_RATE_HZ = 16_000


class MyNet(nn.Module):
    """Waveform ``[batch, 1, time]`` to latent ``[batch, unit, frame]``."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(1, width, 16, stride=4)
        self.norm = nn.BatchNorm1d(width)
        self.activation = nn.ReLU()
        self.second = nn.Conv1d(width, 2 * width, 8, stride=4)

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        """Layers are found in the order in which they run here."""
        x = self.activation(self.norm(self.first(audio)))
        return self.second(F.pad(x, (4, 0)))  # explicit padding is followed as well


def open_encoder(
    name: str,
    *,
    weights: str | None,
    seed: int,  # noqa: ARG001 - one signature for all; what else is random would take it
    width: int = 64,
) -> ModuleEncoder:
    """Open the encoder; ``weights`` is a path or ``random:SEED``. Further keywords are its options."""
    drawn = random_seed(weights)
    if weights is None:
        raise InputError(f"weights of {name}", "none", "none are bundled: give a file, or weights random:0")
    with undrawn():  # building layers draws random numbers; the caller's generator must not notice
        net = MyNet(width)
    if drawn is None:
        # Only tensors are read, never code; what does not fit is reported in one line.
        fit_weights(net, read_weights(weights), name=name)
    # Sites, hop, view and offset are found in the module. A model that needs more (frames of fixed length, a
    # decoder, codes) implements `Encoder` itself: `crepe.py` and `encodec.py` are such files.
    encoder = ModuleEncoder(
        net,
        SAMPLE_RATE_HZ,
        name=name,
        weights_label=Path(weights).name,
        citation=CITATION,
        licence=LICENCE,
    )
    return encoder if drawn is None else encoder.randomised(drawn, None)
