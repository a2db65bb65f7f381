"""Fragments that are one waveform cohere whatever their shift, sign and level; unrelated ones do not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tonotopy.features import coherence
from tonotopy.features.coherence import align, gram, place, waveform_coherence
from tonotopy.signal import erb

RATE, VIEW = 16_000, 64


def coherent(fragments: NDArray[np.floating], view: int) -> float:
    """Of one feature's fragments."""
    return float(waveform_coherence(gram(align(fragments[None], view)))[0])


def shifted(burst: NDArray[np.floating], count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """One burst at different places, levels and signs."""
    rows = np.zeros((count, len(burst) + 16))
    for row in rows:
        at = int(rng.integers(0, 17))
        row[at : at + len(burst)] = burst * rng.choice([-1, 1]) * rng.uniform(0.1, 5)
    return rows


def test_one_fragment_shifted_and_turned_over_is_one_fragment() -> None:
    rng = np.random.default_rng(1)
    rows = shifted(rng.standard_normal(VIEW), 12, rng)
    assert coherent(rows, VIEW) > 0.999
    assert coherent(rows[:, 8:-8], VIEW) < 0.5, "without a margin nothing may move"


def test_long_fragments_are_aligned_by_their_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    """And coherent as a whole: what differs outside of the middle counts."""
    monkeypatch.setattr(coherence, "ALIGNED", 16)
    rng = np.random.default_rng(1)
    burst = rng.standard_normal(VIEW)
    assert coherent(shifted(burst, 12, rng), VIEW) > 0.999
    rows = shifted(burst, 12, rng)
    for row in rows:
        filled = np.flatnonzero(row)
        row[filled[0] : filled[0] + 16] = 3 * rng.standard_normal(16)
    assert coherent(rows, VIEW) < 0.7


def test_it_is_the_share_of_the_first_singular_value() -> None:
    """Of aligned fragments, by numpy's own decomposition; alignment finds the shift that a search finds."""
    rng = np.random.default_rng(2)
    rows = rng.standard_normal((3, 10, VIEW))
    found = waveform_coherence(gram(align(rows, VIEW)))
    for number in range(3):
        unit = rows[number] / np.linalg.norm(rows[number], axis=1, keepdims=True)
        powers = np.linalg.svd(unit, compute_uv=False) ** 2
        assert found[number] == pytest.approx(powers[0] / powers.sum(), abs=1e-5)
    two = rng.standard_normal((1, 8, VIEW + 8))
    two[0, 2:] = 0  # only two sound: their best fit over all shifts
    unit = np.lib.stride_tricks.sliding_window_view(two[0, :2], VIEW, axis=-1)
    unit = unit / np.linalg.norm(unit, axis=-1, keepdims=True)
    best = np.abs(np.einsum("at,bt->ab", unit[0], unit[1])).max()
    assert abs(gram(align(two, VIEW))[0, 0, 1]) == pytest.approx(best, rel=0.1)


def test_features_do_not_see_each_other() -> None:
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((5, 9, VIEW + 16))
    together = align(rows, VIEW)
    for number in range(5):
        assert np.allclose(align(rows[number : number + 1], VIEW)[0], together[number], atol=1e-6)


def test_unrelated_fragments_of_a_long_view_do_not_cohere() -> None:
    rows = np.random.default_rng(2).standard_normal((16, 4000))
    assert 1 / 16 < coherent(rows, 4000) < 0.08


def test_too_few_or_silent_fragments_are_undefined_and_do_not_count() -> None:
    assert np.isnan(coherent(np.ones((3, 8)), 8))
    assert np.isnan(coherent(np.zeros((20, 8)), 8))
    some = np.zeros((20, 8))
    some[::2] = 1.0
    assert coherent(some, 8) == pytest.approx(1, abs=1e-6)
    assert np.isnan(place(np.zeros((1, 20, 8)), RATE)[0]).all()


def test_a_tone_lies_where_it_is() -> None:
    time = np.arange(1600) / RATE
    rows = np.tile(np.sin(2 * np.pi * 1000 * time), (1, 6, 1))
    centre, spread = place(align(rows, 1600), RATE)
    assert centre[0] == pytest.approx(float(erb.rate(1000.0)), abs=0.2)
    assert spread[0] < 1.5
