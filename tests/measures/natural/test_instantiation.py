"""Instantiation: planted subspaces are measured, chance reads its null, and what is shuffled is shared by all."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from scipy.stats import ortho_group

from tonotopy.core.errors import InputError
from tonotopy.measures.dimension import Frames, dimension, white_dimension
from tonotopy.measures.natural._used import _pooled
from tonotopy.measures.natural.instantiation import (
    Heard,
    Instantiation,
    InstantiationSummary,
    instantiation,
    noise_like,
    stimulus_frames,
)
from tonotopy.sound.music import CONTEXT_DBFS, MusicPool, Piece, level_dbfs
from tonotopy.statistics.bootstrap import piece_weights

PIECES, FRAMES, UNITS = 8, 400, 40


def planted(*, seed: int = 0, turn: np.ndarray | None = None, shuffle: bool = False) -> Heard:
    """Every piece uses axes 0 to 3 and two of its own; noise reaches axes 0 to 23, the stimuli axes 0 to 3 alone."""
    rng = np.random.default_rng(seed)
    parts = []
    for k in range(PIECES):
        frames = np.zeros((FRAMES, UNITS))
        frames[:, :4] = rng.standard_normal((FRAMES, 4))
        own = slice(8 + 2 * k, 10 + 2 * k)  # axes 8 to 23 are of pieces
        frames[:, own] = rng.standard_normal((FRAMES, 2))
        parts.append(frames)
    music, piece = np.concatenate(parts), np.repeat(np.arange(PIECES), FRAMES)
    noise, stimuli = np.zeros((2 * FRAMES, UNITS)), np.zeros((FRAMES, UNITS))
    noise[:, :24] = rng.standard_normal((2 * FRAMES, 24))
    stimuli[:, :4] = rng.standard_normal((FRAMES, 4))
    if turn is not None:
        music, noise, stimuli = music @ turn, 5 + noise @ turn, stimuli @ turn - 3
    return Heard(music, rng.permutation(piece) if shuffle else piece, noise, stimuli)


def row(found: InstantiationSummary, measure: str) -> int:
    return int(np.flatnonzero(found.measure == measure)[0])


def test_planted_subspaces_are_measured() -> None:
    table, site = instantiation("here", planted())
    assert (table.n_frames == FRAMES).all()
    np.testing.assert_allclose(table.effective_dimension, 6, rtol=0.03)
    np.testing.assert_array_equal(table.held_dimension, 6)
    np.testing.assert_allclose(table.noise_used, 6 / 24, atol=0.02)
    np.testing.assert_allclose(table.noise_holds, 1, atol=0.09)  # of white noise 95 % are 23 axes of 24
    np.testing.assert_allclose(table.stimuli_used, 1, atol=1e-6)
    np.testing.assert_allclose(table.stimuli_holds, 4 / 6, atol=0.05)
    np.testing.assert_allclose(table.shared, 4 / 6, atol=0.05)
    np.testing.assert_allclose(table.own, 1 - table.shared)
    np.testing.assert_allclose(table.own_dimension, 2, atol=1e-3)
    assert site.value[row(site, "common_dimension")] == 4
    assert site.value[row(site, "music_held")] in range(18, 21)
    assert site.value[row(site, "stimuli_held")] == 4
    assert site.value[row(site, "stimuli_dimension")] == pytest.approx(4, rel=0.03)


def test_resamples_of_the_whole_are_those_of_the_module_on_dimensions() -> None:
    rng = np.random.default_rng(8)
    heard = planted()
    music = Frames.of(heard.music * rng.uniform(0.2, 2, UNITS) + heard.piece[:, None], heard.piece)
    assert music is not None
    weights = piece_weights(PIECES, 10, seed=0)
    effective, held = _pooled(music, weights)
    whole = dimension(music, weights)
    np.testing.assert_allclose(effective, whole.effective)
    np.testing.assert_array_equal(held, whole.held)


def test_nothing_depends_on_the_axes() -> None:
    """Units turned, noise and stimuli moved off the origin: the same numbers."""
    turn = ortho_group.rvs(UNITS, random_state=1)
    (a, site_a), (b, site_b) = instantiation("", planted()), instantiation("", planted(turn=turn))
    for column in fields(Instantiation):
        if column.name not in {"site", "piece"}:
            np.testing.assert_allclose(getattr(a, column.name), getattr(b, column.name), atol=1e-6)
    np.testing.assert_allclose(site_a.value, site_b.value, atol=1e-6)


def test_pieces_shuffled_have_nothing_of_their_own() -> None:
    table, site = instantiation("", planted(shuffle=True))
    assert table.shared.min() > 0.9
    assert (table.own_dimension < 0.12 * table.held_dimension).all()  # as planted: a third
    assert site.value[row(site, "common_dimension")] > 4


def test_chance_reads_its_null() -> None:
    """Every set in a random subspace of its own: shares are those of dimensions."""
    rng = np.random.default_rng(3)

    def somewhere(rank: int, n: int) -> np.ndarray:
        return rng.standard_normal((n, rank)) @ np.linalg.qr(rng.standard_normal((UNITS, rank)))[0].T

    reads = []
    for _ in range(6):
        music = np.concatenate([somewhere(5, FRAMES) for _ in range(PIECES)])
        piece = np.repeat(np.arange(PIECES), FRAMES)
        heard = Heard(music, piece, somewhere(12, FRAMES), somewhere(8, FRAMES))
        reads.append(instantiation("", heard, resamples=30)[1])
    for name in ("noise_used", "noise_holds", "stimuli_used", "stimuli_holds"):
        value = np.mean([found.value[row(found, name)] for found in reads])
        null = np.mean([found.null[row(found, name)] for found in reads])
        assert value == pytest.approx(null, rel=0.1), name
    white = Heard(*(rng.standard_normal((PIECES * FRAMES, UNITS)), np.arange(PIECES * FRAMES) % PIECES),
                  rng.standard_normal((FRAMES, UNITS)), rng.standard_normal((FRAMES, UNITS)))  # fmt: skip
    site = instantiation("", white, resamples=30)[1]
    for name in ("effective_dimension", "music_dimension", "noise_dimension", "stimuli_dimension"):
        assert site.value[row(site, name)] == pytest.approx(site.null[row(site, name)], rel=0.03), name
    assert site.null[row(site, "effective_dimension")] == white_dimension(FRAMES, UNITS)


def test_floors_are_paired_and_averaged() -> None:
    heard, wide = planted(), planted(seed=5)
    rng = np.random.default_rng(6)
    wide = Heard(rng.standard_normal(wide.music.shape), wide.piece, wide.noise, wide.stimuli)
    table, site = instantiation("", heard, floors=[heard, wide])
    alone = instantiation("", wide)[0]
    np.testing.assert_allclose(
        table.floor_effective_dimension, (table.effective_dimension + alone.effective_dimension) / 2
    )
    k = row(site, "effective_dimension")
    assert site.over_floor_low[k] < site.over_floor[k] < site.over_floor_high[k] < 0
    assert site.low[k] < site.value[k] < site.high[k]
    none = instantiation("", heard)
    assert np.isnan(none[0].floor_shared).all()
    assert np.isnan(none[1].over_floor).all()
    # What noise reaches is not a matter of which pieces were drawn.
    assert np.isnan(site.low[row(site, "noise_held")])


def test_sets_are_cut_to_as_many_frames() -> None:
    heard = planted()
    few = Heard(heard.music, heard.piece, heard.noise, heard.stimuli[:50])
    table, site = instantiation("", few)
    assert (table.n_frames == 50).all()
    assert site.null[row(site, "effective_dimension")] == white_dimension(50, UNITS)


def test_what_is_undefined_is_nan() -> None:
    heard = planted()
    two = heard.piece < 2
    table, site = instantiation("", Heard(heard.music[two], heard.piece[two], heard.noise, heard.stimuli))
    assert np.isnan(table.shared).all()
    assert np.isnan(site.value).all()
    four = heard.piece < 4
    site = instantiation("", Heard(heard.music[four], heard.piece[four], heard.noise, heard.stimuli))[1]
    assert np.isfinite(site.value).all()
    assert np.isnan(site.low).all()
    dead = Heard(np.ones_like(heard.music), heard.piece, heard.noise, heard.stimuli)
    assert np.isnan(instantiation("", dead)[0].effective_dimension).all()
    deaf = Heard(heard.music, heard.piece, np.ones_like(heard.noise), heard.stimuli)
    found = instantiation("", deaf)[0]
    assert np.isnan(found.noise_used).all()
    assert np.isfinite(found.stimuli_used).all()
    still = heard.music.copy()
    still[heard.piece == 3] = 1.0
    found = instantiation("", Heard(still, heard.piece, heard.noise, heard.stimuli))[0]
    assert np.isnan(found.effective_dimension[3])
    assert np.isnan(found.held_dimension[3])
    assert np.isnan(found.noise_used[3])
    assert np.isfinite(found.noise_used[:3]).all()
    steps = np.repeat(np.arange(PIECES, dtype=float)[:, None], UNITS, axis=1)[heard.piece]
    table, site = instantiation("", Heard(steps, heard.piece, heard.noise, heard.stimuli), resamples=30)
    assert np.isnan(table.held_dimension).all()
    assert np.isnan(site.value[row(site, "common_dimension")])


def test_frames_that_do_not_belong_together_are_refused() -> None:
    heard = planted()
    with pytest.raises(
        InputError, match=r"^expected music, noise and stimuli at one site, a piece for each frame; "
    ):
        instantiation("", Heard(heard.music, heard.piece, heard.noise[:, :7], heard.stimuli))
    fewer = heard.piece < 7
    floor = Heard(heard.music[fewer], heard.piece[fewer], heard.noise, heard.stimuli)
    with pytest.raises(
        InputError, match=r"^expected the same pieces under all weights; got others in a floor$"
    ):
        instantiation("", heard, floors=[floor])


def test_noise_is_white_and_pink_at_the_level_of_contexts() -> None:
    pieces = [
        Piece(f"{k}", None, None, None, None, np.zeros(n, np.float32)) for k, n in enumerate((8000, 9001))
    ]
    white, pink = noise_like(MusicPool(16_000, tuple(pieces)), seed=1).pieces
    assert (len(white.audio), len(pink.audio)) == (8000, 9001)
    for piece in (white, pink):
        assert level_dbfs(piece.audio) == pytest.approx(CONTEXT_DBFS, abs=1e-3)
    power = np.abs(np.fft.rfft(pink.audio.astype(float))) ** 2
    octaves = [power[n : 2 * n].sum() for n in (64, 256, 1024)]
    assert max(octaves) / min(octaves) < 1.6
    again = noise_like(MusicPool(16_000, tuple(pieces)), seed=1).pieces[0]
    np.testing.assert_array_equal(white.audio, again.audio)


def test_stimuli_are_the_present_sounds() -> None:
    from tonotopy.recording.recording import Recording

    class Table:
        pass

    core = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
    found = stimulus_frames([Recording(Table(), core), Recording(Table(), core[:1])])  # type: ignore[arg-type]
    assert found.shape == (12, 5)
    np.testing.assert_array_equal(found[:4], core[0, 1])
    np.testing.assert_array_equal(found[8:], core[0, 1])
