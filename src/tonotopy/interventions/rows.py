"""Interventions as rows of tables: one value a row and column, over pieces, beside its controls.

`reuse_rows`: one row a later site; `steering_rows`: one row a direction and dose that was tried.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonotopy.interventions.controls import OTHER, OWN, RANDOM
from tonotopy.interventions.null import null_of
from tonotopy.interventions.pieces import over_pieces
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
    lost_random_high: Floats  # the most that one of them takes; NaN where they are all but the own one
    lost_other: Floats  # mean over other targets' directions
    p: Floats
    p_least: Floats  # what p can be at least, with as many random directions
    random_cosine: Floats  # median abs(cos) of the random directions with the own one
    lost_energy: Floats
    lost_energy_low: Floats
    lost_energy_high: Floats
    lost_energy_random: Floats
    lost_energy_random_high: Floats
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
    p_least: Floats  # what these p can be at least, with as many random directions; NaN in other rows
    random_cosine: Floats  # median abs(cos) of these random directions with the own one; NaN in other rows
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
    null, of_energy = found.null(), found.null(energy=True)
    n, own = len(found.place), _rows(found.direction, OWN)
    return ReuseRows(
        site=np.full(n, found.site),
        later_site=np.array(found.place),
        frequency_hz=np.full(n, found.target),
        lost=_mean(answer.value[own]),
        lost_low=_mean(answer.low[own]),
        lost_high=_mean(answer.high[own]),
        lost_random=null.mean,
        lost_random_high=null.high,
        lost_other=_mean(answer.value[_rows(found.direction, OTHER)]),
        p=null.p,
        p_least=null.p_least,
        random_cosine=null.cosine,
        lost_energy=_mean(energy.value[own]),
        lost_energy_low=_mean(energy.low[own]),
        lost_energy_high=_mean(energy.high[own]),
        lost_energy_random=of_energy.mean,
        lost_energy_random_high=of_energy.high,
        lost_energy_other=_mean(energy.value[_rows(found.direction, OTHER)]),
        p_energy=of_energy.p,
        detection=_mean(found.detection[own]),
        detection_random=_mean(found.detection[_rows(found.direction, RANDOM)]),
        detection_intact=found.detection_intact,
    )


def steering_rows(found: Steering, *, n_resamples: int = 1000, seed: int = 0) -> SteeringRows:
    """One row a direction and dose that was tried."""
    directions, doses = len(found.direction), len(found.strength)

    def flat(values: Floats) -> Floats:
        whole = values if values.ndim == 2 else np.repeat(values[:, None], doses, axis=1)
        return np.asarray(whole[found.asked])

    def value(values: Floats) -> Floats:
        return flat(over_pieces(values, found.piece, n_resamples=1).value)

    def own(values: Floats) -> Floats:
        is_own = np.array([name == OWN for name in found.direction])
        return flat(np.where(is_own[:, None], values, np.nan))

    specificity, level, gain = (
        over_pieces(values, found.piece, n_resamples=n_resamples, seed=seed)
        for values in (found.specificity, found.specificity_level, found.gain_db)
    )
    necessity = found.necessity(n_resamples=n_resamples, seed=seed)
    present = [found.present_gain_db, found.present_specificity, found.present_specificity_level]
    added = over_pieces(np.stack(present), found.piece, n_resamples=1)
    null, null_level = (
        null_of(one.value, found.direction, found.cosine, found.asked) for one in (specificity, level)
    )
    n = int(found.asked.sum())
    return SteeringRows(
        site=np.full(n, found.site),
        frequency_hz=np.full(n, found.target_hz),
        direction=np.repeat(found.direction, doses)[found.asked.ravel()],
        strength=np.tile(found.strength, directions)[found.asked.ravel()],
        specificity=flat(specificity.value),
        specificity_low=flat(specificity.low),
        specificity_high=flat(specificity.high),
        p=own(null.p),
        specificity_level=flat(level.value),
        specificity_level_low=flat(level.low),
        specificity_level_high=flat(level.high),
        p_level=own(null_level.p),
        p_least=own(null.p_least),
        random_cosine=own(null.cosine),
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
