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
- ``best_hz``: the frequency at the top of the field, summed in square over lags, between bands by the parabola
  through three;
- ``bandwidth_erb``: its equivalent rectangular width, sum over top;
- ``latency_ms``: of the strongest lag, summed in square over bands, before the end of the view;
- ``lobe_share``: the share of the square of the field within 1.5 ERB of the best band.

A field is what a *linear* readout of the log spectrogram tells of a feature. A feature that follows the waveform,
as filters do whose output is not rectified, has none: its value is as often above as below zero. And neighbouring
bands of music are correlated: ridge regression shares the weight out among them, so that fields look wider than the
filters are.

Undefined (NaN): a feature that does not vary; all with fewer than 3 groups; the interval with fewer than 8.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.encoders._contract import Site
from tonotopy.measures.natural.held_out import Validation, resamples, validate
from tonotopy.measures.natural.moments import Array, Moments, Sums, deal
from tonotopy.recording.lanes import Lanes
from tonotopy.recording.natural import NaturalSound
from tonotopy.signal import erb

Ints = NDArray[np.int64]

LAGS: Final = 10
#: Frames of a piece that are used, evenly spread among those given.
FRAMES_A_PIECE: Final = 1000
#: Relative to the mean variance of the levels.
PENALTIES: Final = (1e-3, 1e-2, 0.1, 1.0)
#: Half the width of the main lobe, ERB.
LOBE_ERB: Final = 1.5
#: Bootstraps over groups of pieces.
RESAMPLES: Final = 200


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
    site: str,
    *,
    features: Callable[[NDArray[np.float32]], NDArray[np.floating]] | None = None,
    seed: int = 0,
    n_resamples: int = RESAMPLES,
) -> ReceptiveFields:
    """Receptive fields of all features at one site.

    Parameters
    ----------
    sound : frames and lanes of some pieces
    site : which of its sites
    features : from frames ``[frame, unit]`` to values ``[frame, feature]``; None for the units themselves

    Raises
    ------
    InputError
        For a site that was not recorded, or features that are not finite.
    """
    if site not in sound.sites:
        raise InputError("a recorded site", repr(site), "", list(sound.sites))
    natural = sound.sites[site]
    tally: FieldTally | None = None
    for piece, lanes in enumerate(sound.lanes):
        rows = some(np.flatnonzero(natural.piece == piece))
        values = natural.frames[rows] if features is None else np.asarray(features(natural.frames[rows]))
        if tally is None:
            group = deal(len(sound.lanes), seed=seed)
            meta = natural.site, natural.sample_rate_hz
            tally = FieldTally(*meta, lanes, group, values.shape[1], seed=seed)
        tally.update(values, natural.end[rows], lanes, piece)
    assert tally is not None, "frames of no piece"
    return tally.read(n_resamples=n_resamples)


