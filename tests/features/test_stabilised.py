"""Both conditions: what two dictionaries share recurs, what each made up does not, and one seed alone says nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.features.planted import directions_as_features, planted

from tonotopy.core.errors import InputError
from tonotopy.features import stabilised as module
from tonotopy.features.sources._contract import Features, unit_rows
from tonotopy.features.stabilised import (
    Stabilised,
    beside_floor,
    recurring,
    recurring_values,
    stabilised,
)
from tonotopy.features.stability import SiteNull, Stability, site_null
from tonotopy.recording.natural import NaturalFrames


@pytest.fixture(scope="module")
def site() -> tuple[NaturalFrames, SiteNull]:
    natural, _ = planted()
    return natural, site_null(natural, directions=400)


def test_shared_directions_recur_and_others_do_not() -> None:
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((10, 40))
    sets: list[Features] = []
    for _ in range(3):
        rows = np.concatenate(
            [shared + 0.3 * rng.standard_normal(shared.shape), rng.standard_normal((10, 40))]
        )
        sets.append(directions_as_features(unit_rows(rows[rng.permutation(20)] if sets else rows)))
    found = recurring(sets, rng.standard_normal((3000, 40)))
    assert found.recurs[:10].all()
    assert found.recurs[10:].sum() <= 1
    assert found.recurrence[:10].min() > 0.8
    assert found.null_recurrence < 0.4


def test_unrelated_sets_recur_at_the_level() -> None:
    """Where the frames vary alike in all directions, and where they vary along few of them."""
    for slope in (0.0, 1.5):
        rng = np.random.default_rng(1)
        spread = np.arange(1, 31.0) ** -slope
        sets = [directions_as_features(rng.standard_normal((120, 30)) * spread) for _ in range(3)]
        found = recurring(sets, rng.standard_normal((4000, 30)) * spread)
        assert (found.p_recurrence <= 0.05).mean() <= 0.12
        assert found.recurs.mean() <= 0.03


def test_directions_that_merely_follow_what_is_loud_are_no_recurrence() -> None:
    """Their cosines are high; those of random directions that vary as the frames do are as high."""
    rng = np.random.default_rng(2)
    spread = np.array([10.0] + [1.0] * 19)
    sets = [directions_as_features(rng.standard_normal((20, 20)) * spread) for _ in range(2)]
    found = recurring(sets, rng.standard_normal((4000, 20)) * spread)
    assert np.median(found.recurrence) > 0.7
    assert not found.recurs.any()


def test_a_direction_of_zeros_is_undefined() -> None:
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((6, 12))
    rows[2] = 0
    found = recurring([directions_as_features(rows)] * 2, rng.standard_normal((500, 12)))
    assert np.flatnonzero(np.isnan(found.recurrence)).tolist() == [2]
    assert np.isnan(found.p_recurrence[2])
    assert not found.recurs[2]


def test_trainings_are_compared_by_what_they_answer() -> None:
    """One model with its units mixed is the other: directions differ, values agree."""
    rng = np.random.default_rng(4)
    sound = rng.standard_normal((2000, 16)) ** 3
    turned = sound @ np.linalg.qr(rng.standard_normal((16, 16)))[0]
    random = sound @ rng.standard_normal((16, 200))
    found = recurring_values([sound, sound[:, ::-1] * 7 + 3], random)
    assert found.recurrence == pytest.approx(1)
    assert found.recurs.all()
    assert recurring_values([sound, turned], random).recurs.mean() <= 0.15
    with pytest.raises(InputError, match="frames"):
        recurring_values([sound, sound[:-1]], random)
    with pytest.raises(InputError, match="at least 16 random directions"):
        recurring_values([sound, sound], random[:, :15])


def test_channels_recur_by_being_the_model(site: tuple[NaturalFrames, SiteNull]) -> None:
    natural, null = site
    found = stabilised("channels", natural, null=null)
    assert found.recurs_by == "the model"
    assert found.recurrence is None
    assert np.array_equal(found.stabilised == "yes", found.stability.stabilised)
    assert found.share == found.stability.stabilised.mean()


def test_a_source_with_seeds_needs_two(site: tuple[NaturalFrames, SiteNull]) -> None:
    natural, null = site
    with pytest.raises(InputError, match=r"^expected at least two seeds for ica; got "):
        stabilised("ica", natural, seeds=[3], null=null)
    found = stabilised("random", natural, seeds=[0, 1, 2], null=null)
    assert found.recurs_by == "seeds"
    assert found.recurrence is not None
    assert found.recurrence.recurs.mean() <= 0.05
    assert set(found.stabilised) <= {"no", "undefined"}


def test_seeds_reach_the_source(
    site: tuple[NaturalFrames, SiteNull], monkeypatch: pytest.MonkeyPatch
) -> None:
    natural, null = site
    asked = []

    def find(source: str, *_: Any, seed: int, **options: Any) -> Features:
        asked.append((source, seed, options["count"], options["site"]))
        return directions_as_features(np.random.default_rng(seed).standard_normal((4, natural.site.units)))

    monkeypatch.setattr(module, "find_features", find)
    found = stabilised("topk", natural, seeds=(5, 6, 7), count=4, null=null)
    assert asked == [("topk", seed, 4, "raw") for seed in (5, 6, 7)]
    assert len(found.features) == 4


def columns(p: list[float]) -> Stability:
    """A result with these p values of waveforms."""
    values = {name: np.full(len(p), 0.5) for name in Stability.__dataclass_fields__}
    return Stability(**{**values, "p_waveform": np.array(p)})


def test_both_conditions_are_needed_and_undefined_is_neither() -> None:
    features = directions_as_features(np.eye(4))
    recurs = module.Recurrence(np.ones(4), 0.3, np.array([1e-6, 0.9, 1e-6, 1e-6]))
    found = Stabilised(features, columns([1e-6, 1e-6, 0.9, np.nan]), recurs, "seeds")
    assert found.stabilised.tolist() == ["yes", "no", "no", "undefined"]
    assert found.share == pytest.approx(1 / 3)
    nothing = Stabilised(features, columns([np.nan] * 4), recurs, "seeds")
    assert np.isnan(nothing.share)


def test_shares_stand_beside_those_of_untrained_copies() -> None:
    many, few = columns([1e-6, 1e-6, 1e-6, 0.9]), columns([0.5, 0.5, 0.9, np.nan])
    assert beside_floor(many, [few, few]).above is True
    assert beside_floor(few, [few, many]).above is False
    assert beside_floor(many, []).above is None
    assert beside_floor(many, [columns([np.nan])]).above is None
    assert beside_floor(many, [few]).share == 0.75
