"""Interventions as rows of tables: one value a row and column, over pieces, beside its controls.

`reuse_rows`: one row a later site; `steering_rows`: one row a direction and dose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonotopy.interventions.controls import OWN
from tonotopy.interventions.pieces import over_pieces, p_value
from tonotopy.interventions.reuse import Reuse
from tonotopy.interventions.steering import Steering

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ReuseRows:
    """What is lost without the own direction; each column ``[row]``. *lost* is of the answer along the later line."""

    site: NDArray[np.str_]
    later_site: NDArray[np.str_]
    frequency_hz: Floats
    lost: Floats
    lost_low: Floats
    lost_high: Floats
    lost_random: Floats  # mean over random directions
    lost_other: Floats  # mean over other targets' directions
    p: Floats
    lost_energy: Floats
    lost_energy_low: Floats
    lost_energy_high: Floats
    lost_energy_random: Floats
    lost_energy_other: Floats
    p_energy: Floats
    detection: Floats
    detection_random: Floats
    detection_intact: Floats


@dataclass(frozen=True)
class SteeringRows:
    """Effects of one target's directions; each column ``[row]``, rows of a direction together."""

    site: NDArray[np.str_]
    frequency_hz: Floats
    direction: NDArray[np.str_]
    strength: Floats
    specificity: Floats
    specificity_low: Floats
    specificity_high: Floats
    p: Floats  # of the own direction's specificity against random ones; NaN in other rows
    specificity_level: Floats
    specificity_level_low: Floats
    specificity_level_high: Floats
    p_level: Floats  # the same of levels
    specificity_partials: Floats
    gain_db: Floats
    gain_db_low: Floats
    gain_db_high: Floats
    gain_partials_db: Floats
    leakage: Floats
    quality: Floats
    sufficiency_latent: Floats
    sufficiency_spectrum: Floats
    monotonicity: Floats  # of the direction's whole curve, in each of its rows
    sign: Floats
    necessity: Floats
    necessity_low: Floats
    necessity_high: Floats
    damage: Floats
    present_gain_db: Floats  # of adding the target itself
    present_specificity: Floats
    present_specificity_level: Floats


def reuse_rows(found: Reuse, *, n_resamples: int = 1000, seed: int = 0) -> ReuseRows:
    """One row a place: the site itself, where there is what can be lost, and each later one.

    Values of ``own`` are NaN where there is no such direction.
    """
    answer = found.lost_answer(n_resamples=n_resamples, seed=seed)
    energy = found.lost_energy(n_resamples=n_resamples, seed=seed)
    n, own = len(found.place), _rows(found.direction, OWN)
    return ReuseRows(
        site=np.full(n, found.site),
        later_site=np.array(found.place),
        frequency_hz=np.full(n, found.target),
        lost=_mean(answer.value[own]),
        lost_low=_mean(answer.low[own]),
        lost_high=_mean(answer.high[own]),
        lost_random=_mean(answer.value[_rows(found.direction, "random")]),
        lost_other=_mean(answer.value[_rows(found.direction, "other")]),
        p=found.p(),
        lost_energy=_mean(energy.value[own]),
        lost_energy_low=_mean(energy.low[own]),
        lost_energy_high=_mean(energy.high[own]),
        lost_energy_random=_mean(energy.value[_rows(found.direction, "random")]),
        lost_energy_other=_mean(energy.value[_rows(found.direction, "other")]),
        p_energy=found.p(energy=True),
        detection=_mean(found.detection[own]),
        detection_random=_mean(found.detection[_rows(found.direction, "random")]),
        detection_intact=found.detection_intact,
    )


def steering_rows(found: Steering, *, n_resamples: int = 1000, seed: int = 0) -> SteeringRows:
    """One row a direction and dose."""
    directions, doses = len(found.direction), len(found.strength)

    def flat(values: Floats) -> Floats:
        whole = values if values.ndim == 2 else np.repeat(values[:, None], doses, axis=1)
        return np.asarray(whole.ravel())

    def value(values: Floats) -> Floats:
        return flat(over_pieces(values, found.piece, n_resamples=1).value)

    def p_of(values: Floats) -> Floats:
        p = np.full((directions, doses), np.nan)
        for row in _rows(found.direction, OWN):
            p[row] = p_value(values[row], values[_rows(found.direction, "random")])
        return p.ravel()

    specificity, level, gain = (
        over_pieces(values, found.piece, n_resamples=n_resamples, seed=seed)
        for values in (found.specificity, found.specificity_level, found.gain_db)
    )
    necessity = found.necessity(n_resamples=n_resamples, seed=seed)
    present = [found.present_gain_db, found.present_specificity, found.present_specificity_level]
    added = over_pieces(np.stack(present), found.piece, n_resamples=1)
    n = directions * doses
    return SteeringRows(
        site=np.full(n, found.site),
        frequency_hz=np.full(n, found.target_hz),
        direction=np.repeat(found.direction, doses),
        strength=np.tile(found.strength, directions),
        specificity=flat(specificity.value),
        specificity_low=flat(specificity.low),
        specificity_high=flat(specificity.high),
        p=p_of(specificity.value),
        specificity_level=flat(level.value),
        specificity_level_low=flat(level.low),
        specificity_level_high=flat(level.high),
        p_level=p_of(level.value),
        specificity_partials=value(found.specificity_partials),
        gain_db=flat(gain.value),
        gain_db_low=flat(gain.low),
        gain_db_high=flat(gain.high),
        gain_partials_db=value(found.gain_partials_db),
        leakage=value(found.leakage),
        quality=value(found.quality),
        sufficiency_latent=value(found.sufficiency_latent),
        sufficiency_spectrum=value(found.sufficiency_spectrum),
        monotonicity=value(found.monotonicity),
        sign=value(found.sign),
        necessity=flat(necessity.value),
        necessity_low=flat(necessity.low),
        necessity_high=flat(necessity.high),
        damage=value(found.damage),
        present_gain_db=np.full(n, added.value[0]),
        present_specificity=np.full(n, added.value[1]),
        present_specificity_level=np.full(n, added.value[2]),
    )


def _rows(directions: tuple[str, ...], kind: str) -> list[int]:
    """Numbers of the directions whose name begins so."""
    return [i for i, name in enumerate(directions) if name.split(" ")[0] == kind]


def _mean(values: Floats) -> Floats:
    """Mean over directions ``[direction, place]``; NaN where there is none."""
    return np.asarray(values.mean(axis=0) if len(values) else np.full(values.shape[1], np.nan))
