"""Whether codes that lie near each other in the codebook lie near each other in spectrum, stage by stage.

Representational similarity (Kriegeskorte et al. 2008): the rank correlation, over pairs of codes, of the distance of
two entries and the distance of their code spectra (Euclidean; levels in dB). The null permutes codes: which spectrum
belongs to which entry. Pairs share codes, so pairs themselves must not be shuffled.

Codes with fewer than ten frames have no spectrum and take no part; of the others the :data:`MOST` most frequent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform
from scipy.stats import rankdata

from tonotopy.core.errors import InputError
from tonotopy.measures.codes._information import Array, p_value

#: Codes of a stage at most, and at least.
MOST: Final = 192
LEAST: Final = 8
#: Permutations of codes.
PERMUTATIONS: Final = 199


@dataclass(frozen=True)
class SpectralSimilarity:
    """Each ``[stage]``; NaN where fewer than 8 codes have a spectrum."""

    correlation: Array
    null_mean: Array
    null_high: Array  # upper twentieth of the permutations
    p: Array
    codes: NDArray[np.int64] = field(repr=False)  # that took part


def spectral_similarity(
    codebooks: NDArray[np.floating],
    spectrum_db: NDArray[np.floating],
    frames: NDArray[np.integer],
    *,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> SpectralSimilarity:
    """Compare entries ``[stage, code, unit]`` with spectra ``[stage, code, band]`` of so many frames ``[stage, code]``.

    Raises
    ------
    InputError
        Shapes that do not belong together.
    """
    books, spectra = np.asarray(codebooks, np.float64), np.asarray(spectrum_db, np.float64)
    if books.ndim != 3 or books.shape[:2] != spectra.shape[:2] or spectra.shape[:2] != np.shape(frames):
        shapes = f"{books.shape}, {spectra.shape}, {np.shape(frames)}"
        raise InputError("entries, spectra and frames of the same stages and codes", shapes)
    rng = np.random.default_rng([seed, 97])
    found = np.full((4, len(books)), np.nan)
    taken = np.zeros(len(books), np.int64)
    for stage in range(len(books)):
        chosen = np.flatnonzero(np.isfinite(spectra[stage]).all(axis=1))
        chosen = chosen[np.argsort(-np.asarray(frames)[stage, chosen], kind="stable")][:MOST]
        taken[stage] = len(chosen)
        if len(chosen) < LEAST:
            continue
        one, other = (squareform(_ranks(values[stage, chosen])) for values in (books, spectra))
        upper = np.triu_indices(len(chosen), 1)
        fixed = one[upper]
        if not fixed.any() or not other.any():
            continue
        draws = np.empty(permutations)
        for k in range(permutations):
            order = rng.permutation(len(chosen))
            draws[k] = fixed @ other[np.ix_(order, order)][upper]
        value = np.array(fixed @ other[upper])
        found[:, stage] = (value, draws.mean(), np.quantile(draws, 0.95), p_value(value, draws))
    return SpectralSimilarity(found[0], found[1], found[2], found[3], taken)


def _ranks(points: Array) -> Array:
    """Ranks of all pairwise distances, centred and of unit length; zero where all are equal."""
    ranks = rankdata(pdist(points))
    ranks -= ranks.mean()
    length = float(np.linalg.norm(ranks))
    return ranks / length if length > 0 else ranks
