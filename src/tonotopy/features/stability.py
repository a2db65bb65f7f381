"""Which features stabilise: whose strongest fragments cohere more than those of directions that mean nothing.

Each feature, and each of many random directions at the same site, chooses its strongest fragments in the same way
(`fragments`), and what those have in common is measured, as waveforms (`coherence`) and as spectra (`spectra`). A
feature is then set against the random directions at its place (`matched`): nearest in centre and spread of the
fragments' spectrum, and in strength, the share of the frames' variance along the direction.

Why matched (a deviation from SPEC § 5, which names random directions and no more): coherence depends on what is
loud. Isotropic directions choose loud bass, which fits itself better than anything at 1 kHz; against them a bank of
short windowed sines reads as *less* coherent than chance. The random directions reach all of the spectrum that the
site does (`random_directions`), and each feature is compared with those beside it. Strength, because directions
along which little happens choose fragments that have less in common.

What a p value here cannot say: in a view of few samples any direction coheres, so that no feature stands out; that is
the view's doing, and `Stability.null_waveform` shows it. And a filter narrower than random ones, such as a windowed
sine, does choose fragments that fit each other better: it stands out by its band alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import binomtest, false_discovery_control

from tonotopy.core.errors import InputError
from tonotopy.features.fragments import Measured, choose, first, measured, sizes, strength
from tonotopy.features.matched import against
from tonotopy.features.random_directions import random_directions
from tonotopy.features.sources._contract import Features
from tonotopy.features.spectra import Spectra, spectra_of
from tonotopy.recording.natural import NaturalFrames
from tonotopy.statistics.bootstrap import LEAST_PIECES

#: Random directions.
DIRECTIONS = 2048
#: False discovery rate among features.
RATE = 0.05


@dataclass(frozen=True)
class Stability:
    """What features' strongest fragments have in common, with its null, each ``[feature]``; NaN is undefined."""

    waveform: NDArray[np.float64] = field(repr=False)  # coherence, 1/n to 1
    lift: NDArray[np.float64] = field(repr=False)  # of the best band, normal score
    best_band_hz: NDArray[np.float64] = field(repr=False)  # where that is
    spectral: NDArray[np.float64] = field(repr=False)  # coherence of SPEC § 5, 0 to 1: reported, not judged
    centre_erb: NDArray[np.float64] = field(repr=False)  # of the fragments' spectrum, ERB-rate number
    spread_erb: NDArray[np.float64] = field(repr=False)
    null_waveform: NDArray[np.float64] = field(repr=False)  # of random directions at the same place
    null_lift: NDArray[np.float64] = field(repr=False)
    null_spectral: NDArray[np.float64] = field(repr=False)
    residual_waveform: NDArray[np.float64] = field(repr=False)  # above the null, in its standard deviations
    residual_lift: NDArray[np.float64] = field(repr=False)
    p_waveform: NDArray[np.float64] = field(repr=False)
    p_lift: NDArray[np.float64] = field(repr=False)
    p_spectral: NDArray[np.float64] = field(repr=False)
    strength: NDArray[np.float64] = field(repr=False)  # log share of the frames' standard deviation
    fragments: NDArray[np.int64] = field(repr=False)  # [feature, fragment], frames; -1 is none

    @property
    def stabilised(self) -> NDArray[np.bool_]:
        """Coherent as waveforms at a false discovery rate of :data:`RATE`, ``[feature]``."""
        return discovered(self.p_waveform)

    @property
    def spectrally_stable(self) -> NDArray[np.bool_]:
        """The same of the lift, ``[feature]``: one band is what the fragments have in common."""
        return discovered(self.p_lift)

    @property
    def spectral_given_stabilised(self) -> float:
        """P(spectrally stable | stabilised in waveform); NaN where nothing is stabilised."""
        of = self.stabilised
        return float(self.spectrally_stable[of].mean()) if of.any() else float("nan")

    @property
    def spectral_given_stabilised_interval(self) -> tuple[float, float] | None:
        """Its 95 % interval over features (Wilson 1927); None where nothing is stabilised.

        Too narrow where features are near copies of each other. The pieces are taken as they are: to draw them
        again means to choose and align all fragments again.
        """
        of = self.stabilised
        if not of.any():
            return None
        found = binomtest(int(self.spectrally_stable[of].sum()), int(of.sum())).proportion_ci(method="wilson")
        return float(found.low), float(found.high)

    def share(self, p: NDArray[np.float64], level: float = 0.05) -> float:
        """Share of the defined features with p at most ``level``; by chance it is ``level``."""
        defined = p[np.isfinite(p)]
        return float((defined <= level).mean()) if len(defined) else float("nan")


