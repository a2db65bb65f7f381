"""What features choose: their strongest sounding moments, and as many as they are compared at."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from tests.features.planted import PIECES, RATE, noise, planted, raw_frames

from tonotopy.features.fragments import choose, first, measured, sizes, strength
from tonotopy.features.spectra import spectra_of
from tonotopy.features.strongest import strongest


def test_strongest_frames_are_those_of_a_search() -> None:
    rng = np.random.default_rng(0)
    values, piece = rng.standard_normal((300, 5)), np.sort(rng.integers(0, 4, 300))
    start = np.concatenate([np.arange(n) * 7 for n in np.bincount(piece)])
    found = strongest(values, piece, start, apart=30)
    for feature in range(5):
        for number in range(4):
            order = [i for i in np.argsort(-values[:, feature]) if piece[i] == number]
            second = next(i for i in order if abs(start[i] - start[order[0]]) >= 30)
            assert {order[0], second} == set(found[feature, 2 * number : 2 * number + 2].tolist())


def test_many_features_are_looked_at_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    values, piece = rng.standard_normal((100, 9)), np.repeat([0, 1], 50)
    start = np.tile(np.arange(50) * 10, 2)
    whole = strongest(values, piece, start, apart=30)
    monkeypatch.setattr("tonotopy.features.strongest.AT_A_TIME", 2)
    assert np.array_equal(strongest(values, piece, start, apart=30), whole)


def test_a_piece_with_one_moment_gives_one_fragment() -> None:
    found = strongest(np.ones((3, 1)), np.zeros(3, np.int64), np.arange(3), apart=10)
    assert found.tolist() == [[0, -1]]


def test_a_latent_that_is_silent_in_a_piece_has_no_moment_there() -> None:
    natural, burst = planted()
    values = np.maximum(natural.frames @ burst.astype(np.float32), 0)[:, None]
    values[natural.piece == 2] = 0
    fires = iter(np.split(values, np.flatnonzero(np.diff(natural.piece)) + 1))
    chosen = choose(lambda _: next(fires), natural)
    assert chosen.shape == (1, 2 * PIECES)
    assert (chosen[0, 4:6] == -1).all()
    assert (np.delete(chosen[0], [4, 5]) >= 0).all()


def test_silence_is_not_chosen() -> None:
    """Though a feature be strongest there."""
    rng = np.random.default_rng(2)
    audio = [noise(RATE, rng) for _ in range(3)]
    audio[1][4000:9000] = 0
    natural = raw_frames(audio)
    chosen = choose(lambda x: -np.abs(x).sum(axis=1, keepdims=True), natural)
    assert (chosen[0, 2:4] == -1).all()
    assert (chosen[0, [0, 1, 4, 5]] >= 0).all()


def test_some_of_the_chosen_are_whole_pieces_and_the_feature_s_own() -> None:
    chosen = np.arange(5 * 16).reshape(5, 16)
    chosen[1, 4:8] = -1
    found = first(chosen, 6)
    for row, kept in zip(chosen, found, strict=True):
        assert set(kept) <= set(row.tolist()) - {-1}
        assert len({int(k - row.max() + 15) // 2 for k in kept}) == 3
    assert len({tuple(row % 16) for row in found}) > 1, "not the same pieces for all"
    assert (first(chosen[1:2], 14)[0] >= 0).sum() == 12


def test_sizes_are_few_and_reach_down() -> None:
    assert sizes(5) == []
    assert sizes(6) == [6]
    for n in range(7, 60):
        found = sizes(n)
        assert found[0] == n
        assert found[-1] == 6
        assert all(a > b >= 0.65 * a for a, b in pairwise(found))


def test_a_feature_that_lacks_a_fragment_is_undefined() -> None:
    natural, burst = planted()
    spectra = spectra_of(natural)
    chosen = choose(lambda x: x @ burst.astype(np.float32)[:, None], natural)
    lacking = chosen.copy()
    lacking[0, 3] = -1
    found = measured(np.concatenate([chosen, lacking]), natural, spectra)
    assert found.waveform[0] > 0.8
    assert np.isnan([found.waveform[1], found.lift[1], found.spectral[1], found.centre_erb[1]]).all()


def test_how_many_are_measured_together_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    natural, _ = planted()
    spectra = spectra_of(natural)
    rows = np.random.default_rng(3).standard_normal((7, natural.frames.shape[1])).astype(np.float32)
    chosen = choose(lambda x: x @ rows.T, natural)
    whole = measured(chosen, natural, spectra)
    monkeypatch.setattr("tonotopy.features.fragments.AT_A_TIME", 1)
    assert np.allclose(measured(chosen, natural, spectra).waveform, whole.waveform, atol=1e-5)


def test_strength_is_the_spread_along_a_direction() -> None:
    rng = np.random.default_rng(4)
    frames = rng.standard_normal((5000, 3)) * [1, 2, 4] + 10
    found = strength(np.array([[3.0, 0, 0], [0, 0, 1], [0, 0, 0], [1, 1, 1]]), frames)
    along = [frames[:, 0].std(), frames[:, 2].std(), np.nan, (frames.sum(axis=1) / np.sqrt(3)).std()]
    assert found == pytest.approx(np.log(along / np.sqrt(frames.var(axis=0).sum())), nan_ok=True)


def test_another_start_of_the_audio_is_another_sound() -> None:
    """Moved by a frame, the fragments are no longer the burst's."""
    natural, burst = planted()
    spectra = spectra_of(natural)
    chosen = choose(lambda x: x @ burst.astype(np.float32)[:, None], natural)
    elsewhere = replace(natural, start=natural.start + 400)
    assert measured(chosen, elsewhere, spectra).waveform[0] < 0.5
