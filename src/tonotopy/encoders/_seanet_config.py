"""What the configuration of an EnCodec may say: everything is checked before any memory is asked for.

A ``config.json`` may come from anywhere. Each entry has its type and range here, generous beside any codec that
was published, and all of them together may ask for no more than :data:`MAX_PARAMETERS` numbers.

Offers :func:`config_of`, :func:`changed`, :func:`parameters`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import torch

from tonotopy.core.errors import InputError
from tonotopy.encoders._seanet import Config, DecoderNet, EncoderNet, Quantiser

MAX_PARAMETERS = 2**28
"""Numbers in encoder, decoder and codebooks together: a gigabyte of float32. The published ones have 2**24."""

_WHOLE = {
    "sampling_rate": (1, 768_000),
    "audio_channels": (1, 2),
    "num_filters": (1, 1024),
    "hidden_size": (1, 4096),
    "num_residual_layers": (0, 16),
    "kernel_size": (1, 1024),
    "last_kernel_size": (1, 1024),
    "residual_kernel_size": (1, 1024),
    "dilation_growth_rate": (1, 16),
    "compress": (1, 1024),
    "num_lstm_layers": (1, 16),
    "codebook_size": (2, 2**16),
}
_REAL = {"trim_right_ratio": (0.0, 1.0), "chunk_length_s": (1e-3, 3600.0), "overlap": (0.0, 0.99)}
_WORDS = {
    "norm_type": ["weight_norm", "time_group_norm"],
    "pad_mode": ["reflect", "constant", "replicate"],
}
_MAY_LACK = ("chunk_length_s", "overlap")
_RATIOS = (8, 64)  # so many at most, each at most so large
_RATES = (32, 1e4)  # the same, kb/s
_CAUSE = "a damaged config, or another model's"


def config_of(values: Mapping[str, Any]) -> Config:
    """A configuration from a ``config.json``; entries that do not shape the network are passed over."""
    known = {field.name for field in fields(Config)}
    config = Config(
        **{k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k in known}  # type: ignore[arg-type]
    )
    _validate(config)
    width = values.get("codebook_dim")
    if width not in (None, config.hidden_size):
        expected = f"codebook_dim of EnCodec to equal hidden_size, {config.hidden_size}"
        raise InputError(expected, _short(width), _CAUSE)
    return config


def changed(config: Config, changes: Mapping[str, Any] | None) -> Config:
    """A configuration with some fields changed by the user."""
    known = asdict(config)
    unknown = sorted(set(changes or {}) - set(known))
    if unknown:
        raise InputError("fields of an EnCodec's config", ", ".join(unknown), "a misspelt name", known)
    return config_of(known | dict(changes or {}))


def parameters(config: Config) -> int:
    """Numbers in encoder, decoder and codebooks together, counted without making them."""
    with torch.device("meta"):
        nets = EncoderNet(config), DecoderNet(config), Quantiser(config)
    return sum(tensor.numel() for net in nets for tensor in net.state_dict().values())


def _validate(config: Config) -> None:
    for name, value in asdict(config).items():
        if value is None and name in _MAY_LACK:
            continue
        if (legal := _fault(name, value)) is not None:
            raise InputError(f"{name} of EnCodec, {legal}", _short(value), _CAUSE)
    _validate_together(config)
    count = parameters(config)
    if count > MAX_PARAMETERS:
        raise InputError(f"an EnCodec of at most {MAX_PARAMETERS} parameters", f"{count}", _CAUSE)


def _fault(name: str, value: Any) -> str | None:
    """What is legal, where the value is not."""
    if name in _WHOLE:
        low, high = _WHOLE[name]
        return None if _is_whole(value, low, high) else f"a whole number from {low} to {high}"
    if name in _REAL:
        least, most = _REAL[name]
        return None if _is_real(value, least, most) else f"a number from {least:g} to {most:g}"
    if name in _WORDS:
        return None if value in _WORDS[name] else " or ".join(_WORDS[name])
    if name == "upsampling_ratios":
        n, most = _RATIOS
        fits = _is_list(value, n) and all(_is_whole(ratio, 1, most) for ratio in value)
        return None if fits else f"1 to {n} whole numbers from 1 to {most}"
    if name == "target_bandwidths":
        # Ascending: transformers takes the last for the largest, which is how many codebooks there are.
        n, most = _RATES
        fits = _is_list(value, n) and all(_is_real(rate, 1e-3, most) for rate in value)
        return (
            None
            if fits and list(value) == sorted(value)
            else f"1 to {n} ascending bit rates to {most:g} kb/s"
        )
    return None if isinstance(value, bool) else "true or false"


def _is_whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_real(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _is_list(value: Any, longest: int) -> bool:
    return isinstance(value, tuple) and 1 <= len(value) <= longest


def _validate_together(config: Config) -> None:
    """What no entry can say alone."""
    if config.compress > config.num_filters:
        expected = f"compress of EnCodec of at most num_filters, {config.num_filters}"
        raise InputError(expected, f"{config.compress}", "a block would have no channel in its middle")
    if not math.log2(config.codebook_size).is_integer():
        cause = "a code is a whole number of bits"
        raise InputError("codebook_size of EnCodec, a power of 2", f"{config.codebook_size}", cause)
    if config.chunk_length_s is not None and config.overlap is None:
        raise InputError("overlap of EnCodec beside chunk_length_s", "none", _CAUSE)
    if config.trim_right_ratio != 1 and not config.use_causal_conv:
        expected = "trim_right_ratio of EnCodec, 1 where it is not causal"
        raise InputError(expected, f"{config.trim_right_ratio:g}", _CAUSE)


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
