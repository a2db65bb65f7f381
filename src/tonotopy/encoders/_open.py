"""What each way of spelling an encoder means: a plug-in, a phantom, a class in a file.

A class in a file is the only way by which code that is not part of the package runs, and it needs trust.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from tonotopy.core.errors import InputError, WeightsError
from tonotopy.core.registry import load
from tonotopy.encoders._checkpoint import read_header
from tonotopy.encoders._contract import Encoder


def open_plugin(module: ModuleType, name: str, *, weights: str | None, seed: int, **options: Any) -> Encoder:
    """An encoder of a plug-in file, through its ``open_encoder``."""
    check_options(name, module.open_encoder, options)
    opened: Encoder = module.open_encoder(name, weights=weights, seed=seed, **options)
    return opened


def named_by(path: str, weights: str | None) -> str:
    """The encoder that a checkpoint says it is a checkpoint of."""
    if weights is not None:
        raise InputError("no weights beside a checkpoint", repr(weights), "the checkpoint is the weights")
    header = read_header(path)
    if header is None:
        cause = "it was not written by `tonotopy train`: name the encoder, and the file as its --weights"
        raise WeightsError("a checkpoint that says what it is", repr(Path(path).name), cause)
    return header.encoder


def open_phantom(
    kind: str, name: str, *, seed: int, sample_rate_hz: int | None, weights: str | None, **options: Any
) -> Encoder:
    """A phantom or a reference encoder; they have no weights to choose."""
    if weights is not None:
        raise InputError(
            f"no weights for a {kind}", repr(weights), "it is built by hand; give a seed instead"
        )
    module = load("tonotopy.encoders.phantoms", name, kind=kind)
    if sample_rate_hz is not None:
        options["sample_rate_hz"] = sample_rate_hz
    check_options(f"{kind}:{name}", module.open_encoder, options)
    opened: Encoder = module.open_encoder(name, seed=seed, **options)
    return opened


def check_options(name: str, opener: Any, options: dict[str, Any]) -> None:
    """Refuse an option that an encoder does not know, before anything is opened."""
    parameters = inspect.signature(opener).parameters.values()
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in {"weights", "seed"}]
    for option in options:
        if option not in known:
            legal = known or ["none"]
            raise InputError(f"an option of {name}", repr(option), "an option that it does not take", legal)


def open_class(
    path: str,
    class_name: str,
    *,
    trust: bool,
    weights: str | None,
    seed: int,
    window: int | None,
    sample_rate_hz: int | None,
    **options: Any,
) -> Encoder:
    """A ``torch.nn.Module`` class in a file of the user's, or an :class:`Encoder` class."""
    spelling = f"{path}:{class_name}"
    if not trust:
        cause = "opening it runs the code in that file; read it, then pass --trust (trust=True in Python)"
        raise InputError("leave to run a file", repr(spelling), cause)
    found = getattr(_import(path), class_name, None)
    if not isinstance(found, type) or not issubclass(found, torch.nn.Module | Encoder):
        cause = "the class is misspelt, or is neither a torch.nn.Module nor an Encoder"
        raise InputError("path/to/file.py:ClassName", repr(spelling), cause)
    # Every process that opens the class must get the same weights, and so must a later call that resumes.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = found()
    code_id = "sha256:" + hashlib.sha256(Path(path).read_bytes()).hexdigest()
    if isinstance(model, Encoder):
        model.code_id = code_id
        return model
    if sample_rate_hz is None:
        cause = (
            "a module does not say what rate it was made for: pass --sample-rate (sample_rate=… in Python)"
        )
        raise InputError("a sampling rate in Hz", "none", cause)
    check_options(spelling, _module_encoder, options)
    encoder = _module_encoder(
        model, sample_rate_hz, class_name, seed=seed, weights=weights, window=window, **options
    )
    encoder.code_id = code_id
    return encoder


def _import(path: str) -> ModuleType:
    file = Path(path)
    if not file.is_file():
        raise InputError("a Python file", repr(path), "no such file; check the path")
    name = f"tonotopy_user_{hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickling of the user's classes look it up here
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        came = f"{type(error).__name__}: {error}"
        raise InputError(
            f"a file that can be imported: {file.name}", came, "an error in that file"
        ) from error
    return module


def _module_encoder(
    model: torch.nn.Module,
    sample_rate_hz: int,
    name: str,
    *,
    seed: int,
    weights: str | None,
    window: int | None,
    channels: int | None = None,
    sites: list[str] | None = None,
) -> Encoder:
    from tonotopy.encoders._initialise import randomise
    from tonotopy.encoders._weights import fit_weights, random_seed, read_weights
    from tonotopy.encoders.module import ModuleEncoder

    label = f"as constructed, seed {seed}"
    drawn = random_seed(weights)
    if drawn is not None:
        label = f"random:{drawn}"
        randomise(model, drawn)
    elif weights is not None:
        label = Path(weights).name
        fit_weights(model, read_weights(weights), name=name)
    encoder = ModuleEncoder(
        model, sample_rate_hz, name=name, window=window, channels=channels, sites=sites, weights_label=label
    )
    return encoder if drawn is None else encoder.randomised(drawn, None)
