"""Kinds of features: what is planted is named, what is shuffled is not, and what cannot be asked is undefined."""

from __future__ import annotations

import numpy as np
import pytest

from tonotopy.core.errors import InputError
from tonotopy.measures.natural import kinds as k
from tonotopy.signal.descriptors import Descriptors, families

PIECES, FRAMES = 12, 150
SIZES = (3, 12, 2, 8, 4, 12, 3, 20)


def smooth(rng: np.random.Generator, columns: int, pieces: int = PIECES) -> np.ndarray:
    """Columns that change slowly, as music does, and are nothing like each other; means of pieces of their own."""
    found = rng.standard_normal((pieces, FRAMES, columns))
    for t in range(1, FRAMES):
        found[:, t] = 0.7 * found[:, t - 1] + 0.7 * found[:, t]
    return (found + 3 * rng.standard_normal((pieces, 1, columns))).reshape(-1, columns)


def described(seed: int = 0, pieces: int = PIECES) -> tuple[Descriptors, np.ndarray]:
    """Descriptors of as many families as there are, of sizes that differ, and the piece of each frame."""
    family = np.repeat(np.arange(len(SIZES)), SIZES)
    values = smooth(np.random.default_rng(seed), len(family), pieces).astype(np.float32)
    names = tuple(f"{families()[f]}.{number}" for number, f in enumerate(family))
    return Descriptors(values, names, family, families()), np.repeat(np.arange(pieces), FRAMES)


def planted(
    of: Descriptors, rng: np.random.Generator, *, per_family: int = 3, noise: float = 1.0
) -> np.ndarray:
    """Features that are a mixture of one family's columns, some of each family in turn, with noise."""
    columns = []
    for number in range(len(of.families)):
        own = of.values[:, of.family == number]
        signal = own @ rng.standard_normal((own.shape[1], per_family))
        inside = signal.reshape(PIECES, FRAMES, -1).std(axis=1).mean(axis=0)
        columns.append(signal / inside + noise * smooth(rng, per_family))
    return np.concatenate(columns, axis=1)


def test_a_planted_family_is_named() -> None:
    """Each family's own columns with as much noise: named after it, large families no more than small ones."""
    descriptors, piece = described()
    values = planted(descriptors, np.random.default_rng(1))
    found = k.kinds(values, descriptors, piece, seed=0)
    wanted = np.repeat(descriptors.families, 3)
    assert (np.array(found.kind) == wanted).all()
    at = np.repeat(np.arange(8), 3)
    own = found.unique[at, np.arange(24)]
    others = found.unique[np.arange(8)[:, None] != at]
    assert own.min() > 0.1
    assert others.max() < 0.05
    np.testing.assert_allclose(found.alone[at, np.arange(24)], found.r2, atol=0.1)
    assert (found.r2_low <= found.r2).all()
    assert (found.r2 <= found.r2_high).all()
    np.testing.assert_array_equal(found.named, own)
    assert (found.p_kind < 0.05).all()


def test_shuffled_features_are_unexplained_at_the_rate_of_the_level() -> None:
    """Features shifted against the descriptors: p at most .05 for one in twenty at most, and no name."""
    descriptors, piece = described()
    values = planted(descriptors, np.random.default_rng(1), noise=0.0).reshape(PIECES, FRAMES, -1)
    rng = np.random.default_rng(2)
    for number in range(PIECES):
        values[number] = np.roll(values[number], rng.integers(30, 120), axis=0)
    found = k.kinds(values.reshape(-1, values.shape[2]), descriptors, piece, seed=0)
    assert set(found.kind) == {k.UNEXPLAINED}
    assert np.mean(found.p <= 0.05) < 0.1
    assert np.mean(found.p <= 0.5) > 0.2  # not so strict that nothing could ever be found
    assert (found.r2 < 0.1).all()


