"""What of the spectrogram a feature answers to: its spectro-temporal receptive field on natural sound.

The field of a feature is the ridge regression of its value on the levels of the sound in 1-ERB bands at `LAGS`
moments up to the end of its view (F. E. Theunissen, K. Sen and A. J. Doupe, "Spectral-temporal receptive fields of
nonlinear auditory neurons obtained using natural sounds", J. Neuroscience 20, 2315-2331 (2000); ridge regression
in place of their truncated inverse). A lag is one step of the lanes, about 10 ms, and longer where the view is
longer than `LAGS` of them; the levels are then means over the lag.

Per feature:

- ``r``: correlation of the predicted with the true value on groups of pieces that took no part in the fit, the
  mean over groups; the penalty is chosen on the training groups;
- ``r_null``: the same for the feature's values shifted circularly within each piece. ``p`` compares ``r`` with the
  null of all features of the site;
- ``best_hz``, ``bandwidth_erb``, ``latency_ms``, ``lobe_share``: see `field_shape`.

A field is what a *linear* readout of the log spectrogram tells of a feature. A feature that follows the waveform,
as filters do whose output is not rectified, has none: its value is as often above as below zero. And neighbouring
bands of music are correlated: ridge regression shares the weight out among them, so that fields look wider than the
filters are.

Undefined (NaN): a feature that does not vary; all with fewer than 3 groups; the interval with fewer than 8.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonotopy.encoders._contract import Site
from tonotopy.measures.natural.field_shape import shape_of
from tonotopy.measures.natural.held_out import (
    RESAMPLES,
    Validation,
    fit_each,
    interval_of,
    resamples,
    validate,
)
from tonotopy.measures.natural.moments import Array, Ints, Moments, Sums, deal
from tonotopy.measures.natural.pieces_seen import PiecesSeen, check_sites, null_shift
from tonotopy.measures.natural.shared_moments import places_of, sharing
from tonotopy.recording.lanes import Lanes
from tonotopy.recording.natural import NaturalSound

#: Moments of a field, up to the end of the view.
LAGS: Final = 10
#: Relative to the mean variance of the levels.
PENALTIES: Final = (3e-3, 3e-2, 0.3)
#: Draws of the null's shift, apart from those of other measures.
_STREAM: Final = 53


@dataclass(frozen=True)
class ReceptiveFields:
    """Fields of the features of one site; NaN is undefined."""

    site: str
    n_pieces: int
    n_groups: int
    n_frames: int
    band_hz: Array = field(repr=False)  # [band]
    lag_ms: Array = field(repr=False)  # [lag], before the end of the view
    weights: Array = field(repr=False)  # [feature, lag, band], value per dB
    r: Array = field(repr=False)  # [feature]
    r_low: Array = field(repr=False)
    r_high: Array = field(repr=False)
    r_null: Array = field(repr=False)
    p: Array = field(repr=False)
    best_hz: Array = field(repr=False)
    bandwidth_erb: Array = field(repr=False)
    latency_ms: Array = field(repr=False)
    lobe_share: Array = field(repr=False)


def receptive_fields(
    sound: NaturalSound,
    sites: Sequence[str],
    *,
    features: Callable[[NDArray[np.float32]], NDArray[np.floating]] | None = None,
    seed: int = 0,
    n_resamples: int = RESAMPLES,
) -> dict[str, ReceptiveFields]:
    """Receptive fields of all features at some sites.

    Parameters
    ----------
    sound : frames and lanes of some pieces
    sites : which of its sites
    features : from frames ``[frame, unit]`` to values ``[frame, feature]``; None for the units themselves

    Raises
    ------
    InputError
        For a site that was not recorded, or features that are not finite.
    """
    check_sites(sound, sites)
    group = deal(len(sound.lanes), seed=seed)
    lags = {
        name: _lag(sound.sites[name].site, sound.sites[name].sample_rate_hz, sound.lanes[0]) for name in sites
    }
    found: dict[str, ReceptiveFields] = {}
    places = {
        name: [places_of(sound.sites[name], piece, lanes) for piece, lanes in enumerate(sound.lanes)]
        for name in sites
    }
    for together in sharing(sound, lags, places):
        tally: FieldTally | None = None
        for piece, lanes in enumerate(sound.lanes):
            parts = {}
            for name in together:
                frames = sound.sites[name].frames[places[name][piece].frames]
                parts[name] = frames if features is None else np.asarray(features(frames))
            if tally is None:
                counts = {name: values.shape[1] for name, values in parts.items()}
                tally = FieldTally(counts, lags[together[0]], lanes, group, seed=seed)
            points = places[together[0]][piece].points
            tally.update(np.concatenate(list(parts.values()), axis=1), points, lanes, piece)
        assert tally is not None, "frames of no piece"
        found |= tally.read(n_resamples=n_resamples)
    return {name: found[name] for name in sites}


def _lag(site: Site, sample_rate_hz: int, lanes: Lanes) -> int:
    """Points of the lanes in one lag."""
    return max(1, round(site.span / sample_rate_hz * lanes.rate_hz / LAGS))


class FieldTally:
    """Accumulator of what `ReceptiveFields` are computed from; its size does not depend on frames.

    Parameters
    ----------
    features : name of each site, and how many features it has; all are read at the same moments
    lag : points of the lanes in one lag
    lanes : of any piece, for its bands and its grid
    group : ``[piece]``, the group of each piece
    """

    def __init__(
        self, features: Mapping[str, int], lag: int, lanes: Lanes, group: Ints, *, seed: int = 0
    ) -> None:
        self.features, self.lag, self.seed = dict(features), lag, seed
        self.rate_hz, self.pieces = lanes.rate_hz, PiecesSeen(lanes)
        self.count = sum(self.features.values())
        self.moments = Moments(group, LAGS * len(lanes.band_hz), 2 * self.count)

    def update(self, values: NDArray[np.floating], rows: Ints, lanes: Lanes, piece: int) -> None:
        """Add values ``[frame, feature]`` of one piece, all sites side by side, in order of time.

        ``rows`` are the points of the lanes at which the views end.

        Raises
        ------
        InputError
            For lanes with other bands, or arrays that do not fit (see `Moments.update`).
        """
        self.pieces.check(lanes)
        if not len(values):
            return
        shift = null_shift(len(values), piece, seed=self.seed, stream=_STREAM)
        targets = np.concatenate([values, np.roll(values, shift, axis=0)], axis=1)
        self.moments.update(lagged(lanes.erb_db, rows, self.lag), targets, piece)
        self.pieces.add(piece)

    def merge(self, other: FieldTally) -> None:
        """Add what another tally of the same sites and pieces has seen.

        Raises
        ------
        InputError
            See `Moments.merge`.
        """
        self.moments.merge(other.moments)
        self.pieces.merge(other.pieces)

    def read(self, *, n_resamples: int = RESAMPLES) -> dict[str, ReceptiveFields]:
        """What the frames so far read, for each site."""
        shape = (self.count, LAGS, len(self.pieces.band_hz))
        known = validate(self.moments, PENALTIES, columns=slice(self.count))
        if known is None:
            n_groups, weights = int(np.count_nonzero(self.moments.counts)), np.full(shape, np.nan)
            r = null = over = np.full((1, self.count), np.nan)
        else:
            n_groups = len(known.group)
            penalty = known.share().argmax(axis=1)  # [block, feature]
            correlations = self._correlations(known, penalty)
            chosen = np.rint(np.median(penalty, axis=0)).astype(np.int64)
            everything = self.moments.groups(known.group, slice(self.count))
            weights = np.where(varies(everything), fit_each(everything, chosen, PENALTIES), np.nan).T.reshape(
                shape
            )
            once = np.ones((1, n_groups))
            weights_of_groups = resamples(n_groups, n_resamples, seed=self.seed)
            r, null = (_mean(values, once) for values in correlations)
            over = _mean(correlations[0], once if weights_of_groups is None else weights_of_groups)
        found, first = {}, 0
        for site, count in self.features.items():
            these = slice(first, first + count)
            low, high = interval_of(over[1:, these])
            lag_ms = np.asarray((np.arange(LAGS) * self.lag + (self.lag - 1) / 2) * 1000 / self.rate_hz)
            found[site] = ReceptiveFields(
                site=site,
                n_pieces=len(self.pieces),
                n_groups=n_groups,
                n_frames=int(self.moments.counts.sum()),
                band_hz=self.pieces.band_hz,
                lag_ms=lag_ms,
                weights=weights[these],
                r=r[0, these],
                r_low=low,
                r_high=high,
                r_null=null[0, these],
                p=_p(r[0, these], null[0, these]),
                **shape_of(weights[these], self.pieces.band_hz, lag_ms),
            )
            first += count
        return found

    def _correlations(self, known: Validation, penalty: Ints) -> tuple[Array, Array]:
        """Of the features and of their shifted values, ``[group, feature]``: fitted without the group's block."""
        found = np.empty((len(known.group), 2 * self.count))
        blocks = np.unique(known.block)
        sums = [self.moments.groups(known.group[known.block == block]) for block in blocks]
        for block in blocks:
            training = reduce(Sums.plus, (other for k, other in enumerate(sums) if k != block))
            weights = fit_each(training, np.tile(penalty[block], 2), PENALTIES)
            for row in np.flatnonzero(known.block == block):
                found[row] = correlation(self.moments.groups([known.group[row]]), weights)
        return found[:, : self.count], found[:, self.count :]


