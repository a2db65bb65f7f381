r"""The ceiling of a first convolution in closed form: what the best linear filters of k samples can report.

No training and no weights: the kernel's length, the sampling rate and the spectrum of music decide it. A linear
readout of a convolution, before its nonlinearity, is a filter of k taps, whatever the layer learned. Two
questions have an exact answer.

*How much of a band can a filter report?* The band's analytic signal z at the middle of the kernel is estimated
from its k samples x by the Wiener filter w = (R + d I)^-1 p, with R the covariance of the samples, p the
covariance of z with them, and d the power of dither at -86 dBFS (SPEC § 3). With the one-sided power spectrum
S of music at frequencies f_j and H the magnitude of the band's filter (a gammatone's, zero phase),

.. math:: R_{mn} = \sum_j S_j \cos(2\pi f_j (m-n)/f_s), \quad
          p_m = \tfrac12 \sum_j H_j S_j e^{2\pi i f_j (c-m)/f_s}, \quad
          \mathrm{E}|z|^2 = \tfrac12 \sum_j H_j^2 S_j

c the middle. Told is R^2 on other pieces than those that w is from. (Wiener 1949; the middle is the best place:
a filter that may look both ways is no worse than one that may not.)

*How specific can a filter be?* Specificity (SPEC § 4) is the share of a readout's response to partials, each at
its natural level, that comes from within 1.5 ERB of f. For a filter w it is w'A w / w'B w, where A gathers
partials near f, and B all of them, as integrals of (level) cos(2 pi g (m - n) / f_s) over ERB-rate. Its largest
value over all w is the largest eigenvalue of the pair (A, B). A plane answers with the energy of several such
filters, whose specificity is a mean of theirs, and does no better.

*could* where that bound reaches .8, which a verdict asks for; *cannot* where it does not: there no line and no
plane on k raw samples passes, and what is read at the layer comes from its nonlinearity or not at all.

Frequencies in Hz, the bands one ERB apart; levels as mean squares, full scale 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.encoders._contract import Encoder
from tonotopy.signal import erb
from tonotopy.signal.gammatone import DECAY_PER_ERB, ORDER
from tonotopy.signal.spectrum import power_spectrum
from tonotopy.sound.music import CONTEXT_DBFS, LEVEL_SEGMENT_S, SILENT_DBFS, MusicPool
from tonotopy.sound.structures.partial import range_erb
from tonotopy.sound.trials import DITHER_DBFS
from tonotopy.training.bands import centres_hz

#: Pieces whose spectra are averaged, at most: half of them for the filters, half for R².
PIECES = 24
#: Within so many ERB of f a partial counts as near, and what specificity must reach (SPEC § 4).
NEAR_ERB = 1.5
KAPPA = 0.8
#: Steps of the integrals over ERB-rate.
STEP_ERB = 0.05
#: Longest kernel: longer windows pass everywhere (SPEC § 4).
MOST_TAPS = 1024
#: Share of the mean eigenvalue below which a direction is rounding and not sound.
ROUNDING = 1e-11

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spectrum:
    """Average power spectrum of music, one-sided: its sum is the mean square."""

    frequency_hz: Floats = field(repr=False)  # [bin]
    power: Floats = field(repr=False)  # [bin]

    @staticmethod
    def of(pool: MusicPool) -> Spectrum:
        """The average over seconds of all pieces, each scaled to -26 dBFS RMS, as for L(f)."""
        n = int(LEVEL_SEGMENT_S * pool.sample_rate_hz)
        total, count = np.zeros(n // 2 + 1), 0
        for piece in pool.pieces:
            rows = piece.audio[: len(piece.audio) // n * n].reshape(-1, n).astype(np.float64)
            mean_square = np.mean(rows**2, axis=1)
            loud = mean_square > 10 ** (SILENT_DBFS / 10)
            scaled = rows[loud] * np.sqrt(10 ** (CONTEXT_DBFS / 10) / mean_square[loud])[:, None]
            if len(scaled):
                total += power_spectrum(scaled, pool.sample_rate_hz)[1].sum(axis=0)
                count += len(scaled)
        if not count:
            raise InputError(
                "music that sounds", f"{len(pool.pieces)} silent pieces", "empty or muted recordings"
            )
        frequency = np.asarray(np.fft.rfftfreq(n, 1 / pool.sample_rate_hz), np.float64)
        return Spectrum(frequency, total / count)

    def natural_level(self, frequency_hz: Floats) -> Floats:
        """Power in the 1-ERB band at each frequency: L(f) as a mean square."""
        cumulative = np.concatenate([[0.0], np.cumsum(self.power)])
        step, rates = self.frequency_hz[1], erb.rate(frequency_hz)
        low, high = (erb.frequency_hz(rates + d) / step + 0.5 for d in (-0.5, 0.5))
        place = np.arange(len(cumulative))
        return np.maximum(np.interp(high, place, cumulative) - np.interp(low, place, cumulative), 1e-12)


@dataclass(frozen=True)
class LinearCeiling:
    """What filters of one length can do, band by band; arrays are ``[band]``."""

    taps: int
    sample_rate_hz: int
    centre_hz: Floats = field(repr=False)
    r2: Floats = field(repr=False)  # of the analytic signal, on held-out pieces
    kappa: Floats = field(repr=False)  # the largest specificity of any filter of so many taps

    @property
    def could(self) -> NDArray[np.bool_]:
        """Whether a line or a plane on so many raw samples could pass."""
        return np.asarray(self.kappa >= KAPPA)

    def to_json(self) -> dict[str, Any]:
        """As plain values: one list a quantity, in the order of the bands."""
        return {
            "taps": self.taps,
            "centre_hz": self.centre_hz.tolist(),
            "r2": self.r2.tolist(),
            "kappa": self.kappa.tolist(),
            "verdict": ["could" if could else "cannot" for could in self.could],
            "sentence": self.sentence,
        }

    @property
    def sentence(self) -> str:
        """The finding in words."""
        n, able = len(self.centre_hz), int(self.could.sum())
        where = f", the lowest at {self.centre_hz[self.could][0]:,.0f} Hz" if able else ""
        return (
            f"{self.taps} samples at {self.sample_rate_hz / 1000:g} kHz, whatever filters are learned: "
            f"{able} of {n} bands can be told from the rest of the axis by a linear readout (κ of .8){where}; "
            f"R² of the band's signal reaches .9 in {int((self.r2 > 0.9).sum())}, its median is "
            f"{float(np.median(self.r2)):.2f}."
        )


def linear_ceiling(taps: int, sample_rate_hz: int, fitted: Spectrum, held_out: Spectrum) -> LinearCeiling:
    """The ceiling of a convolution of so many taps.

    Parameters
    ----------
    taps : length of the kernel, samples
    sample_rate_hz : of its input
    fitted : music that the filters are from
    held_out : other music, on which R² is told

    Raises
    ------
    InputError
        A kernel of no length, or longer than :data:`MOST_TAPS`.

    Examples
    --------
    >>> f = np.arange(0, 8001.0)
    >>> white = Spectrum(f, np.full(f.shape, 1e-6))
    >>> found = linear_ceiling(7, 16_000, white, white)
    >>> int(found.could.sum()), found.r2[::10].round(2).tolist()
    (3, [0.03, 0.1, 0.29, 0.63])
    """
    if not 1 <= taps <= MOST_TAPS:
        raise InputError(f"a kernel of 1 to {MOST_TAPS} samples", f"{taps}", "longer windows pass everywhere")
    centres = centres_hz(sample_rate_hz)
    return LinearCeiling(
        taps,
        sample_rate_hz,
        centres,
        explained_by_filters(taps, sample_rate_hz, centres, fitted, held_out),
        largest_specificity(taps, sample_rate_hz, centres, fitted),
    )


def linear_ceiling_of(encoder: Encoder, pool: MusicPool) -> LinearCeiling | None:
    """The same for an encoder's first convolution: filters from every other piece, R² on the rest.

    None where the encoder does not start with a convolution, or with one longer than :data:`MOST_TAPS`.
    """
    layer = encoder.first_layer()
    if layer is None or layer.filters.shape[1] > MOST_TAPS:
        return None
    if len(pool.pieces) < 2:
        raise InputError(
            "two pieces of music or more", f"{len(pool.pieces)}", "R² is told on held-out pieces"
        )
    parts = [Spectrum.of(MusicPool(pool.sample_rate_hz, pool.pieces[start::2])) for start in (0, 1)]
    return linear_ceiling(layer.filters.shape[1], encoder.sample_rate_hz, *parts)


def explained_by_filters(
    taps: int, sample_rate_hz: int, centre_hz: Floats, fitted: Spectrum, held_out: Spectrum
) -> Floats:
    """R² of each band's analytic signal from so many samples, on held-out music, ``[band]``."""
    R, p, _ = _moments(taps, sample_rate_hz, centre_hz, fitted)
    filters = np.linalg.solve(R.astype(np.complex128), p.T).T  # [band, tap]
    R_held, p_held, power = _moments(taps, sample_rate_hz, centre_hz, held_out)
    crossed = np.real(np.sum(filters.conj() * p_held, axis=1))
    estimated = np.real(np.einsum("bm,mn,bn->b", filters.conj(), R_held, filters))
    return np.asarray(1 - (power - 2 * crossed + estimated) / power)


