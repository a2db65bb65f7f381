"""Pairs of frequencies that a stride folds together, and beside each a control that it does not.

At a frame rate R the frequencies f and f' belong to one alias class where f' ≡ ±f (mod R). Each pair here
has such an f' at least 1 ERB from f, and a *control* f'' near f' that folds a quarter of R away from f. If a
site tells f from f'' but not from f', that is folding; if it tells f from neither, it is not.
"""

from __future__ import annotations

import numpy as np

from tonotopy.anatomy.folding import folded_hz, members_hz
from tonotopy.anatomy.response import Array
from tonotopy.signal import erb

APART_ERB = 1.0  # a pair is at least this far apart: neighbours look alike without folding


def alias_pairs(pairs: int, sample_rate_hz: float, stride: int, *, seed: int) -> Array:
    """Draw alias pairs with their controls.

    First frequencies are evenly spaced in ERB-rate from 55 Hz to 0.45 of the rate; the second is the member
    of the first's class nearest to a target that is uniform in ERB-rate over the same range.

    Parameters
    ----------
    pairs : int
        How many to try; a frequency without a partner is left out.
    sample_rate_hz : float
        Sampling rate in Hz.
    stride : int
        Cumulative stride, samples per frame.
    seed : int
        Of the targets.

    Returns
    -------
    numpy.ndarray of float64, [pair, 3]
        Frequency, its alias and its control, in Hz. Empty at stride 1.

    Examples
    --------
    >>> f, alias, control = alias_pairs(8, 16_000, 4, seed=0)[3]
    >>> abs(folded_hz(f, 4000) - folded_hz(alias, 4000)) < 1e-3
    True
    >>> round(abs(folded_hz(f, 4000) - folded_hz(control, 4000)))
    1000
    """
    rng = np.random.default_rng(seed)
    low_hz, high_hz = erb.LOW_HZ, erb.HIGH_RATIO * sample_rate_hz
    found = []
    for frequency_hz in erb.grid(pairs, sample_rate_hz):
        target_hz = float(erb.frequency_hz(rng.uniform(float(erb.rate(low_hz)), float(erb.rate(high_hz)))))
        partner = _partners(float(frequency_hz), target_hz, sample_rate_hz / stride, low_hz, high_hz)
        if partner is not None:
            found.append((float(frequency_hz), *partner))
    return np.array(found).reshape(-1, 3)


def _partners(
    frequency_hz: float, target_hz: float, frame_rate_hz: float, low_hz: float, high_hz: float
) -> tuple[float, float] | None:
    """The alias nearest to the target, and the control nearest to that alias; None where there is none."""
    folded = folded_hz(frequency_hz, frame_rate_hz)
    quarter = frame_rate_hz / 4.0
    other = folded + quarter if folded < quarter else folded - quarter
    alias = _nearest(members_hz(folded, frame_rate_hz, high_hz), frequency_hz, target_hz, low_hz)
    if alias is None:
        return None
    control = _nearest(members_hz(other, frame_rate_hz, high_hz), frequency_hz, alias, low_hz)
    return None if control is None else (alias, control)


def _nearest(candidates_hz: Array, frequency_hz: float, target_hz: float, low_hz: float) -> float | None:
    """The candidate nearest to the target in ERB-rate, of those in range and apart from the frequency."""
    rates = erb.rate(candidates_hz)
    legal = (candidates_hz >= low_hz) & (np.abs(rates - erb.rate(frequency_hz)) >= APART_ERB)
    if not legal.any():
        return None
    return float(candidates_hz[legal][np.argmin(np.abs(rates[legal] - erb.rate(target_hz)))])
