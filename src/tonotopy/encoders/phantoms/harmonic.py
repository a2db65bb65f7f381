"""Phantoms tuned to what partials make together: a pair of partials, a pitch, a chord.

All read one spectrum in narrow bands: amplitudes of Hann-windowed frames, summed over Gaussian bands
:data:`BANDS_PER_SEMITONE` to the semitone, raised by 6 dB an octave against the slope of music, compressed.

- *two-partial*: 64 units, each the lesser of the amplitudes at two frequencies drawn at random: one of the two
  alone does nothing.
- *pitch-template*: a unit each quarter semitone of f0. It answers with the lesser of the mean amplitudes at its
  odd and at its even harmonics (from the second on: the fundamental is not asked for), less the mean amplitude
  half way or a third of the way between harmonics, whichever is larger; never less than 0, and expanded, so that
  a partial match answers little. Whatever its envelope, a complex at f0/2 fills what lies between, and one at
  2 f0 lacks the odd harmonics.
- *chord-template*: notes of three octaves by the lesser of their odd and even harmonics, folded to twelve classes
  by the largest, and for each triad of :data:`TRIADS` and root the least of its three classes, expanded.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn.functional import max_pool1d

from tonotopy.encoders._contract import Site
from tonotopy.encoders.phantoms._base import SAMPLE_RATE_HZ, Expectation, Phantom, generator
from tonotopy.signal import erb

NAMES = ("two-partial", "pitch-template", "chord-template")
CITATION = "Goldstein 1973; Terhardt 1974 (harmonic templates); SPEC of tonotopy, § 8"
LICENCE = "MIT"
EXPECTED = {
    "two-partial": (
        Expectation("site", "stable", most=0.2),
        Expectation("site", "stable", most=0.2, structure="pitch"),
    ),
    # Half, and not four fifths: where a chorale itself has the pitch, what is added to it masks the template, and
    # specificity suffers (docs/structures.md).
    "pitch-template": (
        Expectation("site", "stable", most=0.2),
        Expectation("site", "stable", least=0.5, structure="pitch"),
        Expectation("site", "stable", most=0.2, structure="chord"),
    ),
    # In polyphony two notes of a chord and one of the music make another chord: no template can be specific.
    "chord-template": (
        Expectation("site", "stable", most=0.2),
        Expectation("site", "stable", most=0.2, structure="pitch"),
        Expectation("site", "absent", most=0.2, structure="chord"),
    ),
}

WINDOW_S = 0.384
HOP_S = 0.016
COMPRESSION = 0.5
#: Exponents of the templates of pitch and of chords.
PITCH_EXPANSION = 1.5
CHORD_EXPANSION = 3.0
#: Bands: lowest (Hz), how many a semitone, width in semitones (standard deviation).
LOWEST_HZ = 40.0
BANDS_PER_SEMITONE = 8
WIDTH_SEMITONES = 0.15
#: Pairs of partials, and the range in Hz from which they are drawn.
PAIRS = 64
PAIR_RANGE_HZ = (100.0, 6000.0)
#: Templates of pitch: lowest and highest f0, units a semitone.
PITCH_RANGE_HZ = (75.0, 1060.0)
PITCHES_PER_SEMITONE = 4
ODD, EVEN = (3, 5, 7, 9, 11), (2, 4, 6, 8, 10)
HALVES = (1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5)
THIRDS = tuple(n + k / 3 for n in range(1, 6) for k in (1, 2))
#: Templates of chords: notes from C3 on, as many as three octaves have; harmonics from the first on.
LOWEST_NOTE_HZ = 440.0 * 2 ** (-21 / 12)
NOTES = 36
NOTE_ODD, NOTE_EVEN = (1, 3, 5), (2, 4, 6)
NOTE_TOLERANCE = 1
NOTE_TILT = 0.5
TRIADS = ((0, 4, 7), (0, 3, 7), (0, 3, 6), (0, 5, 7), (0, 4, 8))


class Harmonic(Phantom):
    """Any of the three as sites of one encoder."""

    def __init__(self, name: str, variants: Sequence[str], *, seed: int, sample_rate_hz: int) -> None:
        self._n, self._hop = int(WINDOW_S * sample_rate_hz), int(HOP_S * sample_rate_hz)
        low, high = (12 * np.log2(f / LOWEST_HZ) for f in PITCH_RANGE_HZ)
        self._pitches = np.arange(low, high, 1 / PITCHES_PER_SEMITONE)
        self._notes = 12 * np.log2(LOWEST_NOTE_HZ / LOWEST_HZ) + np.arange(NOTES)
        units = {
            "two-partial": PAIRS,
            "pitch-template": len(self._pitches),
            "chord-template": len(TRIADS) * 12,
        }
        sites = [Site(v, "stack_end", self._hop, self._n, 0, units[v]) for v in variants]
        super().__init__(name, sites, seed=seed, sample_rate_hz=sample_rate_hz)
        self._taper = torch.hann_window(self._n)
        self._bands = torch.from_numpy(_bands(self._n, sample_rate_hz)).float()
        self._centres_hz = LOWEST_HZ * 2 ** (np.arange(len(self._bands)) / BANDS_PER_SEMITONE / 12)
        self._tilt = torch.from_numpy(self._centres_hz / self._centres_hz[0]).float()
        drawn = torch.rand(PAIRS, 2, generator=generator(seed, 40)).double().numpy()
        edges = [float(erb.rate(f)) for f in PAIR_RANGE_HZ]
        pairs = erb.frequency_hz(edges[0] + (edges[1] - edges[0]) * drawn)
        self._pairs = self._band(12 * np.log2(pairs / LOWEST_HZ))

    @torch.inference_mode()
    def activations(self, audio: torch.Tensor, sites: Sequence[str]) -> dict[str, torch.Tensor]:
        """As :meth:`Encoder.activations`."""
        frames = audio.float().unfold(-1, self._n, self._hop) * self._taper
        power = torch.fft.rfft(frames).abs() ** 2 / self._n**2
        bands = ((power @ self._bands.T).sqrt() * self._tilt) ** COMPRESSION
        return {name: getattr(self, "_" + name.replace("-", "_"))(bands) for name in sites}

    def _two_partial(self, bands: torch.Tensor) -> torch.Tensor:
        return bands[..., self._pairs].amin(dim=-1)

    def _pitch_template(self, bands: torch.Tensor) -> torch.Tensor:
        hit = torch.minimum(self._mean(bands, self._pitches, ODD), self._mean(bands, self._pitches, EVEN))
        between = torch.maximum(
            self._mean(bands, self._pitches, HALVES), self._mean(bands, self._pitches, THIRDS)
        )
        return (hit - between).clamp(min=0) ** PITCH_EXPANSION

    def _chord_template(self, bands: torch.Tensor) -> torch.Tensor:
        # Half the tilt: with all of it the twelfth above a note is as strong as the note, and makes other chords.
        bands = bands / self._tilt ** (NOTE_TILT * COMPRESSION)
        width = 2 * NOTE_TOLERANCE + 1
        bands = max_pool1d(bands.flatten(0, 1)[:, None], width, 1, NOTE_TOLERANCE)[:, 0].view(bands.shape)
        odd, even = self._mean(bands, self._notes, NOTE_ODD), self._mean(bands, self._notes, NOTE_EVEN)
        classes = torch.minimum(odd, even).unflatten(-1, (-1, 12)).amax(dim=-2)
        triads = [[(root + step) % 12 for step in steps] for steps in TRIADS for root in range(12)]
        return classes[..., torch.tensor(triads)].amin(dim=-1) ** CHORD_EXPANSION

    def _mean(self, bands: torch.Tensor, pitches: np.ndarray, harmonics: Sequence[float]) -> torch.Tensor:
        """Mean amplitude at those of each pitch's harmonics that are in range, ``[batch, frame, pitch]``."""
        semitone = pitches[:, None] + 12 * np.log2(np.asarray(harmonics))
        inside = torch.from_numpy(LOWEST_HZ * 2 ** (semitone / 12) <= self._centres_hz[-1]).float()
        return (bands[..., self._band(semitone)] * inside).sum(dim=-1) / inside.sum(dim=-1).clamp(min=1)

    def _band(self, semitone: np.ndarray) -> torch.Tensor:
        """Number of the nearest band."""
        nearest = np.round(semitone * BANDS_PER_SEMITONE).astype(np.int64)
        return torch.from_numpy(np.minimum(nearest, len(self._centres_hz) - 1))


