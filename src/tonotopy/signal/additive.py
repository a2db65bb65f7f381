r"""Additive synthesis: sound of which every partial is known at every instant.

A partial that starts at time :math:`t_0` is, with :math:`\tau = t - t_0`,

.. math:: a\,r(\tau)\,e^{-d\tau} f(t) \sin\bigl(2\pi f_p\,u(\tau) + \phi\bigr), \quad
          u(\tau) = \tau + \frac{\delta}{2\pi v}\bigl(\cos\psi - \cos(2\pi v\tau + \psi)\bigr)

with rise r (raised cosine over ``attack_s``), decay d, fall f (raised cosine over ``release_s`` from the
offset on, exactly zero after it), and vibrato of rate v, relative depth :math:`\delta` and phase
:math:`\psi`, so that the instantaneous frequency is :math:`f_p(1 + \delta\sin(2\pi v\tau + \psi))`.
Everything is a closed form of t: there is no state, so any stretch can be rendered at any rate and equals
that stretch of the whole.

Conventions: seconds from the start of the piece, Hz, radians, linear amplitude with full scale 1. Sample
``n`` stands at ``n / sample_rate_hz``. A partial that goes above `BAND_LIMIT` of the rate is left out.

Offers `Partials` (a table of them), `PartialTrack` (one) and `render_partials`. Notes of
instruments are made by `tonotopy.signal.instruments`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonotopy.core.errors import InputError

BAND_LIMIT = 0.45
"""Highest frequency rendered, as a part of the sample rate: leaves a band for an encoder's own filter."""

_SHARED = ("onset_s", "offset_s", "attack_s", "release_s", "vibrato_hz", "vibrato_depth", "vibrato_phase_rad")
_TILE = 2048

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PartialTrack:
    """One partial from its onset to the end of its release."""

    onset_s: float
    offset_s: float
    frequency_hz: float
    amplitude: float
    phase_rad: float
    attack_s: float
    release_s: float
    decay_per_s: float
    vibrato_hz: float
    vibrato_depth: float
    vibrato_phase_rad: float
    voice: int
    note: int
    number: int

    @property
    def end_s(self) -> float:
        """When the release is over and the amplitude is zero for good."""
        return self.offset_s + self.release_s

    def amplitude_at(self, time_s: ArrayLike) -> Floats:
        """Amplitude at given times; zero outside the partial's life."""
        time = np.asarray(time_s, np.float64)
        since = time - self.onset_s
        alive = (since >= 0) & (time < self.end_s)
        decayed = np.exp(-self.decay_per_s * np.where(alive, since, 0.0))
        rise = _rise(since, self.attack_s) * _rise(self.end_s - time, self.release_s)
        return np.where(alive, self.amplitude * decayed * rise, 0.0)

    def frequency_at(self, time_s: ArrayLike) -> Floats:
        """Instantaneous frequency in Hz, the derivative of the phase."""
        turn = 2 * np.pi * self.vibrato_hz * (np.asarray(time_s, np.float64) - self.onset_s)
        return self.frequency_hz * (1 + self.vibrato_depth * np.sin(turn + self.vibrato_phase_rad))

    def phase_at(self, time_s: ArrayLike) -> Floats:
        """Unwrapped phase in radians of the sine."""
        since = np.asarray(time_s, np.float64) - self.onset_s
        warped = _warp(since, self.vibrato_hz, self.vibrato_depth, self.vibrato_phase_rad)
        return 2 * np.pi * self.frequency_hz * warped + self.phase_rad


