"""Bootstrap over pieces: weights that say how often each piece was drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: With fewer pieces nothing is defined (SPEC § 4).
LEAST_PIECES = 3
#: Under this number of pieces intervals are undefined (SPEC § 1).
LEAST_PIECES_FOR_INTERVALS = 8


def piece_weights(n_pieces: int, n_resamples: int, *, seed: int) -> NDArray[np.float64]:
    """Weights ``[1 + resample, piece]``: all ones first, then resamples with replacement."""
    rng = np.random.default_rng([seed, n_pieces])
    drawn = rng.multinomial(n_pieces, np.full(n_pieces, 1 / n_pieces), size=n_resamples)
    return np.concatenate([np.ones((1, n_pieces)), drawn.astype(np.float64)])


def interval(
    samples: NDArray[np.float64], *, n_pieces: int, level: float = 0.95
) -> tuple[float, float] | None:
    """Percentile interval of a statistic; None where it is undefined."""
    finite = samples[np.isfinite(samples)]
    if n_pieces < LEAST_PIECES_FOR_INTERVALS or len(finite) < 20:
        return None
    low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
