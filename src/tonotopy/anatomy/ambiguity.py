"""How far a fragment of sound decides the spectrum around it, and the spectrum the fragment (SPEC § 2).

No model takes part: this is what any layer of a view has to work with. Places are drawn in each piece. The
*fragment* of a place is the view around it, at unit norm and otherwise as it is, sign and phase included: so a filter
meets it. The *spectrum* of a place is that of one window for all views, as long as the longest view and at least
46 ms, centred, as unit-norm amplitudes in 1-ERB bands. Both are clustered, on half of the pieces, and each half
judges the other. On held-out pieces, with F and S the clusters of fragment and spectrum:

- ``ratio``: H(S | F) / H(S), from counts, and H(F | S) / H(F) for the other direction. 1: the one says nothing of
  the other; 0: it decides it;
- ``null_ratio``: the same where the places of each piece are paired in another order, turned round by at least
  a second. This pairing keeps the piece, how long things last and how many places there are, so it gives the fragment
  no credit for telling which piece plays; and entropies from counts are too low in it by the same bias;
- ``remaining``: their quotient. It is one minus the adjusted mutual information (Vinh, Epps and Bailey 2010)
  normalised by H(S), with the mean over turned pairings in place of that over all permutations.

Fragments of one frequency differ in phase, so that a fixed number of clusters runs out as the view grows. Read the
curves of several counts together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tonotopy.anatomy._pairing import FEW, Paired, paired
from tonotopy.core.errors import InputError
from tonotopy.signal import erb
from tonotopy.signal.spectrum import band_power
from tonotopy.sound.music import SILENT_DBFS, MusicPool, level_dbfs
from tonotopy.statistics.bootstrap import LEAST_PIECES, interval, piece_weights
from tonotopy.statistics.clusters import directions, fit_clusters

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

#: Spectra are of windows at least this long, seconds (SPEC § 2).
WINDOW_S = 0.046
#: Bands of the spectra begin here, Hz.
BOTTOM_HZ = 40.0
#: Views, samples; cluster counts; places a piece.
VIEWS = (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)
COUNTS = (16, 64, 256)
PER_PIECE = 2000
#: Pairings are turned by at least this much, seconds.
APART_S = 1.0
DIRECTIONS = ("spectrum given fragment", "fragment given spectrum")


@dataclass(frozen=True)
class Ambiguity:
    """One row for each view, cluster count and direction; every field is ``[row]``."""

    view_samples: NDArray[np.int64]
    view_s: Array
    clusters: NDArray[np.int64]
    direction: NDArray[np.str_]
    entropy_bits: Array
    conditional_bits: Array
    ratio: Array
    null_ratio: Array
    remaining: Array
    remaining_low: Array
    remaining_high: Array
    p: Array
    n_pieces: NDArray[np.int64]
    n_fragments: NDArray[np.int64]
    resampled: Array = field(repr=False)  # [row, resample], ``remaining``; not a column


@dataclass(frozen=True)
class AmbiguityTrend:
    """Whether ambiguity falls as the view grows: one row a cluster count and direction, every field ``[row]``."""

    clusters: NDArray[np.int64]
    direction: NDArray[np.str_]
    spearman: Array
    spearman_low: Array
    spearman_high: Array
    fall: Array  # what remains at the shortest view less what remains at the longest
    fall_low: Array
    fall_high: Array
    least_view_samples: NDArray[np.int64]  # the view at which least remains


def ambiguity(
    music: MusicPool,
    *,
    views: Sequence[int] = VIEWS,
    counts: Sequence[int] = COUNTS,
    per_piece: int = PER_PIECE,
    draws: int = 99,
    resamples: int = 200,
    seed: int = 0,
) -> Ambiguity:
    """How far fragments decide spectra and the reverse.

    Parameters
    ----------
    views : lengths of the fragments, samples
    per_piece : places drawn in each piece
    draws : turned pairings

    Raises
    ------
    InputError
        A view below 2 samples, a piece shorter than three windows, or more clusters than fragments to fit.
    """
    if not views or min(views) < 2:
        raise InputError("views of 2 samples or more", repr(list(views)))
    window = max(math.ceil(WINDOW_S * music.sample_rate_hz), *views)
    rng = np.random.default_rng([seed, 41])
    pieces, places = _places(music, window, min(views), per_piece, rng)
    if len(pieces) < LEAST_PIECES:
        return _table(music, views, counts, len(pieces), sum(map(len, places)), None)
    weights = piece_weights(len(pieces), resamples, seed=seed)
    # One turn for all pieces, as a share of the piece: each keeps its own order.
    apart = APART_S * music.sample_rate_hz / min(len(audio) for audio in pieces)
    turns = rng.uniform(apart, 1 - apart, draws)
    half = np.arange(len(pieces)) % 2
    spectra = [_spectra(a, p, window, music.sample_rate_hz) for a, p in zip(pieces, places, strict=True)]
    spectral = {count: _held_out(spectra, half, count, seed) for count in counts}
    read = {}
    for view in views:
        fragments = [directions(_cut(a, p, view)) for a, p in zip(pieces, places, strict=True)]
        for count in counts:
            labels = _held_out(fragments, half, count, seed)
            read[view, count] = paired(labels, spectral[count], half, turns, weights)
    return _table(music, views, counts, len(pieces), sum(map(len, places)), read)


def trend(found: Ambiguity) -> AmbiguityTrend:
    """Rank correlation of what remains with the view, and the fall from the shortest view to the longest."""
    from scipy.stats import rankdata

    rows = sorted({(int(c), str(d)) for c, d in zip(found.clusters, found.direction, strict=True)})
    columns: dict[str, list[float]] = {name: [] for name in ("s", "sl", "sh", "f", "fl", "fh", "least")}
    for count, direction in rows:
        of = np.flatnonzero((found.clusters == count) & (found.direction == direction))
        of = of[np.argsort(found.view_samples[of])]
        values = np.column_stack([found.remaining[of], found.resampled[of]])
        ranks = rankdata(values, axis=0)
        views = np.arange(len(of), dtype=np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            correlation = _correlations(views, ranks)
        correlation[~np.isfinite(values).all(axis=0)] = np.nan
        fall = values[0] - values[-1]
        for key, samples in (("s", correlation), ("f", fall)):
            low, high = _interval(samples[1:], int(found.n_pieces[of[0]]))
            for name, value in ((key, samples[0]), (key + "l", low), (key + "h", high)):
                columns[name].append(float(value))
        known = np.isfinite(found.remaining[of]).any()
        columns["least"].append(found.view_samples[of[np.nanargmin(found.remaining[of])]] if known else -1)
    s, sl, sh, f, fl, fh, least = (np.array(column) for column in columns.values())
    return AmbiguityTrend(
        np.array([count for count, _ in rows]),
        np.array([direction for _, direction in rows]),
        *(s, sl, sh, f, fl, fh),
        least.astype(np.int64),
    )


# ---- sound


def _places(
    music: MusicPool, window: int, shortest: int, per_piece: int, rng: np.random.Generator
) -> tuple[list[NDArray[np.float32]], list[Labels]]:
    """Pieces that sound, and places in each, in order of time."""
    pieces, places = [], []
    for piece in music.pieces:
        if len(piece.audio) < 3 * max(window, APART_S * music.sample_rate_hz):
            came = f"{len(piece.audio) / music.sample_rate_hz:.2f} s in {piece.name!r}"
            raise InputError(
                f"pieces of {3 * max(window / music.sample_rate_hz, APART_S):.2f} s or more", came
            )
        drawn = np.sort(rng.integers(window // 2, len(piece.audio) - window // 2 - 1, per_piece))
        # A level for each window, from running sums of squares.
        energy = np.concatenate([[0.0], np.cumsum(piece.audio.astype(np.float64) ** 2)])
        power = (energy[drawn + window - window // 2] - energy[drawn - window // 2]) / window
        short = np.abs(_cut(piece.audio, drawn, shortest)).max(axis=1)
        loud = (10 * np.log10(power + 1e-30) > SILENT_DBFS) & (short > 0)
        if level_dbfs(piece.audio) > SILENT_DBFS and loud.sum() > per_piece / 4:
            pieces.append(piece.audio)
            places.append(drawn[loud])
    return pieces, places


def _cut(audio: NDArray[np.float32], places: Labels, samples: int) -> NDArray[np.float32]:
    """Sound around places, ``[place, samples]``."""
    return np.asarray(audio[places[:, None] + np.arange(-(samples // 2), samples - samples // 2)])


def _spectra(audio: NDArray[np.float32], places: Labels, window: int, rate_hz: int) -> NDArray[np.float32]:
    """Unit-norm amplitudes in 1-ERB bands, ``[place, band]``."""
    top = float(erb.rate(0.49 * rate_hz))
    centres = np.asarray(erb.frequency_hz(np.arange(float(erb.rate(BOTTOM_HZ)), top, 1.0)))
    parts = [
        np.sqrt(np.maximum(band_power(_cut(audio, places[i : i + 512], window), rate_hz, centres), 0.0))
        for i in range(0, len(places), 512)
    ]
    return directions(np.concatenate(parts))


def _held_out(values: Sequence[NDArray[np.float32]], half: Labels, count: int, seed: int) -> list[Labels]:
    """Clusters of each piece's rows, fitted on the half that it is not in."""
    fitted = [
        fit_clusters(
            np.concatenate([v for v, h in zip(values, half, strict=True) if h != own]), count, seed=seed
        )
        for own in (0, 1)
    ]
    return [fitted[h].predict(v).astype(np.int64) for v, h in zip(values, half, strict=True)]


