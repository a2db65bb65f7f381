"""A dictionary: what training leaves, and what other libraries' checkpoints are read as.

``values = encode(frames)`` and ``frames ≈ decode(values)`` with raw frames ``[frame, unit]``: conditioning is part of
the dictionary. On disk it is one safetensors file that says what it is; reading it runs no code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.encoders._checkpoint import Header, read_header, write
from tonotopy.encoders._weights import read_weights
from tonotopy.features.dictionaries import sparse
from tonotopy.features.dictionaries.parameters import Parameters
from tonotopy.features.dictionaries.variant import Rule
from tonotopy.features.sources._contract import Activations, unit_rows

#: Frames that are encoded at once: all latents of a frame are held.
ROWS = 2048
#: Largest dictionary that is read from a file.
MOST_FEATURES, MOST_UNITS = 2**20, 2**16
#: Frames on which a dictionary is described, where a stream has more.
DESCRIBED = 100_000

_PREFIX = "dictionary:"


@dataclass(frozen=True)
class Dictionary:
    """A sparse autoencoder that is no longer trained.

    Parameters
    ----------
    variant : name of what it was trained as
    rule : how active latents are chosen
    k : active latents a frame, for the rule ``topk``
    parameters : weights, on conditioned frames
    threshold : ``[feature]``, for the rule ``threshold``
    centre, scale : conditioning
    """

    variant: str
    rule: Rule
    k: int | None
    parameters: Parameters
    threshold: torch.Tensor
    centre: torch.Tensor  # [unit]
    scale: float

    @property
    def units(self) -> int:
        """Units a frame."""
        return self.parameters.encoder.shape[1]

    @property
    def features(self) -> int:
        """Number of latents."""
        return self.parameters.features

    @property
    def directions(self) -> NDArray[np.float32]:
        """Decoder rows scaled to norm 1, ``[feature, unit]``: the same in raw frames, since the scale is global."""
        return unit_rows(self.parameters.decoder.numpy())

    @torch.no_grad()
    def encode(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values ``[frame, feature]`` of raw frames ``[frame, unit]``."""
        values = np.empty((len(frames), self.features), np.float32)
        for start in range(0, len(frames), ROWS):
            rows = torch.tensor(frames[start : start + ROWS], dtype=torch.float32)
            values[start : start + len(rows)] = self._encode((rows - self.centre) / self.scale).numpy()
        return values

    def _encode(self, x: torch.Tensor) -> torch.Tensor:
        p = self.parameters
        if self.rule == "topk":
            assert self.k is not None
            best, latent = sparse.select(x, p.encoder, p.bias(), self.k)
            return torch.zeros(len(x), self.features).scatter_(1, latent, best.relu())
        values = p.pre(x).relu()
        return values if self.rule == "relu" else values * (values > self.threshold)

    @torch.no_grad()
    def decode(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Raw frames ``[frame, unit]`` from values ``[frame, feature]``."""
        p = self.parameters
        conditioned = torch.from_numpy(values) @ p.decoder + p.decoder_bias
        frames: NDArray[np.float32] = (conditioned * self.scale + self.centre).numpy()
        return frames

    def save(self, path: str | Path) -> None:
        """Write to one safetensors file."""
        tensors = self.parameters.tensors | {"threshold": self.threshold, "centre": self.centre}
        options = {"rule": self.rule, "k": self.k, "scale": self.scale}
        write(path, tensors, Header(_PREFIX + self.variant, options))

    @staticmethod
    def load(path: str | Path) -> Dictionary:
        """Read what :meth:`save` wrote.

        Raises
        ------
        InputError
            The file is missing, damaged, or something else.
        """
        header = read_header(path)
        if header is None or not header.encoder.startswith(_PREFIX):
            raise InputError("a dictionary", repr(Path(path).name), "a file of something else")
        # Copies are aligned in memory, on which the rounding of products depends.
        tensors = {name: value.clone() for name, value in read_weights(path).items()}
        told = header.options
        wanted = {
            "encoder",
            "encoder_bias",
            "decoder",
            "decoder_bias",
            "log_threshold",
            "threshold",
            "centre",
        }
        if set(tensors) != wanted:
            raise InputError(
                f"the tensors {', '.join(sorted(wanted))}", ", ".join(sorted(tensors)), "a damaged file"
            )
        return checked(
            Dictionary(
                header.encoder.removeprefix(_PREFIX),
                told.get("rule"),  # type: ignore[arg-type] # checked below
                told.get("k"),
                Parameters.of(tensors),
                tensors["threshold"],
                tensors["centre"],
                told.get("scale"),  # type: ignore[arg-type] # checked below
            )
        )


def checked(dictionary: Dictionary) -> Dictionary:
    """The same dictionary, once its shapes fit and its numbers are finite.

    Raises
    ------
    InputError
        They do not.
    """
    p = dictionary.parameters
    shape = tuple(p.encoder.shape)
    if len(shape) != 2 or not (1 <= shape[0] <= MOST_FEATURES and 1 <= shape[1] <= MOST_UNITS):
        raise InputError(
            f"an encoder of at most {MOST_FEATURES} × {MOST_UNITS}", f"shape {shape}", "a damaged file"
        )
    features, units = shape
    wanted: dict[str, tuple[int, ...]] = {"encoder_bias": (features,), "decoder": shape}
    wanted |= {"decoder_bias": (units,), "log_threshold": (features,)}
    found = {name: tuple(p.tensors[name].shape) for name in wanted}
    wanted |= {"threshold": (features,), "centre": (units,)}
    found |= {"threshold": tuple(dictionary.threshold.shape), "centre": tuple(dictionary.centre.shape)}
    for name, expected in wanted.items():
        if found[name] != expected:
            raise InputError(f"{name} of shape {expected}", f"{found[name]}", "weights of another dictionary")
    for name, value in {**p.tensors, "centre": dictionary.centre}.items():
        if value.dtype != torch.float32 or not torch.isfinite(value).all():
            raise InputError(
                f"{name} of finite float32", "NaN, inf or another type", "a diverged training, or damage"
            )
    scale: Any = dictionary.scale
    if type(scale) is not float or not 0 < scale < math.inf:
        raise InputError("a positive scale", repr(scale)[:60], "a damaged file")
    _check_rule(dictionary)
    return dictionary


def _check_rule(dictionary: Dictionary) -> None:
    rule, k = dictionary.rule, dictionary.k
    if rule not in {"relu", "topk", "threshold"}:
        raise InputError(
            "a rule for active latents", repr(rule)[:60], "a damaged file", ["relu", "topk", "threshold"]
        )
    if rule == "topk" and (type(k) is not int or not 1 <= k <= dictionary.features):
        raise InputError(f"k from 1 to {dictionary.features}", repr(k)[:60], "a damaged file")
    if rule == "threshold" and not (torch.isfinite(dictionary.threshold) & (dictionary.threshold >= 0)).all():
        raise InputError(
            "thresholds that are finite and not negative", "others", "a training that ended too early"
        )


def describe(dictionary: Dictionary, activations: Activations, most: int = DESCRIBED) -> dict[str, Any]:
    """Diagnostics over at most ``most`` frames of a stream, sums in float64, as plain values.

    ``explained_variance`` is 1 − (squared error) / (squared distance from the mean); ``l0`` the mean number of active
    latents; ``dead_latents`` those never active; ``density`` the share of frames in which each is active.
    """
    error, total, square, n = 0.0, np.zeros(dictionary.units), 0.0, 0
    active = np.zeros(dictionary.features, np.int64)
    for chunk, _ in activations:
        frames = chunk[: most - n]
        values = dictionary.encode(frames)
        error += float(((frames - dictionary.decode(values)).astype(np.float64) ** 2).sum())
        moved = (frames - dictionary.centre.numpy()).astype(np.float64)
        total, square = total + moved.sum(axis=0), square + float((moved**2).sum())
        active += (values > 0).sum(axis=0)
        n += len(frames)
        if n >= most:
            break
    spread = square - float((total**2).sum()) / n
    return {
        "explained_variance": 1 - error / spread if spread > 0 else float("nan"),
        "l0": float(active.sum() / n),
        "dead_latents": [int(latent) for latent in np.flatnonzero(active == 0)],
        "density": (active / n).tolist(),
    }
