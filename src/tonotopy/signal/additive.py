r"""Additive synthesis: sound of which every partial is known at every instant.

A partial that starts at time :math:`t_0` is, with :math:`\tau = t - t_0`,

.. math:: a\,r(\tau)\,e^{-d\tau} f(t) \sin\bigl(2\pi f_p\,u(\tau) + \phi\bigr), \quad
          u(\tau) = \tau + \frac{\delta}{2\pi v}\bigl(\cos\psi - \cos(2\pi v\tau + \psi)\bigr)

with rise r (raised cosine over ``attack_s``), decay d, fall (raised cosine over ``release_s`` from the offset
on, exactly zero after it), and vibrato of rate v, relative depth :math:`\delta` and phase :math:`\psi`, so that
the instantaneous frequency is :math:`f_p(1 + \delta\sin(2\pi v\tau + \psi))`. Everything is a closed form of t:
there is no state, so any stretch can be rendered at any rate and equals the same stretch of the whole.

Conventions: seconds from the start of the piece, Hz, radians, linear amplitude with full scale 1. Sample ``n``
stands at ``n / sample_rate_hz``. A partial whose frequency goes above `BAND_LIMIT` of the rate is left out.

Offers `Partials` (a table of them), `PartialTrack` (one), `render_partials`, `Instrument` and `INSTRUMENTS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonotopy.core.errors import InputError

BAND_LIMIT = 0.45
"""Highest frequency rendered, as a part of the sample rate: leaves a band for an encoder's own filter."""

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
    shared = (
        "onset_s",
        "offset_s",
        "attack_s",
        "release_s",
        "vibrato_hz",
        "vibrato_depth",
        "vibrato_phase_rad",
    )
    keys = np.stack([getattr(partials, name) for name in shared])
    cuts = np.flatnonzero(np.any(keys[:, 1:] != keys[:, :-1], axis=0)) + 1
    edges = [0, *cuts.tolist(), len(partials)]
    return [slice(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]


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

    With s = -d + 2 pi i f, exp(s (x + y)) = exp(s x) exp(s y): the sum over partials of a time cut into blocks
    is the product of a matrix over blocks with one over the samples of a block.
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
    """Sum of decaying sines under a vibrato that all rows share."""
    del rate
    one = partials[rows.start]
    warped = _warp(since, one.vibrato_hz, one.vibrato_depth, one.vibrato_phase_rad)
    cycles = np.outer(partials.frequency_hz[rows], warped) + partials.phase_rad[rows, None] / (2 * np.pi)
    # Whole turns are taken off in double precision, so that single precision is enough for the sine.
    sines = np.sin((2 * np.pi) * (cycles - np.rint(cycles)).astype(np.float32))
    decay = partials.decay_per_s[rows]
    if np.any(decay):
        sines *= np.exp(-np.outer(decay, since))
    return np.asarray(partials.amplitude[rows] @ sines, np.float64)


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


@dataclass(frozen=True)
class Instrument:
    """A recipe for the partials of a note; the models are sketches of the instruments they are named for.

    Partial n stands at ``ratios[n - 1]`` if given, else at n sqrt((1 + B n^2) / (1 + B)), the stiff string of
    Fletcher (1964) scaled so that the first partial stays in tune. Its amplitude is n^-slope, times
    ``even_gain`` for even n, times |sin(pi n pluck)| (a string plucked at that part of its length), times the
    formants' resonances; it decays at ``decay_per_s`` (1 + ``decay_growth`` (n - 1)).
    """

    count: int
    slope: float
    attack_s: float
    release_s: float
    even_gain: float = 1.0
    inharmonicity: float = 0.0
    pluck: float = 0.0
    decay_per_s: float = 0.0
    decay_growth: float = 0.0
    vibrato_hz: float = 0.0
    vibrato_depth: float = 0.0
    formants: tuple[tuple[float, float, float], ...] = ()
    """Centre in Hz, bandwidth in Hz, gain."""
    ratios: tuple[float, ...] = ()

    def note(
        self, frequency_hz: float, onset_s: float, offset_s: float, *, level: float, rng: np.random.Generator,
        voice: int = 0, index: int = 0,
    ) -> Partials:  # fmt: skip
        """Partials of one note, scaled to an RMS of ``level`` while nothing has decayed; phases are random."""
        number = np.arange(1, (len(self.ratios) or self.count) + 1)
        frequency = frequency_hz * self._ratios(number)
        amplitude = self._amplitudes(number, frequency)
        amplitude *= level / np.sqrt(0.5 * np.sum(amplitude**2))
        full = np.ones(len(number))
        return Partials(
            onset_s=onset_s * full,
            offset_s=offset_s * full,
            frequency_hz=frequency,
            amplitude=amplitude,
            phase_rad=rng.uniform(0, 2 * np.pi, len(number)),
            attack_s=self.attack_s * full,
            release_s=self.release_s * full,
            decay_per_s=self.decay_per_s * (1 + self.decay_growth * (number - 1)),
            vibrato_hz=self.vibrato_hz * rng.uniform(0.92, 1.08) * full,
            vibrato_depth=self.vibrato_depth * full,
            vibrato_phase_rad=rng.uniform(0, 2 * np.pi) * full,
            voice=np.full(len(number), voice),
            note=np.full(len(number), index),
            number=number,
        )

    def _ratios(self, number: NDArray[np.int64]) -> Floats:
        if self.ratios:
            return np.asarray(self.ratios)
        stiff = (1 + self.inharmonicity * number**2) / (1 + self.inharmonicity)
        return np.asarray(number * np.sqrt(stiff))

    def _amplitudes(self, number: NDArray[np.int64], frequency_hz: Floats) -> Floats:
        amplitude = np.where(number % 2 == 0, self.even_gain, 1.0) * number**-self.slope
        if self.pluck:
            amplitude = amplitude * np.abs(np.sin(np.pi * number * self.pluck))
        if self.formants:
            centre, width, gain = np.array(self.formants).T[:, :, None]
            amplitude = amplitude * np.sum(gain / np.hypot(1, (frequency_hz - centre) / (width / 2)), axis=0)
        return np.asarray(amplitude)


VOWEL_A = ((700.0, 130.0, 1.0), (1150.0, 140.0, 0.6), (2600.0, 200.0, 0.25), (3300.0, 250.0, 0.15))
"""Formants near those of a sung [a], after the averages of Peterson and Barney (1952)."""

# A minor-third bell's first partials relative to its prime, after Lehr (1986), rounded.
BELL = (0.5, 1.0, 1.183, 1.506, 2.0, 2.514, 2.662, 3.011, 4.166, 5.433, 6.796, 8.215)

INSTRUMENTS = {
    "flute": Instrument(8, 2.2, 0.06, 0.08, even_gain=0.5),
    "principal": Instrument(16, 1.1, 0.03, 0.08),
    "reed": Instrument(30, 0.6, 0.02, 0.06, formants=((500.0, 900.0, 1.0), (1800.0, 1200.0, 0.7))),
    "clarinet": Instrument(24, 0.9, 0.04, 0.06, even_gain=0.06),
    "bowed": Instrument(26, 1.0, 0.09, 0.12, vibrato_hz=5.6, vibrato_depth=0.006),
    "choir": Instrument(28, 0.9, 0.10, 0.15, vibrato_hz=5.1, vibrato_depth=0.008, formants=VOWEL_A),
    "plucked": Instrument(
        24, 0.7, 0.002, 0.20, inharmonicity=2e-4, pluck=0.13, decay_per_s=1.2, decay_growth=0.35
    ),
    "bell": Instrument(len(BELL), 0.5, 0.002, 0.60, decay_per_s=0.9, decay_growth=0.4, ratios=BELL),
}
"""Eight models by name."""