def test_p_values_of_noise_lie_about_evenly() -> None:
    """The p value by itself, for draws and a feature from one distribution: uniform, of whatever scale."""
    rng = np.random.default_rng(0)
    scale = rng.uniform(0.1, 10, (1, 8, 300))
    draws = scale * rng.standard_normal((13, 8, 300)) + 5 * scale
    p = k._p_values(draws[0], draws[1:])
    for level in (0.02, 0.05, 0.2, 0.5):
        assert np.mean(p <= level) == pytest.approx(level, abs=0.025)
    assert k._p_values(draws[0] + 8 * scale[0], draws[1:]).max() < 0.05


def test_a_mixture_has_the_name_of_its_larger_part() -> None:
    """Three parts of one family and one of another: named after the first, the second counts as well."""
    descriptors, piece = described()
    one, two = (descriptors.values[:, descriptors.family == f][:, 0] for f in (2, 5))
    values = np.stack([3 * one + two, one + 3 * two], axis=1)
    found = k.kinds(values, descriptors, piece, seed=0)
    assert found.kind == (families()[2], families()[5])
    assert (found.unique[[2, 5]] > 0.05).all()
    assert (found.p[[2, 5]] < 0.02).all()


def test_what_two_families_say_alike_is_shared() -> None:
    """A feature that two families have in the same words is explained, and by neither beyond the other."""
    descriptors, piece = described()
    values = descriptors.values.copy()
    common = smooth(np.random.default_rng(9), 1)[:, 0]
    for family in (1, 3):
        values[:, np.flatnonzero(descriptors.family == family)[0]] = common
    twice = Descriptors(values, descriptors.names, descriptors.family, descriptors.families)
    found = k.kinds(common[:, None], twice, piece, draws=20, seed=0)
    assert found.kind == (k.SHARED,)
    assert found.r2[0] > 0.9
    assert np.abs(found.unique).max() < 0.02
    assert (found.alone[[1, 3], 0] > 0.9).all()


def test_a_feature_of_two_pieces_is_not_a_feature_of_music() -> None:
    """A law that holds in two pieces of twelve, the rest noise, is not found on pieces held out."""
    descriptors, piece = described()
    column = descriptors.values[:, 0]
    rng = np.random.default_rng(4)
    values = np.where(piece < 2, column - column.mean(), 2 * rng.standard_normal(len(piece)))
    found = k.kinds(values[:, None], descriptors, piece, draws=20, seed=0)
    assert found.kind == (k.UNEXPLAINED,)


def test_what_a_piece_holds_constant_is_not_asked() -> None:
    """A feature that only differs between pieces is undefined, however well a column's mean would tell it."""
    descriptors, piece = described()
    means = np.array([descriptors.values[piece == p, 0].mean() for p in range(PIECES)])
    first = np.unique(descriptors.family, return_index=True)[1]
    values = np.column_stack([means[piece], np.full(len(piece), 2.0), descriptors.values[:, first]])
    found = k.kinds(values, descriptors, piece, draws=40, seed=0)
    assert found.kind == (*(k.UNDEFINED,) * 2, *families())
    for name in ("r2", "r2_low", "unique", "p", "alone", "named"):
        assert np.isnan(getattr(found, name)[..., :2]).all(), name


def test_few_pieces_leave_things_undefined() -> None:
    """Under three pieces everything, under eight the intervals."""
    for pieces, defined, interval in ((2, False, False), (5, True, False), (8, True, True)):
        descriptors, piece = described(pieces=pieces)
        first = np.unique(descriptors.family, return_index=True)[1]
        found = k.kinds(descriptors.values[:, first], descriptors, piece, draws=40, seed=0)
        assert found.kind == (families() if defined else (k.UNDEFINED,) * 8)
        assert np.isfinite(found.r2_low).all() == np.isfinite(found.unique_high).all() == interval


