"""Which frequencies a strided first layer folds together, and what its filters still tell apart.

Conventions
-----------
At stride S the frames run at R = rate / S, and the frequencies phi, R - phi, R + phi, 2R - phi, … all turn up
at one *folded* frequency phi between 0 and R / 2: an alias class of S members between 0 Hz and rate / 2.
Column m of the *alias matrix* at phi is the filters' complex response at phi + m R. Its rank counts the
members that a linear readout of all filters can separate: with at least S filters that may be all of them,
so that a fold is a loss for a filter and not, by itself, for the layer (Vaidyanathan 1993, ch. 5: the
alias-component matrix, which is the polyphase matrix times a unitary one).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonotopy.anatomy.response import Array, decibels, response_at

POINTS = 65  # folded frequencies
RANK_DB = -120.0  # a singular value below this share of the largest counts as nothing


@dataclass(frozen=True)
class Folding:
    """The alias view of a strided first layer.

    ``folded_hz`` ``[folded]`` excludes its two ends, where members coincide. ``members_hz`` is
    ``[member, folded]``, ascending; ``response_db`` ``[filter, member, folded]`` is dB re each filter's own
    peak; ``singular_db`` ``[value, folded]`` the singular values of the alias matrix, dB re the largest;
    ``rank`` ``[folded]`` how many exceed -120 dB; ``strongest_alias_hz`` and ``strongest_alias_db``
    ``[filter]`` the member that leaks most into the filter's peak, and its gain re the peak.
    """

    stride: int
    folded_hz: Array
    members_hz: Array
    response_db: Array
    singular_db: Array
    rank: NDArray[np.int64]
    strongest_alias_hz: Array
    strongest_alias_db: Array


def members_hz(folded_hz: float, frame_rate_hz: float, high_hz: float) -> Array:
    """All frequencies from 0 Hz to ``high_hz`` that fold onto ``folded_hz``, ascending, each once.

    Examples
    --------
    >>> members_hz(100.0, 1000.0, 2000.0).tolist()
    [100.0, 900.0, 1100.0, 1900.0]
    """
    turns = np.arange(int(high_hz // frame_rate_hz) + 2) * frame_rate_hz
    every = np.unique(np.round(np.abs(np.concatenate([turns - folded_hz, turns + folded_hz])), 6))
    return np.asarray(every[every <= high_hz + 1e-6])


def folded_hz(frequency_hz: float, frame_rate_hz: float) -> float:
    """Where a frequency turns up at a frame rate: between 0 Hz and half of it.

    Examples
    --------
    >>> folded_hz(1900.0, 1000.0)
    100.0
    """
    rest = frequency_hz % frame_rate_hz
    return float(min(rest, frame_rate_hz - rest))


def folding(filters: Array, peak_hz: Array, sample_rate_hz: float, stride: int) -> Folding:
    """The alias view of filters read every ``stride`` samples.

    Parameters
    ----------
    filters : numpy.ndarray of float64, [filter, time]
        Impulse responses.
    peak_hz : numpy.ndarray of float64, [filter]
        Where each is largest; not-a-number where undefined.
    sample_rate_hz : float
        Sampling rate in Hz.
    stride : int
        Samples per frame, at least 2.

    Returns
    -------
    Folding
        Arrays as described there.
    """
    assert stride >= 2, "nothing folds at stride 1"
    frame_rate_hz = sample_rate_hz / stride
    folded = np.linspace(0.0, frame_rate_hz / 2.0, POINTS + 2)[1:-1]
    circle_hz = folded + frame_rate_hz * np.arange(stride)[:, None]  # [member, folded], the whole circle
    matrix = response_at(filters, circle_hz.ravel(), sample_rate_hz).reshape(len(filters), stride, POINTS)
    members = np.minimum(circle_hz, sample_rate_hz - circle_hz)
    ascending = np.argsort(members, axis=0)
    power = np.take_along_axis(np.abs(matrix) ** 2, ascending[None], axis=1)
    singular = np.linalg.svd(matrix.transpose(2, 0, 1), compute_uv=False).T
    singular_db = decibels(singular**2 / np.maximum(singular[0] ** 2, np.finfo(np.float64).tiny))
    leak_hz, leak_db = _leaks(filters, peak_hz, sample_rate_hz, frame_rate_hz)
    return Folding(
        stride=stride,
        folded_hz=folded,
        members_hz=np.take_along_axis(members, ascending, axis=0),
        response_db=decibels(power / _peak_power(filters, peak_hz, sample_rate_hz)[:, None, None]),
        singular_db=singular_db,
        rank=np.asarray((singular_db > RANK_DB).sum(axis=0), dtype=np.int64),
        strongest_alias_hz=leak_hz,
        strongest_alias_db=leak_db,
    )


def _peak_power(filters: Array, peak_hz: Array, sample_rate_hz: float) -> Array:
    """Largest |H|² of each filter; not-a-number where the peak is undefined."""
    power = [
        np.abs(response_at(one[None], [peak], sample_rate_hz)[0, 0]) ** 2 if np.isfinite(peak) else np.nan
        for one, peak in zip(filters, peak_hz, strict=True)
    ]
    return np.array(power)


def _leaks(
    filters: Array, peak_hz: Array, sample_rate_hz: float, frame_rate_hz: float
) -> tuple[Array, Array]:
    """The alias of each filter's peak that leaks most into it, and its gain re the peak in dB."""
    found = np.full((2, len(filters)), np.nan)
    for index, (one, peak) in enumerate(zip(filters, peak_hz, strict=True)):
        if not np.isfinite(peak):
            continue
        others = members_hz(folded_hz(peak, frame_rate_hz), frame_rate_hz, sample_rate_hz / 2.0)
        others = others[np.abs(others - peak) > 1e-3]
        power = np.abs(response_at(one[None], np.append(others, peak), sample_rate_hz)[0]) ** 2
        if others.size:
            strongest = int(np.argmax(power[:-1]))
            found[:, index] = others[strongest], decibels(power[strongest] / power[-1])
    return found[0], found[1]
