"""Reuse: how much of the response to f is lost at every later site when a direction is projected out (SPEC § 7).

With the direction projected out in both sounds, the change from c to c + s at a later site is compared with what it is
when nothing is touched:

- lost answer: 1 - (sum of w·D') / (sum of w·D) along that site's own line w for f; undefined unless the site's intact
  answer is surely above 0;
- lost energy: 1 - (sum of |D'|²) / (sum of |D|²), whatever the direction;
- detection: AUC of the line's answers, present against absent, with the direction gone, beside the intact model's.

The first place is the site itself: what the projection takes there is what there is to be lost. A direction that
nothing downstream reads is not a variable of the model: nothing is lost but there.

Directions here are lines moved along themselves (``along="line"``): taking away w_f changes nothing but w_f. Taking
away the evoked pattern takes everything that moves with f, so that a direction which nothing reads would seem used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.encoders._change import places_of_change
from tonotopy.encoders._contract import Encoder
from tonotopy.interventions.actions import ablate
from tonotopy.interventions.altered import Altered
from tonotopy.interventions.controls import cosines
from tonotopy.interventions.direction import Direction
from tonotopy.interventions.null import Null, null_of
from tonotopy.interventions.pairs import Pairs
from tonotopy.interventions.pieces import Estimate, ratio_over_pieces
from tonotopy.readouts.readout import Readout
from tonotopy.recording.frames import record
from tonotopy.statistics.auc import auc, wins

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Reuse:
    """Responses at a site and behind it, for one target; sums over a trial's frames."""

    site: str
    target: float
    direction: tuple[str, ...]
    place: tuple[str, ...]  # the site itself first
    piece: NDArray[np.int64]  # [trial]
    energy: Floats = field(repr=False)  # [direction, place, trial]: squared length of the evoked change
    energy_intact: Floats = field(repr=False)  # [place, trial]
    answer: Floats = field(repr=False)  # [direction, place, trial]; NaN where a place has no line
    answer_intact: Floats = field(repr=False)  # [place, trial]
    detection: Floats = field(repr=False)  # [direction, place]
    detection_intact: Floats = field(repr=False)  # [place]
    cosine: Floats = field(repr=False)  # [direction]: how much each direction is the own one, 0 to 1

    def lost_answer(self, *, n_resamples: int = 1000, seed: int = 0) -> Estimate:
        """Share of the answer along each place's own line that is lost, ``[direction, place]``."""
        return self._lost(self.answer, self.answer_intact, n_resamples, seed)

    def lost_energy(self, *, n_resamples: int = 1000, seed: int = 0) -> Estimate:
        """Share of the evoked energy that is lost, ``[direction, place]``; negative where there is more."""
        return self._lost(self.energy, self.energy_intact, n_resamples, seed)

    def p(self, *, energy: bool = False) -> Floats:
        """P value of ``own`` against the random directions, ``[place]``; NaN without any that differ from it."""
        return self.null(energy=energy).p

    def null(self, *, energy: bool = False) -> Null:
        """What is lost beside what is lost without random directions, ``[place]``."""
        lost = (self.lost_energy if energy else self.lost_answer)(n_resamples=1).value
        return null_of(lost, self.direction, self.cosine)

    def _lost(self, left: Floats, whole: Floats, n_resamples: int, seed: int) -> Estimate:
        whole = np.broadcast_to(whole, left.shape)
        defined = np.isfinite(left) & np.isfinite(whole)
        top, bottom = np.where(defined, whole - left, 0.0), np.where(defined, whole, 0.0)
        return ratio_over_pieces(top, bottom, self.piece, n_resamples=n_resamples, seed=seed)


def reuse(
    encoder: Encoder,
    site: str,
    directions: Mapping[str, Direction],
    pairs: Pairs,
    lines: Mapping[str, Readout | None],
    *,
    places: Sequence[str] | None = None,
) -> Reuse:
    """Project out each direction at a site and read the sites behind it.

    Parameters
    ----------
    directions
        Of that site, by name; ``own`` and its controls.
    pairs
        Sounds with and without the target, and where frames end.
    lines
        Fitted on the intact model: site -> lines of the same targets as ``pairs``; without lines answers are NaN.
    places
        Which later sites are read; all of ``lines`` where absent.

    Raises
    ------
    InputError
        A place before the site, a site that cannot be changed, or no direction.
    """
    if not directions:
        raise InputError("at least one direction", "none")
    order = [known.name for known in encoder.sites]
    wanted = [name for name in order if name in set(places if places is not None else lines) - {site}]
    behind = places_of_change(encoder, site, [site, *wanted], head=False)
    intact = _Responses(encoder, behind, pairs, lines)
    rows = [
        _Responses(_without(encoder, site, name, d), behind, pairs, lines) for name, d in directions.items()
    ]
    return Reuse(
        site=site,
        target=pairs.target,
        direction=tuple(directions),
        place=tuple(behind),
        piece=pairs.piece,
        energy=np.stack([row.energy for row in rows]),
        energy_intact=intact.energy,
        answer=np.stack([row.answer for row in rows]),
        answer_intact=intact.answer,
        detection=np.stack([row.detection for row in rows]),
        detection_intact=intact.detection,
        cosine=cosines(directions),
    )


def _without(encoder: Encoder, site: str, name: str, direction: Direction) -> Altered:
    """The encoder with a direction projected out; its numbers belong to the identity, since names recur."""
    label = f"{name} projected out ({direction.fingerprint})"
    return Altered(encoder, site, ablate(direction), label=label)


class _Responses:
    """What the target evokes at some places: ``energy``, ``answer`` ``[place, trial]``; ``detection`` ``[place]``."""

    def __init__(
        self, encoder: Encoder, places: Sequence[str], pairs: Pairs, lines: Mapping[str, Readout | None]
    ) -> None:
        sites = [encoder.site(name) for name in places]
        absent, _ = record(encoder, sites, pairs.absent, pairs.ends)
        present, _ = record(encoder, sites, pairs.present, pairs.ends)
        shape = len(places), len(pairs)
        self.energy, self.answer = np.empty(shape), np.full(shape, np.nan)
        self.detection = np.full(len(places), np.nan)
        for k, name in enumerate(places):
            change = present[name].astype(np.float64) - absent[name]
            self.energy[k] = np.square(change).sum(axis=(1, 2))
            line = lines.get(name)
            if line is None or not line.valid[pairs.index]:
                continue
            w, centre = line.weights[:, 0, pairs.index], line.centre[:, pairs.index]
            self.answer[k] = (change @ w).sum(axis=1)
            self.detection[k] = _auc((present[name] - centre) @ w, (absent[name] - centre) @ w, pairs.piece)


def _auc(positive: Floats, negative: Floats, piece: NDArray[np.int64]) -> float:
    """Pooled AUC of answers ``[trial, frame]``."""
    names, number = np.unique(piece, return_inverse=True)
    rows = np.repeat(number, positive.shape[1])
    found = wins(positive.ravel(), negative.ravel(), rows, rows, len(names))
    return float(auc(*found, np.ones((1, len(names))))[0])