def test_the_seed_decides_and_order_of_features_does_not() -> None:
    """The same seed gives the same numbers; features in another order give the same ones in that order."""
    descriptors, piece = described()
    values = planted(descriptors, np.random.default_rng(1), per_family=1)
    first, again = (k.kinds(values, descriptors, piece, draws=5, seed=3) for _ in range(2))
    turned = k.kinds(values[:, ::-1], descriptors, piece, draws=5, seed=3)
    np.testing.assert_array_equal(first.p, again.p)
    np.testing.assert_allclose(first.unique, turned.unique[:, ::-1], atol=1e-5)
    assert first.kind == turned.kind[::-1]


def test_shifted_products_are_products_of_shifted_columns() -> None:
    """The null from exchanged products is the null from descriptors that were really shifted."""
    descriptors, piece = described()
    values = planted(descriptors, np.random.default_rng(1), per_family=1)
    data = k.fit.Centred.of(descriptors.values, values, piece, descriptors.family)
    groups = k.fit.by_group(data)
    penalty = np.full((len(groups), 8), 2)
    own = [np.flatnonzero(descriptors.family == f) for f in range(8)]
    found = k._null(data, groups, penalty, own, 1, seed=7)[0]
    rng = np.random.default_rng([7, 0, 53])
    least = int(np.ceil(FRAMES / 8))
    shifts = [int(rng.integers(least, FRAMES - least)) for _ in range(PIECES)]
    for family in (1, 6):
        moved = descriptors.values.copy().reshape(PIECES, FRAMES, -1)
        for number, shift in enumerate(shifts):
            moved[number][:, own[family]] = np.roll(moved[number][:, own[family]], shift, axis=0)
        other = k.fit.Centred.of(moved.reshape(len(piece), -1), values, piece, descriptors.family)
        rest, whole = k.fit.left_by_piece(
            other, k.fit.by_group(other), [np.arange(len(descriptors.names))], penalty
        )
        expected = k.fit.explained(rest, whole, np.ones((1, PIECES)))[0, 0]
        np.testing.assert_allclose(found[family], expected, atol=1e-4)


def test_the_table_counts_every_feature_once() -> None:
    """Rows add up, shares are of features that could be asked, and the typical ones are the clearest."""
    descriptors, piece = described()
    values = planted(descriptors, np.random.default_rng(1))
    values = np.column_stack([values[:, :9], smooth(np.random.default_rng(5), 4), np.ones((len(piece), 2))])
    found = k.kinds(values, descriptors, piece, draws=50, seed=0)
    rows = {row.kind: row for row in k.table(found)}
    assert sum(row.count for row in rows.values()) == 15
    assert rows[k.UNEXPLAINED].count == 4
    assert rows[k.UNDEFINED].count == 2
    assert list(rows)[-1] == k.UNDEFINED
    assert np.isnan(rows[k.UNDEFINED].share)
    assert np.nansum([row.share for row in rows.values()]) == pytest.approx(1.0)
    name = families()[0]
    assert rows[name].count == 3
    assert rows[name].sentence.startswith("3 of 15 features ")
    assert rows[name].typical[0] == int(np.argmax(found.unique[0, :3]))
    some = k.table(found, np.arange(15) < 3)
    assert [(row.kind, row.count, row.share) for row in some] == [(name, 3, 1.0)]
    assert k.table(found, np.zeros(15, bool)) == []


def test_what_does_not_fit_is_refused() -> None:
    """Other frames, and values that are not finite; no features at all are no kinds."""
    descriptors, piece = described()
    with pytest.raises(InputError, match="described"):
        k.kinds(np.zeros((10, 2)), descriptors, piece, seed=0)
    bad = np.zeros((len(piece), 1))
    bad[3] = np.nan
    with pytest.raises(InputError, match="finite"):
        k.kinds(bad, descriptors, piece, seed=0)
    assert k.kinds(np.zeros((len(piece), 0)), descriptors, piece, seed=0).kind == ()
