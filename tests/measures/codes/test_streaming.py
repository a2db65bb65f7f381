"""Sums over natural sound: any split gives one result, memory is bounded, numbers agree with other implementations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from scipy.stats import entropy, spearmanr
from sklearn.metrics import mutual_info_score

from tonotopy.core.errors import InputError
from tonotopy.measures.codes._information import entropy_bits, information_bits
from tonotopy.measures.codes._natural import moved
from tonotopy.measures.codes.peaks import PeakCounts
from tonotopy.measures.codes.rsa import spectral_similarity
from tonotopy.measures.codes.spectra import SpectrumSums
from tonotopy.measures.codes.usage import KEPT, UsageCounts

STAGES, CODES, BANDS, PIECES = 3, 12, 5, 9


def pieces(seed: int = 0) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Codes, peaks and levels: stage 0 hears band 0, stage 1 follows stage 0, stage 2 nothing."""
    rng, made = np.random.default_rng(seed), []
    for _ in range(PIECES):
        n = int(rng.integers(150, 250))
        peaks = rng.random((n, BANDS)) < 0.4
        first = np.where(peaks[:, 0], rng.integers(0, 6, n), rng.integers(6, 12, n))
        second = np.where(rng.random(n) < 0.5, first, rng.integers(0, 12, n))
        level = rng.standard_normal((n, BANDS)) + 5 * peaks
        made.append((np.stack([first, second, rng.integers(0, 12, n)], axis=1), peaks, level))
    return made


def _usage(part: Any, numbers: Any) -> UsageCounts:
    found = UsageCounts(STAGES, CODES)
    for piece in numbers:
        found.update(part[piece][0], piece=piece)
    return found


def _peaks(part: Any, numbers: Any) -> PeakCounts:
    found = PeakCounts(STAGES, CODES, BANDS)
    for piece in numbers:
        found.update(part[piece][0], part[piece][1], piece=piece)
    return found


def _spectra(part: Any, numbers: Any) -> SpectrumSums:
    found = SpectrumSums(STAGES, CODES, BANDS)
    for piece in numbers:
        found.update(part[piece][0], part[piece][2], piece=piece)
    return found


@pytest.mark.parametrize("make", [_usage, _peaks, _spectra])
def test_any_split_gives_one_result(make: Callable[[Any, Any], Any]) -> None:
    """Shards of pieces in any order, one of them empty, merge to what one pass gives."""
    part = pieces()
    whole = make(part, range(PIECES)).result()
    for shards in ([[], [4, 0, 8], [1, 2, 3], [5, 7, 6]], [[8], [7, 6, 5, 4, 3, 2, 1, 0]]):
        merged = make(part, shards[0])
        for shard in shards[1:]:
            merged.merge(make(part, shard))
        found = merged.result()
        for name in (field.name for field in fields(whole)):
            np.testing.assert_allclose(getattr(found, name), getattr(whole, name), rtol=1e-12, atol=1e-12)


def test_memory_at_the_largest_quantiser() -> None:
    """32 stages of 1,024 codes: as many MiB as the pages say, and no more after a long piece."""
    counted = [UsageCounts(32, 1024), PeakCounts(32, 1024, 40), SpectrumSums(32, 1024, 40)]
    for counts, least, most in zip(counted, (30, 130, 28), (36, 145, 34), strict=True):
        assert least < counts.nbytes / 2**20 < most
    usage = UsageCounts(32, 1024)
    rng = np.random.default_rng(0)
    before = usage.nbytes
    usage.update(rng.integers(0, 1024, (20_000, 32)), piece=0)
    assert usage.nbytes - before <= KEPT * 24
    assert usage.result().joint_distinct == pytest.approx(20_000, rel=0.06)


def test_entropy_and_information_agree_with_other_implementations() -> None:
    """Plug-in values are those of scipy and scikit-learn."""
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 7, 500), rng.integers(0, 4, 500)
    other[one == 3] = 2
    table = np.zeros((7, 4), np.int64)
    np.add.at(table, (one, other), 1)
    assert information_bits(table) == pytest.approx(mutual_info_score(one, other) / np.log(2))
    assert entropy_bits(table.ravel()) == pytest.approx(entropy(table.ravel(), base=2))
    assert np.isnan(entropy_bits(np.zeros(3)))
    assert np.isnan(information_bits(np.zeros((2, 2))))