def some(rows: Ints) -> Ints:
    """At most `FRAMES_A_PIECE` of some rows, evenly spread."""
    count = min(len(rows), FRAMES_A_PIECE)
    return rows[np.arange(count) * len(rows) // max(count, 1)]


class FieldTally:
    """Accumulator of what `ReceptiveFields` are computed from; its size does not depend on frames.

    Parameters
    ----------
    site, sample_rate_hz : of the frames to come
    lanes : of any piece, for its bands and its grid
    group : ``[piece]``, the group of each piece
    features : how many
    """

    def __init__(
        self, site: Site, sample_rate_hz: int, lanes: Lanes, group: Ints, features: int, *, seed: int = 0
    ) -> None:
        self.site, self.sample_rate_hz, self.seed = site, sample_rate_hz, seed
        self.band_hz, self.rate_hz = lanes.band_hz, lanes.rate_hz
        self.step = max(1, round(site.span / sample_rate_hz * lanes.rate_hz / LAGS))
        self.features = features
        self.moments = Moments(group, LAGS * len(self.band_hz), 2 * features)
        self._pieces: set[int] = set()

    def update(self, values: NDArray[np.floating], end: Ints, lanes: Lanes, piece: int) -> None:
        """Add values ``[frame, feature]`` of one piece, in order of time, and where their views end.

        Raises
        ------
        InputError
            For lanes with other bands, or arrays that do not fit (see `Moments.update`).
        """
        if not np.array_equal(lanes.band_hz, self.band_hz):
            raise InputError("lanes with the same bands for all pieces", "others", "another sampling rate")
        if not len(values):
            return
        # Lag 0 is the step that ends with the view.
        running = np.cumsum(np.pad(lanes.erb_db.astype(np.float64), ((1, 0), (0, 0))), axis=0)
        last = lanes.rows(end, self.sample_rate_hz)[:, None] + 1 - self.step * np.arange(LAGS)
        low, high = (np.clip(edge, 0, len(lanes)) for edge in (last - self.step, last))
        # Before the piece there is its first moment.
        low, high = np.minimum(low, len(lanes) - 1), np.maximum(high, np.minimum(low, len(lanes) - 1) + 1)
        levels = (running[high] - running[low]) / (high - low)[..., None]
        shift = int(np.random.default_rng([self.seed, piece, 53]).uniform(0.25, 0.75) * len(values))
        targets = np.concatenate([values, np.roll(values, shift, axis=0)], axis=1)
        self.moments.update(levels.reshape(len(values), -1), targets, piece)
        self._pieces.add(piece)

    def merge(self, other: FieldTally) -> None:
        """Add what another tally of the same site and pieces has seen.

        Raises
        ------
        InputError
            See `Moments.merge`.
        """
        self.moments.merge(other.moments)
        self._pieces |= other._pieces

    def read(self, *, n_resamples: int = RESAMPLES) -> ReceptiveFields:
        """What the frames so far read."""
        known = validate(self.moments, PENALTIES, columns=slice(self.features))
        shape = (self.features, LAGS, len(self.band_hz))
        if known is None:
            nothing = np.full(self.features, np.nan)
            names = [f.name for f in fields(ReceptiveFields)][7:]
            return self._of(0, np.full(shape, np.nan), **dict.fromkeys(names, nothing))
        penalty = known.share().argmax(axis=1)  # [block, feature]
        r, null = self._correlations(known, penalty)
        everything = self.moments.groups(known.group)
        alive = varies(everything)[: self.features]
        chosen = np.rint(np.median(penalty, axis=0)).astype(np.int64)
        weights = np.where(alive, _fitted(everything.targets(slice(self.features)), chosen), np.nan)
        field_ = weights.T.reshape(shape)
        over = resamples(len(known.group), n_resamples, seed=self.seed)
        low = high = np.full(self.features, np.nan)
        if over is not None:
            low, high = np.quantile(_mean(r, over[1:]), [0.025, 0.975], axis=0)
        once = np.ones((1, len(known.group)))
        mean, mean_null = _mean(r, once)[0], _mean(null, once)[0]
        drawn = mean_null[np.isfinite(mean_null)]
        extreme = np.sum(drawn >= mean[:, None], axis=1)
        return self._of(
            len(known.group),
            field_,
            r=mean,
            r_low=np.where(np.isfinite(mean), low, np.nan),
            r_high=np.where(np.isfinite(mean), high, np.nan),
            r_null=mean_null,
            p=np.where(np.isfinite(mean), (1 + extreme) / (1 + len(drawn)), np.nan),
            **shape_of(field_, self.band_hz, self._lag_ms()),
        )

    def _of(self, n_groups: int, weights: Array, **columns: Array) -> ReceptiveFields:
        return ReceptiveFields(
            site=self.site.name,
            n_pieces=len(self._pieces),
            n_groups=n_groups,
            n_frames=int(self.moments.counts.sum()),
            band_hz=self.band_hz,
            lag_ms=self._lag_ms(),
            weights=weights,
            **columns,
        )

    def _lag_ms(self) -> Array:
        """The middle of each lag."""
        return np.asarray((np.arange(LAGS) * self.step + (self.step - 1) / 2) * 1000 / self.rate_hz)

    def _correlations(self, known: Validation, penalty: Ints) -> tuple[Array, Array]:
        """Of the features and of their shifted values, ``[group, feature]``: fitted without the group's block."""
        found = np.empty((len(known.group), 2 * self.features))
        for block in np.unique(known.block):
            training = self.moments.groups(known.group[known.block != block])
            weights = _fitted(training, np.tile(penalty[block], 2))
            for row in np.flatnonzero(known.block == block):
                found[row] = correlation(self.moments.groups([known.group[row]]), weights)
        return found[:, : self.features], found[:, self.features :]


def correlation(test: Sums, weights: Array) -> Array:
    """Of predicted with true values, ``[target]``; NaN where the true ones do not vary, 0 where the predicted do."""
    predicted = np.maximum(np.sum(weights * (test.xx @ weights), axis=0), 0.0)
    product = np.sum(weights * test.xy, axis=0)
    size = np.sqrt(predicted * test.yy)
    found = np.divide(product, size, out=np.zeros(len(size)), where=size > 0)
    return np.where(varies(test), found, np.nan)


def varies(sums: Sums) -> NDArray[np.bool_]:
    """Which targets vary by more than rounding, ``[target]``."""
    return np.asarray(sums.yy > 1e-12 * (sums.yy + sums.count * sums.mean_y**2))


def shape_of(weights: Array, band_hz: Array, lag_ms: Array) -> dict[str, Array]:
    """Best frequency, width, latency and share of the main lobe of fields ``[feature, lag, band]``.

    Examples
    --------
    >>> field_ = np.zeros((1, 3, 5))
    >>> field_[0, 1, 2] = -2.0
    >>> found = shape_of(field_, np.array([100.0, 200, 300, 400, 500]), np.array([0.0, 10, 20]))
    >>> [float(value[0].round(3)) for value in found.values()]
    [300.0, 1.0, 10.0, 1.0]
    """
    power = weights**2
    profile, over_lags = power.sum(axis=1), power.sum(axis=2)
    total = profile.sum(axis=1)
    alive = np.isfinite(total) & (total > 0)
    rates = erb.rate(band_hz)
    row = np.arange(len(profile))
    top = np.where(alive, np.nan_to_num(profile).argmax(axis=1), 0)
    left, here, right = (profile[row, np.clip(top + d, 0, len(band_hz) - 1)] for d in (-1, 0, 1))
    inside = alive & (top > 0) & (top < len(band_hz) - 1)
    bend = left - 2 * here + right
    offset = np.divide(0.5 * (left - right), bend, out=np.zeros(len(top)), where=inside & (bend < 0))
    best = rates[top] + offset * np.mean(np.diff(rates))
    near = np.abs(rates - best[:, None]) <= LOBE_ERB
    nothing = np.full(len(top), np.nan)
    latest = lag_ms[np.nan_to_num(over_lags).argmax(axis=1)]
    return {
        "best_hz": np.where(alive, erb.frequency_hz(best), np.nan),
        "bandwidth_erb": np.divide(total, here, out=nothing.copy(), where=alive),
        "latency_ms": np.where(alive, latest, np.nan),
        "lobe_share": np.divide(np.sum(profile * near, axis=1), total, out=nothing.copy(), where=alive),
    }


def _fitted(training: Sums, penalty: Ints) -> Array:
    """Weights ``[level, target]``, each target with its penalty."""
    weights = np.empty(training.xy.shape)
    for choice in np.unique(penalty):
        these = np.flatnonzero(penalty == choice)
        weights[:, these] = training.targets(these).ridge(PENALTIES[choice])
    return weights


def _mean(r: Array, weights: Array) -> Array:
    """Mean over groups that have a value, ``[resample, feature]``, under weights ``[resample, group]``."""
    there = np.isfinite(r)
    count = weights @ there
    found = weights @ np.where(there, r, 0.0)
    return np.divide(found, count, out=np.full(found.shape, np.nan), where=count > 0)
