"""A perfect cochlea is steered where it is asked to be, and by nothing that means nothing."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import pytest
import torch
from tests.interventions.phantoms import bench

from tonotopy.core.errors import InputError
from tonotopy.encoders import load_encoder
from tonotopy.interventions import (
    Altered,
    Pairs,
    Steering,
    of_readout,
    pairs,
    steered_sounds,
    steering,
    turn,
    with_controls,
)
from tonotopy.interventions.decoder import Decoder
from tonotopy.interventions.pieces import over_pieces, p_value
from tonotopy.interventions.sound_change import analysed, gain_db, specificity

STRENGTHS = (-1.0, 0.5, 1.0, 2.0)
ONE = STRENGTHS.index(1.0)
TARGETS = (3, 6)


def tried(cochlea: Any, index: int) -> Steering:
    """Own direction along the pattern, along the line itself, and controls."""
    sounds = pairs(cochlea.design, index, cochlea.music, cochlea.levels, seconds=0.7)
    line, scale = cochlea.lines["cochlea"], cochlea.scale("cochlea")
    directions = with_controls(line, scale, cochlea.design.frequency_hz, index, n_random=3, n_other=1)
    directions["along the line"] = of_readout(line, scale, index, along="line")
    return steering(cochlea.encoder, "cochlea", directions, sounds, strengths=STRENGTHS, tracked=("own",))


@pytest.fixture(scope="module", name="found")
def _found(cochlea: Any) -> list[Steering]:
    return [tried(cochlea, index) for index in TARGETS]


def mean(found: list[Steering], field: str, kind: str, dose: int | None = ONE) -> float:
    """Mean over targets, directions of a kind, and pieces."""
    values = []
    for one in found:
        rows = [i for i, name in enumerate(one.direction) if name.startswith(kind)]
        here = getattr(one, field)[rows]
        values.append(over_pieces(here if dose is None else here[:, dose], one.piece).value.mean())
    return float(np.mean(values))


def test_the_cochlea_is_steered_at_f_and_random_directions_are_not(found: list[Steering]) -> None:
    """Share of the change within ±1 ERB of f at least .9, as adding the partial itself; at random all but none."""
    assert mean(found, "specificity", "own") >= 0.9
    assert mean(found, "specificity_level", "own") >= 0.9
    assert mean(found, "specificity_partials", "own") >= 0.8
    assert mean(found, "specificity_level", "random") < 0.3
    assert mean(found, "specificity", "random") < 0.1
    assert mean(found, "specificity", "other") < 0.1
    assert mean(found, "leakage", "own") < 0.1 < mean(found, "leakage", "random")
    for one in found:
        values = over_pieces(one.specificity[:, ONE], one.piece).value
        random = values[[name.startswith("random") for name in one.direction]]
        assert float(p_value(values[0], random)) == pytest.approx(1 / 4)  # the least of three draws


def test_pushing_along_the_read_out_itself_is_not_specific(found: list[Steering]) -> None:
    """A line is a filter: even of a perfect cochlea it is no direction to push along."""
    assert mean(found, "specificity", "along the line") < 0.5 * mean(found, "specificity", "own")


def test_doses_are_monotone_and_signed(found: list[Steering]) -> None:
    """More strength, more of f; less than nothing, less; the wrong sign is wrong."""
    assert mean(found, "monotonicity", "own", None) > 0.99
    assert mean(found, "sign", "own", None) == 1.0
    assert mean(found, "sign", "wrong sign", None) == 0.0
    assert mean(found, "monotonicity", "wrong sign", None) < -0.8
    assert abs(mean(found, "gain_db", "other")) < 3 < mean(found, "gain_db", "own")


def test_strength_one_is_as_adding_the_partial(found: list[Steering]) -> None:
    """The latent, the spectrum and the gain come near those of c + s, and of no control's."""
    for one in found:
        own, added = over_pieces(one.gain_db[0, ONE], one.piece), over_pieces(one.present_gain_db, one.piece)
        assert abs(own.value - added.value) < 4
    assert mean(found, "sufficiency_latent", "own") > 0.7
    assert mean(found, "sufficiency_spectrum", "own") > 0.5
    assert mean(found, "sufficiency_latent", "random") < 0
    assert mean(found, "quality", "own") < mean(found, "quality", "random")


def test_projected_out_the_partial_goes_and_the_rest_stays(found: list[Steering]) -> None:
    """Necessity is all but whole for the own direction, nothing for another target's."""
    assert mean(found, "damage", "own", None) < 0.1
    for one in found:
        necessity = dict(zip(one.direction, one.necessity(n_resamples=1).value, strict=True))
        assert necessity["own"] > 0.7
        assert all(abs(value) < 0.1 for name, value in necessity.items() if name.startswith("other"))


def test_no_interval_of_four_pieces(found: list[Steering]) -> None:
    """Means are defined, intervals are not."""
    own = over_pieces(found[0].specificity[0], found[0].piece)
    assert np.isfinite(own.value).all()
    assert np.isnan(own.low).all()