#: Columns that are compared with the null.
MEASURED = tuple(f.name for f in fields(Stability) if f.name not in ("strength", "fragments"))


def discovered(p: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Benjamini and Hochberg (1995) at :data:`RATE` among what is defined."""
    found = np.zeros(len(p), bool)
    defined = np.isfinite(p)
    if defined.any():
        found[defined] = false_discovery_control(p[defined]) <= RATE
    return found


@dataclass(frozen=True)
class SiteNull:
    """Random directions at one site, and the spectra of its sound: all that features there are compared with."""

    natural: NaturalFrames = field(repr=False)
    spectra: Spectra = field(repr=False)
    chosen: NDArray[np.int64] = field(repr=False)  # [direction, fragment]
    strength: NDArray[np.float64] = field(repr=False)  # [direction]
    _measured: dict[int, Measured] = field(default_factory=dict, repr=False, compare=False)

    def measured(self, fragments: int) -> Measured:
        """Of so many fragments of each direction, made when first asked for.

        Few fragments cohere more, are easier to align and stand out more than many: a latent that fires in half of the
        pieces is compared with directions that are given half of them.
        """
        if fragments not in self._measured:
            self._measured[fragments] = measured(first(self.chosen, fragments), self.natural, self.spectra)
        return self._measured[fragments]


def site_null(natural: NaturalFrames, *, directions: int = DIRECTIONS, seed: int = 0) -> SiteNull:
    """The null of a site: made once, and used for every source of features there."""
    rows = random_directions(natural.frames, directions, seed=seed)
    mean = natural.frames.mean(axis=0, dtype=np.float64).astype(np.float32)
    chosen = choose(lambda frames: (frames - mean) @ rows.T, natural)
    return SiteNull(natural, spectra_of(natural), chosen, strength(rows, natural.frames))


def stability(
    features: Features,
    natural: NaturalFrames,
    *,
    directions: int = DIRECTIONS,
    seed: int = 0,
    null: SiteNull | None = None,
) -> Stability:
    """What the strongest fragments of each feature have in common, against matched random directions.

    Parameters
    ----------
    features : of the same site as ``natural``
    directions, seed : of the random directions, where ``null`` is not given
    null : of the site, from :func:`site_null`: most of the work, and the same for all sources

    Raises
    ------
    InputError
        The features, or the null, are of another site.
    """
    null = null or site_null(natural, directions=directions, seed=seed)
    if null.natural.site != natural.site:
        raise InputError(f"the null of {natural.site.name}", f"that of {null.natural.site.name}")
    chosen = choose(features.of, natural)
    along = strength(features.directions, natural.frames)
    fragments = (chosen >= 0).sum(axis=1)
    if len(np.unique(natural.piece)) < LEAST_PIECES:
        fragments[:] = 0
    found: dict[str, NDArray[np.float64]] = {}
    above = np.inf
    for size in sizes(chosen.shape[1]):
        rows = np.flatnonzero((fragments >= size) & (fragments < above))
        above = size
        if len(rows):
            own = measured(first(chosen[rows], size), natural, null.spectra)
            for name, values in _compared(own, along[rows], null, size).items():
                found.setdefault(name, np.full(len(chosen), np.nan))[rows] = values
    undefined = np.full(len(chosen), np.nan)
    return Stability(
        **{name: found.get(name, undefined) for name in MEASURED}, strength=along, fragments=chosen
    )


def _compared(
    own: Measured, along: NDArray[np.float64], null: SiteNull, size: int
) -> dict[str, NDArray[np.float64]]:
    """Columns of :class:`Stability` for features that have so many fragments."""
    drawn = null.measured(size)
    place = np.stack([own.centre_erb, own.spread_erb, along], axis=1)
    null_place = np.stack([drawn.centre_erb, drawn.spread_erb, null.strength], axis=1)
    # Coherence has ends, and near them its spread shrinks: as log odds it does not.
    waveform = against(place, logit(own.waveform), null_place, logit(drawn.waveform))
    lifted = against(place, own.lift, null_place, drawn.lift)
    spectral = against(place, own.spectral, null_place, drawn.spectral)
    return {
        "waveform": own.waveform,
        "lift": own.lift,
        "best_band_hz": np.where(np.isfinite(own.lift), null.spectra.band_hz[own.band], np.nan),
        "spectral": own.spectral,
        "centre_erb": own.centre_erb,
        "spread_erb": own.spread_erb,
        "null_waveform": expit(waveform.expected),
        "null_lift": lifted.expected,
        "null_spectral": spectral.expected,
        "residual_waveform": waveform.residual,
        "residual_lift": lifted.residual,
        "p_waveform": waveform.p,
        "p_lift": lifted.p,
        "p_spectral": spectral.p,
    }
