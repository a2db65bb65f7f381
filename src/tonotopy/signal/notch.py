"""A zero-phase notch on the ERB-rate scale.

Aim: make room for a partial in a context, so that "absent" means absent. The notch is applied as a real
gain in the frequency domain over the whole sound (circular), so it shifts nothing in time; the caller
crops the edges, where the circular ends meet (:data:`EDGE_S`). The gain is 0 within ``half_width_erb`` of
a centre and rises to 1 over :data:`SLOPE_ERB` as a raised cosine.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from tonotopy.signal import erb

#: Width in ERB of the raised-cosine slope on either side of the notch.
SLOPE_ERB = 0.25
#: Seconds at each end that a caller crops: the notch at 55 Hz rings for about that long.
EDGE_S = 0.25


def notch(
    sound: NDArray[np.floating],
    sample_rate_hz: float,
    centres_hz: Sequence[float],
    *,
    half_width_erb: float = 1.0,
) -> NDArray[np.float64]:
    """Remove the bands within ``half_width_erb`` of each centre, with zero phase.

    Parameters
    ----------
    sound : ``[time]`` or ``[..., time]``, any level
    centres_hz : centres of the notches, Hz
    half_width_erb : half width of the stop band on the ERB-rate scale

    Returns
    -------
    ``[..., time]``, float64, of the same length.

    Examples
    --------
    >>> t = np.arange(16000) / 16000
    >>> quiet = notch(np.sin(2 * np.pi * 440 * t), 16000, [440.0])
    >>> bool(np.abs(quiet[4000:-4000]).max() < 1e-6)
    True
    """
    n = sound.shape[-1]
    spectrum = scipy.fft.rfft(np.asarray(sound, dtype=np.float64))
    spectrum *= gain(n, sample_rate_hz, centres_hz, half_width_erb=half_width_erb)
    return np.asarray(scipy.fft.irfft(spectrum, n))


def gain(
    n_samples: int, sample_rate_hz: float, centres_hz: Sequence[float], *, half_width_erb: float = 1.0
) -> NDArray[np.float64]:
    """The gain that :func:`notch` applies, ``[frequency]`` for a transform of ``n_samples``."""
    rates = erb.rate(scipy.fft.rfftfreq(n_samples, 1.0 / sample_rate_hz))
    total = np.ones_like(rates)
    for centre in centres_hz:
        beyond = np.abs(rates - erb.rate(centre)) - half_width_erb
        total *= 0.5 - 0.5 * np.cos(np.pi * np.clip(beyond / SLOPE_ERB, 0.0, 1.0))
    return total
