"""The units that ask what codes and heads know of partials: none of them where a plan does not ask.

Trials in music and natural sound go once more through each set of weights, recorded as codes; a head is read from the
trials that are there anyway. No unit of the verdicts depends on any of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from tonotopy.core.errors import InputError
from tonotopy.encoders._contract import Encoder, Site
from tonotopy.features.sources.classes import _last_linear
from tonotopy.recording.codes import CodesAsFrames
from tonotopy.recording.frames import plan_segment
from tonotopy.runs.engine import Unit
from tonotopy.runs.feature_graph import FLOORS, SHARD_PIECES
from tonotopy.runs.plan import Plan
from tonotopy.sound.trials import Design

if TYPE_CHECKING:
    from tonotopy.runs.graph import Weights

#: Frames of a trial at least: with fewer, few codes come twice, and nothing could be shown of them.
TRIAL_FRAMES: Final = 4
#: Trials a shard.
SHARD_TRIALS: Final = 32
#: Frames of natural sound a piece: nearly all of 30 s.
NATURAL_FRAMES: Final = 4000
#: Swaps that are decoded: stages, evenly spread from the first; codes of each; pieces, and seconds of each.
SWAP_STAGES: Final = 8
SWAPS: Final = 4
SWAP_PIECES: Final = 3
SWAP_S: Final = 3.0
#: Encoders of this package that have codes, and that end in a linear layer.
WITH_CODES: Final = (
    "encodec-24khz",
    "encodec-48khz",
    "encodec-toy",
    "soundstream",
    "phantom:quantised-cochlea",
)
WITH_HEAD: Final = ("samplecnn", "samplecnn-toy", "crepe-tiny", "crepe-full")


@dataclass(frozen=True)
class CodeUnits:
    """The units of codes and of a head; empty where a plan does not ask, or the encoder has none."""

    site: str = ""  # at which codes are read
    head: str = ""  # which the head reads
    trials: dict[Weights, Unit] = field(default_factory=dict)
    stages: dict[Weights, Unit] = field(default_factory=dict)
    swaps: dict[Weights, Unit] = field(default_factory=dict)
    heads: dict[Weights, Unit] = field(default_factory=dict)

    @property
    def targets(self) -> list[Unit]:
        """What a study wants of them, in the order in which it is worth having."""
        return [
            *self.trials.values(),
            *self.heads.values(),
            *self.stages.values(),
            *self.swaps.values(),
        ]


def code_site(encoder: Encoder) -> Site | None:
    """The site at which an encoder's codes are read; None without a quantiser."""
    if encoder.codebooks is None:
        return None
    places = [site for role in ("codes", "stack_end") for site in encoder.sites if site.role == role]
    return places[0] if places else None


def head_site(encoder: Encoder) -> Site | None:
    """The site that an encoder's last linear layer reads; None without such a layer."""
    places = [site for site in encoder.sites if site.role == "head"]
    if not places:
        return None
    try:
        _last_linear(encoder, None)
    except InputError:
        return None
    return places[-1]


def check_codes(encoder: Encoder, sites: Sequence[str]) -> None:
    """Refuse to ask an encoder for codes and heads that it does not have, or that are not among the sites.

    Raises
    ------
    InputError
        With the encoders that have them, or the sites to name.
    """
    found = [site.name for site in (code_site(encoder), head_site(encoder)) if site is not None]
    if not found:
        cause = "it has no quantiser and does not end in a linear layer; leave --codes out"
        raise InputError("an encoder with codes or a head", encoder.name, cause, (*WITH_CODES, *WITH_HEAD))
    if not set(found) & set(sites):
        cause = "codes and heads are measured at their own sites; name one of them in --sites too"
        raise InputError("a site with codes or a head", ", ".join(sites), cause, found)


def code_units(
    plan: Plan,
    encoder: Encoder,
    music: Unit,
    design: Design,
    records: Mapping[Weights, list[Unit]],
) -> CodeUnits:
    """The units for a plan; ``design`` and ``records`` are those of partials."""
    if not plan.codes:
        return CodeUnits()
    copies: list[Weights] = [None, *plan.floor_seeds[:FLOORS]]
    coded, read = code_site(encoder), head_site(encoder)
    found = CodeUnits(
        coded.name if coded is not None and coded.name in plan.sites else "",
        read.name if read is not None and read.name in plan.sites else "",
    )
    if found.site:
        own = _design(encoder, design)
        for weights in copies:
            _of_codes(found, plan, encoder, music, own, weights)
    if found.head:
        for weights in copies:
            found.heads[weights] = Unit.of(
                "head",
                needs=[music, *records[weights]],
                label=f"head{_of(weights)}",
                number=plan.sites.index(found.head),
                floor_seed=weights,
                seed=plan.seed,
            )
    return found


def _design(encoder: Encoder, design: Design) -> Design:
    """The trials of codes: those of partials in music, as short as codes allow, with more frames in each."""
    codes = CodesAsFrames(encoder)
    frames = max(design.n_frames, TRIAL_FRAMES)
    segment = plan_segment(codes, codes.sites, frames)
    return replace(
        design,
        n_samples=segment.n_samples,
        end_range=segment.end_range,
        families=("music",),
        n_frames=frames,
    )


def _of_codes(
    found: CodeUnits, plan: Plan, encoder: Encoder, music: Unit, design: Design, weights: Weights
) -> None:
    """The units of one set of weights."""
    of = _of(weights)
    common: dict[str, object] = {
        "weights": plan.encoder_id if weights is None else f"{plan.encoder_id}, floor {weights}",
        "device": plan.device,
        "floor_seed": weights,
        "seed": plan.seed,
    }
    total = design.contexts_of("music") * len(design.frequency_hz)
    told = {name: getattr(design, name) for name in design.__dataclass_fields__ if name != "structure"}
    plain = sorted((key, list(v) if isinstance(v, tuple) else v) for key, v in told.items())
    trials = [
        Unit.of(
            "codes_record",
            needs=[music],
            label=f"trials as codes{of}",
            design=plain,
            start=start,
            stop=min(start + SHARD_TRIALS, total),
            **common,
        )
        for start in range(0, total, SHARD_TRIALS)
    ]
    found.trials[weights] = Unit.of(
        "codes_trials", needs=[music, *trials], label=f"partials in codes{of}", seed=plan.seed
    )
    shards = [
        list(range(start, min(start + SHARD_PIECES, design.n_pieces)))
        for start in range(0, design.n_pieces, SHARD_PIECES)
    ]
    lanes = [Unit.of("lanes", needs=[music], label="partials of natural sound", pieces=s) for s in shards]
    natural = [
        Unit.of(
            "codes_natural",
            needs=[music],
            label=f"natural sound as codes{of}",
            pieces=shard,
            frames_a_piece=NATURAL_FRAMES,
            **common,
        )
        for shard in shards
    ]
    found.stages[weights] = Unit.of(
        "codes_stages",
        needs=[*natural, *lanes],
        label=f"codes of natural sound{of}",
        n_natural=len(natural),
        **common,
    )
    if weights is None and type(encoder).decode is not Encoder.decode:
        found.swaps[weights] = Unit.of(
            "codes_swaps",
            needs=[music, found.stages[weights]],
            label="codes swapped and decoded",
            stages=SWAP_STAGES,
            swaps=SWAPS,
            pieces=SWAP_PIECES,
            seconds=SWAP_S,
            **common,
        )


def _of(weights: Weights) -> str:
    return "" if weights is None else f" (floor {weights})"
