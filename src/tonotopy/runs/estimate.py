"""What a study will cost, before it runs: a short measurement of the encoder, scaled by the plan."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tonotopy.encoders._contract import Encoder
from tonotopy.features.sources import DICTIONARIES, EXPANSION
from tonotopy.interventions.steering import N_FULL
from tonotopy.measures.natural.pitch_decoding import FOLDS
from tonotopy.recording.frames import record
from tonotopy.runs import cause_graph as causes
from tonotopy.runs.code_graph import NATURAL_FRAMES
from tonotopy.runs.engine import Unit, one_thread
from tonotopy.runs.feature_graph import PITCH_STEPS, STEPS
from tonotopy.runs.graph import Graph
from tonotopy.runs.plan import Plan
from tonotopy.runs.stages.codes_record import design_of
from tonotopy.runs.stages.pitch_decoding import latents_of
from tonotopy.sound.trials import CORE, EXTRA, Design, trials

#: Sounds in the timed batch, and seconds per sound that rendering takes beside the encoder.
TIMED = 32
RENDER_S = 0.001
#: Seconds to measure a site of 512 units, a frequency: the verdict alone (floor), and all that is reported.
#: Fits grow with the square of the units.
VERDICT_S, REPORTED_S = 0.06, 0.2
#: Seconds to ask what features are: a site, each of its features, each seed of a dictionary beside what grows with the
#: square of the units (at 256 with 1,024 latents). Where the frames are the preset's 4,000 a piece.
SITE_S, FEATURE_S, DICTIONARY_S, TRAINING_S = 9.0, 0.02, 5.0, 40.0
#: Seconds to analyse a decoded sound again, and what pushing and decoding cost in encodings.
ANALYSED_S, DECODED = 0.006, 1.5
#: Features of a codec's codebooks: as EnCodec has them.
ENTRIES = 8192
#: Seconds for what a study measures once beside features: ambiguity and transitions.
ONCE_S = 45.0
#: Seconds to ask what codes know: a stage and frequency, where there are eight pieces; a piece of natural sound, its
#: encoding left out; a second of it through an encoder, as passes of a trial; a swap; a frequency of a head's trials.
CODE_S, CODED_PIECE_S, SWAP_S, HEAD_S = 0.025, 3.0, 0.3, 0.5
#: Seconds of a piece of music, where nobody has looked yet.
PIECE_S = 30.0


@dataclass(frozen=True)
class Estimate:
    """Cost of a study."""

    minutes: float
    bytes: int
    passes: int
    weight_sets: int
    units: int
    sites: tuple[str, ...]


def passes_per_weight_set(design: Design) -> int:
    """Sounds that one set of weights hears."""
    return sum(len(trial.sounds) for family in design.families for trial in trials(design, family))


def estimate_units(graph: Graph, plan: Plan, encoder: Encoder, workers: int) -> Estimate:
    """Time one batch, count the rest."""
    design, sets = graph.design, len(graph.records)
    sites = [encoder.site(name) for name in plan.sites]
    noise = np.random.default_rng(0).standard_normal((TIMED, design.n_samples)).astype(np.float32) * 0.05
    first, last = design.end_range
    ends = np.tile(np.linspace(first, last - 1, design.n_frames).astype(np.int64), (TIMED, 1))
    with one_thread():
        record(encoder, sites, noise[:4], ends[:4])
        start = time.perf_counter()
        record(encoder, sites, noise, ends)
        per_pass = (time.perf_counter() - start) / TIMED
    floors = 1 + len(plan.floor_seeds)
    rungs = [rung.design for rung in graph.rungs.values()]
    further = sum(passes_per_weight_set(rung) for rung in rungs)
    passes = sets * passes_per_weight_set(design) + floors * further
    units = sum(site.units for site in sites)
    size = sum(0.3 + 0.7 * (site.units / 512) ** 2 for site in sites)
    targets = sum(len(rung.frequency_hz) for rung in rungs)
    measuring = size * design.n_frequencies * (REPORTED_S + (sets - 1) * VERDICT_S)
    measuring += size * targets * (REPORTED_S + (floors - 1) * VERDICT_S)
    features_s, features_bytes = _features(graph, plan, encoder)
    coded, codes_s, codes_bytes = _codes(graph, encoder, per_pass)
    passes += coded
    causes_s = _causes(graph, encoder, per_pass)
    seconds = (passes * (per_pass + RENDER_S) + measuring + features_s + codes_s + causes_s) / workers
    records = list(graph.records.values())
    records += [shards for rung in graph.rungs.values() for shards in rung.records.values()]
    stored = design.n_contexts * (design.n_frequencies + targets) * design.n_frames * 4
    sounds = len(CORE) * len(design.families) + len(EXTRA)
    return Estimate(
        minutes=seconds / 60,
        bytes=int(stored * sounds * (units + 1024)) + features_bytes + codes_bytes,
        passes=passes,
        weight_sets=sets,
        units=len(graph.targets) + sum(map(len, records)),
        sites=plan.sites,
    )


def _codes(graph: Graph, encoder: Encoder, per_pass: float) -> tuple[int, float, int]:
    """Sounds, seconds and bytes that codes and a head add to a study: nothing where it does not ask."""
    units, design = graph.codes, graph.design
    frequencies, passes, seconds, size = design.n_frequencies, 0, 0.0, 0
    seconds += len(units.heads) * frequencies * HEAD_S
    if units.trials:
        books = encoder.codebooks
        assert books is not None, "codes were planned for an encoder without a quantiser"
        own = design_of(units.trials[None].needs[1])
        each, copies = passes_per_weight_set(own), len(units.trials)
        natural = design.n_pieces * PIECE_S * encoder.sample_rate_hz / design.n_samples
        passes = copies * each
        seconds += copies * len(books) * frequencies * CODE_S * own.contexts_of("music") / 8
        seconds += copies * (design.n_pieces * CODED_PIECE_S + natural * per_pass)
        for swaps in units.swaps.values():
            p = swaps.values
            seconds += SWAP_S * min(p["stages"], len(books)) * p["swaps"] * p["pieces"]
        size = copies * len(books) * (each * own.n_frames * 4 + design.n_pieces * NATURAL_FRAMES * 8)
    return passes, seconds, size


def _causes(graph: Graph, encoder: Encoder, per_pass: float) -> float:
    """Seconds that interventions add to a study: nothing where it does not ask."""
    design, units = graph.design, graph.causes
    # Most of the random directions are pushed at one dose.
    pushed = (2 + N_FULL + causes.OTHER) * (len(causes.STRENGTHS) + 1) + causes.PUSHED_RANDOM - N_FULL
    directions = 2 + causes.REMOVED_RANDOM + causes.OTHER
    seconds = 0.0
    for (heard, _), shards in units.steering.items():
        sounds = _targets(shards) * pushed * design.n_pieces
        n = shards[0].values["seconds"] * design.sample_rate_hz
        if encoder.frame_length is not None:  # half overlapping windows, a pass each
            passes = max(1.0, 2 * n / encoder.frame_length - 1)
        else:
            passes = max(1.0, n / design.n_samples)
        decoded = heard == causes.SOUND
        seconds += sounds * (passes * per_pass * (DECODED if decoded else 1.0) + ANALYSED_S * decoded)
    reused = sum(_targets(shards) for shards in (*units.reuse.values(), *units.composition.values()))
    return seconds + reused * directions * 2 * design.n_pieces * (per_pass + RENDER_S)


def _targets(shards: Sequence[Unit]) -> int:
    return sum(len(unit.values["targets"]) for unit in shards)


def _features(graph: Graph, plan: Plan, encoder: Encoder) -> tuple[float, int]:
    """Seconds and bytes that features add to a study: nothing where it asks for none."""
    if not plan.features:
        return 0.0, 0
    copies = len(graph.features.natural)
    seconds = 0.0
    for unit in graph.features.features.values():
        width = encoder.site(unit.values["site"]).units
        seconds += SITE_S
        for source in unit.values["sources"]:
            trains = source in DICTIONARIES
            count = EXPANSION * width if trains else ENTRIES if source == "codebook" else width
            seconds += FEATURE_S * count
            if trains:
                seconds += plan.dictionary_seeds * _training_s(width, count)
                # Pitch is decoded from dictionaries of its own, one a fold of pieces.
                seconds += FOLDS * PITCH_STEPS / STEPS * _training_s(width, latents_of(width))
    units = sum(encoder.site(name).units for name in plan.sites)
    frames = copies * graph.design.n_pieces * plan.frames_a_piece
    return seconds + ONCE_S, frames * (units + 1) * 4


def _training_s(units: int, latents: int) -> float:
    """Seconds to train one dictionary for all the steps of a study."""
    return DICTIONARY_S + TRAINING_S * (units / 256) * (latents / (EXPANSION * 256))
