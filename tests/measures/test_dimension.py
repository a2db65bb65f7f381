"""Effective dimension and overlap: planted answers, invariance, and another way to compute each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import subspace_angles
from scipy.stats import ortho_group

from tonotopy.measures import dimension as d
from tonotopy.statistics.bootstrap import piece_weights

PIECES = 8


def planted(rank: int, units: int, *, n: int = 60, seed: int = 0, offset: float = 3.0) -> tuple:
    """White frames in a random subspace of a dimension, off the origin, with the piece of each."""
    rng = np.random.default_rng([seed, rank, units])
    basis = np.linalg.qr(rng.standard_normal((units, rank)))[0]
    frames = rng.standard_normal((PIECES * n, rank)) @ basis.T + offset
    return frames, np.repeat(np.arange(PIECES), n), basis


def read(frames: np.ndarray, piece: np.ndarray, resamples: int = 0) -> d.Dimension:
    """Measures of some frames."""
    found = d.Frames.of(frames, piece)
    assert found is not None
    return d.dimension(found, piece_weights(found.n_pieces, resamples, seed=0))


@pytest.mark.parametrize(("rank", "units"), [(1, 5), (4, 12), (12, 12), (6, 700)])
def test_a_planted_dimension_is_read(rank: int, units: int) -> None:
    """White frames in a subspace read its dimension; few frames read a little less, as the null says."""
    frames, piece, basis = planted(rank, units)
    found = read(frames, piece)
    assert found.effective[0] == pytest.approx(d.white_dimension(len(frames), rank), rel=0.03)
    assert rank - 1 <= found.held[0] <= rank
    assert d.overlap(found.subspaces[0], basis) == pytest.approx(1.0)


@given(st.integers(0, 50), st.integers(2, 9))
def test_nothing_depends_on_the_axes(seed: int, units: int) -> None:
    """A rotation of the units, a shift and a change of scale leave every measure as it is."""
    rng = np.random.default_rng(seed)
    frames = rng.standard_normal((90, units)) * np.linspace(0.2, 2, units)
    piece = np.arange(90) % 3
    turned = 7 * frames @ ortho_group.rvs(units, random_state=rng) - 2
    first, second = read(frames, piece, 5), read(turned, piece, 5)
    for name in ("effective", "within", "shared"):
        np.testing.assert_allclose(getattr(first, name), getattr(second, name), rtol=1e-5)
    np.testing.assert_array_equal(first.held, second.held)
    assert first.halves == pytest.approx(second.halves, rel=1e-5)


def test_against_plain_linear_algebra() -> None:
    """Weighted covariances by numpy.cov, angles by scipy: the same dimensions and overlaps."""
    rng = np.random.default_rng(5)
    piece = np.repeat(np.arange(PIECES), rng.integers(5, 30, PIECES))  # pieces of unequal length
    weights = piece_weights(PIECES, 4, seed=1)
    sides = []
    for _ in range(2):
        frames = (
            rng.standard_normal((len(piece), 10))
            @ np.diag(0.7 ** np.arange(10))
            @ rng.standard_normal((10, 10))
        )
        found = d.Frames.of(frames.astype(np.float32), piece)
        bases = []
        for k, w in enumerate(weights):
            each = w[piece] / np.bincount(piece)[piece]
            values, vectors = np.linalg.eigh(np.cov(frames.T, aweights=each, ddof=0))
            n = next(n for n in range(1, 11) if values[-n:].sum() >= 0.95 * values.sum())
            bases.append(vectors[:, -n:])
            measured = d.dimension(found, weights)
            assert measured.effective[k] == pytest.approx(values.sum() ** 2 / np.sum(values**2), rel=1e-5)
            assert measured.held[k] == n
        sides.append((d.dimension(found, weights).subspaces, bases))
    expected = [
        np.mean(np.cos(subspace_angles(a, b)) ** 2) for a, b in zip(sides[0][1], sides[1][1], strict=True)
    ]
    np.testing.assert_allclose(d.overlaps(sides[0][0], sides[1][0]), expected, rtol=1e-4)


def test_pieces_weigh_alike() -> None:
    """A piece that is ten times as long counts no more than another."""
    frames, piece, _ = planted(3, 6, n=20)
    longer = np.concatenate([frames, np.tile(frames[piece == 0], (9, 1))])
    numbers = np.concatenate([piece, np.zeros(9 * 20, dtype=int)])
    np.testing.assert_allclose(read(frames, piece).effective, read(longer, numbers).effective, rtol=1e-6)


def test_what_pieces_share() -> None:
    """Pieces on common axes share all; a piece on an axis of its own shares nothing of it."""
    frames, piece, _ = planted(3, 8, offset=0.0)
    assert (read(frames, piece).shared > 0.99).all()
    alone = np.where((piece == 0)[:, None], 0.0, frames)
    alone = np.concatenate([alone, np.zeros((len(frames), 1))], axis=1)
    alone[piece == 0, -1] = np.random.default_rng(0).standard_normal(60)
    shared = read(alone, piece).shared
    assert shared[0] < 0.05
    assert (shared[1:] > 0.99).all()
    assert read(alone, piece).within[0] == pytest.approx(1.0)


def test_random_subspaces_overlap_as_their_null_says() -> None:
    """Random subspaces of several dimensions: the mean overlap is the larger dimension over the units."""
    rng = np.random.default_rng(0)
    for a, b in ((2, 5), (7, 7), (12, 1)):
        drawn = [
            d.overlap(*(np.linalg.qr(rng.standard_normal((20, k)))[0] for k in (a, b))) for _ in range(300)
        ]
        assert np.mean(drawn) == pytest.approx(d.random_overlap(a, b, 20), rel=0.06)


def test_white_frames_read_as_their_null_says() -> None:
    """White frames in all units: participation ratio as the Wishart moments have it."""
    rng = np.random.default_rng(1)
    for n, units in ((40, 10), (30, 60)):
        found = [d.participation_ratio(np.cov(rng.standard_normal((n, units)).T)) for _ in range(50)]
        assert np.mean(found) == pytest.approx(d.white_dimension(n, units), rel=0.02)


def test_undefined_is_said() -> None:
    """A site that does not vary, or is not finite, has nothing to measure; frames that are not finite are left out."""
    piece = np.arange(40) % 4
    assert d.Frames.of(np.full((40, 3), 5.0), piece) is None
    assert d.Frames.of(np.full((40, 3), np.nan), piece) is None
    frames = np.random.default_rng(0).standard_normal((40, 3))
    frames[::7, 0] = np.inf
    assert len(d.Frames.of(frames, piece).values) == 40 - len(frames[::7])
    assert np.isnan(d.overlap(np.empty((3, 0)), np.eye(3)))


def test_many_units_cost_no_more_axes_than_frames() -> None:
    """With more units than frames the axes are at most the frames."""
    frames, piece, _ = planted(200, 2000, n=5)
    assert d.Frames.of(frames, piece).axes.shape[1] <= len(frames)
