"""Gammatone impulse responses (Patterson et al. 1987; bandwidths of Glasberg & Moore 1990).

g(t) = t^(n-1) exp(-2 pi b t) cos(2 pi f t), n = 4, b = 1.019 ERB(f), as finite impulse responses scaled to
unit gain at their centre frequency; or with exp(2 pi i f t) in place of the cosine, as analytic filters.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainccinv

from tonotopy.signal import erb

#: Filter order and the factor from ERB to the decay constant, after Patterson et al. 1987.
ORDER = 4
DECAY_PER_ERB = 1.019
#: Share of a response's energy that may be cut off: that of the effective view (SPEC § 1).
TAIL_SHARE = 1e-4


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


def analytic_responses(
    centres_hz: NDArray[np.floating], sample_rate_hz: float, n_samples: int | None = None
) -> NDArray[np.complex128]:
    """The bank as complex filters, ``[channel, time]``: t^(n-1) exp(-2 pi b t) exp(2 pi i f t), unit gain at f.

    The output for a sine of amplitude A at a centre is A/2 times a unit phasor that turns with it, at every
    sample and without ripple: 2 |z|^2 is the mean square of the band, arg z its phase. Where ``n_samples`` is
    not given, the responses hold all but :data:`TAIL_SHARE` of the energy of the longest.

    Examples
    --------
    >>> bank = analytic_responses(np.array([1000.0]), 16000)
    >>> t = np.arange(bank.shape[1]) / 16000
    >>> z = np.sum(bank[0, ::-1] * np.sin(2 * np.pi * 1000 * t))
    >>> bool(abs(2 * abs(z) ** 2 - 0.5) < 1e-3)
    True
    """
    centres = np.asarray(centres_hz, dtype=np.float64)[:, None]
    decay = 2 * np.pi * DECAY_PER_ERB * erb.bandwidth_hz(centres)
    n = n_samples or response_samples(centres_hz, sample_rate_hz)
    t = np.arange(n) / sample_rate_hz
    envelope = (decay * t) ** (ORDER - 1) * np.exp(-decay * t)
    return np.asarray(
        envelope / envelope.sum(axis=1, keepdims=True) * np.exp(2j * np.pi * centres * t), np.complex128
    )


def response_samples(centres_hz: NDArray[np.floating], sample_rate_hz: float) -> int:
    """Samples that hold all but :data:`TAIL_SHARE` of the energy of the longest response, which is the lowest's.

    Examples
    --------
    >>> response_samples(np.array([55.0]), 24000)
    1303
    """
    # The envelope's energy is that of t^6 exp(-2 b t): its tail is an incomplete gamma function.
    decay = 2 * np.pi * DECAY_PER_ERB * float(np.min(erb.bandwidth_hz(np.asarray(centres_hz, np.float64))))
    seconds = gammainccinv(2 * ORDER - 1, TAIL_SHARE) / (2 * decay)
    return int(np.ceil(seconds * sample_rate_hz))
