"""Ridge from products: the same as fitting the frames themselves, and a large family of noise does no harm."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from tonotopy.measures.natural import family_fit as fit

PIECES = 6


def data(seed: int = 0, *, n: int = 40, columns: int = 7, targets: int = 3) -> tuple[np.ndarray, ...]:
    """Columns, targets that follow some of them, unequal pieces with means of their own, families."""
    rng = np.random.default_rng(seed)
    piece = np.repeat(np.arange(PIECES), n + 5 * np.arange(PIECES))
    x = rng.standard_normal((len(piece), columns)) * np.linspace(0.1, 9, columns)
    y = x[:, :targets] + 0.5 * rng.standard_normal((len(piece), targets))
    return (
        x + rng.standard_normal((PIECES, columns))[piece] * 50,
        y + 30 * piece[:, None],
        piece,
        np.arange(columns) % 2,
    )


def test_the_same_as_fitting_frames() -> None:
    """Held-out R² by scikit-learn on centred, scaled frames with weights of pieces: to rounding."""
    x, y, piece, family = data()
    given = fit.Centred.of(x, y, piece, family)
    groups = fit.by_group(given)
    penalty = np.full((len(groups), y.shape[1]), 1)
    columns = np.arange(x.shape[1])
    rest, whole = fit.left_by_piece(given, groups, [columns, columns[:3]], penalty)
    found = fit.explained(rest, whole, np.ones((1, PIECES)))[0]
    weight = 1 / np.bincount(piece)[piece]
    own = [np.flatnonzero(piece == p) for p in range(PIECES)]
    xc, yc = x.copy(), y.copy()
    for rows in own:
        xc[rows] -= xc[rows].mean(axis=0)
        yc[rows] -= yc[rows].mean(axis=0)
    xc /= np.sqrt((weight @ xc**2) / PIECES) * np.sqrt(np.bincount(family)[family])
    for number, chosen in enumerate((columns, columns[:3])):
        left = total = 0.0
        for held in range(PIECES):
            out = given.group[piece] == held
            scale = (weight[~out] @ xc[~out] ** 2).mean()
            model = Ridge(alpha=fit.PENALTIES[1] * scale, fit_intercept=False)
            model.fit(xc[~out][:, chosen], yc[~out], sample_weight=weight[~out])
            left = left + weight[out] @ (yc[out] - model.predict(xc[out][:, chosen])) ** 2
            total = total + weight[out] @ yc[out] ** 2
        np.testing.assert_allclose(found[number], 1 - left / total, atol=1e-4)


def test_means_and_scales_of_pieces_do_not_matter() -> None:
    """Another offset for each piece, another unit for each column and target: the same R²."""
    x, y, piece, family = data()
    rng = np.random.default_rng(1)
    moved = x * rng.uniform(0.1, 10, x.shape[1]) + rng.standard_normal((PIECES, x.shape[1]))[piece] * 5
    first = fit.held_out_r2(fit.Centred.of(x, y, piece, family))
    second = fit.held_out_r2(fit.Centred.of(moved, -3 * y + piece[:, None], piece, family))
    np.testing.assert_allclose(first, second, atol=1e-4)
    assert (first > 0.0).all()


def test_a_large_family_of_noise_does_little_harm() -> None:
    """Six columns that matter beside sixty that do not: families alike lose less than columns alike."""
    rng = np.random.default_rng(2)
    piece = np.repeat(np.arange(PIECES), 50)
    x = rng.standard_normal((len(piece), 66))
    y = x[:, :6] @ rng.standard_normal((6, 8)) + rng.standard_normal((len(piece), 8))
    family = np.repeat([0, 1], [6, 60])
    alike = fit.held_out_r2(fit.Centred.of(x, y, piece, family)).mean()
    not_alike = fit.held_out_r2(fit.Centred.of(x, y, piece, np.zeros(66, np.int64))).mean()
    alone = fit.held_out_r2(fit.Centred.of(x[:, :6], y, piece, family[:6])).mean()
    assert not_alike < alike < alone + 0.01
    assert alone - alike < 0.6 * (alone - not_alike)


def test_noise_takes_the_largest_penalty_and_a_law_the_smallest() -> None:
    """The penalty is the target's own."""
    x, y, piece, family = data(n=80)
    y[:, 1] = np.random.default_rng(3).standard_normal(len(y))
    y[:, 2] = x @ np.ones(x.shape[1])
    chosen = fit.choose_penalties(fit.by_group(fit.Centred.of(x, y, piece, family)))
    assert (chosen[:, 1] >= 3).mean() > 0.6
    assert (chosen[:, 2] == 0).all()


@pytest.mark.parametrize("pieces", [1, 2])
def test_few_pieces(pieces: int) -> None:
    """One piece holds nothing out; of two, each predicts the other."""
    x, y, piece, family = data()
    rows = piece < pieces
    found = fit.held_out_r2(fit.Centred.of(x[rows], y[rows], piece[rows], family))
    assert np.isnan(found).all() if pieces == 1 else np.isfinite(found).all()


def test_dead_targets_are_undefined() -> None:
    """A target that is constant, or constant within pieces but for rounding, has no R²."""
    x, y, piece, family = data()
    y[:, 0], y[:, 1] = 3.0, piece + 1e-9 * y[:, 1]
    found = fit.held_out_r2(fit.Centred.of(x, y, piece, family))
    assert np.isnan(found[:2]).all()
    assert np.isfinite(found[2])
