"""Loudness as broadcasters measure it: K-weighting and mean square (ITU-R BS.1770-4, without its gates).

The two filters are given by the recommendation for 48 kHz; here they are designed anew for any rate from the analogue
values that give those coefficients (a shelf of 4 dB at 1682 Hz, a high-pass at 38 Hz). Gates are left out: they drop
pauses, and sounds of a second have none to drop.
"""

from __future__ import annotations

import numpy as np
import scipy.signal
from numpy.typing import NDArray

#: Shelf: centre in Hz, gain in dB, quality, exponent of the gain half-way; high-pass: corner in Hz, quality.
SHELF_HZ, SHELF_DB, SHELF_Q, SHELF_MIDDLE = (
    1681.9744509555319,
    3.99984385397,
    0.7071752369554193,
    0.499666774155,
)
HIGH_PASS_HZ, HIGH_PASS_Q = 38.13547087613982, 0.5003270373253953
#: Added to 10 log10 of the mean square, so that a full-scale sine at 997 Hz reads -3.01 LKFS.
OFFSET_DB = -0.691

Floats = NDArray[np.float64]


def k_weighting(sample_rate_hz: float) -> Floats:
    """The two filters as second-order sections, ``[section, coefficient]``.

    Examples
    --------
    >>> k_weighting(48_000)[0].round(5).tolist()
    [1.53512, -2.6917, 1.19839, 1.0, -1.69066, 0.73248]
    """
    k = np.tan(np.pi * SHELF_HZ / sample_rate_hz)
    high = 10 ** (SHELF_DB / 20)
    middle = high**SHELF_MIDDLE
    a0 = 1 + k / SHELF_Q + k * k
    shelf = [
        (high + middle * k / SHELF_Q + k * k) / a0,
        2 * (k * k - high) / a0,
        (high - middle * k / SHELF_Q + k * k) / a0,
        1.0,
        2 * (k * k - 1) / a0,
        (1 - k / SHELF_Q + k * k) / a0,
    ]
    k = np.tan(np.pi * HIGH_PASS_HZ / sample_rate_hz)
    a0 = 1 + k / HIGH_PASS_Q + k * k
    high_pass = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / HIGH_PASS_Q + k * k) / a0]
    return np.array([shelf, high_pass])


def loudness_lkfs(sounds: NDArray[np.floating], sample_rate_hz: float) -> Floats:
    """Loudness of sounds ``[..., time]`` in LKFS, ``[...]``; NaN for digital silence.

    Examples
    --------
    >>> t = np.arange(48_000) / 48_000
    >>> float(loudness_lkfs(np.sin(2 * np.pi * 997 * t), 48_000).round(2))
    -3.01
    """
    weighted = scipy.signal.sosfilt(
        k_weighting(sample_rate_hz), np.asarray(sounds, dtype=np.float64), axis=-1
    )
    power = np.mean(np.square(weighted), axis=-1)
    return np.asarray(OFFSET_DB + 10 * np.log10(np.where(power > 0, power, np.nan)))
