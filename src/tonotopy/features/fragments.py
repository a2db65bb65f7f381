"""The fragments that features of a site choose, and what is measured on them before anything is compared.

Features and the random directions that they are compared with go through this alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tonotopy.features.coherence import LEAST_FRAGMENTS, SILENT, align, gram, place, waveform_coherence
from tonotopy.features.spectra import APART, Spectra, lift, spectral_coherence
from tonotopy.features.strongest import PER_PIECE, strongest
from tonotopy.recording.natural import NaturalFrames

#: Strongest fragments of one piece lie so far apart, or a view where it is longer.
APART_S = 0.05
#: Samples of fragments that are aligned together: what a processor keeps at hand.
AT_A_TIME = 2**21
#: Numbers of fragments at which features are compared: all, and each time this share of them.
FEWER = 0.75

Map = Callable[[NDArray[np.float32]], NDArray[np.floating]]


def choose(of: Map, natural: NaturalFrames) -> NDArray[np.int64]:
    """Strongest frames of what a map from frames ``[frame, unit]`` to values ``[frame, feature]`` answers.

    A frame with the least value that the feature ever has is none: a latent that does not fire in a piece has no
    strongest moment there. Nor is a silent one.

    Returns
    -------
    ``[feature, fragment]``, :data:`~tonotopy.features.strongest.PER_PIECE` from each piece; -1 is none
    """
    apart = max(natural.site.view, round(APART_S * natural.sample_rate_hz))
    parts, peaks, least = [], [], np.array(np.inf)
    for number in np.unique(natural.piece):  # one by one: values of all frames at once would not fit
        rows = np.flatnonzero(natural.piece == number)
        values = np.asarray(of(natural.frames[rows]))
        found = strongest(values, natural.piece[rows], natural.start[rows], apart=apart, per_piece=PER_PIECE)
        least = np.minimum(least, values.min(axis=0))
        peaks.append(np.take_along_axis(values.T, np.maximum(found, 0), axis=1))
        parts.append(np.where(found >= 0, rows[found], -1))
    chosen, peak = np.concatenate(parts, axis=1), np.concatenate(peaks, axis=1)
    return np.where((peak > least[:, None]) & ~_silent(natural)[chosen], chosen, -1)


def _silent(natural: NaturalFrames) -> NDArray[np.bool_]:
    """Whether nothing sounds in a frame's view, ``[frame]``."""
    found = np.zeros(len(natural.piece), bool)
    for number in np.unique(natural.piece):
        rows = natural.piece == number
        energy = np.cumsum(np.pad(natural.audio[number].astype(np.float64) ** 2, (1, 0)))
        edges = np.clip(natural.start[rows][:, None] + [0, natural.site.view], 0, len(energy) - 1)
        found[rows] = np.diff(energy[edges], axis=1)[:, 0] <= SILENT**2
    return found


def sizes(fragments: int) -> list[int]:
    """Numbers of fragments at which features are compared, largest first.

    Examples
    --------
    >>> sizes(24)
    [24, 18, 13, 10, 7, 6]
    """
    found = []
    size = float(fragments)
    while int(size) > LEAST_FRAGMENTS:
        found.append(int(size))
        size *= FEWER
    return [*found, LEAST_FRAGMENTS] if fragments >= LEAST_FRAGMENTS else []


def first(chosen: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """So many of the chosen frames of each feature, ``[feature, count]``; -1 where it has fewer.

    Piece by piece, in an order drawn for each: what a feature lacks is most often a piece, each another one, and
    the fragments of one piece are alike.
    """
    drawn = np.random.default_rng(43).random((len(chosen), chosen.shape[1] // PER_PIECE)).argsort(axis=1)
    order = (drawn[..., None] * PER_PIECE + np.arange(PER_PIECE)).reshape(chosen.shape)
    held = np.take_along_axis(chosen, order, axis=1)
    # A stable sort brings what is there to the front, in order.
    return np.take_along_axis(held, np.argsort(held < 0, axis=1, kind="stable"), axis=1)[:, :count]


@dataclass(frozen=True)
class Measured:
    """What chosen fragments have in common, and where they lie; ``[feature]``, NaN is undefined."""

    waveform: NDArray[np.float64] = field(repr=False)  # coherence
    lift: NDArray[np.float64] = field(repr=False)
    band: NDArray[np.int64] = field(repr=False)  # where the lift is
    spectral: NDArray[np.float64] = field(repr=False)  # coherence
    centre_erb: NDArray[np.float64] = field(repr=False)
    spread_erb: NDArray[np.float64] = field(repr=False)


def measured(chosen: NDArray[np.int64], natural: NaturalFrames, spectra: Spectra) -> Measured:
    """Of the chosen frames ``[feature, fragment]``; a feature that lacks one of them is undefined."""
    view, rate = natural.site.view, natural.sample_rate_hz
    margin = natural.site.hop // 2
    length = view + 2 * margin
    whole = np.flatnonzero((chosen >= 0).all(axis=1))
    found = np.full((5, len(chosen)), np.nan)
    bands = np.zeros(len(chosen), np.int64)
    step = max(1, AT_A_TIME // max(1, chosen.shape[1] * length))
    for begin in range(0, len(whole), step):
        rows = whole[begin : begin + step]
        index = chosen[rows]
        cut = natural.cut(index.ravel(), margin, length).reshape(*index.shape, length)
        aligned = align(cut, view)
        lifts, bands[rows] = lift(spectra.standing[index])
        coherence = spectral_coherence(spectra.amplitude[index][..., ::APART])
        found[:, rows] = waveform_coherence(gram(aligned)), lifts, coherence, *place(aligned, rate)
    waveform, lifts, coherence, centre, spread = found
    return Measured(waveform, lifts, bands, coherence, centre, spread)


def strength(directions: NDArray[np.floating], frames: NDArray[np.floating]) -> NDArray[np.float64]:
    """How much happens along directions: log of the frames' standard deviation along each, re all of it.

    Parameters
    ----------
    directions : ``[feature, unit]``, of any length
    frames : ``[frame, unit]``

    Returns
    -------
    ``[feature]``; NaN where there is no direction, or nothing happens along it
    """
    x = np.asarray(frames, dtype=np.float64) - frames.mean(axis=0, dtype=np.float64)
    covariance = x.T @ x / len(x)
    rows = np.asarray(directions, dtype=np.float64)
    along = np.einsum("fi,ij,fj->f", rows, covariance, rows)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = 0.5 * np.log(along / (rows**2).sum(axis=1) / np.trace(covariance))
    return np.where(np.isfinite(found), found, np.nan)