def lagged(erb_db: NDArray[np.floating], rows: Ints, lag: int) -> Array:
    """Levels at `LAGS` moments up to each row, ``[row, lag and band]``: lag 0 is the stretch that ends with it.

    Examples
    --------
    >>> levels = np.arange(40.0)[:, None]
    >>> lagged(levels, np.array([30]), 1)[0, :3].tolist(), lagged(levels, np.array([30]), 2)[0, :3].tolist()
    ([30.0, 29.0, 28.0], [29.5, 27.5, 25.5])
    """
    last = rows[:, None] - lag * np.arange(LAGS)
    if lag == 1:
        levels = np.asarray(erb_db[np.maximum(last, 0)], np.float64)
    else:
        running = np.cumsum(np.pad(np.asarray(erb_db, np.float64), ((1, 0), (0, 0))), axis=0)
        high = np.maximum(last + 1, 1)  # before the piece there is its first moment
        low = np.clip(last + 1 - lag, 0, high - 1)
        levels = (running[high] - running[low]) / (high - low)[..., None]
    return levels.reshape(len(rows), -1)


def correlation(test: Sums, weights: Array) -> Array:
    """Of predicted with true values, ``[target]``; NaN where the true ones do not vary, 0 where the predicted do."""
    predicted = np.maximum(2 * np.einsum("ij,ij->j", weights, test.half_products(weights)), 0.0)
    product = np.einsum("ij,ij->j", weights, test.xy)
    size = np.sqrt(predicted * test.yy)
    found = np.divide(product, size, out=np.zeros(len(size)), where=size > 0)
    return np.where(varies(test), found, np.nan)


def varies(sums: Sums) -> NDArray[np.bool_]:
    """Which targets vary by more than rounding, ``[target]``."""
    return np.asarray(sums.yy > 1e-12 * (sums.yy + sums.count * sums.mean_y**2))


def _mean(r: Array, weights: Array) -> Array:
    """Mean over groups that have a value, ``[resample, feature]``, under weights ``[resample, group]``."""
    there = np.isfinite(r)
    count = weights @ there
    found = weights @ np.where(there, r, 0.0)
    return np.divide(found, count, out=np.full(found.shape, np.nan), where=count > 0)


def _p(r: Array, null: Array) -> Array:
    """Share of a site's null that reaches each value, NaN where there is none."""
    drawn = null[np.isfinite(null)]
    extreme = np.sum(drawn >= r[:, None], axis=1)
    return np.where(np.isfinite(r), (1 + extreme) / (1 + len(drawn)), np.nan)
