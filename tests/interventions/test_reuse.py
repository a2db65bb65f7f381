"""A direction that the rest reads is missed when it is gone; one that is planted and ignored is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from tests.interventions.phantoms import LATER, Chain, bench

from tonotopy.core.errors import InputError
from tonotopy.interventions import (
    Reuse,
    composition,
    harmonics_hz,
    of_readout,
    pairs,
    partial_directions,
    reuse,
    with_controls,
)
from tonotopy.interventions.direction import Along
from tonotopy.interventions.reuse import _without
from tonotopy.signal import erb

PLANTED = 4


def chain_of_templates(lines: np.ndarray, grid: np.ndarray) -> Chain:
    """A chain whose later units add up the partial lines nearest to the harmonics of one pitch each."""
    made = Chain(500.0, used=True, crowded=64)
    rows = []
    for pitch in np.geomspace(80, 1000, LATER):
        nearest = {int(np.abs(erb.rate(grid) - erb.rate(hz)).argmin()) for hz in harmonics_hz(pitch, 16000)}
        rows.append(lines[:, sorted(nearest)].sum(axis=1))
    weights = np.stack(rows) / np.linalg.norm(rows, axis=1, keepdims=True)
    made._net.later.weight.data = torch.from_numpy(weights).float()
    made.name = "templates"
    return made


def tried(chain: Any, *, used: bool, along: Along = "line") -> Reuse:
    made = chain(used)
    sounds = pairs(made.design, PLANTED, made.music, made.levels)
    line, scale = made.lines["plant"], made.scale("plant")
    directions = with_controls(
        line, scale, made.design.frequency_hz, PLANTED, along=along, n_random=8, n_other=2
    )
    return reuse(made.encoder, "plant", directions, sounds, made.lines)


def test_the_line_reads_the_planted_unit(chain: Any) -> None:
    """What is projected out below is, above all, what was planted."""
    for used in (True, False):
        w = chain(used).lines["plant"].weights[:, 0, PLANTED]
        assert np.abs(w).argmax() == len(w) - 1


def test_a_used_direction_is_missed_and_an_ignored_one_is_not(chain: Any) -> None:
    """At the site itself both lose all of the answer; behind it only the one that is read."""
    for used in (True, False):
        found = tried(chain, used=used)
        assert found.place == ("plant", "later")
        lost = found.lost_answer(n_resamples=1).value
        own = found.direction.index("own")
        random = [i for i, name in enumerate(found.direction) if name.startswith("random")]
        other = [i for i, name in enumerate(found.direction) if name.startswith("other")]
        assert lost[own, 0] == pytest.approx(1)
        assert np.abs(lost[random, 1]).mean() < 0.3
        assert np.abs(lost[other, 1]).max() < 0.3
        p = found.p()
        if used:
            assert lost[own, 1] > 0.7
            assert p[1] == pytest.approx(1 / 9)  # the least of eight draws
        else:
            assert lost[own, 1] < 0.1
            assert p[1] > 0.5


def test_taking_the_pattern_away_cannot_tell_the_two_apart(chain: Any) -> None:
    """Why the line is what reuse projects out: the pattern takes what else moves with f, read or not."""
    for used in (True, False):
        found = tried(chain, used=used, along="pattern")
        assert found.lost_answer(n_resamples=1).value[found.direction.index("own"), 1] > 0.9


def test_the_wrong_sign_is_the_same_projection(chain: Any) -> None:
    """A direction has no sign when it is taken away."""
    found = tried(chain, used=True)
    own, wrong = (found.direction.index(name) for name in ("own", "wrong sign"))
    assert np.allclose(found.answer[own], found.answer[wrong], rtol=1e-3, atol=1e-6)


def test_places_without_lines_have_no_answers(chain: Any) -> None:
    """Undefined, and energy still is; four pieces have no interval."""
    made = chain(True)
    sounds = pairs(made.design, PLANTED, made.music, made.levels)
    own = {"own": of_readout(made.lines["plant"], made.scale("plant"), PLANTED, along="line")}
    found = reuse(made.encoder, "plant", own, sounds, {"later": None})
    assert np.isnan(found.lost_answer().value).all()
    assert np.isnan(found.detection).all()
    energy = found.lost_energy()
    assert np.isfinite(energy.value).all()
    assert np.isnan(energy.low).all()
    assert np.isnan(found.p()).all()  # no random directions beside it


def test_a_pitch_made_of_partial_lines_depends_on_them(chain: Any) -> None:
    """Its own partials' lines gone, a pitch's answer is lost; as many other partials, or random ones, take less."""
    below = chain(True, 64, 24)
    grid, line = below.design.frequency_hz, below.lines["plant"]
    templates = chain_of_templates(line.weights[:, 0], grid)
    above = bench(templates, ["later"], n_frequencies=4, structure="pitch")
    index = 2
    own = harmonics_hz(float(above.design.frequency_hz[index]), 16000)
    directions = partial_directions(line, below.scale("plant"), grid, own, n_random=6)
    assert 4 <= directions["own"].read.shape[1] <= len(own)  # neighbours may share a line
    sounds = pairs(above.design, index, above.music, above.levels)
    found = composition(templates, "plant", directions, sounds, above.lines)
    lost = dict(zip(found.direction, found.lost_answer(n_resamples=1).value[:, 1], strict=True))
    assert lost["own"] > 0.5
    others = [name for name in lost if name.startswith("other partials")]
    assert len(others) == 4
    assert {directions[name].read.shape for name in others} == {directions["own"].read.shape}
    assert len({directions[name].fingerprint for name in others}) == 4
    assert np.mean([lost[name] for name in others]) < 0.5 * lost["own"]
    assert np.mean([value for name, value in lost.items() if name.startswith("random")]) < 0.5 * lost["own"]
    assert found.p()[1] == pytest.approx(1 / 7)


def test_fewer_other_partials_are_no_control(chain: Any) -> None:
    """They would take less because they are fewer; as many as the own ones, or none."""
    made = chain(True)
    grid = made.design.frequency_hz
    for parts, far in ((grid[1:6], False), (grid[2:3], True)):
        found = partial_directions(made.lines["plant"], made.scale("plant"), grid, parts, n_random=1)
        others = [name for name in found if name.startswith("other")]
        assert bool(others) == far
        assert all(found[name].read.shape == found["own"].read.shape for name in others)


def test_random_directions_by_default_let_p_pass_a_few_later_sites(chain: Any) -> None:
    """Thirty-nine, so that the least p is 1/40; eight could not have said anything at .05."""
    made = chain(True)
    line, scale, grid = made.lines["plant"], made.scale("plant"), made.design.frequency_hz
    for found in (
        with_controls(line, scale, grid, PLANTED),
        partial_directions(line, scale, grid, grid[4:5]),
    ):
        assert sum(name.startswith("random") for name in found) == 39


def test_two_targets_projected_out_are_two_encoders(chain: Any) -> None:
    """Their directions have one name, and the encoders two identities."""
    made = chain(True)
    line, scale = made.lines["plant"], made.scale("plant")
    own = [of_readout(line, scale, k, along="line", name="own") for k in (3, 4, 4)]
    first, second, again = (_without(made.encoder, "plant", "own", d).identity for d in own)
    assert first != second == again


# ---- faults


def test_faults(chain: Any) -> None:
    """A place before the site, no direction, a structure whose partials no line stands for."""
    made = chain(True)
    sounds = pairs(made.design, PLANTED, made.music, made.levels)
    own = {"own": of_readout(made.lines["later"], made.scale("later"), PLANTED, along="line")}
    with pytest.raises(InputError, match="it is computed before 'later'"):
        reuse(made.encoder, "later", own, sounds, made.lines)
    with pytest.raises(InputError, match="at least one direction"):
        reuse(made.encoder, "plant", {}, sounds, made.lines)
    with pytest.raises(InputError, match="a grid too coarse"):
        partial_directions(made.lines["plant"], made.scale("plant"), made.design.frequency_hz, [])