def band_response(frequency_hz: Floats, centre_hz: Floats) -> Floats:
    """Magnitude of a gammatone filter at each frequency, ``[band, bin]``: (1 + ((f - f_c) / b)^2)^(-n/2)."""
    width = DECAY_PER_ERB * erb.bandwidth_hz(centre_hz)[:, None]
    return np.asarray((1 + ((frequency_hz - centre_hz[:, None]) / width) ** 2) ** (-ORDER / 2))


def _moments(
    taps: int, sample_rate_hz: int, centre_hz: Floats, music: Spectrum
) -> tuple[Floats, NDArray[np.complex128], Floats]:
    """Covariance of samples ``[tap, tap]``, of bands with samples ``[band, tap]``, power of bands ``[band]``."""
    turn = 2 * np.pi * music.frequency_hz / sample_rate_hz
    lags = np.cos(np.outer(np.arange(taps), turn)) @ music.power
    lags[0] += 10 ** (DITHER_DBFS / 10)
    response = band_response(music.frequency_hz, centre_hz)
    since = (taps - 1) / 2 - np.arange(taps)  # of each tap before the middle
    crossed = 0.5 * (response * music.power) @ np.exp(1j * np.outer(turn, since))
    covariance: Floats = scipy.linalg.toeplitz(lags)
    return covariance, np.asarray(crossed, np.complex128), 0.5 * response**2 @ music.power


