"""Steering of a head's outputs as rows of a table: one row a direction and dose, over pieces, beside its controls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonotopy.interventions.controls import OWN
from tonotopy.interventions.null import null_of
from tonotopy.interventions.outputs import OutputSteering
from tonotopy.interventions.pieces import over_pieces

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class OutputRows:
    """Effects of one target's directions on outputs; each column ``[row]``, rows of a direction together.

    ``gain`` 1 and ``specificity`` 1 are what adding the target itself reads.
    """

    site: NDArray[np.str_]
    frequency_hz: Floats
    direction: NDArray[np.str_]
    strength: Floats
    specificity: Floats
    specificity_low: Floats
    specificity_high: Floats
    p: Floats  # of the own direction's specificity against random ones; NaN in other rows
    p_least: Floats  # the least that p can be, from the number of random directions at this dose
    random_cosine: Floats  # median abs(cos) of random directions with the own one
    gain: Floats
    gain_low: Floats
    gain_high: Floats
    near: Floats  # NaN where outputs stand for no frequency
    sufficiency_outputs: Floats
    monotonicity: Floats  # of the direction's whole curve, in each of its rows
    sign: Floats
    necessity: Floats
    necessity_low: Floats
    necessity_high: Floats
    damage: Floats


def output_rows(found: OutputSteering, *, n_resamples: int = 1000, seed: int = 0) -> OutputRows:
    """One row a direction and dose that was tried."""
    directions, doses = len(found.direction), len(found.strength)

    def flat(values: Floats) -> Floats:
        whole = values if values.ndim == 2 else np.repeat(values[:, None], doses, axis=1)
        return np.asarray(whole[found.asked])

    def value(values: Floats) -> Floats:
        return flat(over_pieces(values, found.piece, n_resamples=1).value)

    specificity, gain = (
        over_pieces(values, found.piece, n_resamples=n_resamples, seed=seed)
        for values in (found.specificity, found.gain)
    )
    null = null_of(specificity.value, found.direction, found.cosine, found.asked)
    is_own = np.array([name == OWN for name in found.direction])

    def own(values: Floats) -> Floats:
        return flat(np.where(is_own[:, None], values, np.nan))

    necessity = found.necessity(n_resamples=n_resamples, seed=seed)
    n = int(found.asked.sum())
    return OutputRows(
        site=np.full(n, found.site),
        frequency_hz=np.full(n, found.target_hz),
        direction=np.repeat(found.direction, doses)[found.asked.ravel()],
        strength=np.tile(found.strength, directions)[found.asked.ravel()],
        specificity=flat(specificity.value),
        specificity_low=flat(specificity.low),
        specificity_high=flat(specificity.high),
        p=own(null.p),
        p_least=own(null.p_least),
        random_cosine=own(null.cosine),
        gain=flat(gain.value),
        gain_low=flat(gain.low),
        gain_high=flat(gain.high),
        near=value(found.near),
        sufficiency_outputs=value(found.sufficiency),
        monotonicity=value(found.monotonicity),
        sign=value(found.sign),
        necessity=flat(necessity.value),
        necessity_low=flat(necessity.low),
        necessity_high=flat(necessity.high),
        damage=value(found.damage),
    )
