"""Transitions: a planted order of fragments is found, scrambled it is not; floors are set against it."""

from __future__ import annotations

import numpy as np
import pytest

from tonotopy.core.errors import InputError
from tonotopy.encoders import load_encoder
from tonotopy.measures.natural.transitions import SOUNDS, Transitions, scrambled, transitions
from tonotopy.sound.music import MusicPool, Piece

RATE = 16_000
PIECES = 8
#: Fragments of the repertoire, and how long each is: a step of the codebook's frames.
ITEMS, LENGTH = 8, 8


@pytest.fixture(scope="module")
def repertoire() -> MusicPool:
    """Fragments at changing levels, each followed by one of two others; pieces share fragments and order."""
    rng = np.random.default_rng(0)
    items = 0.1 * rng.standard_normal((ITEMS, LENGTH))
    follow = np.stack([rng.permutation(ITEMS) for _ in range(2)], axis=1)
    pieces = []
    for number in range(PIECES):
        order = [0]
        for branch in rng.integers(0, 2, RATE // LENGTH * 3):
            order.append(follow[order[-1], branch])
        sound = items[order] * rng.uniform(0.5, 1.5, (len(order), 1))
        pieces.append(Piece(str(number), None, None, None, None, sound.ravel().astype(np.float32)))
    return MusicPool(RATE, tuple(pieces))


def read(music: MusicPool, **more: object) -> Transitions:
    encoder = load_encoder("phantom:waveform-codebook")
    return transitions(encoder, music, counts=(16, 64), frames=256, resamples=200, **more)  # type: ignore[arg-type]


def row(found: Transitions, clusters: int, sound: str) -> int:
    return int(np.flatnonzero((found.clusters == clusters) & (found.sound == sound))[0])


def test_a_planted_order_is_found(repertoire: MusicPool) -> None:
    """Other fragments of the codebook as a floor see the same order: nothing is learned there."""
    found = read(repertoire, floors=[load_encoder("phantom:waveform-codebook", seed=s) for s in (1, 2)])
    for clusters in (16, 64):
        for sound in ("shuffled", "phase-scrambled"):
            k = row(found, clusters, sound)
            assert 0.2 < found.sparser_by_low[k] < found.sparser_by[k] < found.sparser_by_high[k]
            assert 0.5 < found.repeats_more_by_low[k] < found.repeats_more_by[k]
        k = row(found, clusters, "floor")
        assert abs(found.sparser_by[k]) < 0.1
        music = row(found, clusters, "music")
        of = found.clusters == clusters
        assert len(set(found.n_transitions[of])) == 1  # as many in every sound
        assert np.isnan(found.sparser_by[music])
        np.testing.assert_allclose(
            found.entropy_ratio[of] - found.entropy_ratio[music],
            np.where(found.sound[of] == "music", 0, found.sparser_by[of]),
            atol=1e-12,
        )
    assert found.gain_bits[row(found, 64, "music")] > 3
    assert (found.n_pieces == PIECES).all()
    assert set(found.step_samples) == {8}


def test_phase_scrambled_it_is_lost(repertoire: MusicPool) -> None:
    """Neither sparser nor more repeatable than sound scrambled once more, and hardly more than without order."""
    found = read(scrambled(repertoire, seed=9))
    for clusters in (16, 64):
        k = row(found, clusters, "phase-scrambled")
        assert abs(found.sparser_by[k]) < 0.01
        assert abs(found.repeats_more_by[k]) < 0.03
        assert found.sparser_by[row(found, clusters, "shuffled")] < 0.02
        assert np.isnan(found.sparser_by[row(found, clusters, "floor")])


def test_an_order_of_each_piece_s_own_does_not_repeat() -> None:
    """The same fragments, each mostly followed by one other: sparse either way, repeated only where pieces agree."""
    rng = np.random.default_rng(1)
    items = 0.1 * rng.standard_normal((ITEMS, LENGTH))

    def pool(*, shared: bool) -> MusicPool:
        pieces = []
        follow = rng.permutation(ITEMS)
        for number in range(4):
            follow = follow if shared else rng.permutation(ITEMS)
            order = [0]
            for stray in rng.random(RATE // LENGTH * 3) < 0.1:
                order.append(rng.integers(ITEMS) if stray else follow[order[-1]])
            sound = items[order].ravel().astype(np.float32)
            pieces.append(Piece(str(number), None, None, None, None, sound))
        return MusicPool(RATE, tuple(pieces))

    own, same = read(pool(shared=False)), read(pool(shared=True))
    k = row(own, 64, "music")
    assert own.entropy_ratio[k] == pytest.approx(same.entropy_ratio[k], abs=0.1)
    assert own.entropy_ratio[k] < 0.4
    assert same.gain_bits[k] > own.gain_bits[k] + 1


def test_few_pieces_are_undefined(repertoire: MusicPool) -> None:
    two = read(MusicPool(RATE, repertoire.pieces[:2]))
    assert np.isnan(two.entropy_ratio).all()
    assert (two.n_pieces == 0).all()
    four = read(MusicPool(RATE, repertoire.pieces[:4]))
    known = four.sound != "floor"
    assert np.isfinite(four.gain_bits[known]).all()
    assert np.isnan(four.gain_bits_low).all()


def test_a_silent_piece_is_undefined_and_the_others_are_not(repertoire: MusicPool) -> None:
    silent = Piece("silent", None, None, None, None, np.zeros(3 * RATE, np.float32))
    found = read(MusicPool(RATE, (*repertoire.pieces[:3], silent)))
    known = found.sound != "floor"
    assert (found.n_pieces[known] == 3).all()
    assert np.isfinite(found.gain_bits[known]).all()


def test_an_encoder_without_a_first_convolution_names_a_site(repertoire: MusicPool) -> None:
    encoder = load_encoder("phantom:cochlea")
    with pytest.raises(InputError, match="it has no first convolution: name a site; legal values: "):
        transitions(encoder, repertoire)
    assert SOUNDS[0] == "music"
