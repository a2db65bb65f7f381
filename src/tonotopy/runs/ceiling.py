"""A ceiling opened for a study: the same encoder with other weights, and what is told of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tonotopy.core.errors import InputError, WeightsError
from tonotopy.encoders import load_encoder
from tonotopy.encoders._contract import Encoder
from tonotopy.training.ceiling_record import CeilingRecord, read_record

#: Names in a folder that `tonotopy train ceiling` wrote.
WEIGHTS = "ceiling.safetensors"
RECORD = "ceiling.json"


def weights_path(spelling: str | Path) -> Path:
    """The file of weights that a folder or a file means.

    Raises
    ------
    WeightsError
        There is none.
    """
    path = Path(spelling)
    found = path / WEIGHTS if path.is_dir() else path
    if not found.is_file():
        cause = "an unfinished training, or a mistyped path; `tonotopy train ceiling` makes one"
        raise WeightsError(f"a ceiling: a folder with {WEIGHTS}, or a file", repr(path.name), cause)
    return found


def open_ceiling(
    encoder: Any, ceiling: Any, *, seed: int, like: Encoder, options: Mapping[str, Any]
) -> Encoder:
    """The ceiling of an encoder, which has the same sites.

    Parameters
    ----------
    encoder : the spelling under which the encoder under study was opened
    ceiling : a folder or file of weights, or an Encoder
    seed, options : with which the encoder under study was opened
    like : the encoder under study

    Raises
    ------
    InputError
        It is of another architecture, or a file was given for an encoder that has no spelling.
    WeightsError
        The file is damaged, or does not fit.
    """
    if isinstance(ceiling, Encoder):
        found = ceiling
    elif isinstance(encoder, str):
        file = str(weights_path(ceiling))
        spelling, weights = (file, None) if encoder.endswith(".safetensors") else (encoder, file)
        found = load_encoder(spelling, weights=weights, seed=seed, **options)
    else:
        cause = "give the encoder by its name, or the ceiling as an Encoder"
        raise InputError("an encoder that a file of weights can be opened with", like.name, cause)
    ours, theirs = ([(s.name, s.hop, s.view, s.units) for s in e.sites] for e in (like, found))
    if ours != theirs or found.sample_rate_hz != like.sample_rate_hz:
        differing = next(
            (a[0] for a, b in zip(ours, theirs, strict=False) if a != b), "number of sites or rate"
        )
        cause = "a ceiling is the same architecture with other weights; this is another's"
        raise InputError(f"the sites of {like.name} in its ceiling", f"another {differing}", cause)
    return found


def record_of(ceiling: Any, opened: Encoder) -> CeilingRecord | None:
    """What is told of a ceiling beside its weights; None where nothing is.

    Raises
    ------
    RunError
        The record is damaged.
    WeightsError
        The record is about other weights.
    """
    if isinstance(ceiling, Encoder) or ceiling is None:
        return None
    file = weights_path(ceiling)
    path = file.with_name(RECORD) if file.name == WEIGHTS else file.with_suffix(".json")
    if not path.is_file():
        return None
    record = read_record(path)
    if record.weights_id != opened.weights_id:
        cause = "one of the two was replaced; train again, or take the record away"
        raise WeightsError(f"the weights that {path.name} is about", repr(file.name), cause)
    return record
