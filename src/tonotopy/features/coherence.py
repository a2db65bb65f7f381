"""Whether fragments look alike, as waveforms and as spectra (SPEC § 5).

*Waveform coherence*: fragments are as long as the view, shifted by at most half a hop each way so that they fit,
scaled to unit norm; coherence is the energy share of their first singular component. n unrelated fragments of
a long view have about 1/n; fragments of a view of few samples cohere whatever they are of.

*Spectral coherence*: mean pairwise cosine of amplitudes in 1-ERB bands, over a window that resolves partials.

Neither says anything without the coherence of fragments chosen in the same way by directions that mean nothing
(`stability`).
"""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from tonotopy.signal import erb
from tonotopy.signal.spectrum import band_power

#: Rounds of alignment: each fits the fragments to what the last made of them.
ROUNDS = 4
#: Bands of the spectra begin here, Hz.
BOTTOM_HZ = 40.0
#: Fragments below this norm are silence and are left out.
SILENT = 1e-8
#: Fewer fragments than this are not compared.
LEAST_FRAGMENTS = 6


def align(fragments: NDArray[np.floating], view: int) -> NDArray[np.float64]:
    """Unit-norm fragments ``[fragment, view]``, shifted within their margins to fit each other.

    Parameters
    ----------
    fragments : ``[fragment, view + 2 margin]``; each may move by the margin either way. Silent ones are left out.
    """
    x = np.asarray(fragments, dtype=np.float64)
    x = x[np.linalg.norm(x, axis=1) > SILENT]
    margin = (x.shape[1] - view) // 2
    if not margin or len(x) < 2:
        return _unit(_shifted(x, np.full(len(x), margin), view))
    n = scipy.fft.next_fast_len(x.shape[1], real=True)
    spectrum = scipy.fft.rfft(x, n)
    energy = np.cumsum(np.pad(x**2, ((0, 0), (1, 0))), axis=1)
    norm = np.sqrt(np.maximum(energy[:, view:] - energy[:, :-view], SILENT**2))
    best, share = x[:, :view], -1.0
    # From the start, the middle and the end of what the first fragment may be: each finds the fit nearest to it.
    for begin in (0, margin, 2 * margin):
        template = _unit(x[:1, begin : begin + view])[0]
        for _ in range(ROUNDS):
            across = scipy.fft.irfft(spectrum * np.conj(scipy.fft.rfft(template, n)), n)
            # Either sign: a component does not know of it.
            shift = np.abs(across[:, : 2 * margin + 1] / norm).argmax(axis=1)
            found = _unit(_shifted(x, shift, view))
            values, vectors = np.linalg.eigh(found @ found.T)
            template = vectors[:, -1] @ found
        if values[-1] > share:
            best, share = found, values[-1]
    return best


def _shifted(x: NDArray[np.float64], shift: NDArray[np.int64], view: int) -> NDArray[np.float64]:
    return np.asarray(x[np.arange(len(x))[:, None], shift[:, None] + np.arange(view)])


def _unit(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), SILENT))


def waveform_coherence(aligned: NDArray[np.float64]) -> float:
    """Energy share of the first singular component of unit-norm fragments ``[fragment, time]``; 1/n to 1.

    NaN where there are fewer than :data:`LEAST_FRAGMENTS`.

    Examples
    --------
    >>> same = np.tile([0.6, 0.8], (6, 1))
    >>> round(waveform_coherence(same), 3)
    1.0
    """
    if len(aligned) < LEAST_FRAGMENTS:
        return float("nan")
    shares = np.linalg.eigvalsh(aligned @ aligned.T)
    return float(shares[-1] / shares.sum())


def spectral_coherence(windows: NDArray[np.floating], sample_rate_hz: int) -> float:
    """Mean pairwise cosine of the band amplitudes of windows ``[fragment, time]``; 0 to 1, NaN as above."""
    top = float(erb.rate(0.49 * sample_rate_hz))
    centres = np.asarray(erb.frequency_hz(np.arange(float(erb.rate(BOTTOM_HZ)), top, 1.0)))
    amplitude = np.sqrt(np.maximum(band_power(np.asarray(windows), sample_rate_hz, centres), 0.0))
    amplitude = amplitude[np.linalg.norm(amplitude, axis=1) > SILENT]
    n = len(amplitude)
    if n < LEAST_FRAGMENTS:
        return float("nan")
    sums = _unit(amplitude).sum(axis=0)
    return float((sums @ sums - n) / (n * (n - 1)))


def place(aligned: NDArray[np.float64], sample_rate_hz: int) -> tuple[float, float]:
    """Where fragments' energy lies: centre and spread of their mean spectrum, ERB-rate numbers."""
    if not len(aligned):
        return float("nan"), float("nan")
    n = max(1024, aligned.shape[1])
    power = (np.abs(scipy.fft.rfft(aligned, n)) ** 2).mean(axis=0)
    power /= power.sum()
    rates = np.asarray(erb.rate(scipy.fft.rfftfreq(n, 1 / sample_rate_hz)))
    centre = float(power @ rates)
    return centre, float(np.sqrt(power @ (rates - centre) ** 2))