# ---- the table


def _table(
    music: MusicPool,
    views: Sequence[int],
    counts: Sequence[int],
    n_pieces: int,
    n_fragments: int,
    read: dict[tuple[int, int], Paired] | None,
) -> Ambiguity:
    keys = [(v, c, d) for v in views for c in counts for d in DIRECTIONS]
    found = [_row(read[v, c], d, n_pieces) if read else (np.full(8, np.nan), np.zeros(0)) for v, c, d in keys]
    entropy, conditional, ratio, null, remaining, low, high, p = np.array([row for row, _ in found]).T
    view_samples = np.array([v for v, _, _ in keys])
    return Ambiguity(
        view_samples,
        view_samples / music.sample_rate_hz,
        np.array([c for _, c, _ in keys]),
        np.array([d for _, _, d in keys]),
        *(entropy, conditional, ratio, null, remaining, low, high, p),
        np.full(len(keys), n_pieces),
        np.full(len(keys), n_fragments),
        np.array([samples for _, samples in found]),
    )


def _row(read: Paired, direction: str, n_pieces: int) -> tuple[Array, Array]:
    """Numbers of a row in the order of :class:`Ambiguity`, and what remains in each resample."""
    forward = direction == DIRECTIONS[0]
    given, of = (read.first, read.second) if forward else (read.second, read.first)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(of > 0, (read.joint - given) / of, np.nan)
        null = ratio[1:, 0].mean()
        remaining = ratio[0, 0] / null if null > 0 else float("nan")
        few = ratio[1 : 1 + FEW].mean(axis=0)
        resampled = np.where(few > 0, ratio[0] / few, np.nan)[1:]
    # A resample has fewer different places, so its entropies are biased once more: only the spread is its own.
    if np.isfinite(resampled).any():
        resampled += remaining - np.nanmedian(resampled)
    low, high = _interval(resampled, n_pieces)
    p = float("nan")
    if np.isfinite(remaining):
        p = (1 + np.sum(ratio[1:, 0] <= ratio[0, 0])) / len(ratio)
    conditional = float(read.joint[0, 0] - given[0, 0])
    numbers = [of[0, 0], conditional, ratio[0, 0], null, remaining, low, high, p]
    return np.array(numbers), resampled


def _interval(samples: Array, n_pieces: int) -> tuple[float, float]:
    return interval(samples, n_pieces=n_pieces) or (float("nan"), float("nan"))


def _correlations(views: Array, ranks: Array) -> Array:
    """Pearson correlation of one sequence with each column of ``[view, column]``."""
    x, y = views - views.mean(), ranks - ranks.mean(axis=0)
    return np.asarray((x @ y) / np.sqrt((x @ x) * np.sum(y**2, axis=0)))