@dataclass(frozen=True)
class Partials:
    """A table of partials: one array ``[partial]`` for each field of `PartialTrack`."""

    onset_s: Floats
    offset_s: Floats
    frequency_hz: Floats
    amplitude: Floats
    phase_rad: Floats
    attack_s: Floats
    release_s: Floats
    decay_per_s: Floats
    vibrato_hz: Floats
    vibrato_depth: Floats
    vibrato_phase_rad: Floats
    voice: NDArray[np.int64]
    note: NDArray[np.int64]
    number: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.onset_s)

    def __getitem__(self, index: int) -> PartialTrack:
        return PartialTrack(*(getattr(self, field.name)[index].item() for field in fields(self)))

    def __iter__(self) -> Iterator[PartialTrack]:
        return (self[index] for index in range(len(self)))

    @property
    def end_s(self) -> Floats:
        """When each partial is over."""
        return self.offset_s + self.release_s

    def where(self, chosen: NDArray[np.bool_]) -> Partials:
        """The rows for which ``chosen`` holds."""
        return Partials(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def rendered_at(self, sample_rate_hz: float) -> Partials:
        """The rows that are rendered at a rate: those that never go above `BAND_LIMIT` of it."""
        highest = self.frequency_hz * (1 + np.abs(self.vibrato_depth))
        return self.where(highest <= BAND_LIMIT * sample_rate_hz)


def join(tables: Sequence[Partials]) -> Partials:
    """One table from several, in their order."""
    return Partials(*(np.concatenate([getattr(t, field.name) for t in tables]) for field in fields(Partials)))


def render_partials(
    partials: Partials, sample_rate_hz: int, n_samples: int, *, start_sample: int = 0
) -> NDArray[np.float32]:
    """Samples ``[time]`` from ``start_sample`` on: the sum of all partials below `BAND_LIMIT` of the rate.

    Examples
    --------
    >>> from tonotopy.signal.instruments import INSTRUMENTS
    >>> note = INSTRUMENTS["flute"].note(440.0, 0.0, 0.5, level=0.1, rng=np.random.default_rng(0))
    >>> render_partials(note, 16000, 8000).shape
    (8000,)
    """
    if sample_rate_hz < 1 or n_samples < 0:
        raise InputError("a positive rate and a count from 0", f"{sample_rate_hz} Hz, {n_samples} samples")
    kept = partials.rendered_at(sample_rate_hz)
    sound = np.zeros(n_samples)
    for rows in _runs(kept):
        # A run is always rendered whole, then cut, and runs are added in a fixed order: bit for bit the same
        # sample, whatever the stretch.
        begin = int(np.ceil(kept.onset_s[rows.start] * sample_rate_hz))
        end = int(np.ceil(kept.end_s[rows.start] * sample_rate_hz))
        low, high = max(begin, start_sample), min(end, start_sample + n_samples)
        if low < high:
            run = _render_run(kept, rows, sample_rate_hz, begin, end)
            sound[low - start_sample : high - start_sample] += run[low - begin : high - begin]
    return sound.astype(np.float32)


def _runs(partials: Partials) -> list[slice]:
    """Stretches of consecutive rows that share onset, offset, rise, fall and vibrato."""
    if not len(partials):
        return []
    keys = np.stack([getattr(partials, name) for name in _SHARED])
    cuts = np.flatnonzero(np.any(keys[:, 1:] != keys[:, :-1], axis=0)) + 1
    edges = [0, *cuts.tolist(), len(partials)]
    return [slice(a, b) for a, b in pairwise(edges)]


def _render_run(partials: Partials, rows: slice, rate: int, begin: int, end: int) -> Floats:
    """The whole life of a run, from sample ``begin`` to ``end``."""
    first = partials[rows.start]
    time = np.arange(begin, end) / rate
    since = time - first.onset_s
    still = first.vibrato_depth == 0.0
    sound = (_steady if still else _moving)(partials, rows, since, rate)
    rising, falling = since < first.attack_s, time > first.offset_s
    sound[rising] *= _rise(since[rising], first.attack_s)
    sound[falling] *= _rise(first.end_s - time[falling], first.release_s)
    return sound


def _steady(partials: Partials, rows: slice, since: Floats, rate: int) -> Floats:
    """Sum of decaying sines of fixed frequency as one matrix product.

    With s = -d + 2 pi i f, exp(s (x + y)) = exp(s x) exp(s y): over a time cut into blocks, the sum over
    partials is the product of a matrix over blocks with one over the samples of a block.
    """
    size = 256
    blocks = -(-len(since) // size)
    rate_of_change = -partials.decay_per_s[rows] + 2j * np.pi * partials.frequency_hz[rows]
    start = partials.amplitude[rows] * np.exp(1j * partials.phase_rad[rows])
    coarse = start * np.exp(np.outer(since[0] + np.arange(blocks) * size / rate, rate_of_change))
    fine = np.exp(np.outer(rate_of_change, np.arange(size) / rate))
    product = np.hstack([coarse.real, coarse.imag]) @ np.vstack([fine.imag, fine.real])
    return np.asarray(product.ravel()[: len(since)])


def _moving(partials: Partials, rows: slice, since: Floats, rate: int) -> Floats:
    """Sum of decaying sines under a vibrato that all rows share, in tiles that fit the processor's cache."""
    del rate
    one, decay = partials[rows.start], partials.decay_per_s[rows]
    turns = partials.phase_rad[rows, None] / (2 * np.pi)
    sound = np.empty(len(since))
    for begin in range(0, len(since), _TILE):
        tile = since[begin : begin + _TILE]
        warped = _warp(tile, one.vibrato_hz, one.vibrato_depth, one.vibrato_phase_rad)
        cycles = np.outer(partials.frequency_hz[rows], warped) + turns
        # Whole turns are taken off in double precision, so that single precision is enough for the sine.
        sines = np.sin(np.float32(2 * np.pi) * (cycles - np.rint(cycles)).astype(np.float32))
        if np.any(decay):
            sines *= np.exp(-np.outer(decay, tile))
        sound[begin : begin + _TILE] = partials.amplitude[rows].astype(np.float32) @ sines
    return sound


def _warp(since: Floats, rate_hz: float, depth: float, phase_rad: float) -> Floats:
    """Time as the vibrato bends it: the integral of 1 + depth sin(2 pi rate t + phase)."""
    if depth == 0.0 or rate_hz == 0.0:
        return since * (1.0 + depth * np.sin(phase_rad))
    turn = 2 * np.pi * rate_hz
    return np.asarray(since + depth / turn * (np.cos(phase_rad) - np.cos(turn * since + phase_rad)))


def _rise(since: Floats, length_s: float) -> Floats:
    """Raised cosine from 0 at 0 to 1 at ``length_s``."""
    if length_s <= 0.0:
        return np.asarray(since >= 0, np.float64)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(since / length_s, 0.0, 1.0)))
