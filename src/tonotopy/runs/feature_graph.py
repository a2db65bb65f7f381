"""The units that ask what features at a site are features of: none of them where a plan names no source.

Natural sound goes once through each set of weights, in shards of pieces; what is measured on it needs these shards
and, for what features answer to, the recorded trials. No unit of the verdicts depends on any of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tonotopy.encoders._contract import Encoder, Site
from tonotopy.features.sources import has_features
from tonotopy.runs.engine import Unit
from tonotopy.runs.plan import Plan

if TYPE_CHECKING:
    from tonotopy.runs.graph import Weights

#: Pieces of natural sound a shard.
SHARD_PIECES = 4
#: Untrained copies that are asked the same, at most.
FLOORS = 2
#: Training steps of a dictionary.
STEPS = 2000
#: The same of those that pitch is decoded from: one is trained for each fold of pieces.
PITCH_STEPS = 1000


@dataclass(frozen=True)
class FeatureUnits:
    """The units of features; empty where a plan names no source."""

    lanes: list[Unit] = field(default_factory=list)  # shards
    natural: dict[Weights, list[Unit]] = field(default_factory=dict)  # shards
    noise: dict[Weights, Unit] = field(default_factory=dict)
    pitches: list[Unit] = field(default_factory=list)  # shards
    pitch_decoding: dict[tuple[Weights, str], Unit] = field(default_factory=dict)  # from all sources
    readability: dict[tuple[Weights, str], Unit] = field(default_factory=dict)
    features: dict[tuple[Weights, str], Unit] = field(default_factory=dict)  # of all sources
    instantiation: dict[str, Unit] = field(default_factory=dict)  # site -> unit, of all weights
    alone: dict[str, Unit] = field(default_factory=dict)  # stage -> unit: ambiguity, transitions

    @property
    def targets(self) -> list[Unit]:
        """What a study wants of them, in the order in which it is worth having."""
        return [
            *self.features.values(),
            *self.readability.values(),
            *self.pitch_decoding.values(),
            *self.instantiation.values(),
            *self.alone.values(),
        ]

    def by_weights(self) -> dict[Weights, list[Unit]]:
        """What is measured of each set of weights."""
        found: dict[Weights, list[Unit]] = {
            weights: [*self.instantiation.values()] for weights in self.natural
        }
        for key, unit in [*self.features.items(), *self.readability.items(), *self.pitch_decoding.items()]:
            found[key[0]].append(unit)
        return found


def feature_units(
    plan: Plan,
    encoder: Encoder,
    music: Unit,
    n_pieces: int,
    records: Mapping[str, Mapping[Weights, list[Unit]]],
) -> FeatureUnits:
    """The units for a plan's sources; ``records`` are those of each structure and set of weights."""
    if not plan.features:
        return FeatureUnits()
    sites = [encoder.site(name) for name in plan.sites]
    shards = [
        list(range(start, min(start + SHARD_PIECES, n_pieces))) for start in range(0, n_pieces, SHARD_PIECES)
    ]
    lanes = [
        Unit.of("lanes", needs=[music], label="partials of natural sound", pieces=shard) for shard in shards
    ]
    pitches = [Unit.of("pitches", needs=[music], label="notes of natural sound", pieces=s) for s in shards]
    found = FeatureUnits(lanes=lanes, pitches=pitches)
    for weights in [None, *plan.floor_seeds[:FLOORS]]:
        of = "" if weights is None else f" (floor {weights})"
        found.natural[weights] = [_natural(plan, music, weights, shard) for shard in shards]
        found.noise[weights] = _natural(plan, music, weights, shards[0], noise=True)
        _of_weights(found, plan, sites, weights, {k: v[weights] for k, v in records.items()}, of)
    copies = list(found.natural)
    for number, site in enumerate(sites):
        needs = [unit for weights in copies for unit in [*found.natural[weights], found.noise[weights]]]
        found.instantiation[site.name] = Unit.of(
            "instantiation",
            needs=[*needs, *(unit for weights in copies for unit in records["partial"][weights])],
            label=f"dimensions of {site.name}",
            number=number,
            site=site.name,
            n_copies=len(copies),
            n_natural=len(shards),
            seed=plan.seed,
        )
    found.alone["ambiguity"] = Unit.of(
        "ambiguity", needs=[music], label="ambiguity of fragments", seed=plan.seed
    )
    first = next((site for site in sites if site.role == "first_conv"), None)
    if first is not None:
        found.alone["transitions"] = Unit.of(
            "transitions",
            needs=[music],
            label=f"transitions at {first.name}",
            weights=plan.encoder_id,
            device=plan.device,
            floor_seeds=list(plan.floor_seeds[:FLOORS]),
            site=first.name,
            seed=plan.seed,
        )
    return found


def _natural(plan: Plan, music: Unit, weights: Weights, pieces: list[int], *, noise: bool = False) -> Unit:
    """Some pieces, or as much noise, through one set of weights."""
    of = "" if weights is None else f" (floor {weights})"
    return Unit.of(
        "natural",
        needs=[music],
        label=f"{'noise' if noise else 'natural sound'}{of}",
        weights=plan.encoder_id if weights is None else f"{plan.encoder_id}, floor {weights}",
        device=plan.device,
        floor_seed=weights,
        sites=list(plan.sites),
        pieces=pieces,
        noise=noise,
        frames_a_piece=plan.frames_a_piece,
        seed=plan.seed,
    )


def _of_weights(
    found: FeatureUnits,
    plan: Plan,
    sites: Sequence[Site],
    weights: Weights,
    records: Mapping[str, list[Unit]],
    of: str,
) -> None:
    """The units of one set of weights."""
    sound = [*found.natural[weights], *found.lanes]
    common: dict[str, object] = {
        "n_natural": len(found.natural[weights]),
        "floor_seed": weights,
        "seed": plan.seed,
    }
    trials = [unit for units in records.values() for unit in units]
    for number, site in enumerate(sites):
        found.readability[weights, site.name] = Unit.of(
            "readability",
            needs=sound,
            label=f"partials of natural sound at {site.name}{of}",
            number=number,
            **common,
        )
        sources = [source for source in plan.features if has_features(source, site.role)]
        if sources:
            found.features[weights, site.name] = Unit.of(
                "features",
                needs=[*sound, *trials],
                label=f"features of {site.name}{of}",
                number=number,
                site=site.name,
                sources=sources,
                dictionary_seeds=plan.dictionary_seeds,
                steps=STEPS,
                n_lanes=len(found.lanes),
                structures=list(records),
                **common,
            )
            found.pitch_decoding[weights, site.name] = Unit.of(
                "pitch_decoding",
                needs=[*sound, *found.pitches],
                label=f"pitch from features of {site.name}{of}",
                number=number,
                site=site.name,
                sources=sources,
                steps=PITCH_STEPS,
                n_lanes=len(found.lanes),
                **common,
            )
