r"""The analysis window and what is known of it beforehand: its transform, and how it reads a sine.

The window is a sum of three cosines, :math:`w(u) = \sum_m c_m \cos 2\pi m u` for :math:`|u| \le 1/2` of its
length (Nuttall 1981, three terms with a continuous first derivative): side lobes 64 dB down, falling by 18 dB
an octave, and a main lobe of three bins on either side. It is *periodic* and centred on sample N/2, so that
the transform of a sine about its own centre is real: a peak's phase is the phase of the sine at the centre.

A parabola through the logarithms of three bins finds the peak of a Gaussian exactly and that of this window to
0.006 bin. The error depends on the offset alone, so that an odd polynomial, fitted once to the window's own
transform, takes it away (to :math:`10^{-6}` bin). A frequency that moves within the window by s bins lowers
the peak and turns its phase by amounts that depend on s and the offset alone: `sweep`.

Sources: A. H. Nuttall, IEEE Trans. ASSP 29, 84-91 (1981). The parabola: J. O. Smith and X. Serra, PARSHL,
ICMC (1987). Bias as a function of the window, known beforehand: M. Abe and J. O. Smith, ICASSP (2005), who
read the slope from the curvature of the phase; here it is taken from the track.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

Floats = NDArray[np.float64]
Complex = NDArray[np.complexfloating]

COSINES = (0.40897, 0.5, 0.09103)
"""Coefficients of Nuttall's window."""

MAIN_LOBE = 3
"""Half width of the main lobe in bins."""

SIDE_LOBE_DB = 64.0
"""How far the highest side lobe lies below the main lobe."""

LARGEST_SLOPE = 10.0
"""Bins per window: the steepest slope that is corrected for; a steeper one is corrected as this."""

LARGEST_OFFSET = 0.55
"""Bins: a peak lies at most half a bin from its highest bin, but for noise."""

_SLOPES, _OFFSETS = 101, 23
_GRID = 1024  # samples of the window from which its properties are computed: they do not depend on the rate


@lru_cache(maxsize=16)
def window(size: int) -> Floats:
    """The window ``[time]``, its maximum at sample ``size // 2``; read only, as it is shared."""
    turn = 2 * np.pi * (np.arange(size) - size // 2) / size
    shape = np.asarray(sum(c * np.cos(m * turn) for m, c in enumerate(COSINES)))
    shape.setflags(write=False)
    return shape


@dataclass(frozen=True)
class Reading:
    """How to read a peak: polynomials in the parabola's offset, tables over the slope."""

    offset: Floats
    """Odd powers 1, 3, 5, 7 of the parabola's offset give the true one, in bins."""
    level: Floats
    """Even powers 0, 2, ... 8 of the true offset give the window's transform there, 1 at the top."""
    slope_gain: Floats
    """Height ``[slope, offset]`` of the spectrum of a sine that sweeps so many bins during the window, over its
    height without; slopes from 0 to `LARGEST_SLOPE`, offsets from 0 to `LARGEST_OFFSET`."""
    slope_turn: Floats
    """The phase of that spectrum in radians, likewise."""
    step_delay: float
    """Delay, in windows, that `delay` reads from a sine that begins at the centre."""


def delay(before: Complex, top: Complex, after: Complex) -> Floats:
    """Where the energy of a peak lies, in windows from the centre, from its highest bin and those beside it.

    Minus the slope of the phase over frequency: the reassigned time of K. Kodera et al. (1978), with
    differences from bin to bin for the derivative. Phases count from the centre of the window.
    """
    return np.asarray(-np.angle(top * np.conj(before) + after * np.conj(top)) / (2 * np.pi))


@lru_cache(maxsize=1)
def reading() -> Reading:
    """The properties of the window."""
    shape, u = window(_GRID), (np.arange(_GRID) - _GRID // 2) / _GRID
    shape = shape / shape.sum()

    def transform(bins: Floats) -> Floats:
        return np.asarray(np.cos(2 * np.pi * np.outer(bins, u)) @ shape)

    true = np.linspace(-LARGEST_OFFSET, LARGEST_OFFSET, 111)
    logs = [np.log(transform(j - true)) for j in (-1, 0, 1)]
    found = parabola(*logs)
    odd = np.linalg.lstsq(np.stack([found**p for p in (1, 3, 5, 7)], 1), true, rcond=None)[0]
    even = np.linalg.lstsq(np.stack([true**p for p in (0, 2, 4, 6, 8)], 1), transform(true), rcond=None)[0]
    grid = np.linspace(0.0, LARGEST_OFFSET, _OFFSETS)
    turning = np.exp(1j * np.pi * np.outer(np.linspace(0.0, LARGEST_SLOPE, _SLOPES), u**2))
    swept = (turning * shape) @ np.exp(2j * np.pi * np.outer(u, grid))
    half = np.exp(-2j * np.pi * np.outer([-1.0, 0.0, 1.0], u)) @ (shape * ((u > 0) + 0.5 * (u == 0)))
    return Reading(
        odd.astype(np.float64),
        even.astype(np.float64),
        np.abs(swept) / transform(grid),
        np.angle(swept),
        float(delay(*half)),
    )


def sweep(bins: Floats, offset: Floats) -> tuple[Floats, Floats]:
    """Gain and turn of peaks whose frequency moves by so many bins during the window."""
    known = reading()
    place = np.stack(
        [
            np.minimum(np.abs(bins) / LARGEST_SLOPE, 1.0) * (_SLOPES - 1),
            np.minimum(np.abs(offset) / LARGEST_OFFSET, 1.0) * (_OFFSETS - 1),
        ]
    )
    gain, turn = (map_coordinates(t, place, order=1) for t in (known.slope_gain, known.slope_turn))
    return gain, np.sign(bins) * turn


def parabola(before: Floats, top: Floats, after: Floats) -> Floats:
    """Offset of the vertex of the parabola through three points one apart, from the middle one."""
    return np.asarray(0.5 * (before - after) / (before - 2 * top + after))
