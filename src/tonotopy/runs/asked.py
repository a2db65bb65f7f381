"""What a user asked for, before anything is opened, and the frozen plan that it becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tonotopy.core.errors import InputError
from tonotopy.encoders import load_encoder
from tonotopy.encoders._contract import Encoder
from tonotopy.features.sources import check_sources
from tonotopy.runs.cause_graph import check_causes
from tonotopy.runs.code_graph import check_codes
from tonotopy.runs.plan import Plan, preset
from tonotopy.sound.sources._contract import Source
from tonotopy.sound.structures import check_names

#: Seeds of the floor start here, so that a study of ``random:0`` is not its own floor.
FIRST_FLOOR_SEED = 1000


@dataclass(frozen=True)
class Asked:
    """What the user asked for, before anything was opened."""

    encoder: Any
    music: Any
    sample_rate: int | None = None
    window: int | None = None
    weights: str | None = None
    sites: Sequence[str] | None = None
    preset: str = "standard"
    seed: int = 0
    out: Path | str | None = None
    device: str = "auto"
    workers: int | None = None
    trust: bool = False
    floor: bool = True
    pieces: int | None = None
    frequencies: int | None = None
    floor_seeds: int | None = None
    brief: bool = False
    ceiling: Any = None
    structures: Sequence[str] | None = None
    features: Sequence[str] | None = None
    codes: bool = False
    causes: bool = False


def open_encoder(asked: Asked, options: dict[str, Any]) -> Encoder:
    """The encoder that was asked for: as it is, by name, or a module with its rate."""
    if isinstance(asked.encoder, Encoder):
        return asked.encoder
    if isinstance(asked.encoder, str):
        return load_encoder(asked.encoder, weights=asked.weights, seed=asked.seed, **options)
    from tonotopy.encoders.module import ModuleEncoder

    if asked.sample_rate is None:
        raise InputError(
            "sample_rate, in Hz, for a module", "none", "a module does not say at which rate it listens"
        )
    return ModuleEncoder(asked.encoder, asked.sample_rate, window=asked.window)


def make_plan(
    asked: Asked, encoder: Encoder, source: Source, *, device: str = "cpu", ceiling: Encoder | None = None
) -> Plan:
    """The frozen plan of what was asked."""
    chosen = preset(asked.preset)
    names = [site.name for site in encoder.sites]
    sites = tuple(encoder.site(name).name for name in asked.sites) if asked.sites else tuple(names)
    if len(set(sites)) != len(sites):
        raise InputError("each site once", ", ".join(sites), "a site named twice")
    n_floor = chosen.floor_seeds if asked.floor_seeds is None else asked.floor_seeds
    has_weights = type(encoder).randomised is not Encoder.randomised
    n_floor = n_floor if asked.floor and has_weights else 0
    if asked.pieces is not None and asked.pieces < 3:
        raise InputError("at least 3 pieces", str(asked.pieces), "verdicts are undefined below that")
    for name, value, least in (("frequencies", asked.frequencies, 1), ("floor_seeds", asked.floor_seeds, 0)):
        if value is not None and value < least:
            raise InputError(f"{name} of {least} or more", str(value))
    if asked.seed < 0:
        raise InputError("a seed of 0 or more", str(asked.seed))
    features = check_sources(tuple(asked.features or ()))
    if asked.codes:
        check_codes(encoder, sites)
    if asked.causes:
        check_causes(encoder, [encoder.site(name) for name in sites])
    return Plan(
        # A spelling that is a path would tell where it lay; what it opened as says as much.
        encoder=asked.encoder
        if isinstance(asked.encoder, str)
        and not (".py:" in asked.encoder or asked.encoder.endswith(".safetensors"))
        else encoder.name,
        weights=encoder.weights_label,
        weights_id=encoder.weights_id,
        encoder_id=encoder.identity,
        device=device,
        music=source.spelling,
        music_fingerprint=source.fingerprint(),
        sites=sites,
        preset=asked.preset,
        seed=asked.seed,
        n_frequencies=asked.frequencies or chosen.n_frequencies,
        families=chosen.families,
        n_train=chosen.n_train,
        n_test=chosen.n_test,
        n_pieces=asked.pieces or chosen.n_pieces,
        n_frames=chosen.n_frames,
        floor_seeds=tuple(range(FIRST_FLOOR_SEED, FIRST_FLOOR_SEED + n_floor)),
        n_resamples=chosen.n_resamples,
        names_code=isinstance(asked.encoder, str) and ".py:" in asked.encoder,
        brief=asked.brief,
        ceiling="" if ceiling is None else ceiling.weights_label,
        ceiling_id="" if ceiling is None else ceiling.identity,
        structures=check_names(("partial",) if asked.structures is None else tuple(asked.structures)),
        features=features,
        frames_a_piece=chosen.frames_a_piece if features else 0,
        dictionary_seeds=chosen.dictionary_seeds if features else 0,
        codes=asked.codes,
        causes=asked.causes,
    )


def folder_name(plan: Plan) -> str:
    """A folder name from the plan's words, with letters, digits, dots and hyphens only."""
    words = [
        plan.encoder,
        plan.weights,
        plan.music,
        plan.preset,
        f"seed{plan.seed}",
        *plan.structures[1:],
        *plan.features,
        *(["codes"] if plan.codes else []),
        "causes" if plan.causes else "",
    ]
    safe = [
        "".join(c if c.isalnum() or c in ".-" else "-" for c in word).strip("-.")[:40]
        for word in words
        if word
    ]
    return "_".join(safe)
