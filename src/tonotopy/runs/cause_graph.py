"""The units that ask what directions do: none of them where a plan does not ask.

Directions are the lines that the verdicts judge, in the unit of *measure*; what scales them is the recorded music. A
unit takes a few frequencies of one site. No unit of the verdicts depends on any of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tonotopy.core.errors import InputError
from tonotopy.encoders._contract import OUTPUTS, Encoder, Site
from tonotopy.runs.engine import Unit
from tonotopy.runs.plan import Plan

if TYPE_CHECKING:
    from tonotopy.runs.graph import Rung, Weights

#: What is read of a push: the decoded sound, or the outputs of a head.
SOUND, HEAD = "sound", "outputs"
#: Frequencies of the grid that are steered, and whose reuse is asked; spread evenly, all where there are fewer.
STEERED_FREQUENCIES, REUSED_FREQUENCIES = 8, 12
#: Sites that are steered, and from which reuse is asked; the ends of the stack first, then spread evenly.
STEERED_SITES, REUSED_SITES = 3, 6
#: Doses, in units of the mean change that the partial itself evokes.
STRENGTHS = (-2.0, -1.0, 0.5, 1.0, 2.0)
#: Random directions beside each own one: where they are pushed, at one dose but for the first few, and where they are
#: projected out, which costs two passes each; p is at least one in so many and one. Other targets' directions.
PUSHED_RANDOM, REMOVED_RANDOM, OTHER = 39, 19, 2
#: Frequencies a unit.
SHARD = 2
#: Untrained copies of which reuse is asked too, at most.
FLOORS = 1
#: Frequencies of which sounds are kept, at the end of the stack.
SOUNDS = 4
#: Seconds of sounds that are decoded and tracked, and of those whose outputs are read; a trial's where it is longer.
SECONDS, OUTPUT_SECONDS = 1.0, 0.25


@dataclass(frozen=True)
class CauseUnits:
    """The units of interventions; empty where a plan does not ask."""

    steering: dict[tuple[str, str], list[Unit]] = field(
        default_factory=dict
    )  # (sound or outputs, site): shards
    reuse: dict[tuple[Weights, str], list[Unit]] = field(default_factory=dict)  # shards
    composition: dict[tuple[Weights, str], list[Unit]] = field(default_factory=dict)  # shards, of pitches

    @property
    def targets(self) -> list[Unit]:
        """What a study wants of them, in the order in which it is worth having."""
        kinds = (self.steering, self.reuse, self.composition)
        return [unit for kind in kinds for shards in kind.values() for unit in shards]

    def by_weights(self) -> dict[Weights, list[Unit]]:
        """What is asked of each set of weights."""
        found: dict[Weights, list[Unit]] = {}
        for kind in (self.reuse, self.composition):
            for (weights, _), shards in kind.items():
                found.setdefault(weights, []).extend(shards)
        return found


def cause_units(
    plan: Plan,
    encoder: Encoder,
    records: Mapping[Weights, list[Unit]],
    measures: Mapping[tuple[Weights, str], Unit],
    rungs: Mapping[str, Rung],
) -> CauseUnits:
    """The units for a plan; ``records`` and ``measures`` are those of partials."""
    if not plan.causes:
        return CauseUnits()
    sites = [encoder.site(name) for name in plan.sites]
    found = CauseUnits()
    for heard, pushed in steered(encoder, sites).items():
        for site in pushed:
            found.steering[heard, site.name] = _steering(plan, sites, site, heard, records[None], measures)
    behind = read_behind(encoder, sites)
    copies: list[Weights] = [None, *plan.floor_seeds[:FLOORS]]
    for weights in copies:
        for name, later in behind.items():
            lines = [measures[weights, place] for place in (name, *later)]
            common = _common(plan, sites, name, records[weights], lines, weights)
            found.reuse[weights, name] = _shards(
                "reuse", chosen(plan.n_frequencies, REUSED_FREQUENCIES), f"what reads {name}", **common
            )
            if "pitch" in rungs:
                found.composition[weights, name] = _composition(rungs["pitch"], weights, name, later, common)
    return found


def check_causes(encoder: Encoder, sites: Sequence[Site]) -> None:
    """Refuse to ask what directions do where nothing could be seen of it.

    Raises
    ------
    InputError
        Neither sound, nor outputs, nor a later site among those studied.
    """
    if not any(steered(encoder, sites).values()) and not read_behind(encoder, sites):
        came = f"{encoder.name} at {', '.join(site.name for site in sites)}"
        cause = (
            "it has neither decoder nor head behind these sites, and no studied site depends on another: study several "
            "sites of one stack (--sites), an encoder that decodes, or leave out --causes"
        )
        raise InputError("an encoder on which something can be seen of a change at a site", came, cause)


def steered(encoder: Encoder, sites: Sequence[Site]) -> dict[str, list[Site]]:
    """The studied sites that are steered, by what is read of it; empty lists where there is no decoder or head."""
    audio = _noise(encoder)
    end = next((site.name for site in encoder.sites if site.role == "stack_end"), None)
    found: dict[str, list[Site]] = {SOUND: [], HEAD: []}
    if end is not None and encoder.decode(encoder.activations(audio, [end])[end]) is not None:
        able = [
            s for s in sites if s.role == "codes" or s.name == end or _reaches(encoder, audio, s.name, end)
        ]
        found[SOUND] = _few(able, STEERED_SITES, ("stack_end", "codes"))
    if encoder.outputs(audio) is not None:
        able = [s for s in sites if _reaches(encoder, audio, s.name, OUTPUTS)]
        found[HEAD] = _few(able, STEERED_SITES, ("stack_end", "head"))
    return found


def read_behind(encoder: Encoder, sites: Sequence[Site]) -> dict[str, list[str]]:
    """The studied sites from which reuse is asked, and the studied sites behind each."""
    audio, found = _noise(encoder), {}
    for at, site in enumerate(sites):
        later = [other.name for other in sites[at + 1 :]]
        if later and _reaches(encoder, audio, site.name, *later):
            found[site.name] = later
    kept = _few([site for site in sites if site.name in found], REUSED_SITES, ("stack_end",))
    return {site.name: found[site.name] for site in kept}


def chosen(n: int, most: int) -> list[int]:
    """Numbers of the targets that are asked, spread evenly over the grid, its ends left out where there are many.

    Examples
    --------
    >>> chosen(3, 8), chosen(24, 4)
    ([0, 1, 2], [2, 8, 14, 20])
    """
    if n <= most:
        return list(range(n))
    return [int(at) for at in np.round((np.arange(most) + 0.5) * n / most - 0.5)]


def _few(sites: Sequence[Site], most: int, first: Sequence[str]) -> list[Site]:
    """At most so many sites, in order: those of some roles, then others spread evenly."""
    kept = [site for role in first for site in sites if site.role == role][:most]
    rest = [site for site in sites if site not in kept]
    kept += [rest[at] for at in chosen(len(rest), max(0, most - len(kept)))] if len(kept) < most else []
    return [site for site in sites if site in kept]


def _noise(encoder: Encoder) -> torch.Tensor:
    """A little noise, long enough for a frame of every site, ``[batch, time]``."""
    longest = max(site.view + site.hop for site in encoder.sites)
    n = encoder.frame_length or max(encoder.sample_rate_hz // 4, longest)
    return 0.05 * torch.randn(1, n, generator=torch.Generator().manual_seed(0)).to(encoder.device)


def _reaches(encoder: Encoder, audio: torch.Tensor, site: str, *places: str) -> bool:
    """Whether a change at a site can be made and read at these places."""
    try:
        encoder.changed(audio, site, lambda a: a, list(places))
    except InputError:
        return False
    return True


def _steering(
    plan: Plan,
    sites: Sequence[Site],
    site: Site,
    heard: str,
    records: Sequence[Unit],
    measures: Mapping[tuple[Weights, str], Unit],
) -> list[Unit]:
    """The shards of one steered site."""
    wrong = _wrong_site(sites, site)
    lines = [measures[None, name] for name in (site.name, *([wrong] if wrong else []))]
    common = _common(plan, sites, site.name, records, lines, None)
    common |= {"wrong_site": [s.name for s in sites].index(wrong) if wrong else -1}
    common |= {"n_random": PUSHED_RANDOM}
    which = chosen(plan.n_frequencies, STEERED_FREQUENCIES)
    return _shards(
        "steering",
        which,
        f"steering {site.name}, {heard}",
        heard=heard,
        strengths=list(STRENGTHS),
        seconds=SECONDS if heard == SOUND else OUTPUT_SECONDS,
        sounds=[which[at] for at in chosen(len(which), SOUNDS)]
        if heard == SOUND and site.role == "stack_end"
        else [],
        **common,
    )


def _wrong_site(sites: Sequence[Site], site: Site) -> str:
    """Another site with as many units; the latent before and after its quantiser are one place."""
    ends = {"stack_end", "codes"}
    others = [
        s.name
        for s in sites
        if s.name != site.name and s.units == site.units and not {s.role, site.role} <= ends
    ]
    return others[-1] if others else ""


def _composition(
    rung: Rung, weights: Weights, site: str, later: Sequence[str], common: Mapping[str, Any]
) -> list[Unit]:
    """The shards that ask what pitches lose with the partials below them."""
    pitches = [rung.measures[weights, name] for name in (site, *later)]
    needs = [*common["needs"], *pitches, _music(rung.records[weights])[0]]
    which = chosen(len(rung.design.frequency_hz), REUSED_FREQUENCIES)
    told = dict(common) | {"needs": needs, "sample_rate_hz": rung.design.sample_rate_hz}
    return _shards("reuse", which, f"pitches without partials of {site}", structure="pitch", **told)


def _common(
    plan: Plan,
    sites: Sequence[Site],
    site: str,
    records: Sequence[Unit],
    lines: Sequence[Unit],
    weights: Weights,
) -> dict[str, Any]:
    """What every unit is told: lines of the site and of others first, then the recorded music."""
    names = [known.name for known in sites]
    return {
        "needs": [*lines, *_music(records)],
        "n_lines": len(lines),
        "site": site,
        "number": names.index(site),
        "places": names[names.index(site) :],
        "floor_seed": weights,
        "n_random": REMOVED_RANDOM,
        "n_other": OTHER,
        "n_resamples": plan.n_resamples,
        "seed": plan.seed,
        "of": "" if weights is None else f" (floor {weights})",
    }


def _music(records: Sequence[Unit]) -> list[Unit]:
    """Shards of trials in music."""
    return [unit for unit in records if unit.values["family"] == "music"]


def _shards(
    stage: str, which: Sequence[int], label: str, *, needs: list[Unit], of: str, **told: Any
) -> list[Unit]:
    """One unit for each few of the targets."""
    return [
        Unit.of(stage, needs=needs, label=label + of, targets=list(which[start : start + SHARD]), **told)
        for start in range(0, len(which), SHARD)
    ]
