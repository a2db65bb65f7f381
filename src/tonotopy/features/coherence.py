"""Whether the fragments that features choose look alike as waveforms, and where on the frequency axis they lie.

*Waveform coherence* (SPEC § 5): fragments are as long as the view, shifted by at most half a hop each way so that they
fit, scaled to unit norm; coherence is the energy share of their first singular component. n unrelated fragments of
a long view have about 1/n; fragments of a view of few samples cohere whatever they are of.

It says nothing without the coherence of fragments chosen in the same way by directions that mean nothing
(`stability`). All functions work on many features at once; a fragment that is missing or silent is a row of
zeros and does not count.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tonotopy.signal import erb

#: Rounds of alignment: each fits the fragments to what the last made of them.
ROUNDS = 4
#: Samples in the middle of the view on which the fit is sought. The coherence is of the whole view.
ALIGNED = 4096
#: Fragments below this norm are silence and do not count.
SILENT = 1e-8
#: Spectra are taken over so many samples at least.
LEAST_SPECTRUM = 1024
#: Fewer fragments than this are not compared.
LEAST_FRAGMENTS = 6


def align(fragments: NDArray[np.floating], view: int) -> NDArray[np.float32]:
    """Unit-norm fragments ``[feature, fragment, view]``, shifted within their margins to fit each other.

    Those of one feature are fitted to a template from the start, the middle and the end of what its first
    fragment may be; the best of the three is refined until nothing moves, at most :data:`ROUNDS` times. Fits
    are sought in the middle :data:`ALIGNED` samples (of SPEC's view-long fragments; longer ones are moved whole).

    Parameters
    ----------
    fragments : ``[feature, fragment, view + 2 margin]``; each may move by the margin either way
    view : samples of a fragment
    """
    x = np.ascontiguousarray(fragments, dtype=np.float32)
    margin = (x.shape[-1] - view) // 2
    shift = np.full(x.shape[:2], margin)
    if margin and x.size:
        skip = max(0, view - ALIGNED) // 2
        shift = _Fit(x[..., skip : x.shape[-1] - skip], margin).shifts()
    return _unit(_shifted(x, shift, view))


class _Fit:
    """Shifts at which the fragments of each feature fit each other, ``[feature, fragment]``."""

    def __init__(self, x: NDArray[np.float32], margin: int) -> None:
        self.x, self.margin = x, margin
        self.view = x.shape[-1] - 2 * margin
        self.n = scipy.fft.next_fast_len(x.shape[-1], real=True)
        self.spectrum = scipy.fft.rfft(x, self.n)
        energy = np.cumsum(np.pad(x.astype(np.float64) ** 2, ((0, 0), (0, 0), (1, 0))), axis=-1)
        norm = np.sqrt(np.maximum(energy[..., self.view :] - energy[..., : -self.view], SILENT**2))
        self.norm = norm.astype(np.float32)

    def shifts(self) -> NDArray[np.int64]:
        """Of the best of three starts."""
        first = (np.abs(self.x).max(axis=-1) > SILENT).argmax(axis=1)
        start = self.x[np.arange(len(self.x)), first]
        everyone = np.arange(len(self.x))
        best = np.full(len(self.x), -1.0)
        template = np.zeros((len(self.x), self.view), np.float32)
        shift = np.full(self.x.shape[:2], self.margin)
        for begin in (0, self.margin, 2 * self.margin):
            found = self._round(_unit(start[:, begin : begin + self.view]), everyone)
            better = found[0] > best
            best[better], shift[better], template[better] = (part[better] for part in found)
        moving = everyone
        for _ in range(ROUNDS):
            _, now, template[moving] = self._round(template[moving], moving)
            moved = (now != shift[moving]).any(axis=1)
            shift[moving] = now
            moving = moving[moved]
            if not len(moving):
                break
        return shift

    def _round(
        self, template: NDArray[np.float32], rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float32]]:
        """Largest eigenvalue, shifts, and the next template, after fitting to a template each."""
        towards = np.conj(scipy.fft.rfft(template, self.n))[:, None]
        across = scipy.fft.irfft(self.spectrum[rows] * towards, self.n)[..., : 2 * self.margin + 1]
        # Either sign: a component does not know of it.
        shift = np.abs(across / self.norm[rows]).argmax(axis=-1)
        found = _unit(_shifted(self.x[rows], shift, self.view))
        values, vectors = np.linalg.eigh(gram(found))
        following = np.matmul(vectors[:, None, :, -1].astype(np.float32), found)[:, 0]
        return values[:, -1], shift, following


def _shifted(x: NDArray[np.float32], shift: NDArray[np.int64], view: int) -> NDArray[np.float32]:
    feature, fragment = np.ogrid[: x.shape[0], : x.shape[1]]
    return np.asarray(sliding_window_view(x, view, axis=-1)[feature, fragment, shift])


def _unit(x: NDArray[np.float32]) -> NDArray[np.float32]:
    norm = np.linalg.norm(x, axis=-1, keepdims=True)
    return np.where(norm > SILENT, x / np.maximum(norm, SILENT), np.float32(0))


def gram(aligned: NDArray[np.floating]) -> NDArray[np.float64]:
    """Products of fragments with each other, ``[..., fragment, fragment]``, of ``[..., fragment, time]``."""
    return np.asarray(np.matmul(aligned, np.swapaxes(aligned, -1, -2)), dtype=np.float64)


def waveform_coherence(products: NDArray[np.floating]) -> NDArray[np.float64] | Any:
    """Energy share of the first singular component of unit-norm fragments, 1/n to 1.

    Parameters
    ----------
    products : of the fragments with each other, ``[..., fragment, fragment]`` (:func:`gram`)

    Returns
    -------
    ``[...]``; NaN where there are fewer than :data:`LEAST_FRAGMENTS`

    Examples
    --------
    >>> same = np.tile([0.6, 0.8], (6, 1))
    >>> round(float(waveform_coherence(gram(same))), 3)
    1.0
    """
    count = np.trace(products, axis1=-2, axis2=-1)
    shares = np.linalg.eigvalsh(products)[..., -1] / np.maximum(count, 1)
    return np.where(np.round(count) >= LEAST_FRAGMENTS, shares, np.nan)


def place(
    aligned: NDArray[np.floating], sample_rate_hz: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where fragments' energy lies: centre and spread of their mean spectrum, ERB-rate numbers, ``[feature]``."""
    n = scipy.fft.next_fast_len(max(LEAST_SPECTRUM, aligned.shape[-1]), real=True)
    power = (np.abs(scipy.fft.rfft(aligned, n)) ** 2).mean(axis=-2, dtype=np.float64)
    total = power.sum(axis=-1)
    rates = np.asarray(erb.rate(scipy.fft.rfftfreq(n, 1 / sample_rate_hz)))
    with np.errstate(invalid="ignore"):
        centre = np.where(total > 0, power @ rates / total, np.nan)
        square = np.where(total > 0, power @ rates**2 / total, np.nan)
    return centre, np.sqrt(np.maximum(square - centre**2, 0.0))
