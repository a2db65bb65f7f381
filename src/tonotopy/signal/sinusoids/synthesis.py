r"""From tracks to sound: oscillators whose phase is a cubic between frames and whose amplitude is linear.

Between two frames a hop of :math:`T` samples apart, with phases :math:`\theta_0, \theta_1` and frequencies
:math:`\omega_0, \omega_1` in radians a sample,

.. math:: \theta(t) = \theta_0 + \omega_0 t + \Bigl(\frac{\omega_1 - \omega_0}{2 T} + \frac{3 e}{T^2}\Bigr) t^2
          - \frac{2 e}{T^3} t^3

meets all four, where :math:`e = \theta_1 + 2\pi M - \theta_0 - T(\omega_0 + \omega_1)/2` and the whole number M
makes e smallest: the smoothest of such cubics. A track fades in over the hop before its first frame and out over
the hop after its last, at a fixed frequency, as McAulay and Quatieri do; one that is there in the first or last
frame of the sound is held to the sound's end instead.

Source: R. J. McAulay and T. F. Quatieri, IEEE Trans. ASSP 34, 744-754 (1986). Their M (equation 36) is this one;
the coefficients are theirs with e put in, which shows that a frequency linear in time has no cubic term.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonotopy.core.errors import InputError
from tonotopy.signal.sinusoids.tracks import Tracks

Floats = NDArray[np.float64]

_CHUNK = 1 << 17  # samples of single oscillators computed at a time: they fit the processor's cache


def cubic(start: Floats, end: Floats, first: Floats, second: Floats, length: float | Floats) -> Floats:
    """Coefficients ``[segment, 4]`` of the phase in radians over t in samples.

    ``start`` and ``end`` are phases, ``first`` and ``second`` frequencies in radians a sample.
    """
    rise = second - first
    miss = end - start - 0.5 * length * (first + second)
    miss = miss - 2 * np.pi * np.rint(miss / (2 * np.pi))
    bend = 0.5 * rise / length + 3 * miss / length**2
    return np.stack([start, first, bend, -2 * miss / length**3], axis=-1)


def synthesise(tracks: Tracks) -> Floats:
    """Sound ``[time]`` of all tracks, ``n_samples`` long.

    Examples
    --------
    >>> from tonotopy.signal.sinusoids import analyse
    >>> sound = 0.5 * np.sin(2 * np.pi * 440.0 * np.arange(24000) / 24000)
    >>> again = synthesise(analyse(sound, 24000))
    >>> bool(np.abs(again - sound)[4800:-4800].max() < 1e-6)
    True
    """
    hop, n_frames = tracks.hop, tracks.n_frames
    if not len(tracks):
        return np.zeros(tracks.n_samples)
    begin, phase, level = _segments(tracks)
    order = np.argsort(begin, kind="stable")
    begin, phase, level = begin[order], phase[order], level[order]
    time = np.arange(hop, dtype=np.float64)
    powers = np.stack([time**p for p in range(4)]) / (2 * np.pi)
    ramp = (time / hop).astype(np.float32)
    # Segment k reaches from frame k to frame k + 1; the first is -1, which only a fade-in would fill.
    sound = np.zeros((n_frames + 1, hop))
    step = max(1, _CHUNK // hop)
    for one in range(0, len(begin), step):
        rows = slice(one, one + step)
        turns = phase[rows] @ powers
        # Whole turns are taken off in double precision, so that single precision is enough for the sine.
        turns -= np.rint(turns)
        sines = np.sin(np.float32(2 * np.pi) * turns.astype(np.float32))
        low, high = level[rows, 0, None], level[rows, 1, None]
        sines *= low + (high - low) * ramp
        first = np.flatnonzero(np.diff(begin[rows], prepend=-2))
        sound[begin[rows][first] + 1] += np.add.reduceat(sines, first, axis=0, dtype=np.float64)
    return sound[1:].ravel()[: tracks.n_samples].copy()


def _segments(tracks: Tracks) -> tuple[NDArray[np.int64], Floats, NDArray[np.float32]]:
    """Of each stretch of one hop: the frame it begins at, its phase ``[segment, 4]``, levels at its ends."""
    hop = tracks.hop
    turn = 2 * np.pi / tracks.sample_rate_hz * tracks.frequency_hz
    edges = tracks.first_row
    heads, tails = edges[:-1], edges[1:] - 1
    inner = np.setdiff1d(np.arange(len(tracks)), tails, assume_unique=True)
    phase, level = tracks.phase_rad, tracks.amplitude
    zero = np.zeros(len(heads))
    held = tracks.frame[tails] == tracks.n_frames - 1
    begin = np.concatenate([tracks.frame[inner], tracks.frame[heads] - 1, tracks.frame[tails]])
    curves = np.concatenate(
        [
            cubic(phase[inner], phase[inner + 1], turn[inner], turn[inner + 1], hop),
            np.stack([phase[heads] - hop * turn[heads], turn[heads], zero, zero], axis=-1),
            np.stack([phase[tails], turn[tails], zero, zero], axis=-1),
        ]
    )
    levels = np.concatenate(
        [
            np.stack([level[inner], level[inner + 1]], axis=-1),
            np.stack([zero, level[heads]], axis=-1),
            np.stack([level[tails], np.where(held, level[tails], 0.0)], axis=-1),
        ]
    )
    return begin, curves, levels.astype(np.float32)


def residual(audio: ArrayLike, tracks: Tracks) -> Floats:
    """What the tracks leave of the sound they were found in: ``[time]``, sound minus `synthesise`.

    Raises
    ------
    InputError
        For a sound of another length.
    """
    samples = np.asarray(audio, np.float64)
    if samples.shape != (tracks.n_samples,):
        raise InputError(f"the {tracks.n_samples} samples of the tracks' sound", f"shape {samples.shape}")
    return np.asarray(samples - synthesise(tracks))
