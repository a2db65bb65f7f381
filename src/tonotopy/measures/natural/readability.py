"""How well the tracked partials of natural sound are read from a site: by all units, by the best single feature.

The *target* of a band is the compressed amplitude of the tracked partials in it (`partial_targets`). R² is the share
of its variance that is explained on held-out groups of pieces (`held_out`), about the mean of the training groups.
For each band:

- ``r2_all``: from all units, by ridge regression, its penalty chosen on the training groups;
- ``r2_best``: from the one feature that explains most on the training groups, by a line of its own; the
  difference is the *localisation gap* (SPEC § 5): what is there, but not in one feature;
- ``r2_baseline``: from the levels of the sound in 1-ERB bands at the same moments, by the same ridge regression:
  what needs no model;
- ``r2_control``: from all units, of a control task (`partial_targets`), which only memorising types of sound
  helps. ``selectivity`` is the difference;
- ``r2_null``: from all units, of the target shifted circularly within its piece by a quarter to three quarters of
  it. What is left is what pieces as wholes tell.

The moment: a frame may tell of the end of its view or of its middle. Of `frame_moment.MOMENTS`, parts of the span
before the end of the view, the one is taken whose mean ``r2_all`` over bands is highest on the training groups, for
each held-out block of groups apart; ``delay_ms`` is the median.

Undefined (NaN): all with fewer than 3 groups of pieces, or at a site where nothing varies; a band with partials in
fewer than `LEAST_PRESENT` of the frames or in fewer than 3 groups. Intervals: bootstrap over groups, undefined
below 8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonotopy.core.errors import InputError
from tonotopy.encoders._contract import Site
from tonotopy.measures.natural.best_single import best_single
from tonotopy.measures.natural.frame_moment import best_delay, delays
from tonotopy.measures.natural.held_out import (
    LEAST_GROUPS,
    RESAMPLES,
    Validation,
    interval_of,
    resamples,
    try_out,
    validate,
)
from tonotopy.measures.natural.moments import Array, Ints, Moments, deal
from tonotopy.measures.natural.partial_targets import Targets, targets_of
from tonotopy.measures.natural.pieces_seen import PiecesSeen, check_sites, frames_of, null_shift
from tonotopy.recording.lanes import Lanes
from tonotopy.recording.natural import NaturalSound

#: A band is undefined where fewer frames than this share have a partial in it.
LEAST_PRESENT: Final = 0.01
#: Frames of a piece that are used, evenly spread among those given.
FRAMES_A_PIECE: Final = 1000
#: Draws of the null's shift, apart from those of other measures.
_STREAM: Final = 43
_KINDS: Final = 3  # targets as they are, of the control task, shifted


@dataclass(frozen=True)
class Readability:
    """What one site reads; NaN is undefined."""

    site: str
    n_pieces: int
    n_groups: int
    n_frames: int
    delay_ms: float
    band_hz: Array = field(repr=False)  # [band]
    present: Array = field(repr=False)  # [band], share of frames with a partial in the band
    r2_all: Array = field(repr=False)  # [band]
    r2_all_low: Array = field(repr=False)
    r2_all_high: Array = field(repr=False)
    r2_best: Array = field(repr=False)
    r2_best_low: Array = field(repr=False)
    r2_best_high: Array = field(repr=False)
    best_feature: Ints = field(repr=False)  # [band], by all groups; -1 where undefined
    best_repeats: Array = field(repr=False)  # [band], share of held-out groups for which it was that one
    gap: Array = field(repr=False)
    gap_low: Array = field(repr=False)
    gap_high: Array = field(repr=False)
    r2_baseline: Array = field(repr=False)
    r2_baseline_low: Array = field(repr=False)
    r2_baseline_high: Array = field(repr=False)
    r2_control: Array = field(repr=False)
    selectivity: Array = field(repr=False)
    selectivity_low: Array = field(repr=False)
    selectivity_high: Array = field(repr=False)
    r2_null: Array = field(repr=False)
    r2_null_low: Array = field(repr=False)
    r2_null_high: Array = field(repr=False)


def readability(
    sound: NaturalSound,
    site: str,
    *,
    features: Callable[[NDArray[np.float32]], NDArray[np.floating]] | None = None,
    targets: Sequence[Targets] | None = None,
    seed: int = 0,
    n_resamples: int = RESAMPLES,
) -> Readability:
    """Readability of tracked partials at one site.

    Parameters
    ----------
    sound : frames and lanes of some pieces
    site : which of its sites
    features : from frames ``[frame, unit]`` to values ``[frame, feature]``, among which the best single one is
        looked for; None for the units themselves
    targets : of each piece, from `targets_of` with the same seed, where several sites are read; None to compute them

    Raises
    ------
    InputError
        For a site that was not recorded, or features that are not finite.
    """
    check_sites(sound, [site])
    natural = sound.sites[site]
    wanted = targets_of(sound.lanes, seed=seed) if targets is None else targets
    if len(wanted) != len(sound.lanes):
        raise InputError(f"targets of {len(sound.lanes)} pieces", f"of {len(wanted)}")
    tally: ReadabilityTally | None = None
    for piece, (lanes, target) in enumerate(zip(sound.lanes, wanted, strict=True)):
        rows = frames_of(natural, piece, FRAMES_A_PIECE)
        frames = natural.frames[rows]
        values = None if features is None else np.asarray(features(frames))
        if tally is None:
            group = deal(len(sound.lanes), seed=seed)
            width = None if values is None else values.shape[1]
            meta = natural.site, natural.sample_rate_hz
            tally = ReadabilityTally(*meta, lanes, group, features=width, seed=seed)
        tally.update(frames, natural.end[rows], lanes, target, piece, values=values)
    assert tally is not None, "frames of no piece"
    return tally.read(n_resamples=n_resamples)


class ReadabilityTally:
    """Accumulator of what `Readability` is computed from; its size does not depend on frames.

    Parameters
    ----------
    site, sample_rate_hz : of the frames to come
    lanes : of any piece, for its bands and its grid
    group : ``[piece]``, the group of each piece
    features : how many single features there are beside the units; None where units are the features
    """

    def __init__(
        self,
        site: Site,
        sample_rate_hz: int,
        lanes: Lanes,
        group: Ints,
        *,
        features: int | None = None,
        seed: int = 0,
    ) -> None:
        self.site, self.sample_rate_hz, self.seed = site, sample_rate_hz, seed
        self.pieces = PiecesSeen(lanes)
        self.delays = delays(site.span, sample_rate_hz / lanes.rate_hz)
        n_bands = len(lanes.band_hz)
        targets = _KINDS * len(self.delays) * n_bands
        self.units = Moments(group, site.units, targets)
        # The best single feature is asked for one kind of target only.
        self.single = None if features is None else Moments(group, features, targets // _KINDS, gram=False)
        self.baseline = Moments(group, n_bands, n_bands)
        self.present = np.zeros((self.units.n_groups, n_bands))

    def update(
        self,
        frames: NDArray[np.floating],
        end: Ints,
        lanes: Lanes,
        targets: Targets,
        piece: int,
        *,
        values: NDArray[np.floating] | None = None,
    ) -> None:
        """Add frames of one piece ``[frame, unit]``, where their views end, and the values of single features.

        Raises
        ------
        InputError
            For lanes with other bands, single features where there were none before or the other way round, or
            arrays that do not fit (see `Moments.update`).
        """
        self.pieces.check(lanes)
        if (values is None) != (self.single is None):
            raise InputError("single features in every update or in none", "both")
        if not len(frames):
            return
        rows = lanes.rows(end[:, None] - self.delays, self.sample_rate_hz)  # [frame, delay]
        real, control = targets.real, targets.control
        shift = null_shift(len(lanes), piece, seed=self.seed, stream=_STREAM)
        shifted = (rows + shift) % len(lanes)
        taken = ((real, rows), (control, rows), (real, shifted))
        wanted = np.stack([np.take(values_, at, axis=0) for values_, at in taken], axis=1)
        flat = wanted.reshape(len(frames), -1)
        self.units.update(frames, flat, piece)
        if self.single is not None and values is not None:
            self.single.update(values, wanted[:, 0].reshape(len(frames), -1), piece)
        self.baseline.update(lanes.erb_db[rows[:, 0]], wanted[:, 0, 0], piece)
        self.present[self.units.group[piece]] += np.sum(wanted[:, 0, 0] > 0, axis=0)
        self.pieces.add(piece)

    def merge(self, other: ReadabilityTally) -> None:
        """Add what another tally of the same site and pieces has seen.

        Raises
        ------
        InputError
            See `Moments.merge`.
        """
        self.units.merge(other.units)
        self.baseline.merge(other.baseline)
        if self.single is not None and other.single is not None:
            self.single.merge(other.single)
        self.present += other.present
        self.pieces.merge(other.pieces)

    def read(self, *, n_resamples: int = RESAMPLES) -> Readability:
        """What the frames so far read."""
        n_bands = len(self.pieces.band_hz)
        n_frames = int(self.units.counts.sum())
        present = self.present.sum(axis=0) / max(n_frames, 1)
        defined = (present >= LEAST_PRESENT) & (np.sum(self.present > 0, axis=0) >= LEAST_GROUPS)
        n_delays = len(self.delays)
        # With several delays the control task and the null wait until one is chosen.
        kinds = _KINDS if n_delays == 1 else 1
        known = validate(self.units, columns=slice(kinds * n_delays * n_bands))
        known_baseline = validate(self.baseline)
        seen = np.flatnonzero(self.units.counts)
        alive = bool(n_frames) and bool(self.units.groups(seen, slice(0), gram=False).variance_x.any())
        if known is None or known_baseline is None or not alive:
            return self._undefined(present)
        share = known.share()[..., : n_delays * n_bands]
        delay = best_delay(share.reshape(*share.shape[:2], n_delays, n_bands), defined)  # [block]
        weights = resamples(len(known.group), n_resamples, seed=self.seed)

        first = (np.arange(_KINDS) * n_delays + delay[:, None]) * n_bands  # [block, kind]
        columns = (first[..., None] + np.arange(n_bands)).reshape(len(delay), -1)
        penalty = self._penalties(known, columns)
        tried = try_out(self.units, known, columns, penalty)
        errors = dict(zip(("r2_all", "r2_control", "r2_null"), tried.split(_KINDS), strict=True))
        columns = np.broadcast_to(np.arange(n_bands), (len(delay), n_bands))
        errors["r2_baseline"] = try_out(
            self.baseline, known_baseline, columns, known_baseline.penalties(columns)
        )
        chosen, overall = [_columns(int(d), n_bands) for d in delay], int(np.median(delay[known.block]))
        errors["r2_best"], best, repeats = best_single(
            self.single or self.units, known, chosen, _columns(overall, n_bands)
        )

        rows = np.ones((1, len(known.group))) if weights is None else weights
        r2 = {name: np.where(defined, held.share(rows), np.nan) for name, held in errors.items()}
        r2["gap"] = r2["r2_all"] - r2["r2_best"]
        r2["selectivity"] = r2["r2_all"] - r2["r2_control"]
        columns_of = {name: values[0] for name, values in r2.items()}
        for name in set(r2) - {"r2_control"}:
            low, high = interval_of(r2[name][1:])
            columns_of |= {f"{name}_low": low, f"{name}_high": high}
        return Readability(
            site=self.site.name,
            n_pieces=len(self.pieces),
            n_groups=len(known.group),
            n_frames=n_frames,
            delay_ms=float(np.median(self.delays[delay[known.block]])) * 1000 / self.sample_rate_hz,
            band_hz=self.pieces.band_hz,
            present=present,
            best_feature=np.where(defined, best, -1),
            best_repeats=np.where(defined, repeats, np.nan),
            **columns_of,
        )

    def _penalties(self, known: Validation, columns: Ints) -> Ints:
        """The best penalty of each of some targets, ``[block, column]``, those as they are first."""
        if len(self.delays) == 1:
            return known.penalties(columns)
        real, rest = np.split(columns, [len(self.pieces.band_hz)], axis=1)
        every, place = np.unique(rest, return_inverse=True)
        others = validate(self.units, columns=every)
        assert others is not None, "groups that were there"
        return np.concatenate([known.penalties(real), others.penalties(place.reshape(rest.shape))], axis=1)

    def _undefined(self, present: Array) -> Readability:
        """Nothing can be said."""
        nothing = np.full(len(self.pieces.band_hz), np.nan)
        given = ("site", "n_pieces", "n_groups", "n_frames", "delay_ms", "band_hz", "present", "best_feature")
        return Readability(
            site=self.site.name,
            n_pieces=len(self.pieces),
            n_groups=int(np.count_nonzero(self.units.counts)),
            n_frames=int(self.units.counts.sum()),
            delay_ms=float("nan"),
            band_hz=self.pieces.band_hz,
            present=present,
            best_feature=np.full(len(self.pieces.band_hz), -1),
            **{f.name: nothing for f in fields(Readability) if f.name not in given},
        )


def _columns(delay: int, n_bands: int) -> slice:
    """Targets as they are at one delay: they come first, in units and in single features alike."""
    return slice(delay * n_bands, (delay + 1) * n_bands)
