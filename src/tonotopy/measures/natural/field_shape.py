"""The shape of a spectro-temporal receptive field: where it answers most, how widely, how late.

- ``best_hz``: the frequency at the top of the field, summed in square over lags, between bands by the parabola
  through three;
- ``bandwidth_erb``: its equivalent rectangular width, sum over top;
- ``latency_ms``: of the strongest lag, summed in square over bands, before the end of the view;
- ``lobe_share``: the share of the square of the field within `LOBE_ERB` of the best frequency.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from tonotopy.measures.natural.moments import Array
from tonotopy.signal import erb

#: Half the width of the main lobe, ERB.
LOBE_ERB: Final = 1.5


def shape_of(weights: Array, band_hz: Array, lag_ms: Array) -> dict[str, Array]:
    """Best frequency, width, latency and share of the main lobe of fields ``[feature, lag, band]``.

    Examples
    --------
    >>> field_ = np.zeros((1, 3, 5))
    >>> field_[0, 1, 2] = -2.0
    >>> found = shape_of(field_, np.array([100.0, 200, 300, 400, 500]), np.array([0.0, 10, 20]))
    >>> [float(value[0].round(3)) for value in found.values()]
    [300.0, 1.0, 10.0, 1.0]
    """
    power = weights**2
    profile, over_lags = power.sum(axis=1), power.sum(axis=2)
    total = profile.sum(axis=1)
    alive = np.isfinite(total) & (total > 0)
    rates = erb.rate(band_hz)
    row = np.arange(len(profile))
    top = np.where(alive, np.nan_to_num(profile).argmax(axis=1), 0)
    left, here, right = (profile[row, np.clip(top + d, 0, len(band_hz) - 1)] for d in (-1, 0, 1))
    inside = alive & (top > 0) & (top < len(band_hz) - 1)
    bend = left - 2 * here + right
    offset = np.divide(0.5 * (left - right), bend, out=np.zeros(len(top)), where=inside & (bend < 0))
    best = rates[top] + offset * np.mean(np.diff(rates))
    near = np.abs(rates - best[:, None]) <= LOBE_ERB
    nothing = np.full(len(top), np.nan)
    latest = lag_ms[np.nan_to_num(over_lags).argmax(axis=1)]
    return {
        "best_hz": np.where(alive, erb.frequency_hz(best), np.nan),
        "bandwidth_erb": np.divide(total, here, out=nothing.copy(), where=alive),
        "latency_ms": np.where(alive, latest, np.nan),
        "lobe_share": np.divide(np.sum(profile * near, axis=1), total, out=nothing.copy(), where=alive),
    }
