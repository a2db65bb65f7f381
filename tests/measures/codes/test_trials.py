"""Measures of codes on trials made by hand: planted and found, shuffled and lost, undefined where little is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tonotopy.core.errors import InputError
from tonotopy.encoders import load_encoder
from tonotopy.measures.codes.agreement import _same, agreement
from tonotopy.measures.codes.flip import crossing, flip_level
from tonotopy.measures.codes.present import presence
from tonotopy.measures.codes.substitution import substitute
from tonotopy.recording.codes import NO_CODE, CodesAsFrames, TrialCodes

HZ = np.array([200.0, 1000.0, 4000.0])
LEVEL_DB = np.array([-24.0, -18, -12, -6, 0, 6, 12, 18])


def made(*, pieces: int = 10, frames: int = 3, seed: int = 0) -> TrialCodes:
    """Stage 0 takes code 10 + target from -6 dB on; stage 1 takes code 9 for any sound; stage 2 draws codes."""
    rng = np.random.default_rng(seed)
    target, piece = np.tile(np.arange(3), pieces), np.repeat(np.arange(pieces), 3)
    shape = (len(target), frames)

    def sound(level: float, own: np.ndarray | int) -> np.ndarray:
        ground = rng.integers(0, 8, (*shape, 3))
        if level > -7:
            ground[..., 0] = np.where(
                np.asarray(own).reshape(-1, 1) >= 0, 10 + np.asarray(own).reshape(-1, 1), 8
            )
        if level > -100:
            ground[..., 1] = 9
        return ground

    levels = np.stack([sound(level, target) for level in LEVEL_DB])
    return TrialCodes(
        sound(-np.inf, target),
        levels[5],
        sound(0, -1),
        levels,
        LEVEL_DB,
        target,
        HZ[target],
        rng.uniform(100, 7000, len(target)),
        piece,
    )


def test_presence_tells_which_stage_knows_what() -> None:
    """Against silence both answering stages know; against another partial the tuned one alone; a drawn one nothing."""
    there, which = presence(made()), presence(made(), against="foil")
    assert (there.excess_bits[:2] > 0.7).all()
    assert (there.auc[:2] > 0.99).all()
    assert (there.p[:2] <= 0.01).all()
    assert (which.excess_bits[0] > 0.7).all()
    assert which.excess_bits[1] == pytest.approx(0, abs=1e-9)
    assert which.auc[1] == pytest.approx(0.5)
    for found in (there, which):
        assert np.abs(found.excess_bits[2]).max() < 0.15
        assert (found.p[2] > 0.01).all()
        assert (found.information_bits[2] > 0.02).all()
        # What is attainable is attained by the stage that takes one code for the partial, and is below one bit.
        np.testing.assert_allclose(found.attainable_bits[0], found.excess_bits[0], atol=0.06)
        assert (found.attainable_bits < 1).all()
    assert (which.best_stage == 0).all()
    assert (which.best_excess_bits > 0.5).all()


def test_swapped_sounds_tell_nothing() -> None:
    """With present and absent swapped in every other trial nothing is left."""
    trials = made()
    swap = (np.arange(len(trials)) // 3 % 2 == 0)[:, None, None]
    mixed = replace(
        trials,
        absent=np.where(swap, trials.present, trials.absent),
        present=np.where(swap, trials.absent, trials.present),
    )
    found = presence(mixed)
    assert np.abs(found.excess_bits).max() < 0.25
    assert (found.p > 0.01).all()


def test_agreement_by_hand_and_planted() -> None:
    """Pairs across pieces, counted by hand; the tuned stage agrees beyond other partials, the others do not."""
    table = np.array([[2.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    # 2·2 + 2·1 + 2·1 = 8 pairs across pieces; 2 agree in the first code, 1 in the second.
    assert _same(table, np.ones((1, 3))).item() == pytest.approx(3 / 8)
    assert np.isnan(_same(table[:1], np.ones((1, 1)))).all()
    found = agreement(made())
    assert found.agreement[0] == pytest.approx(1)
    assert (found.excess[0] > 0.3).all()
    assert (found.p[0] <= 0.05).all()
    assert found.agreement[1] == pytest.approx(1)  # agrees with everything
    assert found.excess[1] == pytest.approx(0, abs=1e-9)
    assert np.abs(found.excess[2]).max() < 0.1


def test_flip_levels_by_hand_and_planted() -> None:
    """Interpolated crossings; the tuned stage flips between -12 and -6 dB, the others below the ladder."""
    levels = np.array([-6.0, 0.0, 6.0])
    assert crossing(levels, np.array([0.6, 0.7, 0.8])) == -np.inf
    assert crossing(levels, np.array([0.0, 0.1, 0.2])) == np.inf
    assert np.isnan(crossing(levels, np.array([0.0, np.nan, 0.9])))
    trials = made()
    quiet = trials.level.copy()
    quiet[:3, ..., 0] = trials.absent[..., 0]  # not heard: the context's own code
    found = flip_level(replace(trials, level=quiet))
    assert ((found.flip_level_db[0] > -12) & (found.flip_level_db[0] <= -6)).all()
    assert (found.flip_level_db[1:] == -np.inf).all()
    assert found.specific[1] == pytest.approx(0)
    assert np.abs(found.specific[2]).max() < 0.2
    ladderless = flip_level(replace(trials, level=np.full_like(trials.level, NO_CODE)))
    assert np.isnan(ladderless.flip_level_db).all()
    assert np.isfinite(ladderless.specific).all()


def test_few_pieces_are_undefined() -> None:
    """Two pieces give no number; seven no interval."""
    two, seven = made(pieces=2), made(pieces=7)
    assert np.isnan(presence(two).excess_bits).all()
    assert np.isnan(agreement(two).excess).all()
    assert np.isnan(flip_level(two).flip_level_db).all()
    for low in (presence(seven).excess_low_bits, agreement(seven).excess_low, flip_level(seven).specific_low):
        assert np.isnan(low).all()
    assert np.isfinite(presence(seven).excess_bits).all()


def test_an_encoder_without_codes_says_so() -> None:
    """No quantiser, or no decoder: the error names the encoder and what to do."""
    plain, random = load_encoder("phantom:cochlea"), load_encoder("phantom:random-codes-iid")
    with pytest.raises(
        InputError, match=r"expected an encoder with codes; got phantom:cochlea; .*choose a codec"
    ):
        CodesAsFrames(plain)
    with pytest.raises(InputError, match="1 to 8 stages; got 9"):
        CodesAsFrames(random, 9)
    with pytest.raises(InputError, match="an encoder with codes; got phantom:cochlea"):
        substitute(plain, np.zeros(8000), [(0, 0, 1)], np.zeros((8, 16, 32)))
    with pytest.raises(InputError, match="an encoder that decodes; got phantom:random-codes-iid"):
        substitute(random, np.zeros(8000), [(0, 0, 1)], np.zeros((8, 16, 32)))
    assert plain.codes(torch.zeros(1, 8000)) is None
    assert plain.entries(torch.zeros(1, 1, 1, dtype=torch.int64)) is None
