"""A study as a frozen plan that can be printed, hashed and written as TOML.

The plan names music without its path (``folder:music12``) and pins it by a fingerprint of its content, so
that a run can be published. Unknown keys are errors: a misspelt parameter must not run with a default.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass, fields
from typing import Any

import tomli_w

from tonotopy.core.errors import InputError, RunError
from tonotopy.features.sources import check_sources
from tonotopy.sound.contexts import FAMILIES
from tonotopy.sound.structures import check_names

#: Version of the plan and of the tables of a run.
SCHEMA = 1


@dataclass(frozen=True)
class Preset:
    """How thorough a study is (SPEC § 9)."""

    n_frequencies: int
    families: tuple[str, ...]
    n_train: int
    n_test: int
    n_pieces: int
    n_frames: int
    floor_seeds: int
    n_resamples: int = 200
    frames_a_piece: int = 4000  # of natural sound, on which features are found
    dictionary_seeds: int = 3


PRESETS = {
    "quick": Preset(24, ("silence", "tone", "chord", "music"), 4, 4, 8, 2, 1, 200, 1500, 2),
    "standard": Preset(48, FAMILIES, 6, 6, 12, 4, 4, 400),
    "thorough": Preset(64, FAMILIES, 12, 12, 24, 4, 8, 1000),
}


def preset(name: str) -> Preset:
    """A preset by name."""
    if name not in PRESETS:
        raise InputError("a preset", repr(name), "a misspelt name", list(PRESETS))
    return PRESETS[name]


@dataclass(frozen=True)
class Plan:
    """What a study does: every parameter that changes a number."""

    encoder: str
    weights: str
    weights_id: str
    encoder_id: str  # hash of weights, code, options and geometry: what decides activations
    device: str  # kind of device: rounding differs between them
    music: str
    music_fingerprint: str
    sites: tuple[str, ...]
    preset: str
    seed: int
    n_frequencies: int
    families: tuple[str, ...]
    n_train: int
    n_test: int
    n_pieces: int
    n_frames: int
    floor_seeds: tuple[int, ...]
    n_resamples: int
    brief: bool = False  # the verdict alone: no shuffled null, power, sparsity law or view curve
    names_code: bool = False  # the encoder is a file of the user's; running the plan needs trust
    schema: int = SCHEMA
    ceiling: str = ""  # label of the weights that were fitted to report partials; none where empty
    ceiling_id: str = ""  # what decides their activations, as encoder_id does
    structures: tuple[str, ...] = ("partial",)  # whose stability is asked about, in the order of the ladder
    features: tuple[str, ...] = ()  # sources of the features that are asked what they are; none where empty
    frames_a_piece: int = 0  # of natural sound, on which features are found and described
    dictionary_seeds: int = 0  # of each source that draws: what recurs is a feature of the site
    codes: bool = False  # what codes and a head know of partials is asked too
    causes: bool = False  # push along directions, and project them out: what they do, and who reads them

    def to_toml(self) -> str:
        """The plan as TOML text."""
        return tomli_w.dumps({key: list(v) if isinstance(v, tuple) else v for key, v in self._told.items()})

    @property
    def _told(self) -> dict[str, Any]:
        """What is written and hashed: a plan of partials alone says nothing of what it does not ask."""
        told = asdict(self)
        for key in ("structures", "features", "frames_a_piece", "dictionary_seeds", "codes", "causes"):
            if told[key] == LATER[key]:
                del told[key]
        return told

    @staticmethod
    def from_toml(text: str) -> Plan:
        """Read a plan; unknown, missing or mistyped keys are errors."""
        try:
            values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise RunError("a plan in TOML", str(error), "a damaged or hand-edited plan.toml") from None
        return plan_from_dict(values)

    @property
    def digest(self) -> str:
        """Content hash of the plan."""
        return hashlib.sha256(json.dumps(self._told, sort_keys=True).encode()).hexdigest()

    def differences(self, other: Plan) -> list[str]:
        """The keys in which two plans differ."""
        return [f.name for f in fields(self) if getattr(self, f.name) != getattr(other, f.name)]


#: Keys that plans lacked when they were first written; the default says what they meant then.
LATER: dict[str, Any] = {
    "ceiling": "",
    "ceiling_id": "",
    "structures": ("partial",),
    "features": (),
    "frames_a_piece": 0,
    "dictionary_seeds": 0,
    "codes": False,
    "causes": False,
}

_TYPES: dict[str, tuple[type, ...]] = {"int": (int,), "str": (str,), "bool": (bool,)}


def plan_from_dict(values: dict[str, Any]) -> Plan:
    """A plan from untrusted values."""
    known = {f.name: str(f.type) for f in fields(Plan)}
    values = {key: list(v) if isinstance(v, tuple) else v for key, v in LATER.items()} | values
    unknown = sorted(set(values) - set(known))
    missing = [f"{key} (missing)" for key in sorted(set(known) - set(values))]
    if unknown or missing:
        came = ", ".join([*unknown, *missing])
        raise RunError("the keys of a plan", came, "a plan of another version", sorted(known))
    if values["schema"] != SCHEMA:
        came = f"schema {str(values['schema'])[:80]}"
        raise RunError(f"a plan of schema {SCHEMA}", came, "a run of another version of tonotopy")
    checked: dict[str, Any] = {}
    for key, kind in known.items():
        value = values[key]
        if kind.startswith("tuple"):
            element = int if "int" in kind else str
            if not isinstance(value, list) or not all(type(v) is element for v in value):
                raise RunError(
                    f"a list of {element.__name__} for {key}", repr(value)[:80], "a hand-edited plan"
                )
            checked[key] = tuple(value)
        elif type(value) not in _TYPES[kind]:
            raise RunError(f"{kind} for {key}", repr(value)[:80], "a hand-edited plan")
        else:
            checked[key] = value
    check_names(checked["structures"])
    check_sources(checked["features"])
    return Plan(**checked)
