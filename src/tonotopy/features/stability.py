"""Which features stabilise: whose strongest fragments cohere more than those of directions that mean nothing.

Each feature, and each of many random directions at the same site, chooses its strongest fragments in the same way
(`strongest`), and the coherence of those is measured (`coherence`). A feature is then set against the random
directions whose fragments lie where its own do: nearest in centre and spread of the spectrum.

Why matched (a deviation from SPEC § 5, which names random directions and no more): coherence depends on what is
loud. Isotropic directions choose loud bass, which fits itself better than anything at 1 kHz; against them a bank of
short windowed sines reads as *less* coherent than chance. The random directions reach all of the spectrum that the
site does (`random_directions`), and each feature is compared with those beside it. Random filters then pass at the
rate of the level.

What a p value here cannot say: in a view of few samples any direction coheres, so that no feature stands out; that is
the view's doing, and `Stability.null_waveform` shows it. And a filter narrower than random ones, such as a windowed
sine, does choose fragments that fit each other better: it stands out by its band alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

from tonotopy.features.coherence import align, place, spectral_coherence, waveform_coherence
from tonotopy.features.random_directions import random_directions
from tonotopy.features.sources._contract import Features
from tonotopy.features.strongest import PER_PIECE, strongest
from tonotopy.recording.natural import NaturalFrames

#: Random directions, and how many of them one feature is set against.
DIRECTIONS = 1024
MATCHED = 99
#: Spectra are taken over so many seconds, or over the view where it is longer.
SPECTRUM_S = 0.046
#: Strongest fragments of one piece lie so far apart, or a view where it is longer.
APART_S = 0.05
#: False discovery rate among features.
RATE = 0.05
#: Fewer pieces leave everything undefined.
LEAST_PIECES = 3


@dataclass(frozen=True)
class Stability:
    """Coherences of features with their null, each ``[feature]``; NaN is undefined."""

    waveform: NDArray[np.float64] = field(repr=False)  # 1/n to 1
    spectral: NDArray[np.float64] = field(repr=False)  # 0 to 1
    centre_erb: NDArray[np.float64] = field(repr=False)  # of the fragments' spectrum, ERB-rate number
    spread_erb: NDArray[np.float64] = field(repr=False)
    null_waveform: NDArray[np.float64] = field(repr=False)  # of random directions at the same place
    null_spectral: NDArray[np.float64] = field(repr=False)
    p_waveform: NDArray[np.float64] = field(repr=False)
    p_spectral: NDArray[np.float64] = field(repr=False)
    fragments: NDArray[np.int64] = field(repr=False)  # [feature, fragment], frames; -1 is none

    @property
    def stabilised(self) -> NDArray[np.bool_]:
        """Coherent as waveforms at a false discovery rate of :data:`RATE`, ``[feature]``.

        Hard to reach: p is at least 1 / (1 + :data:`MATCHED`), so that one feature in five must reach it. False
        therefore says little; `share` beside that of untrained copies says more.
        """
        return discovered(self.p_waveform)

    @property
    def spectrally_stable(self) -> NDArray[np.bool_]:
        """The same of spectra, ``[feature]``."""
        return discovered(self.p_spectral)

    @property
    def spectral_given_stabilised(self) -> float:
        """P(spectrally stable | stabilised in waveform); NaN where nothing is stabilised."""
        of = self.stabilised
        return float(self.spectrally_stable[of].mean()) if of.any() else float("nan")

    def share(self, p: NDArray[np.float64], level: float = 0.05) -> float:
        """Share of the defined features with p at most ``level``; by chance it is ``level``."""
        defined = p[np.isfinite(p)]
        return float((defined <= level).mean()) if len(defined) else float("nan")


def discovered(p: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Benjamini and Hochberg (1995) at :data:`RATE` among what is defined."""
    found = np.zeros(len(p), bool)
    defined = np.isfinite(p)
    if defined.any():
        found[defined] = false_discovery_control(p[defined]) <= RATE
    return found


def stability(
    features: Features, natural: NaturalFrames, *, directions: int = DIRECTIONS, seed: int = 0
) -> Stability:
    """Coherence of the strongest fragments of each feature, against matched random directions at the same site.

    Parameters
    ----------
    features : of the same site as ``natural``
    directions : random directions that are drawn; each feature is set against the nearest :data:`MATCHED`

    Raises
    ------
    InputError
        The features are of another site.
    """
    random = random_directions(natural.frames, directions, seed=seed)
    mean = natural.frames.mean(axis=0, dtype=np.float64).astype(np.float32)
    own = _measured(features.of, len(features.names), natural)
    null = _measured(lambda frames: (frames - mean) @ random.T, len(random), natural)
    if len(np.unique(natural.piece)) < LEAST_PIECES:
        own.values[:] = np.nan
    null_waveform, null_spectral, p_waveform, p_spectral = _against(own.values, null.values)
    waveform, spectral, centre, spread = own.values.T
    return Stability(
        waveform=waveform,
        spectral=spectral,
        centre_erb=centre,
        spread_erb=spread,
        null_waveform=null_waveform,
        null_spectral=null_spectral,
        p_waveform=p_waveform,
        p_spectral=p_spectral,
        fragments=own.fragments,
    )


@dataclass(frozen=True)
class _Measured:
    values: NDArray[np.float64]  # [feature, (waveform, spectral, centre, spread)]
    fragments: NDArray[np.int64]  # [feature, fragment]


def _measured(
    of: Callable[[NDArray[np.float32]], NDArray[np.floating]], count: int, natural: NaturalFrames
) -> _Measured:
    """Coherences and places of what a map from frames to features chooses."""
    site, rate = natural.site, natural.sample_rate_hz
    apart = max(site.view, round(APART_S * rate))
    values = np.asarray(of(natural.frames))
    chosen = strongest(values, natural.piece, natural.start, apart=apart, per_piece=PER_PIECE)
    spread = values.max(axis=0) - values.min(axis=0)
    margin = site.hop // 2
    window = max(site.view, round(SPECTRUM_S * rate))
    found = np.full((count, 4), np.nan)
    for number in range(count):
        if not spread[number] > 0:  # dead: its strongest frame is any frame
            continue
        aligned = align(natural.cut(chosen[number], margin, site.view + 2 * margin), site.view)
        around = natural.cut(chosen[number], (window - site.view) // 2, window)
        coherent = waveform_coherence(aligned), spectral_coherence(around, rate)
        found[number] = *coherent, *place(aligned, rate)
    return _Measured(found, chosen)


def _against(
    own: NDArray[np.float64], null: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Matched null and p values: waveform, spectral, p of either, each ``[feature]``.

    Coherence falls with centre and spread. A feature at the edge of what random directions reach has its neighbours
    all on one side, so that what is compared is what a straight line through the neighbours leaves.
    """
    null = null[np.isfinite(null).all(axis=1)]
    found = np.full((4, len(own)), np.nan)
    if len(null) >= MATCHED:
        for number in np.flatnonzero(np.isfinite(own).all(axis=1)):
            apart = null[:, 2:] - own[number, 2:]
            nearest = np.argpartition((apart**2).sum(axis=1), MATCHED - 1)[:MATCHED]
            line = np.column_stack([np.ones(MATCHED), apart[nearest]])
            fit = np.linalg.lstsq(line, null[nearest, :2], rcond=None)[0]
            left = null[nearest, :2] - line @ fit
            found[:2, number] = fit[0]
            found[2:, number] = (1 + (left >= own[number, :2] - fit[0]).sum(axis=0)) / (1 + MATCHED)
    return found[0], found[1], found[2], found[3]