def test_corrected_entropy_is_less_biased() -> None:
    """Forty frames of sixteen equally likely codes: Miller's correction takes off most of the bias."""
    drawn = np.random.default_rng(0).multinomial(40, np.full(16, 1 / 16), size=2000)
    plain, corrected = entropy_bits(drawn).mean(), entropy_bits(drawn, corrected=True).mean()
    assert plain < 3.75
    assert corrected == pytest.approx(4, abs=0.06)


def test_peaks_find_the_band_that_a_stage_hears() -> None:
    """One bit's worth where planted, nothing elsewhere, and nothing after codes and sound are parted."""
    part = pieces()
    found = _peaks(part, range(PIECES)).result()
    codes, peaks = (np.concatenate([piece[k] for piece in part]) for k in (0, 1))
    assert found.information_bits[0, 0] == pytest.approx(
        mutual_info_score(codes[:, 0], peaks[:, 0]) / np.log(2)
    )
    assert found.excess_bits[0, 0] > 0.9 * found.entropy_bits[0]
    assert found.excess_low_bits[0, 0] > 0.9 * found.entropy_bits[0]
    assert found.p[0, 0] == pytest.approx(1 / 20)
    rest = found.excess_bits.copy()
    rest[:2, 0] = 0  # the second stage follows the first
    assert np.abs(rest).max() < 0.02
    assert found.null_bits[2].min() > 0  # which raw information does not tell from nothing


def test_spectra_and_similarity() -> None:
    """Mean levels are those of a plain loop; entries laid out as their spectra are found alike, permuted ones not."""
    part = pieces()
    found = _spectra(part, range(PIECES)).result()
    codes, level = (np.concatenate([piece[k] for piece in part]) for k in (0, 2))
    np.testing.assert_allclose(found.spectrum_db[0, 3], level[codes[:, 0] == 3].mean(axis=0), rtol=1e-9)
    assert found.explained_excess[0, 0] > 0.5
    assert abs(found.explained_excess[2]).max() < 0.02
    rng = np.random.default_rng(1)
    spectra, frames = rng.standard_normal((1, 20, 6)), np.full((1, 20), 30)
    books = np.concatenate([spectra, rng.standard_normal((1, 20, 2)).reshape(1, 20, 2)], axis=2)
    alike = spectral_similarity(books, spectra, frames)
    from scipy.spatial.distance import pdist

    assert alike.correlation[0] == pytest.approx(spearmanr(pdist(books[0]), pdist(spectra[0])).statistic)
    assert alike.p[0] == pytest.approx(1 / 200)
    unlike = spectral_similarity(books[:, rng.permutation(20)], spectra, frames)
    assert unlike.p[0] > 0.05
    few = spectral_similarity(books[:, :5], spectra[:, :5], frames[:, :5])
    assert np.isnan(few.correlation[0])
    assert few.codes[0] == 5


def test_usage_counts_what_came() -> None:
    """Dead codes, perplexity of equally frequent codes, tuples and their coincidences, by hand."""
    counts = UsageCounts(2, 8)
    rows = np.array([[0, 1], [2, 3]] * 8)
    counts.update(rows, piece=0)
    counts.update(rows, piece=1)
    found = counts.result()
    assert found.used.tolist() == [2, 2]
    assert found.dead.tolist() == [6, 6]
    assert found.dead_expected[0] == pytest.approx(8 * (7 / 8) ** 32)
    assert found.perplexity == pytest.approx([2, 2])
    assert found.conditional_entropy_bits[1] < 0.05
    assert np.isnan(found.conditional_entropy_bits[0])
    assert found.joint_distinct == 2
    assert found.joint_collision_bits == pytest.approx(1)  # half of the pairs across pieces coincide
    empty = UsageCounts(2, 8).result()
    assert empty.n_frames == 0
    assert np.isnan(empty.perplexity).all()


def test_segments_move_as_wholes() -> None:
    """A move keeps every segment's codes together and only changes their order; without segments it is a shift."""
    codes = np.arange(15)[:, None]
    rng = np.random.default_rng(0)
    segment = np.repeat([3, 1, 7, 2], [5, 4, 3, 3])
    found = moved(codes, segment, rng)[:, 0]
    parts = {tuple(range(5)), tuple(range(5, 9)), tuple(range(9, 12)), tuple(range(12, 15))}
    at = np.flatnonzero(np.diff(found, prepend=found[0] - 2) != 1)
    joined = {tuple(part.tolist()) for part in np.split(found, at[1:])}
    assert sorted(found.tolist()) == list(range(15))
    assert all(any(set(part) <= set(whole) for whole in joined) for part in parts)
    shifted = moved(np.arange(100)[:, None], None, rng)[:, 0]
    step = int(shifted[1] - shifted[0])
    assert step == 1 or shifted[0] == 99
    assert 10 <= (100 - int(shifted[0])) % 100 <= 90


