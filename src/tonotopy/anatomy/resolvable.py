"""Which frequencies a view can resolve at all, by the ear's own measure (SPEC § 2).

A frequency is *resolvable* at a site where three equivalent rectangular bandwidths around it are at least as
wide as the resolution limit: 3 ERB(f) >= rate / view. Elsewhere "absent" is anatomy, not a finding; such
frequencies keep their verdict and are counted apart.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonotopy.anatomy.limits import resolution_limit_hz
from tonotopy.signal import erb

WIDTH_ERB = 3.0  # how many bandwidths must hold the resolution limit


def resolvable(frequency_hz: ArrayLike, sample_rate_hz: float, view: int) -> NDArray[np.bool_]:
    """Whether each frequency is resolvable within a view.

    Parameters
    ----------
    frequency_hz : array-like of float, any shape
        Frequencies in Hz.
    sample_rate_hz : float
        Sampling rate in Hz.
    view : int
        View in samples, at least 1 (`tonotopy.encoders._contract.Site.span` where state lengthens it).

    Returns
    -------
    numpy.ndarray of bool, same shape
        3 ERB(f) >= sampling rate / view.

    Raises
    ------
    InputError
        For a view of no samples.

    Examples
    --------
    >>> resolvable([1000.0, 10_500.0], 24_000, 7).tolist()
    [False, True]
    """
    return np.asarray(WIDTH_ERB * erb.bandwidth_hz(frequency_hz) >= resolution_limit_hz(sample_rate_hz, view))