def _bands(n_samples: int, sample_rate_hz: int) -> np.ndarray:
    """Gaussian bands on the axis of semitones, ``[band, bin]``."""
    n_bands = int(12 * np.log2(0.47 * sample_rate_hz / LOWEST_HZ) * BANDS_PER_SEMITONE)
    frequencies = np.maximum(np.fft.rfftfreq(n_samples, 1 / sample_rate_hz), 1.0)
    semitone = 12 * np.log2(frequencies / LOWEST_HZ)
    distance = semitone[None, :] - np.arange(n_bands)[:, None] / BANDS_PER_SEMITONE
    # Where a bin is wider than a band, the band is half a bin wide.
    centre = LOWEST_HZ * 2 ** (np.arange(n_bands) / BANDS_PER_SEMITONE / 12)
    bin_semitones = 12 * np.log2(1 + sample_rate_hz / n_samples / centre)
    width = np.maximum(WIDTH_SEMITONES, 0.5 * bin_semitones)[:, None]
    return np.asarray(np.exp(-0.5 * (distance / width) ** 2))


def open_encoder(name: str, *, seed: int = 0, sample_rate_hz: int = SAMPLE_RATE_HZ) -> Harmonic:
    """One phantom as an encoder with one site."""
    return Harmonic(name, [name], seed=seed, sample_rate_hz=sample_rate_hz)


def open_family(*, seed: int = 0, sample_rate_hz: int = SAMPLE_RATE_HZ) -> Harmonic:
    """All three as sites of one encoder."""
    return Harmonic("harmonic-family", NAMES, seed=seed, sample_rate_hz=sample_rate_hz)