def largest_specificity(taps: int, sample_rate_hz: int, centre_hz: Floats, music: Spectrum) -> Floats:
    """The largest specificity that any filter of so many taps has, ``[band]``.

    Examples
    --------
    >>> f = np.arange(0, 8001.0)
    >>> white = Spectrum(f, np.full(f.shape, 1e-6))
    >>> one = largest_specificity(1, 16_000, np.array([1000.0]), white)
    >>> bool(one < 0.1)
    True
    """
    low, high = range_erb(sample_rate_hz)
    rates = np.arange(low, high + STEP_ERB / 2, STEP_ERB)
    frequency = erb.frequency_hz(rates)
    turn = 2 * np.pi * frequency / sample_rate_hz
    waves = np.concatenate([np.cos(np.outer(turn, np.arange(taps))), np.sin(np.outer(turn, np.arange(taps)))])
    amplitude = np.sqrt(np.tile(music.natural_level(frequency) * STEP_ERB, 2))
    # With X the partials as rows, B = X'X and A = N'N, N its near rows: whiten once by the SVD of X.
    _, sizes, right = np.linalg.svd(waves * amplitude[:, None], full_matrices=False)
    heard = sizes**2 > ROUNDING * np.mean(sizes**2)
    whitened = (waves * amplitude[:, None]) @ (right[heard].T / sizes[heard])
    found = []
    for centre in erb.rate(centre_hz):
        near = whitened[np.tile(np.abs(rates - centre) <= NEAR_ERB, 2)]
        # Eigenvalues of whitened A are the squared singular values of its near rows.
        found.append(np.linalg.norm(near, 2) ** 2 if len(near) else np.nan)
    return np.minimum(np.array(found), 1.0)
