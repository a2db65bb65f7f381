"""What is told of a finished ceiling: ``ceiling.json`` beside its weights, written once, read as data.

It says which weights it is about (a hash of their content), how they came to be (encoder, options, steps, seed,
fingerprint of the music; no path), and for every band the explained variance on held-out pieces of level and
phase, beside chance and beside a linear layer on random weights.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import RunError
from tonotopy.signal import erb

SCHEMA = 1
#: Bytes: a band is about 300 of them.
LARGEST = 2**20


@dataclass(frozen=True)
class BandR2:
    """One band; explained variances are at most 1, None where undefined."""

    centre_hz: float
    level_r2: float | None
    level_chance: float | None
    phase_r2: float | None
    phase_chance: float | None
    random_level_r2: float | None  # of a linear layer on the random weights that training began with
    random_phase_r2: float | None
    resolvable: bool  # 3 ERB(f) >= rate / view (SPEC § 2)
    below_carrier_limit: bool  # f <= half the frame rate: above it, phase from frame to frame is an alias


@dataclass(frozen=True)
class CeilingRecord:
    """Everything that is told of a ceiling."""

    encoder: str
    options: dict[str, Any]
    weights_id: str  # as `Encoder.weights_id` of the file that it is about
    steps: int
    seconds: float
    seed: int
    sample_rate_hz: int
    frame_rate_hz: float
    view: int
    units: int  # of stack_end
    parameters: int  # trained ones, readout included
    music: str
    music_fingerprint: str
    training_pieces: int
    held_out_pieces: int
    held_out_frames: int
    bands: tuple[BandR2, ...] = field(repr=False)
    schema: int = SCHEMA

    def to_json(self) -> str:
        """As text; what is not finite becomes null."""
        return json.dumps(_plain(asdict(self)), indent=1, allow_nan=False) + "\n"

    def at(self, name: str, frequency_hz: NDArray[np.floating]) -> NDArray[np.float64]:
        """One of the bands' numbers at any frequencies, ``[frequency]``: interpolated in ERB-rate, ends held."""
        centres = erb.rate(np.array([band.centre_hz for band in self.bands]))
        values = np.array([np.nan if getattr(b, name) is None else getattr(b, name) for b in self.bands])
        return np.asarray(np.interp(erb.rate(np.asarray(frequency_hz, np.float64)), centres, values))


def read_record(path: Path) -> CeilingRecord:
    """Read ``ceiling.json``; unknown, missing and mistyped entries are errors.

    Raises
    ------
    RunError
        The file is damaged, too large, or of another version.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise RunError(
                f"{path.name} of at most {LARGEST} bytes", f"{path.stat().st_size}", "a damaged file"
            )
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"a readable {path.name}", type(error).__name__, "a damaged file") from None
    return _record(values, path.name)


_WHOLE = (
    "steps",
    "seed",
    "sample_rate_hz",
    "view",
    "units",
    "parameters",
    "schema",
    "training_pieces",
    "held_out_pieces",
    "held_out_frames",
)
_TEXT = ("encoder", "weights_id", "music", "music_fingerprint")
_CAUSE = "a ceiling of another version, or a damaged or edited file"


def _record(values: Any, name: str) -> CeilingRecord:
    known = {f.name for f in fields(CeilingRecord)}
    if not isinstance(values, Mapping) or set(values) != known:
        differing = sorted(set(values) ^ known) if isinstance(values, Mapping) else [type(values).__name__]
        raise RunError(f"the entries of {name}", ", ".join(map(str, differing))[:200], _CAUSE)
    if values["schema"] != SCHEMA:
        raise RunError(f"{name} of schema {SCHEMA}", str(values["schema"])[:40], _CAUSE)
    for key in _WHOLE:
        if type(values[key]) is not int or values[key] < 0:
            raise RunError(f"a whole number for {key} of {name}", repr(values[key])[:40], _CAUSE)
    for key in _TEXT:
        if not isinstance(values[key], str) or len(values[key]) > 200 or not values[key].isprintable():
            raise RunError(f"a text for {key} of {name}", repr(values[key])[:40], _CAUSE)
    for key in ("seconds", "frame_rate_hz"):
        if not _is_number(values[key]):
            raise RunError(f"a number for {key} of {name}", repr(values[key])[:40], _CAUSE)
    if not isinstance(values["options"], dict):
        raise RunError(f"a table for options of {name}", type(values["options"]).__name__, _CAUSE)
    bands = values["bands"]
    if not isinstance(bands, list) or not 1 <= len(bands) <= 256:
        raise RunError(f"1 to 256 bands in {name}", type(bands).__name__, _CAUSE)
    told = tuple(_band(band, name) for band in bands)
    centres = [band.centre_hz for band in told]
    if sorted(set(centres)) != centres:
        raise RunError(f"bands of {name} in ascending order", "another order", _CAUSE)
    return CeilingRecord(**{**values, "bands": told})


def _band(values: Any, name: str) -> BandR2:
    known = {f.name: str(f.type) for f in fields(BandR2)}
    if not isinstance(values, Mapping) or set(values) != set(known):
        raise RunError(f"the entries of a band in {name}", repr(values)[:80], _CAUSE)
    for key, kind in known.items():
        value = values[key]
        fits = isinstance(value, bool) if kind == "bool" else _is_number(value)
        if not fits and not (value is None and "None" in kind):
            raise RunError(f"{kind} for {key} of a band in {name}", repr(value)[:40], _CAUSE)
    if not values["centre_hz"] > 0:
        raise RunError(f"bands above 0 Hz in {name}", repr(values["centre_hz"])[:40], _CAUSE)
    return BandR2(**values)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _plain(value: Any) -> Any:
    """Numbers that JSON knows; what is not finite is undefined."""
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
