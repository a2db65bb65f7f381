"""Gammatone impulse responses (Patterson et al. 1987; bandwidths of Glasberg & Moore 1990).

g(t) = t^(n-1) exp(-2 pi b t) cos(2 pi f t), n = 4, b = 1.019 ERB(f), as finite impulse responses scaled to
unit gain at their centre frequency.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tonotopy.signal import erb

#: Filter order and the factor from ERB to the decay constant, after Patterson et al. 1987.
ORDER = 4
DECAY_PER_ERB = 1.019


def impulse_responses(
    centres_hz: NDArray[np.floating], sample_rate_hz: float, n_samples: int
) -> NDArray[np.float64]:
    """A bank of gammatone filters, ``[channel, time]``, unit gain at each centre.

    Examples
    --------
    >>> bank = impulse_responses(np.array([1000.0]), 16000, 2048)
    >>> response = np.abs(np.fft.rfft(bank[0], 16000))
    >>> bool(abs(response[1000] - 1.0) < 1e-9)
    True
    """
    t = np.arange(n_samples) / sample_rate_hz
    centres = np.asarray(centres_hz, dtype=np.float64)[:, None]
    decay = 2 * np.pi * DECAY_PER_ERB * erb.bandwidth_hz(centres)
    # t^(n-1) in units of the decay time keeps the numbers near 1 before they are normalised.
    bank = (decay * t) ** (ORDER - 1) * np.exp(-decay * t) * np.cos(2 * np.pi * centres * t)
    at_centre = np.abs(np.sum(bank * np.exp(-2j * np.pi * centres * t), axis=1, keepdims=True))
    return np.asarray(bank / at_centre)
