"""From a plan to its work units: which shards, which sites, which weights, what needs what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tonotopy.encoders._contract import Encoder, Site
from tonotopy.readouts.window import Window, lags_to_record, windows
from tonotopy.recording.frames import plan_segment
from tonotopy.runs.cause_graph import CauseUnits, cause_units
from tonotopy.runs.code_graph import CodeUnits, code_units
from tonotopy.runs.engine import Unit
from tonotopy.runs.feature_graph import FeatureUnits, feature_units
from tonotopy.runs.plan import Plan
from tonotopy.signal.notch import EDGE_S
from tonotopy.sound.trials import Design

#: Trials a shard; those in music carry about four times as many sounds.
SHARD_TRIALS = 96
MUSIC_SHARD_TRIALS = 32
#: Which weights a unit is of: those under study (None), a seed of the floor, or the ceiling's.
Weights = int | str | None
CEILING = "ceiling"
#: The structure that every study asks about.
PARTIAL = "partial"
#: Longest raw window, samples: longer windows contain it.
RAW_LIMIT = 1024


@dataclass(frozen=True)
class Rung:
    """The units of one further structure: no unit of partials depends on them."""

    design: Design
    records: dict[Weights, list[Unit]]
    measures: dict[tuple[Weights, str], Unit]


@dataclass(frozen=True)
class Graph:
    """The units of a study: those of partials, and a rung for each further structure."""

    design: Design
    shortest_s: float
    music: Unit
    records: dict[Weights, list[Unit]]  # weights -> shards
    measures: dict[tuple[Weights, str], Unit]
    curves: list[tuple[str, Window, Unit]]  # readout family ("window" or "raw"), point, unit
    rungs: dict[str, Rung]
    features: FeatureUnits
    codes: CodeUnits
    causes: CauseUnits

    @property
    def targets(self) -> list[Unit]:
        """What a study wants in the end, in the order in which it is worth having."""
        further = [unit for rung in self.rungs.values() for unit in rung.measures.values()]
        curves = [unit for _, _, unit in self.curves]
        asked = [*self.features.targets, *self.codes.targets, *self.causes.targets]
        return [*self.measures.values(), *curves, *further, *asked]

    def measures_of(self, structure: str) -> dict[tuple[Weights, str], Unit]:
        """The measures of one structure."""
        return self.measures if structure == PARTIAL else self.rungs[structure].measures


def build(plan: Plan, encoder: Encoder, n_pieces: int) -> Graph:
    """The units of a plan; ``n_pieces`` is the number of pieces that the music really has."""
    sites = [encoder.site(name) for name in plan.sites]
    segment = plan_segment(encoder, sites, plan.n_frames)
    design = Design(
        encoder.sample_rate_hz,
        segment.n_samples,
        segment.end_range,
        n_frequencies=plan.n_frequencies,
        families=plan.families,
        n_train=plan.n_train,
        n_test=plan.n_test,
        n_frames=plan.n_frames,
        n_pieces=n_pieces,
        seed=plan.seed,
    )
    shortest = shortest_clip_s(encoder, segment.n_samples)
    music = music_unit(plan, encoder, shortest)
    curve_site, points = (None, ()) if plan.brief else curve_points(encoder, sites)
    seeds: list[Weights] = [None, *plan.floor_seeds]
    rungs = {}
    for name in plan.structures:
        if name != PARTIAL:
            own = replace(design, structure=name)
            records = {seed: _records(plan, own, music, seed, None, ()) for seed in seeds}
            raw = _raw_records(own, music, _longest_raw(sites))
            measures = _measures(plan, encoder, sites, records, raw, _common(plan, own))
            rungs[name] = Rung(own, records, measures)
    seeds += [CEILING] if plan.ceiling_id else []
    records = {seed: _records(plan, design, music, seed, curve_site, points) for seed in seeds}
    raw = _raw_records(design, music, _longest_raw(sites))
    common = _common(plan, design)
    measures = _measures(plan, encoder, sites, records, raw, common)
    curves = _curves(curve_site, points, sites, records[None], raw, common)
    every = {PARTIAL: records} | {name: rung.records for name, rung in rungs.items()}
    features = feature_units(plan, encoder, music, n_pieces, every)
    codes = code_units(plan, encoder, music, design, records)
    causes = cause_units(plan, encoder, records, measures, rungs)
    return Graph(design, shortest, music, records, measures, curves, rungs, features, codes, causes)


def _longest_raw(sites: Sequence[Site]) -> int:
    return max(min(site.span, RAW_LIMIT) for site in sites)


def _common(plan: Plan, design: Design) -> dict[str, object]:
    """What every unit that measures is told."""
    common: dict[str, object] = {
        "frequency_hz": design.frequency_hz.tolist(),
        "sample_rate_hz": design.sample_rate_hz,
        "n_resamples": plan.n_resamples,
        "seed": plan.seed,
    }
    return common if design.structure == PARTIAL else common | {"structure": design.structure}


def _measures(
    plan: Plan,
    encoder: Encoder,
    sites: Sequence[Site],
    records: dict[Weights, list[Unit]],
    raw: list[Unit],
    common: dict[str, object],
) -> dict[tuple[Weights, str], Unit]:
    """One unit a site and set of weights, with the nulls that they share."""
    lengths = sorted({min(site.span, RAW_LIMIT) for site in sites})
    of = f" as {common['structure']}" if "structure" in common else ""
    nulls = {
        n: Unit.of("null", needs=raw, label=f"null of {n} samples{of}", samples=n, **common) for n in lengths
    }
    measures = {}
    for seed, needs in records.items():
        for number, site in enumerate(sites):
            measures[seed, site.name] = Unit.of(
                "measure",
                needs=[nulls[min(site.span, RAW_LIMIT)], *needs],
                label=f"measuring {site.name}{of}" + ("" if seed is None else f" ({_named(seed)})"),
                number=number,
                normalises_frames=encoder.normalises_frames,
                full=seed is None and not plan.brief,
                **common,
            )
    return measures


def shortest_clip_s(encoder: Encoder, n_samples: int) -> float:
    """Seconds of music that a trial needs: its sound, the notch's edges, at least one second."""
    n_long = max(n_samples + 2 * int(EDGE_S * encoder.sample_rate_hz), encoder.sample_rate_hz)
    return 1.001 * n_long / encoder.sample_rate_hz


