"""What a view and a hop rule out before any weight is learned: two limits, each with its sentence.

Conventions
-----------
``view`` and ``hop`` are in samples, rates and frequencies in Hz. The *resolution limit* is one over the view
in seconds: partials closer than that share one main lobe of every filter of that length. The *carrier limit*
is half the frame rate: above it an oscillation survives only as an alias or as an envelope.
"""

from __future__ import annotations

import math

from tonotopy.core.errors import InputError


def resolution_limit_hz(sample_rate_hz: float, view: int) -> float:
    """Smallest spacing of partials that a filter of this view can tell apart, in Hz: rate / view.

    Parameters
    ----------
    sample_rate_hz : float
        Sampling rate in Hz.
    view : int
        View in samples, at least 1.

    Returns
    -------
    float
        Hz.

    Raises
    ------
    InputError
        For a view of no samples.

    Examples
    --------
    >>> resolution_limit_hz(16_000, 64)
    250.0
    """
    if view < 1:
        raise InputError("a view of at least 1 sample", repr(view))
    return sample_rate_hz / view


def carrier_limit_hz(sample_rate_hz: float, hop: int) -> float:
    """Highest frequency that frames can follow as an oscillation, in Hz: half the frame rate.

    Parameters
    ----------
    sample_rate_hz : float
        Sampling rate in Hz.
    hop : int
        Samples per frame, at least 1.

    Returns
    -------
    float
        Hz.

    Raises
    ------
    InputError
        For a hop of no samples.

    Examples
    --------
    >>> carrier_limit_hz(24_000, 320)
    37.5
    """
    if hop < 1:
        raise InputError("a hop of at least 1 sample", repr(hop))
    return sample_rate_hz / hop / 2.0


def resolution_sentence(sample_rate_hz: float, view: int) -> str:
    """What the resolution limit means, in a sentence.

    Examples
    --------
    >>> resolution_sentence(24_000, 7)  # doctest: +NORMALIZE_WHITESPACE
    '7 samples at 24 kHz: two partials closer than 3.4 kHz look the same to any filter of this layer,
    whatever it learns'
    """
    limit = hz(resolution_limit_hz(sample_rate_hz, view))
    samples = "1 sample" if view == 1 else f"{view:,} samples"
    what = f"two partials closer than {limit} look the same to any filter of this layer, whatever it learns"
    return f"{samples} at {hz(sample_rate_hz, digits=6)}: {what}"


def carrier_sentence(sample_rate_hz: float, hop: int) -> str:
    """What the carrier limit means, in a sentence.

    Examples
    --------
    >>> carrier_sentence(24_000, 320)
    '75 frames a second: above 38 Hz an oscillation survives only as an alias or an envelope'
    >>> carrier_sentence(24_000, 1)
    'a frame for every sample: nothing folds'
    """
    if hop == 1:
        return "a frame for every sample: nothing folds"
    limit = hz(carrier_limit_hz(sample_rate_hz, hop))
    frames = f"{sample_rate_hz / hop:,.4g}" if sample_rate_hz / hop < 1000 else f"{sample_rate_hz / hop:,.0f}"
    return f"{frames} frames a second: above {limit} an oscillation survives only as an alias or an envelope"


def hz(frequency_hz: float, *, digits: int = 2) -> str:
    """A frequency for reading: rounded to so many digits, in Hz or kHz.

    Examples
    --------
    >>> hz(3428.57), hz(44_100, digits=6), hz(312.5), hz(0.0)
    ('3.4 kHz', '44.1 kHz', '310 Hz', '0 Hz')
    """
    if frequency_hz == 0.0:
        return "0 Hz"
    rounded = round(frequency_hz, digits - 1 - math.floor(math.log10(abs(frequency_hz))))
    return f"{rounded / 1000:.{digits + 3}g} kHz" if abs(rounded) >= 1000 else f"{rounded:.{digits + 3}g} Hz"
