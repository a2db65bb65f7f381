"""Ambiguity: long fragments of tones decide spectra, short ones and noise do not; sharing a piece counts nothing."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score, mutual_info_score

from tonotopy.anatomy._pairing import conditional_entropy, paired
from tonotopy.anatomy.ambiguity import DIRECTIONS, Ambiguity, ambiguity, trend
from tonotopy.core.errors import InputError
from tonotopy.sound.music import MusicPool, Piece
from tonotopy.statistics.bootstrap import piece_weights

RATE = 16_000
PIECES = 8
SECONDS = 8
FREQUENCIES = (300.0, 500.0, 800.0, 1300.0)


def pool(sounds: list[np.ndarray]) -> MusicPool:
    return MusicPool(
        RATE,
        tuple(Piece(f"{k}", None, None, None, None, x.astype(np.float32)) for k, x in enumerate(sounds)),
    )


def tones(rng: np.random.Generator) -> np.ndarray:
    """Pure tones of half a second, phase and level drawn anew each time."""
    time = np.arange(RATE // 2) / RATE
    parts = [
        rng.uniform(0.05, 0.3) * np.sin(2 * np.pi * (f * time + rng.random()))
        for f in rng.choice(FREQUENCIES, 2 * SECONDS)
    ]
    return np.concatenate(parts)


def rows(found: Ambiguity, view: int, direction: str = DIRECTIONS[0]) -> int:
    return int(np.flatnonzero((found.view_samples == view) & (found.direction == direction))[0])


@pytest.fixture(scope="module")
def of_tones() -> Ambiguity:
    rng = np.random.default_rng(0)
    music = pool([tones(rng) for _ in range(PIECES)])
    return ambiguity(music, views=(4, 32, 256), counts=(16,), per_piece=500, draws=19, resamples=50)


def test_long_fragments_of_tones_decide_the_spectrum_and_four_samples_do_not(of_tones: Ambiguity) -> None:
    remaining = of_tones.remaining[[rows(of_tones, view) for view in (4, 32, 256)]]
    assert remaining[0] > 0.85
    assert remaining[2] < 0.35  # not 0: a window over a change of tone has both tones in its spectrum
    assert (np.diff(remaining) < -0.05).all()
    assert (of_tones.p <= 0.05).all()
    assert (of_tones.remaining_low < of_tones.remaining).all()
    assert (of_tones.remaining < of_tones.remaining_high).all()


def test_the_trend_says_so_with_an_interval(of_tones: Ambiguity) -> None:
    found = trend(of_tones)
    row = int(np.flatnonzero(found.direction == DIRECTIONS[0])[0])
    assert found.spearman[row] == -1.0
    assert found.least_view_samples[row] == 256
    assert 0.5 < found.fall_low[row] < found.fall[row] < found.fall_high[row]


def test_in_noise_a_fragment_says_nothing() -> None:
    rng = np.random.default_rng(1)
    music = pool([0.1 * rng.standard_normal(SECONDS * RATE) for _ in range(PIECES)])
    found = ambiguity(music, views=(4, 32, 256), counts=(16, 64), per_piece=500, draws=19, resamples=50)
    np.testing.assert_allclose(found.remaining, 1.0, atol=0.01)
    # From counts alone it would seem to: 64 x 64 cells are more than 2000 places fill.
    assert found.ratio[found.clusters == 64].max() < 0.95


def test_what_two_labels_owe_to_the_piece_counts_nothing() -> None:
    """Labels drawn apart from each other, with chances that differ by piece: informative pooled, not in the measure."""
    rng = np.random.default_rng(2)
    half = np.arange(PIECES) % 2
    chance = rng.dirichlet(np.full(8, 0.3), PIECES)
    first, second = ([rng.choice(8, 800, p=p) for p in chance] for _ in range(2))
    turns = rng.uniform(0.1, 0.9, 19)
    read = paired(first, second, half, turns, piece_weights(PIECES, 30, seed=0))
    lost = read.joint - read.first  # H(second | first)
    assert lost[0, 0] < 0.9 * read.second[0, 0]
    assert lost[0, 0] == pytest.approx(lost[1:, 0].mean(), rel=0.01)


def test_against_scikit_learn() -> None:
    """Entropies are those of mutual_info_score; the quotient is one minus adjusted mutual information."""
    rng = np.random.default_rng(3)
    first = [rng.integers(0, 12, 600) for _ in range(2)]
    second = [np.where(rng.random(600) < 0.4, f, rng.integers(0, 12, 600)) for f in first]
    turns = rng.uniform(0.05, 0.95, 60)
    read = paired(first, second, np.array([0, 1]), turns, np.ones((1, 2)))
    expected = np.mean([mutual_info_score(f, s) for f, s in zip(first, second, strict=True)]) / np.log(2)
    assert read.first[0, 0] + read.second[0, 0] - read.joint[0, 0] == pytest.approx(expected)
    lost = read.joint - read.first
    adjusted = np.mean(
        [  # normalised by H(second): scikit-learn offers max, min and means of the two entropies
            adjusted_mutual_info_score(f, s, average_method="min") for f, s in zip(first, second, strict=True)
        ]
    )
    assert 1 - lost[0, 0] / lost[1:, 0].mean() == pytest.approx(adjusted, abs=0.015)
    table = np.zeros((12, 12))
    np.add.at(table, (first[0], second[0]), 1)
    by_table = conditional_entropy(table, -1)
    entropy = -np.sum(table.sum(0) / 600 * np.log2(table.sum(0) / 600))
    assert by_table == pytest.approx(entropy - mutual_info_score(first[0], second[0]) / np.log(2))


def test_few_pieces_are_undefined() -> None:
    rng = np.random.default_rng(4)
    sounds = [tones(rng) for _ in range(4)]
    two = ambiguity(pool(sounds[:2]), views=(8,), counts=(4,), per_piece=100, draws=9, resamples=30)
    assert np.isnan(two.remaining).all()
    assert np.isnan(two.p).all()
    assert np.isnan(trend(two).fall).all()
    silent = [np.zeros(SECONDS * RATE)] * 2
    four = ambiguity(pool(sounds + silent), views=(8,), counts=(4,), per_piece=100, draws=9, resamples=30)
    assert (four.n_pieces == 4).all()
    assert np.isfinite(four.remaining).all()
    assert np.isnan(four.remaining_low).all()


def test_what_cannot_be_read_is_refused() -> None:
    rng = np.random.default_rng(5)
    with pytest.raises(InputError, match=r"^expected views of 2 samples or more; got \[1, 8\]$"):
        ambiguity(pool([tones(rng)]), views=(1, 8))
    with pytest.raises(InputError, match=r"^expected pieces of 3.00 s or more; got 1.00 s in '0'$"):
        ambiguity(pool([tones(rng)[:RATE]]))