def test_a_rotated_cochlea_steers_as_the_cochlea_does() -> None:
    """Nothing looks at single units."""
    name = "rotated-cochlea"
    made = bench(load_encoder(f"phantom:{name}"), [name])
    sounds = pairs(made.design, 4, made.music, made.levels, seconds=0.7)
    own = {"own": of_readout(made.lines[name], made.scale(name), 4)}
    found = steering(made.encoder, name, own, sounds, strengths=(1.0,), tracked=False)
    assert over_pieces(found.specificity[0, 0], found.piece).value > 0.85
    assert np.isnan(found.specificity_partials).all()


def test_scaling_a_plane_scales_the_partial(cochlea: Any) -> None:
    """What is in f's plane, doubled in c + s, is heard at f."""
    sounds = pairs(cochlea.design, 4, cochlea.music, cochlea.levels, seconds=0.7)
    plane = of_readout(cochlea.planes["cochlea"], cochlea.scale("cochlea"), 4)
    assert plane.read.shape[1] == 2
    decode = Decoder(cochlea.encoder, "cochlea", "stack_end", sounds)
    _, before = decode(sounds.present, None)
    _, after = decode(sounds.present, turn(plane, gain=1.3))
    found = analysed(np.concatenate([before, after]), 16000, sounds.target, tracked=False)
    plain, heard = np.split(found.spectrum, 2)
    assert np.mean(gain_db(plain, heard, found.near)) > 1
    assert np.mean(specificity(plain, heard, found.near)) > 0.8


def test_saved_sounds_agree_with_the_table(cochlea: Any) -> None:
    """Equally loud, below the peak, and with the gain undone they read the gain of the table."""
    sounds = pairs(cochlea.design, 4, cochlea.music, cochlea.levels, seconds=0.7)
    own = {"own": of_readout(cochlea.lines["cochlea"], cochlea.scale("cochlea"), 4)}
    table = steering(cochlea.encoder, "cochlea", own, sounds, strengths=(1.0,), tracked=False)
    heard = steered_sounds(cochlea.encoder, "cochlea", own, sounds, trial=1)
    assert heard.name == ("without", "with", "own x1", "with, own projected out")
    assert np.abs(heard.sounds).max() <= 10 ** (-1 / 20) + 1e-6
    as_was = heard.sounds / 10 ** (heard.gain_db[:, None] / 20)
    found = analysed(as_was[[0, 2]], 16000, sounds.target, tracked=False)
    assert gain_db(*found.spectrum, found.near) == pytest.approx(table.gain_db[0, 0, 1], abs=0.1)


# ---- faults


def some(n: int = 12000) -> Pairs:
    sound = 0.01 * np.random.default_rng(0).standard_normal((3, n)).astype(np.float32)
    ends = np.full((3, 2), n, dtype=np.int64)
    return Pairs(1000.0, 0, 16000, np.arange(3), sound, sound + np.float32(0.001), ends)


def test_what_cannot_be_steered_says_what_can_be_done(cochlea: Any) -> None:
    """No decoder, a strength that overflows, no dose, a site that is not there."""
    own = {"own": of_readout(cochlea.lines["cochlea"], cochlea.scale("cochlea"), 4)}
    divisive = load_encoder("phantom:divisive-cochlea")
    with pytest.raises(InputError, match=r"no decoder: ask for effects on its outputs .* or on later sites"):
        steering(divisive, "divisive-cochlea", own, some())
    with pytest.raises(InputError, match="1 is as adding the partial"):
        steering(cochlea.encoder, "cochlea", own, some(), strengths=(1.0, float("inf")))
    with pytest.raises(InputError, match="at least one strength"):
        steering(cochlea.encoder, "cochlea", own, some(), strengths=())
    with pytest.raises(InputError, match="legal values: cochlea"):
        steering(cochlea.encoder, "conv9", own, some())
    with pytest.raises(InputError, match="render longer sounds"):
        steering(cochlea.encoder, "cochlea", own, some(6000))


def test_a_wrapped_encoder_decodes_too(cochlea: Any) -> None:
    """An encoder with a change built in is an encoder like any other."""
    silenced = Altered(cochlea.encoder, "cochlea", torch.zeros_like, label="silenced")
    latent = silenced.activations(torch.from_numpy(some().absent), ["cochlea"])["cochlea"]
    sound = silenced.decode(latent)
    assert sound is not None
    assert float(sound.abs().max()) < 1e-6


def test_the_place_of_a_sound_that_is_gone_is_not_its_latent(cochlea: Any) -> None:
    """Another array may come to lie where one lay: latents belong to arrays that are still there."""
    decode = Decoder(cochlea.encoder, "cochlea", "stack_end", some())
    sound = some().absent
    first = weakref.ref(sound)
    before = decode(sound, None)[0]
    del sound
    assert first() is not None
    assert not np.array_equal(decode(2 * some().absent, None)[0], before)
    assert np.array_equal(decode(some().absent, None)[0], before)


def test_pairs_that_cannot_be(cochlea: Any) -> None:
    """No such target, no length that can be heard."""
    with pytest.raises(InputError, match="a target from 0 to 7"):
        pairs(cochlea.design, 8, cochlea.music, cochlea.levels)
    with pytest.raises(InputError, match=r"sounds of 0\.05 to 60 seconds"):
        pairs(cochlea.design, 1, cochlea.music, cochlea.levels, seconds=float("nan"))
    held_out = pairs(cochlea.design, 1, cochlea.music, cochlea.levels, held_out=True)
    assert held_out.piece.tolist() == [2, 3]