@pytest.mark.parametrize("lengths", [(40,), (20, 20), (3, 30, 7), (10, 10, 10, 10)])
def test_moved_codes_never_stay(lengths: tuple[int, ...]) -> None:
    """With one segment or a few codes are shifted, by many amounts; with more they take any other order."""
    codes, rng = np.arange(40)[:, None], np.random.default_rng(0)
    segment = np.repeat(np.arange(len(lengths)), lengths)
    draws = [moved(codes, segment, rng)[:, 0] for _ in range(200)]
    assert all(sorted(draw.tolist()) == list(range(40)) for draw in draws)
    assert not any(np.array_equal(draw, codes[:, 0]) for draw in draws)
    assert len({draw.tobytes() for draw in draws}) >= 19, "a null of 19 draws needs as many"


def test_one_segment_still_has_a_null() -> None:
    """Codes that hear a band are above codes that are moved, though each piece is one segment."""
    counts = PeakCounts(STAGES, CODES, BANDS)
    for piece, (codes, peaks, _) in enumerate(pieces()):
        counts.update(codes, peaks, piece=piece, segment=np.zeros(len(codes), int))
    found = counts.result()
    assert found.excess_bits[0, 0] > 0.9 * found.entropy_bits[0]
    assert found.p[0, 0] == pytest.approx(1 / 20)


def test_wrong_input_is_refused() -> None:
    """Codes that there are not, activations, other shapes, the same piece twice, another quantiser."""
    counts = PeakCounts(2, 4, 3)
    good, peaks = np.zeros((5, 2), np.int64), np.zeros((5, 3), np.bool_)
    counts.update(good, peaks, piece=0)
    for codes in (good + 4, good - 1, good.astype(float), good[:, :1]):
        with pytest.raises(InputError, match=r"codes \[frame, 2\] from 0 to 3"):
            counts.update(codes, peaks, piece=1)
    with pytest.raises(InputError, match="frames of another site"):
        counts.update(good, peaks[:4], piece=1)
    with pytest.raises(InputError, match="the same shard twice"):
        counts.update(good, peaks, piece=0)
    with pytest.raises(InputError, match="the same shard twice"):
        counts.merge(counts)
    with pytest.raises(InputError, match="expected counts"):
        counts.merge(PeakCounts(2, 5, 3))
    with pytest.raises(InputError, match="another quantiser"):
        UsageCounts(2, 4).merge(UsageCounts(3, 4))
    assert np.isnan(counts.result().information_bits).all()  # one piece


@pytest.mark.parametrize("make", [_usage, _peaks, _spectra])
def test_a_piece_counts_once(make: Callable[[Any, Any], Any]) -> None:
    """The same piece again is refused, alone and in a shard, and changes no number; so is a part of another seed."""
    part = pieces()
    counts, plain = make(part, range(4)), make(part, range(4)).result()
    given = {_usage: part[3][:1], _peaks: part[3][:2], _spectra: part[3][::2]}[make]  # type: ignore[index]
    with pytest.raises(InputError, match="not counted yet; got 3 again; likely cause: the same shard twice"):
        counts.update(*given, piece=3)
    with pytest.raises(InputError, match="got 2, 3 again"):
        counts.merge(make(part, [4, 2, 3]))
    other = make(part, [5])
    other.seed = 1
    with pytest.raises(InputError, match=r"seed 0; got .*seed 1"):
        counts.merge(other)
    for name in (field.name for field in fields(plain)):
        np.testing.assert_array_equal(getattr(counts.result(), name), getattr(plain, name))
    assert counts.pieces == {0, 1, 2, 3}


def test_few_pieces_are_undefined() -> None:
    """Fewer than three pieces give no number, fewer than eight no interval."""
    part = pieces()
    assert np.isnan(_peaks(part, range(2)).result().excess_bits).all()
    some = _peaks(part, range(5)).result()
    assert np.isfinite(some.excess_bits).all()
    assert np.isnan(some.excess_low_bits).all()