def music_unit(plan: Plan, encoder: Encoder, shortest_s: float) -> Unit:
    """The unit that chooses pieces and tabulates levels."""
    return Unit.of(
        "music",
        label="music",
        fingerprint=plan.music_fingerprint,
        sample_rate_hz=encoder.sample_rate_hz,
        n_pieces=plan.n_pieces,
        shortest_s=round(shortest_s, 6),
        seed=plan.seed,
    )


def curve_points(encoder: Encoder, sites: Sequence[Site]) -> tuple[Site | None, tuple[Window, ...]]:
    """The site of the view curve, the first convolution, and its windows up to the view of the last site."""
    first = next((site for site in sites if site.role == "first_conv"), None)
    if first is None:
        return None, ()
    longest = max(site.view for site in sites)
    if encoder.frame_length is not None:
        longest = min(longest, encoder.frame_length)
    return first, windows(first, longest)


def _shards(design: Design, family: str) -> list[tuple[int, int]]:
    total = design.contexts_of(family) * len(design.frequency_hz)
    step = MUSIC_SHARD_TRIALS if family == "music" else SHARD_TRIALS
    return [(start, min(start + step, total)) for start in range(0, total, step)]


def _design(design: Design) -> list[tuple[str, object]]:
    """The design as sorted plain values."""
    values = {name: getattr(design, name) for name in design.__dataclass_fields__}
    if design.structure == PARTIAL:
        del values["structure"]  # units of partials are the same whatever else a study asks
    return sorted((key, list(v) if isinstance(v, tuple) else v) for key, v in values.items())


def _records(
    plan: Plan,
    design: Design,
    music: Unit,
    seed: Weights,
    curve_site: Site | None,
    points: tuple[Window, ...],
) -> list[Unit]:
    lags = []
    if curve_site is not None and seed is None:
        lags = [(curve_site.name, lags_to_record(points).tolist())]
    weights = plan.encoder_id if seed is None else f"{plan.encoder_id}, floor {seed}"
    weights = plan.ceiling_id if seed == CEILING else weights
    label = "recording" if seed is None else f"recording {_named(seed)}"
    of = "" if design.structure == PARTIAL else f" with {design.kind.plural}"
    return [
        Unit.of(
            "record",
            needs=[music],
            label=f"{label}: {family}{of}",
            weights=weights,
            device=plan.device,
            floor_seed=seed,
            sites=list(plan.sites),
            design=_design(design),
            family=family,
            start=start,
            stop=stop,
            lags=lags,
        )
        for family in design.families
        for start, stop in _shards(design, family)
    ]


def _named(seed: Weights) -> str:
    return CEILING if seed == CEILING else f"floor {seed}"


def _raw_records(design: Design, music: Unit, n_samples: int) -> list[Unit]:
    return [
        Unit.of(
            "record",
            needs=[music],
            label=f"raw samples: {family}",
            weights="raw",
            floor_seed=None,
            sites=[],
            design=_design(design),
            family=family,
            start=start,
            stop=stop,
            lags=[],
            raw_samples=n_samples,
        )
        for family in design.families
        for start, stop in _shards(design, family)
    ]


def _curves(
    site: Site | None,
    points: tuple[Window, ...],
    sites: Sequence[Site],
    records: list[Unit],
    raw: list[Unit],
    common: dict[str, object],
) -> list[tuple[str, Window, Unit]]:
    if site is None:
        return []
    number = [s.name for s in sites].index(site.name)
    recorded = lags_to_record(points)
    raw_limit = max(min(s.span, RAW_LIMIT) for s in sites)
    curves = []
    for point in points:
        columns = np.searchsorted(recorded, point.lags).tolist()
        label = f"view curve, {point.frames} frames"
        unit = Unit.of(
            "curve", needs=records, label=label, number=number, columns=columns, raw_samples=0, **common
        )
        curves.append(("window", point, unit))
        samples = min(point.view_samples, raw_limit)
        unit = Unit.of("curve", needs=raw, label=label, number=0, columns=[], raw_samples=samples, **common)
        curves.append(("raw", point, unit))
    return curves
