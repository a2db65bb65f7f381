"""Whether the moments that a feature chooses have a spectrum in common: as SPEC § 5 asks, and tuned.

*Spectral coherence* (SPEC § 5): the mean pairwise cosine of amplitudes in 1-ERB bands, over the view or 46 ms. It does
not see a feature that is tuned to one band: the rest of the music is in the window as well, most of it bass, and the
coherence of a cochlea's channels is that of random mixtures of them.

*Lift*: how far one band stands out, at the feature's moments, from how it usually is in the same piece. The power in
each band is ranked among the frames of its piece, as a normal score (0 is its median, 1.6 its upper twentieth); the
mean over bands, which is level, is taken from each frame, and what is left is ranked again. The lift of a feature is
the largest over bands of the mean score over its moments. Bands lie half an ERB apart: a whole ERB apart, a channel
that falls between two of them is missed. Ranks, because levels in dB have a long tail towards silence and little
room upwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from tonotopy.features.coherence import LEAST_FRAGMENTS, SILENT
from tonotopy.recording.natural import NaturalFrames
from tonotopy.signal import erb
from tonotopy.signal.spectrum import band_power

#: Spectra are taken over so many seconds, or over the view where it is longer.
WINDOW_S = 0.046
#: Bands begin here, Hz, end at this share of the sampling rate, and lie so far apart, ERB.
BOTTOM_HZ = 40.0
TOP_SHARE = 0.49
SPACING_ERB = 0.5
#: Every so many-eth band is an ERB from the next, so that they do not overlap.
APART = round(1 / SPACING_ERB)
#: Frames whose spectra are taken at a time.
AT_A_TIME = 512


@dataclass(frozen=True)
class Spectra:
    """Spectra of the sound around each frame."""

    band_hz: NDArray[np.float64]  # [band], centres of 1-ERB bands, half an ERB apart
    amplitude: NDArray[np.float32] = field(repr=False)  # [frame, band]
    standing: NDArray[np.float32] = field(
        repr=False
    )  # [frame, band], normal score within the piece, less level


def spectra_of(natural: NaturalFrames) -> Spectra:
    """Spectra around all frames of a site."""
    rate, view = natural.sample_rate_hz, natural.site.view
    window = max(view, round(WINDOW_S * rate))
    rates = np.arange(float(erb.rate(BOTTOM_HZ)), float(erb.rate(TOP_SHARE * rate)), SPACING_ERB)
    band_hz = np.asarray(erb.frequency_hz(rates))
    power = np.zeros((len(natural.frames), len(band_hz)), np.float32)
    for begin in range(0, len(power), AT_A_TIME):
        rows = np.arange(begin, min(begin + AT_A_TIME, len(power)))
        power[rows] = band_power(natural.cut(rows, (window - view) // 2, window), rate, band_hz)
    return Spectra(band_hz, np.sqrt(np.maximum(power, 0.0)), standing(power, natural.piece))


def standing(power: NDArray[np.floating], piece: NDArray[np.int64]) -> NDArray[np.float32]:
    """How each band stands within its piece, less level: normal scores ``[frame, band]``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> power = rng.uniform(1, 2, (100, 8))
    >>> power[7, 3] *= 100  # one band of one frame
    >>> scores = standing(power, np.zeros(100, np.int64))
    >>> int(scores[7].argmax()), round(float(scores[7, 3]), 1)
    (3, 2.6)
    """
    found = np.zeros(power.shape, np.float32)
    for number in np.unique(piece):
        rows = piece == number
        usual = _scores(power[rows])
        found[rows] = _scores(usual - usual.mean(axis=1, keepdims=True))
    return found


def _scores(values: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(norm.ppf((rankdata(values, axis=0) - 0.5) / len(values)))


def spectral_coherence(amplitude: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean pairwise cosine of spectra ``[..., fragment, band]``, 0 to 1; silent ones do not count.

    Returns
    -------
    ``[...]``; NaN where there are fewer than :data:`~tonotopy.features.coherence.LEAST_FRAGMENTS`
    """
    x = np.asarray(amplitude, dtype=np.float64)
    length = np.linalg.norm(x, axis=-1, keepdims=True)
    count = (length[..., 0] > SILENT).sum(axis=-1)
    sums = np.where(length > SILENT, x / np.maximum(length, SILENT), 0.0).sum(axis=-2)
    pairs = np.maximum(count * (count - 1), 1)
    return np.where(count >= LEAST_FRAGMENTS, ((sums**2).sum(axis=-1) - count) / pairs, np.nan)


def lift(scores: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Largest mean score over bands, and the band, each ``[feature]``, of ``[feature, fragment, band]``."""
    mean = scores.mean(axis=1, dtype=np.float64)
    return mean.max(axis=1), mean.argmax(axis=1)
